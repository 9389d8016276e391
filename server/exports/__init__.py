"""Files that tickets are taken away in: how they look, and the process that writes them."""
