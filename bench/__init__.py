"""What Casewire costs, beside a hand-written floor and other servers, in one run. See README.md."""
