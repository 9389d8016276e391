"""The command line: `python -m server --help`."""

from server.commands import app

if __name__ == "__main__":
    app(prog_name="python -m server")
