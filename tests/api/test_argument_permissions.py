"""Arguments that not everybody may give who may call the mutation: each × every kind of viewer (S04, S07, J7)."""

from typing import Any

import pytest

from domain.enums import MemberVisibility
from tests.api.test_mutation_permissions import CODES, MUTATIONS, open_ticket
from tests.api.world import VIEWERS, codes, make_world, nothing_changes
from tests.client import Client
from tests.conftest import AsUser

pytestmark = pytest.mark.anyio

TABLE = """
                                    own adm req lic mem rea  aut hel  str  age lea eng chi  nob
open  ticketUpdate.confidentiality  -   -   -   .   -   -    +   -    .    +   +   +   +    !
own   ticketUpdate.confidentiality  -   -   -   .   .   -    +   -    .    +   +   +   +    !
open  messageSend.visibility        -   -   -   .   -   -    -   -    .    +   +   +   +    !
own   messageSend.visibility        -   -   -   .   .   -    -   -    .    +   +   +   +    !
open  noteAdd.visibility            -   -   -   .   -   -    -   -    .    +   +   +   +    !
own   noteAdd.visibility            -   -   -   .   .   -    -   -    .    +   +   +   +    !
open  typingSet.visibility          -   -   -   .   -   -    -   -    .    +   +   +   +    !
own   typingSet.visibility          -   -   -   .   .   -    -   -    .    +   +   +   +    !
open  ticketExport.includeInternal  -   -   -   .   -   -    -   -    .    +   +   +   +    !
own   ticketExport.includeInternal  -   -   -   .   .   .    -   -    .    +   +   +   +    !
"""
"""As in tests/api/test_mutation_permissions.py."""

GIVEN = {
    "ticketUpdate.confidentiality": "ticketId: $id, confidentiality: AUTHOR_ONLY",
    "messageSend.visibility": 'ticketId: $id, clientMessageId: "1", message: {body: "Hello", visibility: INTERNAL}',
    "noteAdd.visibility": 'ticketId: $id, body: "Hello", visibility: INTERNAL',
    "typingSet.visibility": "ticketId: $id, isTyping: true, visibility: INTERNAL",
    "ticketExport.includeInternal": "ticketId: $id, includeInternal: true",
}


def expected(preset: MemberVisibility) -> dict[str, dict[str, str]]:
    rows = [line.split() for line in TABLE.splitlines() if line.startswith(f"{preset.lower()} ")]
    return {row[1]: dict(zip(VIEWERS, row[2:], strict=True)) for row in rows}


async def code(client: Client, argument: str, ticket_id: str) -> str | None:
    mutation, _, _ = argument.partition(".")
    document = f"mutation($id: ID!) {{ {mutation}(input: {{{GIVEN[argument]}}}) {{ errors {{ code }} }} }}"
    data, errors = await client.answer(document, id=ticket_id)
    if errors:
        (found,) = codes(errors)
        return found
    refusals: list[Any] = data[mutation]["errors"]
    return refusals[0]["code"] if refusals else None


@pytest.mark.parametrize("preset", MemberVisibility)
async def test_an_argument_is_taken_from_whom_it_is_for_and_from_nobody_else(
    as_user: AsUser, preset: MemberVisibility
) -> None:
    world = await make_world(preset)
    wrong = []

    for argument, cells in expected(preset).items():
        for name, cell in cells.items():
            ticket_id = (await open_ticket(world))["id"]
            if cell == "+":
                told = await code(as_user(world.people[name]), argument, ticket_id)
            else:
                async with nothing_changes():
                    told = await code(as_user(world.people[name]), argument, ticket_id)
            if told != CODES.get(cell):
                wrong.append((argument, name, told))

    assert wrong == []


def test_every_such_argument_is_in_the_table() -> None:
    for preset in MemberVisibility:
        assert expected(preset).keys() == GIVEN.keys()
    assert {each.partition(".")[0] for each in GIVEN} <= MUTATIONS.keys()
