"""The demo world: complete, believable, loaded once and never in production."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from tortoise import Model
from tortoise.functions import Count

import models
from domain.enums import (
    ACTIVE_STATUSES,
    EscalationStage,
    LifecyclePreset,
    MemberVisibility,
    OrganizationRole,
    ResolutionReason,
    StaffRole,
    TicketChannel,
    TicketStatus,
    Visibility,
)
from domain.policy import ANONYMOUS
from models import Escalation, EscalationEntry, Membership, Message, Organization, Ticket, TimelineEvent, User
from resolvers.context import Context, Services
from resolvers.sweeps import close_resolved, resolve_waiting
from server.auth import Passwords
from server.demo import PASSWORD, DemoRefused, DemoSummary, load, load_demo
from server.settings import Settings
from tests.clock import Clock
from tests.conftest import AsUser

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

SETTINGS = Settings(env="test")

TABLES = [
    each
    for each in vars(models).values()
    if isinstance(each, type) and issubclass(each, Model) and not each._meta.abstract
]

on_sqlite = pytest.mark.parametrize("db", ["sqlite"], indirect=True)
"""For what does not depend on the engine: a world takes seconds to load."""

STATUSES = {
    TicketStatus.NEW: 4,
    TicketStatus.OPEN: 5,
    TicketStatus.PENDING_CUSTOMER: 5,
    TicketStatus.ON_HOLD: 2,
    TicketStatus.RESOLVED: 5,
    TicketStatus.CLOSED: 7,
}


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    yield quick
    quick.close()


@pytest.fixture
async def summary(services: Services, passwords: Passwords, clock: Clock) -> DemoSummary:
    return await load_demo(services, passwords, clock(), settings=SETTINGS)


async def rows_per_table() -> dict[str, int]:
    return {table.__name__: await table.all().count() for table in TABLES}


async def test_the_world_has_every_role_status_channel_and_stage(summary: DemoSummary) -> None:
    tickets = await Ticket.all()

    assert {user.staff_role for user in await User.all()} == {None, *StaffRole}
    assert {each.role for each in await Membership.all()} == set(OrganizationRole)
    assert Counter(ticket.status for ticket in tickets) == STATUSES
    assert {ticket.channel for ticket in tickets} == set(TicketChannel)
    assert {each.stage for each in await Escalation.all()} == set(EscalationStage)
    assert {ticket.language for ticket in tickets} == {"en", "it", "fr", "pt", "ru", None}
    assert {each.visibility for each in await Message.all()} == set(Visibility)
    assert {ticket.resolution_reason for ticket in tickets} == {
        None,
        ResolutionReason.SUPPORT_RESOLVED,
        ResolutionReason.INACTIVITY,
        ResolutionReason.DUPLICATE,
    }


@on_sqlite
async def test_its_organizations_differ_in_what_they_choose(summary: DemoSummary) -> None:
    organizations = {each.name: each for each in await Organization.all()}

    assert len(organizations) == 3
    assert {each.lifecycle_preset for each in organizations.values()} == set(LifecyclePreset)
    assert {each.member_visibility for each in organizations.values()} == set(MemberVisibility)
    assert organizations["Cobalt Bank"].partner_id == organizations["Brightside Integrators"].id
    assert await Ticket.filter(on_behalf_of_id=organizations["Cobalt Bank"].id).count() == 2


@on_sqlite
async def test_somebody_has_begun_a_request_and_put_it_aside(summary: DemoSummary) -> None:  # S29
    (draft,) = await models.TicketDraft.all().prefetch_related("author", "request_type")

    assert (draft.author.display_name, draft.request_type.key, draft.origin) == (
        "Marco Bianchi",
        "SERVICES",
        "CANCELLED",
    )


@on_sqlite
async def test_its_history_keeps_the_rules(summary: DemoSummary, services: Services, clock: Clock) -> None:
    """Items are numbered without gaps and in the order of time, and nothing is overdue when the server starts."""
    for ticket in await Ticket.filter(is_imported=False):
        items = [*await Message.filter(ticket_id=ticket.id), *await TimelineEvent.filter(ticket_id=ticket.id)]
        items.sort(key=lambda item: item.sequence)
        times = [item.occurred_at for item in items]
        public = [item.public_sequence for item in items if item.public_sequence]
        assert [item.sequence for item in items] == list(range(1, ticket.last_sequence + 1))
        assert public == list(range(1, ticket.last_public_sequence + 1))
        assert times == sorted(times)
        assert ticket.created_at == times[0]
        assert max(times) <= clock.now
    active = await Ticket.filter(status__in=ACTIVE_STATUSES).values_list("is_escalated", flat=True)
    assert Counter(active) == {False: 12, True: 4}
    desk = Context(ANONYMOUS, services)
    assert (await resolve_waiting(desk), await close_resolved(desk)) == (0, 0)


@on_sqlite
async def test_an_escalation_tells_of_a_refusal_and_another_of_a_silent_customer(summary: DemoSummary) -> None:
    longest = await Escalation.annotate(steps=Count("entries")).order_by("-steps", "number").first()
    assert longest is not None
    entries = await EscalationEntry.filter(escalation_id=longest.id).order_by("sequence")

    assert [entry.stage for entry in entries] == [
        EscalationStage.SUBMITTED,
        EscalationStage.IN_REVIEW,
        EscalationStage.ENGINEERING_IN_PROGRESS,
        EscalationStage.VERIFYING_RESOLUTION,
        EscalationStage.ENGINEERING_IN_PROGRESS,
        EscalationStage.VERIFYING_RESOLUTION,
    ]
    assert await EscalationEntry.filter(is_override=True).count() == 1


async def test_the_first_ticket_is_answered_to_its_author(
    summary: DemoSummary, as_user: AsUser, passwords: Passwords
) -> None:
    author = await User.get(email=summary.author.email)

    data = await as_user(author).ask(
        """query($reference: String!) { ticketByReference(reference: $reference) {
            id subject displayStatus feedCursor
            assignee { displayName } activeEscalation { reference stage }
            messages { totalCount nodes { visibility } } } }""",
        reference=summary.ticket_reference,
    )

    ticket = data["ticketByReference"]
    assert summary.ticket_reference == "T-000015"
    assert ticket["id"] == f"Ticket_{summary.ticket_id}"
    assert ticket["displayStatus"] == "ESCALATED"
    assert ticket["assignee"] == {"displayName": "Sam Okafor"}
    assert ticket["activeEscalation"] == {"reference": "CP-00004", "stage": "ENGINEERING_IN_PROGRESS"}
    assert {node["visibility"] for node in ticket["messages"]["nodes"]} == {"PUBLIC"}
    assert ticket["feedCursor"]


@on_sqlite
async def test_every_login_that_is_told_works(summary: DemoSummary, passwords: Passwords) -> None:
    assert {login.role for login in summary.logins} == {*StaffRole, *OrganizationRole}
    for login in summary.logins:
        user = await User.get(email=login.email)
        assert user.display_name == login.name
        assert await passwords.verify(user.password_hash, login.password)
    assert PASSWORD == "casewire-demo"


async def test_loading_it_again_changes_nothing_and_says_so(
    summary: DemoSummary, services: Services, passwords: Passwords, clock: Clock
) -> None:
    before = await rows_per_table()
    clock.advance(days=3)

    again = await load_demo(services, passwords, clock(), settings=SETTINGS)

    assert (summary.loaded, again.loaded) == (True, False)
    assert (again.logins, again.ticket_id) == (summary.logins, summary.ticket_id)
    assert await rows_per_table() == before


@pytest.mark.parametrize("span", [timedelta(minutes=1), timedelta(hours=14, minutes=59)])
@on_sqlite
async def test_it_is_the_same_at_any_time_of_day(
    services: Services, passwords: Passwords, clock: Clock, span: timedelta
) -> None:
    midnight = clock.now.replace(hour=0)

    summary = await load_demo(services, passwords, midnight + timedelta(hours=9) + span, settings=SETTINGS)

    assert summary.ticket_reference == "T-000015"
    assert Counter(await Ticket.all().values_list("status", flat=True)) == STATUSES


@on_sqlite
async def test_it_is_not_loaded_in_production(services: Services, passwords: Passwords, clock: Clock) -> None:
    production = Settings(env="production", secret_key="x" * 32)

    with pytest.raises(DemoRefused, match="not loaded in production"):
        await load_demo(services, passwords, clock(), settings=production)

    assert set((await rows_per_table()).values()) == {0}


async def test_a_load_that_fails_leaves_nothing(
    services: Services, passwords: Passwords, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(load, "_play", fail)

    with pytest.raises(OSError, match="the disk is full"):
        await load_demo(services, passwords, clock(), settings=SETTINGS)

    assert set((await rows_per_table()).values()) == {0}


async def test_the_same_trouble_is_found_in_every_language_of_the_desk(
    summary: DemoSummary, as_user: AsUser
) -> None:  # S21, S38
    anna = await User.get(email=summary.author.email)
    ask = """query($text: String!) { search(text: $text, kinds: [KNOWLEDGE_ARTICLE]) {
      nodes { node { ... on KnowledgeArticle { locale } } } } }"""

    found = {}
    for text in ("black picture", "immagine nera finche", "coeur probleme", "versao nao", "черным", "defect"):
        nodes = (await as_user(anna).ask(ask, text=text))["search"]["nodes"]
        found[text] = [each["node"]["locale"] for each in nodes]

    assert found == {
        "black picture": ["en"],
        "immagine nera finche": ["it"],
        "coeur probleme": ["fr"],
        "versao nao": ["pt"],
        "черным": ["ru"],
        "defect": [],
    }
