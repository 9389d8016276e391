"""Whatever is wrong with what an operation is given: a clear error with a code, no change, nothing announced (J9)."""

import logging
import re
from datetime import date, timedelta
from itertools import chain
from typing import Any

import pytest
from graphql import get_named_type

import models
from domain.enums import MemberVisibility, MessageKind
from server.transport.masking import for_client
from tests.api.bad_input import NEVER, Asked, Leaf, Variables, mutation, queries
from tests.api.test_mutation_permissions import MUTATIONS, expected, who_may
from tests.api.test_nodes_and_scalars import one_of_everything
from tests.api.world import World, gid, make_world, nothing_changes
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import (
    LONG_AGO,
    make_article,
    make_escalation,
    make_file,
    make_follower,
    make_message,
    make_participant,
    make_ticket,
)

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


LET_GO = {"unmuteTicketIds"}
"""What one no longer sees can still be let go of; and a filter by it lets nothing through."""

OF_NOBODY = {"SupportProject", "Classification", "IssueType", "Product", "ProductVersion", "ProductUpdate"}
"""What the vendor offers to everybody."""


@pytest.fixture(autouse=True)
def unlogged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strawberry writes down every refusal with its traceback, and that is most of the work."""
    monkeypatch.setattr(logging.getLogger("strawberry.execution"), "disabled", True)


Errors = list[dict[str, Any]]

LONGEST = 500
"""Characters of a message: what was sent is not sent back."""


async def errors_of(client: Client, asked: Asked, variables: Variables) -> Errors:
    """The errors, in the payload or at the top level, as a client reads them."""
    data, errors = await client.answer(asked.document, **variables)
    formatted = for_client(errors)
    found: Errors = [{"message": each["message"], **each.get("extensions", {})} for each in formatted]
    payload = next(iter(data.values())) if data else None
    return found + (payload.get("errors", []) if isinstance(payload, dict) else [])


def complaint(errors: Errors) -> str | None:
    """Why nobody could act on what was answered."""
    if not errors:
        return "no error"
    error = errors[0]
    if error["code"] == "INTERNAL":
        return "our fault"
    if len(error["message"]) > LONGEST:
        return f"a message of {len(error['message'])} characters"
    if error["code"] != "BAD_USER_INPUT" and not error["message"].endswith("."):
        return f"no sentence: {error['message']}"
    return None


async def complaints(client: Client, asked: Asked) -> list[str]:
    """What is wrong with the answers to all that is wrong."""
    found = []
    for leaf in asked.leaves():
        for value in leaf.wrong():
            why = complaint(await errors_of(client, asked, asked.given(leaf, value)))
            if why:
                found.append(f"{asked.name} {'.'.join(leaf.path)} = {str(value)[:60]!r}: {why}")
    return found


async def faults(client: Client, asked: Asked) -> list[str]:
    """Answers to what may be wrong or right, that are no answers."""
    found = []
    for leaf in asked.leaves():
        for value in leaf.doubtful():
            errors = await errors_of(client, asked, asked.given(leaf, value))
            if errors and (why := complaint(errors)):
                found.append(f"{asked.name} {'.'.join(leaf.path)} = {str(value)[:60]!r}: {why}")
    return found


def lines(found: list[list[str]]) -> str:
    return "\n".join(chain.from_iterable(found))


async def rows_by_type(world: World) -> dict[str, str]:
    return {name: gid(row) for name, row in (await one_of_everything(world)).items()}


async def prepared(world: World) -> list[tuple[str, Asked]]:
    """Every mutation, and somebody who may."""
    return [
        (who_may(name), mutation(name, {"agent": gid(world["agent"]), **await prepare(world)}))
        for name, (prepare, _) in MUTATIONS.items()
    ]


async def test_a_mutation_refuses_what_is_no_value_and_changes_nothing(as_user: AsUser) -> None:
    world = await make_world()
    given = await prepared(world)

    async with nothing_changes():
        found = [await complaints(as_user(world[who]), asked) for who, asked in given]
        assert not any(found), lines(found)


async def test_a_query_refuses_what_is_no_value(as_user: AsUser) -> None:
    world = await make_world()
    asked = queries(await rows_by_type(world))

    async with nothing_changes():
        found = [await complaints(as_user(world["chief"]), each) for each in asked]
        assert not any(found), lines(found)


async def test_what_may_be_wrong_or_right_is_answered_one_way_or_the_other(as_user: AsUser) -> None:
    """Empty texts and lists, numbers below zero and beyond everything."""
    world = await make_world()
    asked = [("chief", each) for each in queries(await rows_by_type(world))]

    found = [await faults(as_user(world[who]), each) for who, each in [*asked, *await prepared(world)]]

    assert not any(found), lines(found)


async def test_what_belongs_to_others_is_answered_like_what_never_was(as_user: AsUser) -> None:
    """S07: every id that a customer may send, with one of an organization that is not theirs."""
    world = await make_world()

    assert await told_apart(as_user, world, await rows_of_others(world)) == []


async def test_what_is_for_its_author_alone_is_answered_like_what_never_was(as_user: AsUser) -> None:
    """S07: by the owner of the organization, in whatever operation."""
    world = await make_world()
    rows = await rows_on_a_ticket(world, confidentiality="AUTHOR_ONLY")

    assert await told_apart(as_user, world, rows, but=("author",)) == []


async def test_what_was_filed_before_the_history_is_answered_like_what_never_was(as_user: AsUser) -> None:
    """S12: by the owner of the organization, in whatever operation."""
    world = await make_world()
    rows = await rows_on_a_ticket(world, created_at=LONG_AGO - timedelta(microseconds=1))
    await models.Organization.filter(id=world.acme.id).update(history_starts_at=LONG_AGO)

    assert await told_apart(as_user, world, rows, but=("author",)) == []


async def told_apart(as_user: AsUser, world: World, rows: dict[str, str], but: tuple[str, ...] = ()) -> list[str]:
    """Where an operation answers one of these rows otherwise than one that never was, or does not refuse it."""
    found = []
    for name, (prepare, _) in MUTATIONS.items():
        may = expected(MemberVisibility.OPEN)[name]
        who = next((who for who in ("owner", "author") if may[who] == "+" and who not in but), None)
        if who is None:
            continue
        client = as_user(world[who])
        asked = mutation(name, {"agent": gid(world["agent"]), **await prepare(world)})
        async with nothing_changes():
            for leaf in (each for each in asked.leaves() if get_named_type(each.kind).name == "ID"):
                if leaf.name in LET_GO or "filter" in leaf.path:
                    continue
                for kind in (await kinds_taken(client, asked, leaf) - OF_NOBODY) & rows.keys():
                    told = [
                        await errors_of(client, asked, asked.given(leaf, id if leaf.alone else [id]))
                        for id in (rows[kind], f"{kind}_{NEVER}")
                    ]
                    if told[0] != told[1] or not told[0]:
                        found.append(f"{name} {'.'.join(leaf.path)} of a {kind}: {told}")
    return found


async def rows_on_a_ticket(world: World, **given: Any) -> dict[str, str]:
    """Everything on a ticket of the author's that is hidden as is `given`, and what else is the author's own."""
    author = world["author"]
    ticket = await make_ticket(world.acme, author, is_escalated=True, **given)
    messages = [await make_message(ticket, author, kind=kind) for kind in MessageKind]
    days: Any = {"created_at": LONG_AGO, "updated_at": LONG_AGO}
    rows: list[Any] = [
        ticket,
        *messages,
        await make_escalation(ticket),
        await make_follower(ticket),
        await make_participant(ticket, author),
        await make_file(author, message=messages[0], ticket=ticket, visibility="PUBLIC"),
        await models.TicketDraft.create(author=author, origin="AUTOSAVE", **days),
        await models.Notification.create(
            user=author, ticket=ticket, kind="ASSIGNED", visibility="PUBLIC", source="x", created_at=LONG_AGO
        ),
    ]
    return {gid(row).partition("_")[0]: gid(row) for row in rows}


async def kinds_taken(client: Client, asked: Asked, leaf: Leaf) -> set[str]:
    """The types whose ids go there, as the refusal of another one says."""
    id = f"StatusChangedEvent_{NEVER}"
    (error,) = await errors_of(client, asked, asked.given(leaf, id if leaf.alone else [id]))
    said = re.search(r"here goes one of the type (.+)\.", error["message"])
    assert said, (asked.name, leaf.path, error)
    return set(said[1].split(" / "))


async def rows_of_others(world: World) -> dict[str, str]:
    """A row of Other's for everything that an organization has."""
    other, theirs = world.other, world["stranger"]
    ticket = await make_ticket(other, theirs)
    space = await models.Space.create(organization=other, kind=models.SpaceKind.ROOM, name="Theirs")
    desk = await models.Space.create(organization=other, kind=models.SpaceKind.DESK, name="Their desk")
    product = await models.Product.get()
    message = await make_message(ticket, theirs)
    days = {"starts_at": date(2026, 1, 1), "ends_at": date(2026, 12, 31)}
    rows: list[Any] = [other, theirs, ticket, space, desk, message, await make_escalation(ticket)]
    rows += [await make_message(ticket, theirs, kind=kind) for kind in (MessageKind.EMAIL, MessageKind.NOTE)]
    rows += [await make_follower(ticket), await make_participant(ticket, theirs), await make_file(theirs)]
    rows += [await models.Membership.get(user=theirs), await models.SpaceGroup.create(organization=other, name="x")]
    rows += [await models.ServiceLicense.create(organization=other, level="SELECT", created_at=LONG_AGO, **days)]
    rows += [
        await models.Device.create(organization=other, product=product, space=space, name="x", serial_number="X"),
        await models.ServiceCertificate.create(organization=other, number="X", kind="SERVICES", **days),
        await models.TicketDraft.create(author=theirs, origin="AUTOSAVE", created_at=LONG_AGO, updated_at=LONG_AGO),
        await make_article("Among us", visibility="INTERNAL"),
        await models.Notification.create(
            user=theirs, ticket=ticket, kind="ASSIGNED", visibility="PUBLIC", source="x", created_at=LONG_AGO
        ),
    ]
    return {gid(row).partition("_")[0]: gid(row) for row in rows}
