"""The mutations that many tests need, each as one call that gives its payload."""

from itertools import count
from typing import Any

import models
from tests.api.world import gid
from tests.client import Client

_key = count(1)

REFUSALS = """errors { __typename code message field
  ... on TicketClosedError { ticket { id reference } offersLinkedTicket }
  ... on StaleVersionError { currentVersion } }"""

STATE = "status displayStatus version resolutionReason closureReason resolvedAt closedAt lastSequence"


async def mutate(client: Client, name: str, selection: str, /, **given: Any) -> Any:
    """The payload of a mutation; `given` is its input."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {selection} {REFUSALS} }} }}"
    return (await client.ask(document, input=given))[name]


async def create(client: Client, organization: models.Organization, **given: Any) -> Any:
    values = {
        "organizationId": gid(organization),
        "requestTypeKey": "TECHNICAL",
        "subject": "No picture",
        "description": "Since Monday.",
        **given,
    }
    selection = f"clientMutationId ticket {{ id reference subject {STATE} }}"
    return await mutate(client, "ticketCreate", selection, **values)


async def send(client: Client, ticket: models.Ticket, body: str = "Hello", **given: Any) -> Any:
    message = {"body": body, **given.pop("message", {})}
    values = {"ticketId": gid(ticket), "clientMessageId": f"key-{next(_key)}", "message": message, **given}
    selection = f"message {{ id body sequence visibility cursor }} ticket {{ {STATE} }}"
    return await mutate(client, "messageSend", selection, **values)


async def note(client: Client, ticket: models.Ticket, body: str = "Beside it", **given: Any) -> Any:
    selection = "note { __typename id body visibility sequence }"
    return await mutate(client, "noteAdd", selection, ticketId=gid(ticket), body=body, **given)


async def on_ticket(client: Client, name: str, ticket: models.Ticket, **given: Any) -> Any:
    """`ticketResolve`, `ticketClose` or `ticketAssign`."""
    selection = f"ticket {{ {STATE} assignee {{ displayName }} }}"
    return await mutate(client, name, selection, ticketId=gid(ticket), **given)


async def reopen(client: Client, ticket: models.Ticket, comment: str = "It is back") -> Any:
    selection = f"ticket {{ {STATE} }} message {{ body sequence }}"
    return await mutate(client, "ticketReopen", selection, ticketId=gid(ticket), comment=comment)


def refusal(payload: Any) -> tuple[str, list[str] | None]:
    """The code and field of a payload's only error; everything else of the payload has to be null."""
    (error,) = payload["errors"]
    assert {value for key, value in payload.items() if key not in ("errors", "clientMutationId")} == {None}
    return error["code"], error["field"]
