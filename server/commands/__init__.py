"""What can be done from a shell; each command in a file of its own."""

import typer

from server.commands.data import demo, migrate
from server.commands.importing import importing
from server.commands.inspect import schema, settings, token
from server.commands.plan import plan
from server.commands.serving import serve, sweep

app = typer.Typer(
    help="Casewire, the support desk behind a portal. Settings come from CASEWIRE_… variables and `.env`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

for command in (serve, migrate, demo, token, schema, settings, plan, sweep):
    app.command()(command)
app.add_typer(importing, name="import")
