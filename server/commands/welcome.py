"""What a newcomer is told: where to look, whom to be, and a first query and subscription to paste."""

import json

from schema.node import global_id
from server.commands.common import console
from server.demo import DemoSummary
from server.setting_kinds import show_duration
from server.settings import Settings


def welcome(settings: Settings, demo: DemoSummary) -> None:
    log_ins(demo)
    address = f"http://{settings.host}:{settings.port}"
    ticket = global_id("Ticket", demo.ticket_id)
    credentials = json.dumps({"grant_type": "password", "email": demo.author.email, "password": demo.author.password})
    console.print(f"""
[bold]Casewire[/] runs on [bold]{address}/graphql[/] (a browser finds the console there)

[bold]A token[/], good for {show_duration(settings.access_token_ttl)}:""")
    console.print(
        f"  TOKEN=$(curl -s {address}/auth/token -H 'content-type: application/json' \\\n"
        f"    -d '{credentials}' \\\n"
        "    | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"access_token\"])')",
        markup=False,
    )
    console.print("\n[bold]A first query[/]:")
    console.print(
        f"  curl -s {address}/graphql -H \"authorization: Bearer $TOKEN\" -H 'content-type: application/json' \\\n"
        '    -d \'{"query": "{ tickets(first: 5) { nodes { reference subject displayStatus } totalCount } }"}\'',
        markup=False,
    )
    console.print(f"\n[bold]A first subscription[/], in the console ({demo.ticket_reference}):")
    console.print(
        f'  subscription {{ messages(ticketId: "{ticket}") '
        "{ ... on MessageChange { cursor message { body } } } }\n"
        "  and from another tab, as anybody who may write there:\n"
        f'  mutation {{ messageSend(input: {{ticketId: "{ticket}", clientMessageId: "1", message: {{body: "Hello"}}}}) '
        "{ errors { message } } }\n",
        markup=False,
    )


def log_ins(demo: DemoSummary) -> None:
    state = "The demo world is loaded." if demo.loaded else "The demo world is there already; nothing was changed."
    console.print(f"{state} Everybody's password is [bold]{demo.author.password}[/].\n")
    for login in demo.logins:
        console.print(f"  {login.place:24} {login.role:22} {login.name:16} {login.email}", markup=False)
