"""Loading the demo world: all of it in one transaction, or nothing."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.enums import DraftOrigin, TicketChannel, TicketPriority, TicketStatus
from domain.policy import ANONYMOUS
from models import Organization, Ticket
from resolvers.context import Context, Services
from resolvers.drafts import DraftForm, save_draft
from resolvers.imports import COMMAND_LINE, ImportedTicket, import_ticket
from resolvers.sweeps import close_resolved, resolve_waiting
from resolvers.transaction import Work, work_in_transaction
from server.auth import Passwords
from server.demo.articles import add_articles
from server.demo.catalog import add_products, add_request_types
from server.demo.people import HOTELS, PEOPLE, add_companies, add_people
from server.demo.places import add_certificates, add_places
from server.demo.stage import MovingClock, Stage
from server.demo.steps import Step
from server.demo.stories import FIRST, STORIES
from server.demo.story import Story
from server.settings import Settings

PASSWORD = "casewire-demo"
"""Of every account of the demo world, and known to all the world: hence never in production."""

MARKER = HOTELS
"""The organization by whose name a loaded world is known."""


class DemoRefused(Exception):
    """The demo world was not loaded; the message says why."""


@dataclass(frozen=True, slots=True)
class Login:
    """An account to sign in with. `place` is the organization the role is in, or "Support"."""

    role: str
    place: str
    name: str
    email: str
    password: str = PASSWORD


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """`loaded` is False where the world was there already. The ticket is one to look at first, as any of the logins of
    its organization (`author` opened it) or from support."""

    loaded: bool
    logins: tuple[Login, ...]
    ticket_id: UUID
    ticket_reference: str
    author: Login


async def load_demo(services: Services, passwords: Passwords, now: datetime, *, settings: Settings) -> DemoSummary:
    """Load the demo world, as it would have come about by `now`; the second time nothing is changed.

    Names, addresses, texts and distances in time are always the same.

    Raises:
        DemoRefused: in production, where accounts with a known password have no place.
    """
    if settings.env == "production":
        raise DemoRefused("The demo world has accounts with a known password: it is not loaded in production.")
    if await Organization.filter(name=MARKER).exists():
        return await _summary(loaded=False)
    password_hash = await passwords.hash(PASSWORD)
    clock = MovingClock(now)
    past = replace(services, clock=clock)

    async def body(work: Work) -> None:
        stage = Stage(past, clock, work)
        await _set_up(stage, password_hash, now)
        await _import_history(stage, now)
        await _play(stage, now)
        stage.at(now)
        await _leave_a_draft(stage)

    await work_in_transaction(Context(ANONYMOUS, past), body)
    return await _summary(loaded=True)


async def _set_up(stage: Stage, password_hash: str, now: datetime) -> None:
    stage.companies = await add_companies(now)
    stage.people = await add_people(stage.companies, password_hash, now)
    await add_products(now.date())
    await add_request_types()
    await add_places(stage.companies, now)
    await add_certificates(stage.companies, now.date())
    await add_articles(now)


async def _play(stage: Stage, now: datetime) -> None:
    """All stories at once, in the order of time; every midnight the desk does what it does by itself."""
    moments = [(moment, story, step) for story in STORIES for moment, step in story.moments(now)]
    moments.sort(key=lambda each: each[0])
    tickets: dict[str, UUID] = {}
    midnight = moments[0][0].replace(hour=0, minute=0, second=0, microsecond=0)
    for moment, story, step in moments:
        while midnight <= moment:
            await _sweep(stage, midnight)
            midnight += timedelta(days=1)
        stage.at(moment)
        await _happen(stage, tickets, story, step)
    await _sweep(stage, now)


async def _happen(stage: Stage, tickets: dict[str, UUID], story: Story, step: Step | None) -> None:
    if step is None:
        tickets[story.key] = await story.open(stage)
    else:
        await step.play(stage, tickets[story.key])


async def _sweep(stage: Stage, moment: datetime) -> None:
    stage.at(moment)
    await resolve_waiting(stage.nobody(ANONYMOUS))
    await close_resolved(stage.nobody(ANONYMOUS))


async def _import_history(stage: Stage, now: datetime) -> None:
    """Two tickets of the system before this one (S13)."""
    stage.at(now - timedelta(days=60))
    opened = now - timedelta(days=900)
    hotels = stage.companies[HOTELS].id
    old = ImportedTicket(
        organization_id=hotels,
        source="previous desk",
        key="88-1204",
        subject="Which cable for the first Orba Bar?",
        description="We lost the original cable between the bar and the display. Which length may we use?",
        status=TicketStatus.CLOSED,
        requester_email=stage.people["greta"].email,
        requester_name=stage.people["greta"].display_name,
        product="Orba Bar 2",
        resolution="Any certified cable of up to 5 metres. We have put one of 3 metres into the post.",
        created_at=opened,
        first_responded_at=opened + timedelta(hours=3),
        resolved_at=opened + timedelta(days=1),
        rating=5,
        details=(("Queue", "Hardware"),),
    )
    leaver = replace(
        old,
        key="88-1377",
        subject="Floor plan of the Riverside rooms",
        description="Attached was the floor plan for the quote.",
        channel=TicketChannel.EMAIL,
        priority=TicketPriority.LOW,
        status=TicketStatus.OPEN,
        requester_email=None,
        requester_name="J. Amaral (left the company)",
        product=None,
        resolution=None,
        resolved_at=None,
        rating=None,
    )
    for row in (old, leaver):
        await import_ticket(stage.nobody(COMMAND_LINE), row)


async def _leave_a_draft(stage: Stage) -> None:
    """A request that somebody has begun and put aside (S29)."""
    form = DraftForm(
        organization_id=stage.companies[HOTELS].id,
        request_type_key="SERVICES",
        subject="Sale nuove a Verona",
        description="Apriamo due sale in primavera. Da chiedere ancora: metri quadri e posti.",
    )
    await save_draft(await stage.acting_as("marco"), form, origin=DraftOrigin.CANCELLED)


async def _summary(*, loaded: bool) -> DemoSummary:
    ticket = await Ticket.get(client_mutation_id=FIRST.mutation_id, organization__name=FIRST.company)
    logins = [
        Login(role=str(person.staff_role), place="Support", name=person.name, email=person.email)
        for person in PEOPLE
        if person.staff_role
    ]
    logins += [
        Login(role=str(role), place=company, name=person.name, email=person.email)
        for person in PEOPLE
        for company, role in person.roles.items()
    ]
    author = next(login for login in logins if login.email == _email_of(FIRST.by))
    return DemoSummary(loaded, tuple(logins), ticket.id, ticket.reference, author)


def _email_of(handle: str) -> str:
    return next(person.email for person in PEOPLE if person.handle == handle)
