"""The command line: `python -m server --help`."""

import gc

# What is made while everything is imported stays: looking through it again and again takes a sixth of the start.
# The application lets the collector begin once it is ready; whatever ends before that leaves nothing behind.
gc.disable()

from server.commands import app  # noqa: E402

if __name__ == "__main__":
    app(prog_name="python -m server")
