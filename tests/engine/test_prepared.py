"""Queries whose text is made once answer as the same query asked anew; rows that were kept write what changed."""

from uuid import UUID, uuid4

import pytest
from tortoise.expressions import RawSQL

import models
from engine.prepared import Prepared
from resolvers.transaction import run_in_transaction
from tests.factories import make_member, make_message, make_organization, make_ticket

pytestmark = pytest.mark.anyio


async def test_the_row_with_these_values_is_found_again_and_again(db: str) -> None:
    acme = await make_organization("Acme")
    ann = await make_member(acme)
    one, two = await make_ticket(acme, ann), await make_ticket(acme, ann)
    in_one, in_two = await make_message(one, ann, "first"), await make_message(two, ann, "second")
    said = Prepared(models.Message, {"ticket_id": UUID, "body": str}, lambda rows: rows.filter(visibility="PUBLIC"))

    assert await said.first(one.id, "first") == in_one
    assert await said.first(two.id, "second") == in_two
    assert await said.first(one.id, "second") is None
    assert await said.first(uuid4(), 'it\'s \x01 "quoted"; --') is None


async def test_what_a_row_is_annotated_with_comes_along(db: str) -> None:
    acme = await make_organization("Acme")
    ticket = await make_ticket(acme, await make_member(acme))
    shout = RawSQL('(SELECT upper("name") FROM "organization" WHERE "id" = "ticket"."organization_id")')
    loud = Prepared(models.Ticket, {"id": UUID}, lambda rows: rows.annotate(shout=shout))

    found = await loud.first(ticket.id)

    assert found is not None
    assert (found.subject, found.created_at, found.shout) == (ticket.subject, ticket.created_at, "ACME")


async def test_a_query_reads_inside_the_transaction_it_is_asked_in(db: str) -> None:
    acme = await make_organization("Acme")
    named = Prepared(models.Organization, {"id": UUID}, lambda rows: rows)

    async def renamed() -> str | None:
        await models.Organization.filter(id=acme.id).update(name="Renamed")
        found = await named.first(acme.id)
        return found and found.name

    assert await run_in_transaction(renamed) == "Renamed"


async def test_a_row_that_was_kept_as_read_writes_only_what_has_changed(db: str) -> None:
    acme = await make_organization("Acme")
    ticket = await make_ticket(acme, await make_member(acme), subject="Before")
    ticket.keep_as_read()
    await models.Ticket.filter(id=ticket.id).update(subject="Written by somebody else")

    ticket.version += 1
    await ticket.save()

    stored = await models.Ticket.get(id=ticket.id)
    assert (stored.subject, stored.version) == ("Written by somebody else", ticket.version)
    await ticket.save()  # nothing has changed since: nothing is written
    assert (await models.Ticket.get(id=ticket.id)).subject == "Written by somebody else"
