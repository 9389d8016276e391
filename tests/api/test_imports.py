"""One ticket of an earlier system (S13, J10)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.enums import (
    OrganizationRole,
    StaffRole,
    TicketChannel,
    TicketPriority,
    TicketStatus,
    Visibility,
)
from domain.errors import DomainError, Forbidden, Invalid, NotFound, Required, Unauthenticated
from domain.policy import ANONYMOUS, Viewer
from models import Feedback, FeedEvent, Membership, Message, Organization, Participant, Product, Ticket, User
from resolvers import sweeps
from resolvers.context import Context, Services
from resolvers.imports import COMMAND_LINE, ImportedTicket, Outcome, import_ticket, organization_named
from resolvers.viewers import load_viewer
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_staff

pytestmark = pytest.mark.anyio

ASKED = datetime(2023, 6, 1, 12, 0, tzinfo=UTC)
ANSWERED = datetime(2023, 6, 1, 14, 30, tzinfo=UTC)
SOLVED = datetime(2023, 6, 2, 9, 0, tzinfo=UTC)

TICKET = """
    query($reference: String!) { ticketByReference(reference: $reference) {
        id isImported status channel priority feedCursor
        requester { displayName } product { name } feedback { rating }
        messages { nodes { __typename body source visibility actor { displayName } } } } }
"""


def imported(organization: Organization, **given: Any) -> ImportedTicket:
    """A closed ticket with everything told, but for what a test changes."""
    values: dict[str, Any] = {
        "source": "old desk",
        "key": "4711",
        "subject": "The camera stays black",
        "description": "It did so since Monday.",
        "status": TicketStatus.CLOSED,
        "channel": TicketChannel.EMAIL,
        "priority": TicketPriority.URGENT,
        "requester_email": "Ann@Example.com",
        "requester_name": "Ann Example",
        "product": "Orba Bar 2",
        "resolution": "The cable was loose.",
        "created_at": ASKED,
        "first_responded_at": ANSWERED,
        "resolved_at": SOLVED,
        "rating": 4,
        "details": (("Serial", "OB2-1"),),
        **given,
    }
    return ImportedTicket(organization_id=organization.id, **values)


@pytest.fixture
def ctx(services: Services) -> Context:
    return Context(COMMAND_LINE, services)


async def bodies(ticket: Ticket) -> list[str]:
    return [message.body for message in await Message.filter(ticket_id=ticket.id).order_by("sequence")]


async def test_an_imported_ticket_is_found_with_its_history(ctx: Context, as_user: AsUser) -> None:
    acme = await make_organization("Acme")
    owner = await make_member(acme, OrganizationRole.OWNER)

    ticket, outcome = await import_ticket(ctx, imported(acme))

    assert outcome is Outcome.CREATED
    seen = (await as_user(owner).ask(TICKET, reference=ticket.reference))["ticketByReference"]
    assert seen.pop("id") == f"Ticket_{ticket.id}"
    assert seen.pop("feedCursor")
    assert seen == {
        "isImported": True,
        "status": "CLOSED",
        "channel": "EMAIL",
        "priority": "URGENT",
        "requester": {"displayName": "Ann Example"},
        "product": {"name": "Orba Bar 2"},
        "feedback": {"rating": 4},
        "messages": {
            "nodes": [
                {
                    "__typename": "EmailMessage",
                    "body": "It did so since Monday.",
                    "source": "IMPORT",
                    "visibility": "PUBLIC",
                    "actor": {"displayName": "Ann Example"},
                },
                {
                    "__typename": "EmailMessage",
                    "body": "The cable was loose.",
                    "source": "IMPORT",
                    "visibility": "PUBLIC",
                    "actor": {"displayName": "Casewire"},
                },
            ]
        },
    }


FIND = """query($reference: String!) {
  everything: tickets(scope: ALL, filter: {}) { nodes { reference isImported } }
  active: tickets(scope: ALL) { nodes { reference isImported } }
  quoted: tickets(scope: ALL, filter: {references: [$reference]}) { nodes { reference isImported } }
  said: tickets(scope: ALL, filter: {text: "cable loose"}) { nodes { reference isImported } }
  subject: search(text: "camera black", kinds: [TICKET]) { nodes { node { ... on Ticket { reference isImported } } } }
  number: search(text: $reference) { nodes { node { ... on Ticket { reference isImported } } } }
}"""


async def test_an_imported_ticket_stays_findable_in_every_way(ctx: Context, as_user: AsUser) -> None:
    """S13: closed as it is, by whoever may see it: in lists, by its reference, by what it says; and by nobody else."""
    acme = await make_organization("Acme")
    ticket, _ = await import_ticket(ctx, imported(acme))
    members = {role: await make_member(acme, role) for role in OrganizationRole}
    stranger = await make_member(await make_organization(), OrganizationRole.OWNER)
    unseen = [members[OrganizationRole.LICENSE_MANAGER], stranger]

    for person in (await User.get(email="ann@example.com"), await make_staff(), *members.values(), stranger):
        found = await as_user(person).ask(FIND, reference=ticket.reference)
        rows = {name: [each.get("node", each) for each in listed["nodes"]] for name, listed in found.items()}
        itself = [] if person in unseen else [{"reference": ticket.reference, "isImported": True}]
        assert rows.pop("active") == []
        assert rows == dict.fromkeys(rows, itself), person.display_name


async def test_its_times_are_those_that_were_told(ctx: Context) -> None:
    ticket, _ = await import_ticket(ctx, imported(await make_organization("Acme")))

    stored = await Ticket.get(id=ticket.id)
    assert (stored.created_at, stored.first_responded_at) == (ASKED, ANSWERED)
    assert stored.resolved_at == stored.closed_at == stored.status_changed_at == SOLVED
    assert stored.updated_at == stored.last_activity_at == SOLVED
    assert (await Feedback.get()).submitted_at == SOLVED
    said = await Message.filter(ticket_id=ticket.id).order_by("sequence").values_list("occurred_at", flat=True)
    assert said == [ASKED, SOLVED, ctx.now()]


async def test_its_requester_is_a_member_without_a_password(ctx: Context) -> None:
    acme = await make_organization("Acme")

    ticket, _ = await import_ticket(ctx, imported(acme))

    ann = await User.get(id=ticket.requester_id)
    assert (ann.email, ann.username, ann.display_name, ann.password_hash) == (
        "ann@example.com",
        "ann",
        "Ann Example",
        None,
    )
    membership = await Membership.get(user_id=ann.id)
    assert (membership.organization_id, membership.role) == (acme.id, OrganizationRole.MEMBER)
    assert await Participant.filter(ticket_id=ticket.id, user_id=ann.id, role="SUBMITTER").count() == 1


async def test_a_known_person_and_product_are_used_again(ctx: Context) -> None:
    acme = await make_organization("Acme")
    admin = await make_member(acme, OrganizationRole.ADMIN, name="Anna")
    first, _ = await import_ticket(ctx, imported(acme, requester_email=admin.email.upper(), requester_name="Ann Other"))
    second, _ = await import_ticket(ctx, imported(acme, key="4712", requester_email=admin.email, requester_name="Anna"))

    assert first.requester_id == second.requester_id == admin.id
    assert first.product_id == second.product_id == (await Product.get()).id
    assert (await Membership.get(user_id=admin.id)).role is OrganizationRole.ADMIN
    assert (await User.get(id=admin.id)).display_name == "Anna"
    assert (await bodies(first))[-1].splitlines()[-1] == "Requester: Ann Other"
    assert "Requester" not in (await bodies(second))[-1]


async def test_the_same_again_changes_nothing_and_says_so(ctx: Context, clock: Clock) -> None:
    acme = await make_organization("Acme")
    ticket, _ = await import_ticket(ctx, imported(acme, created_at=None))
    events = await FeedEvent.all().count()
    clock.advance(hours=5)

    again, outcome = await import_ticket(ctx, imported(acme, created_at=None))

    assert (again.id, outcome) == (ticket.id, Outcome.UNCHANGED)
    assert await Ticket.all().count() == 1
    assert await Message.all().count() == 3
    assert await FeedEvent.all().count() == events


async def test_other_content_under_the_same_key_is_told_and_left_alone(ctx: Context) -> None:
    acme = await make_organization("Acme")
    ticket, _ = await import_ticket(ctx, imported(acme))

    again, outcome = await import_ticket(ctx, imported(acme, subject="Another subject"))

    assert (again.id, outcome) == (ticket.id, Outcome.CHANGED)
    assert (await Ticket.get()).subject == "The camera stays black"


async def test_a_key_belongs_to_its_source_and_organization(ctx: Context) -> None:
    acme, globex = await make_organization("Acme"), await make_organization("Globex")

    outcomes = [
        (await import_ticket(ctx, row))[1]
        for row in (imported(acme), imported(globex), imported(acme, source="older desk"))
    ]

    assert outcomes == [Outcome.CREATED] * 3


async def test_one_event_tells_that_the_ticket_is_there(ctx: Context) -> None:
    """Once on each of its own streams, and once for each list that could show it."""
    acme = await make_organization("Acme")
    ticket, _ = await import_ticket(ctx, imported(acme))

    events = await FeedEvent.all().order_by("topic").values_list("topic", "seq", "kind")
    assert events == [
        ("desk", 1, "tickets.changed"),
        (f"org:{acme.id}", 1, "tickets.changed"),
        (f"org:{acme.id}:pub", 1, "tickets.changed"),
        (f"ticket:{ticket.id}", 1, "ticket.created"),
        (f"ticket:{ticket.id}:pub", 1, "ticket.created"),
        (f"tickets:{ticket.requester_id}", 1, "tickets.changed"),
    ]


async def test_customers_do_not_see_the_note_about_the_import(ctx: Context) -> None:
    ticket, _ = await import_ticket(ctx, imported(await make_organization("Acme")))

    items = await Message.filter(ticket_id=ticket.id).order_by("sequence")
    numbers = [(item.sequence, item.public_sequence, item.visibility) for item in items]
    assert numbers == [(1, 1, Visibility.PUBLIC), (2, 2, Visibility.PUBLIC), (3, None, Visibility.INTERNAL)]
    assert items[-1].body == "Imported from old desk, number 4711.\nSerial: OB2-1"
    stored = await Ticket.get(id=ticket.id)
    assert (stored.last_sequence, stored.last_public_sequence) == (3, 2)


async def test_times_that_contradict_each_other_are_both_kept(ctx: Context) -> None:
    acme = await make_organization("Acme")

    ticket, _ = await import_ticket(
        ctx, imported(acme, created_at=None, first_responded_at=SOLVED, resolved_at=ANSWERED)
    )

    stored = await Ticket.get(id=ticket.id)
    assert (stored.first_responded_at, stored.resolved_at, stored.closed_at) == (SOLVED, ANSWERED, ANSWERED)
    assert (stored.created_at, stored.last_activity_at) == (ANSWERED, SOLVED)
    assert (await bodies(ticket))[-1].splitlines()[-1] == ("Opened: not told; the earliest time that is known is shown")


async def test_a_ticket_without_any_time_counts_from_the_import(ctx: Context, clock: Clock) -> None:
    untold = {"created_at": None, "first_responded_at": None, "resolved_at": None, "rating": None}
    acme = await make_organization("Acme")

    ticket, _ = await import_ticket(ctx, imported(acme, status=TicketStatus.OPEN, **untold))

    stored = await Ticket.get(id=ticket.id)
    assert stored.created_at == stored.last_activity_at == clock.now
    assert (await bodies(ticket))[-1].splitlines()[-1] == "Opened: not told; the time of the import is shown"


async def test_a_resolution_of_a_ticket_that_is_open_again_is_noted(ctx: Context) -> None:
    acme = await make_organization("Acme")

    ticket, _ = await import_ticket(ctx, imported(acme, status=TicketStatus.OPEN, rating=None))

    assert (await Ticket.get(id=ticket.id)).resolved_at is None
    assert (await bodies(ticket))[-1].splitlines()[-1] == "Resolved: 2023-06-02 09:00:00 UTC, and opened again"


async def test_a_waiting_customer_has_the_full_time_from_the_import_on(
    ctx: Context, services: Services, clock: Clock
) -> None:
    acme = await make_organization("Acme")
    waiting = imported(acme, status=TicketStatus.PENDING_CUSTOMER, resolved_at=None, rating=None)
    ticket, _ = await import_ticket(ctx, waiting)
    desk = Context(ANONYMOUS, services)

    clock.advance(days=6, hours=23)
    early = await sweeps.resolve_waiting(desk)
    clock.advance(hours=1)
    due = await sweeps.resolve_waiting(desk)

    assert (early, due) == (0, 1)
    assert (await Ticket.get(id=ticket.id)).status is TicketStatus.RESOLVED


async def test_a_ticket_without_a_requester_waits_to_be_claimed(ctx: Context) -> None:
    acme = await make_organization("Acme")

    ticket, _ = await import_ticket(ctx, imported(acme, requester_email=None))

    assert ticket.requester_id is None
    assert await User.all().count() == 0
    assert (await bodies(ticket))[-1].splitlines()[-1] == "Requester: Ann Example"


@pytest.mark.parametrize(
    ("wrong", "error", "field"),
    [
        ({"subject": "  "}, Required, "subject"),
        ({"subject": "x" * 301}, Invalid, "subject"),
        ({"description": "a\0b"}, Invalid, "description"),
        ({"resolution": "a\0b"}, Invalid, "resolution"),
        ({"details": (("a", "\0"),)}, Invalid, "details"),
        ({"key": ""}, Required, "key"),
        ({"requester_email": "ann at home"}, Invalid, "requesterEmail"),
        ({"rating": 6}, Invalid, "rating"),
        ({"status": TicketStatus.OPEN}, Invalid, "rating"),
        ({"created_at": datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC)}, Invalid, "createdAt"),
    ],
)
async def test_a_row_that_cannot_be_stored_leaves_no_trace(
    ctx: Context, wrong: dict[str, Any], error: type[DomainError], field: str
) -> None:
    acme = await make_organization("Acme")

    with pytest.raises(error) as refused:
        await import_ticket(ctx, imported(acme, **wrong))

    assert refused.value.field == (field,)
    for table in (Ticket, Message, User, Membership, Product, Feedback, FeedEvent):
        assert await table.all().count() == 0, table


async def test_only_administrators_of_the_desk_import(services: Services, as_user: AsUser) -> None:
    acme = await make_organization("Acme")
    admin = await make_staff(StaffRole.ADMIN)
    others = [await make_staff(role) for role in StaffRole if role is not StaffRole.ADMIN]
    others += [await make_member(acme, role) for role in OrganizationRole]

    for user in others:
        with pytest.raises(Forbidden):
            await import_ticket(await context(as_user(user)), imported(acme))
        with pytest.raises(Forbidden):
            await organization_named(await context(as_user(user)), "Globex")
    with pytest.raises(Unauthenticated):
        await import_ticket(Context(ANONYMOUS, services), imported(acme))

    assert await Ticket.all().count() == 0
    _, outcome = await import_ticket(await context(as_user(admin)), imported(acme))
    assert outcome is Outcome.CREATED


async def test_an_organization_that_is_none_is_refused(ctx: Context) -> None:
    acme = await make_organization("Acme")

    with pytest.raises(NotFound):
        await import_ticket(ctx, replace(imported(acme), organization_id=(await make_staff()).id))


async def test_an_organization_is_found_by_its_name_or_made(ctx: Context, clock: Clock) -> None:
    acme = await make_organization("Acme")

    found, made = await organization_named(ctx, " Acme ")
    new, new_made = await organization_named(ctx, "Globex")

    assert (found.id, made) == (acme.id, False)
    assert (new.name, new.created_at, new_made) == ("Globex", clock.now, True)


def test_the_fingerprint_tells_every_field_apart() -> None:
    acme = Organization(name="Acme")
    row = imported(acme)

    others = [
        replace(row, created_at=ASKED + timedelta(seconds=1)),
        replace(row, status=TicketStatus.RESOLVED),
        replace(row, rating=None),
        replace(row, details=()),
        replace(row, organization_id=Organization(name="Globex").id),
    ]

    assert len({each.fingerprint for each in [row, *others]}) == 6
    assert replace(row).fingerprint == row.fingerprint


async def context(client: Client) -> Context:
    assert client.user is not None
    viewer: Viewer | None = await load_viewer(client.user.id)
    assert viewer is not None
    return Context(viewer, client.services)
