"""Who may see a row is one rule, written twice: as a function in `domain.policy`, and as SQL beside its table (J4).

The two are compared over every role × `memberVisibility` × confidentiality × part in the ticket × organization × both
sides of the history's cut-off × regulated or not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from tortoise.expressions import Q

import models
from domain import policy
from domain.enums import (
    Confidentiality,
    EscalationStage,
    FollowerKind,
    MemberVisibility,
    OrganizationRole,
    ParticipantRole,
    ServiceLevel,
    StaffRole,
    TicketChannel,
    TicketStatus,
    TimelineEventKind,
    Visibility,
)
from domain.naming import escalation_reference, ticket_reference
from domain.policy import (
    ANONYMOUS,
    Membership,
    OrganizationFacts,
    Policy,
    Rule,
    UserFacts,
    Viewer,
    allows,
    may_read_ticket,
)
from engine.statements import dialect_of, finished
from models.base import BaseModel
from models.database import reader
from tests.factories import LONG_AGO, make_member, make_organization, make_user

pytestmark = pytest.mark.anyio

CUT_OFF = LONG_AGO
SIDES = [CUT_OFF - timedelta(microseconds=1), CUT_OFF, CUT_OFF + timedelta(microseconds=1)]


@dataclass(slots=True)
class Rows:
    me: models.User
    colleague: models.User
    here: models.Organization
    there: models.Organization
    tickets: dict[UUID, models.Ticket]
    mine: set[UUID]
    """The tickets that I take part in."""

    def may_read(self, viewer: Viewer, ticket_id: UUID) -> bool:
        is_participant = viewer.user_id == self.me.id and ticket_id in self.mine
        return may_read_ticket(viewer, self.tickets[ticket_id].facts(is_participant=is_participant))

    def viewers(self) -> list[Viewer]:
        """Me in every role that I could have, nobody, and strangers to it all."""
        settings = list(product(OrganizationRole, MemberVisibility, (None, CUT_OFF), (True, False)))
        members = [Viewer(self.me.id, memberships=(Membership(self.here.id, *given),)) for given in settings]
        owner_there = Membership(self.there.id, OrganizationRole.OWNER, MemberVisibility.OWN, CUT_OFF)
        in_both = [Viewer(self.me.id, memberships=(*each.memberships, owner_there)) for each in members]
        staff = [Viewer(self.me.id, staff_role=role) for role in StaffRole]
        staff_and_member = Viewer(self.me.id, StaffRole.AGENT, members[-1].memberships)
        return [*members, *in_both, *staff, staff_and_member, Viewer(self.me.id), ANONYMOUS]


async def test_the_tickets_that_are_shown_are_those_that_may_be_read(db: str) -> None:
    """S01, S02, S03, S07, S10, S11, S12, S14."""
    rows = await make_tickets()

    for viewer in rows.viewers():
        by_query = set(await models.Ticket.visible_to(viewer).values_list("id", flat=True))
        by_rule = {each for each in rows.tickets if rows.may_read(viewer, each)}
        assert by_query == by_rule, viewer
        assert await models.Ticket.visible_to(viewer).count() == len(by_rule), viewer
        assert {ticket.id for ticket in await models.Ticket.shown_to(viewer)} == by_rule, viewer


RULES_ABOUT_PEOPLE = [
    policy.SEE_USERNAME,
    policy.SEE_EMAIL,
    policy.STAFF_ONLY,
    policy.READ_TICKET,
    Rule.any_of((Policy.ORG_TICKET_VIEWER, Policy.ORG_LICENSE_MANAGER), (Policy.SELF, Policy.STAFF_ADMIN)),
]


async def test_what_is_told_of_a_person_is_decided_alike_in_sql_and_by_facts(db: str) -> None:
    """S03, S96: for people of one of the viewer's places, of the other, of both and of neither."""
    rows = await make_tickets()
    people = {
        rows.me: frozenset((rows.here.id, rows.there.id)),
        await make_member(rows.here, name="only here"): frozenset((rows.here.id,)),
        await make_member(rows.there, name="only there"): frozenset((rows.there.id,)),
        await make_user("elsewhere"): frozenset[UUID](),
    }
    in_both = await make_member(rows.here, name="in both")
    await models.Membership.create(
        user=in_both, organization=rows.there, role=OrganizationRole.MEMBER, joined_at=LONG_AGO
    )
    people[in_both] = people[rows.me]
    await models.Membership.filter(user=rows.me).delete()
    for organization in (rows.here, rows.there):
        await models.Membership.create(
            user=rows.me, organization=organization, role=OrganizationRole.MEMBER, joined_at=LONG_AGO
        )
    decided = set()

    for viewer, rule in product(rows.viewers(), RULES_ABOUT_PEOPLE):
        by_rule = {user.id for user, places in people.items() if allows(viewer, rule, UserFacts(user.id, places))}
        assert await allowed_in_sql(viewer, rule) & {user.id for user in people} == by_rule, (viewer, rule)
        decided |= {(rule, len(by_rule))}

    assert len({count for _, count in decided}) > 3


async def allowed_in_sql(viewer: Viewer, rule: Rule) -> set[UUID]:
    dialect = dialect_of(models.User)
    demanded = models.User.allowed_sql(viewer, rule, dialect)
    sql = finished(f'SELECT "id" FROM "app_user" WHERE {demanded.sql}', dialect)
    found = await reader().execute_query_dict(sql, list(demanded.values))
    return {row["id"] if isinstance(row["id"], UUID) else UUID(row["id"]) for row in found}


async def test_following_a_ticket_shows_no_more_of_it(db: str) -> None:
    """S83, S85: also where the row of a follower is left from better days."""
    rows = await make_tickets()
    me: dict[str, Any] = {"kind": FollowerKind.INTERNAL, "followed_at": LONG_AGO, "user_id": rows.me.id}
    viewers = rows.viewers()
    before = [await models.Ticket.visible_to(viewer).count() for viewer in viewers]

    await models.Follower.bulk_create(
        [models.Follower(ticket_id=t.id, organization_id=t.organization_id, **me) for t in rows.tickets.values()]
    )

    assert [await models.Ticket.visible_to(viewer).count() for viewer in viewers] == before


async def test_the_cases_are_not_all_alike(db: str) -> None:
    """Two rules agree easily where everybody sees everything."""
    rows = await make_tickets()

    counts = {sum(rows.may_read(viewer, each) for each in rows.tickets) for viewer in rows.viewers()}

    assert len(rows.tickets) == 144
    assert {0, 144} < counts
    assert len(counts) > 8


async def test_what_hangs_on_a_ticket_is_shown_to_whoever_may_read_it(db: str) -> None:
    """S07, J4, J7: and internal items to staff alone."""
    rows = await make_tickets()
    await hang_something_on_each(rows)
    public = {each.id for each in await models.Message.filter(visibility=Visibility.PUBLIC)}
    entries = {e.id: e.ticket_id for e in await models.Escalation.all()}

    def on_ticket(viewer: Viewer, row: Any) -> bool:
        return rows.may_read(viewer, row.ticket_id)

    def both(viewer: Viewer, row: Any) -> bool:
        return rows.may_read(viewer, row.source_id) and rows.may_read(viewer, row.target_id)

    def on_timeline(viewer: Viewer, row: Any) -> bool:
        return on_ticket(viewer, row) and (viewer.is_staff or row.visibility is Visibility.PUBLIC)

    def entry(viewer: Viewer, row: Any) -> bool:
        return rows.may_read(viewer, entries[row.escalation_id])

    messages = {m.id: m for m in await models.Message.all()}

    def attachment(viewer: Viewer, row: Any) -> bool:
        if row.message_id is None:
            return viewer.user_id is not None and row.uploaded_by_id == viewer.user_id
        return on_timeline(viewer, messages[row.message_id])

    assert len(public) == len(rows.tickets)
    await compare(rows.viewers(), models.Participant, on_ticket)
    await compare(rows.viewers(), models.Follower, on_ticket)
    await compare(rows.viewers(), models.Feedback, on_ticket)
    await compare(rows.viewers(), models.TicketLink, both)
    await compare(rows.viewers(), models.Escalation, on_ticket)
    await compare(rows.viewers(), models.EscalationEntry, entry)
    await compare(rows.viewers(), models.Message, on_timeline)
    await compare(rows.viewers(), models.TimelineEvent, on_timeline)
    await compare(rows.viewers(), models.Attachment, attachment)


async def test_what_an_organization_has_is_shown_to_whom_its_rules_let_see_it(db: str) -> None:
    """S08, S10, S90, S91, S93: a partner's people see that its customers are there, and nothing of theirs."""
    rows = await make_tickets()
    await make_organization("Customer", partner=rows.here)
    await make_inventory(rows)

    def member(viewer: Viewer, row: Any) -> bool:
        organization = row.id if isinstance(row, models.Organization) else row.organization_id
        return viewer.is_staff or viewer.membership_in(organization) is not None

    def organization(viewer: Viewer, row: Any) -> bool:
        return member(viewer, row) or viewer.membership_in(row.partner_id) is not None

    def licence(viewer: Viewer, row: Any) -> bool:
        return allows(viewer, policy.SEE_LICENSES, OrganizationFacts(row.organization_id))

    def membership(viewer: Viewer, row: Any) -> bool:
        own = viewer.user_id is not None and row.user_id == viewer.user_id
        return own or allows(viewer, policy.SEE_MEMBERS, OrganizationFacts(row.organization_id))

    await compare(rows.viewers(), models.Organization, organization)
    await compare(rows.viewers(), models.Organization, member, models.Organization.of_member)
    await compare(rows.viewers(), models.Space, member)
    await compare(rows.viewers(), models.SpaceGroup, member)
    await compare(rows.viewers(), models.Device, member)
    await compare(rows.viewers(), models.ServiceCertificate, member)
    await compare(rows.viewers(), models.ServiceLicense, licence)
    await compare(rows.viewers(), models.Membership, membership)


async def test_people_are_found_by_their_colleagues_and_by_support(db: str) -> None:
    """S10: who stands on something visible is named there; by id alone only colleagues are found."""
    rows = await make_tickets()
    places = {(m.user_id, m.organization_id) for m in await models.Membership.all()}

    def colleague(viewer: Viewer, row: Any) -> bool:
        together = any((row.id, m.organization_id) in places for m in viewer.memberships)
        return viewer.is_staff or together or (viewer.user_id is not None and row.id == viewer.user_id)

    await compare(rows.viewers(), models.User, colleague, models.User.found_by)
    await compare(rows.viewers(), models.User, lambda viewer, row: viewer.is_authenticated)


async def compare(
    viewers: list[Viewer],
    model: type[BaseModel],
    rule: Callable[[Viewer, Any], bool],
    query: Callable[[Viewer], Q] | None = None,
) -> None:
    rows = await model.all()
    assert rows, model
    for viewer in viewers:
        by_query = set(await model.filter((query or model.seen_by)(viewer)).values_list("id", flat=True))
        assert by_query == {row.pk for row in rows if rule(viewer, row)}, (model.__name__, viewer)


async def make_tickets() -> Rows:
    here, there = await make_organization("Here"), await make_organization("There")
    me, colleague = await make_member(here, name="Me"), await make_member(here, name="Colleague")
    await make_member(there, name="Elsewhere")
    tickets, mine = [], set()
    cases = product((here, there), Confidentiality, (me, colleague, None), (me, None), (True, False), SIDES)
    for number, (organization, confidentiality, requester, owner, takes_part, created_at) in enumerate(cases):
        ticket = models.Ticket(
            number=number,
            reference=ticket_reference(number),
            organization=organization,
            requester=requester,
            owner=owner,
            confidentiality=confidentiality,
            subject="x",
            description="x",
            channel=TicketChannel.CHAT,
            status=TicketStatus.OPEN,
            created_at=created_at,
            updated_at=created_at,
            last_activity_at=created_at,
            status_changed_at=created_at,
        )
        tickets.append(ticket)
        mine |= {ticket.id} if takes_part else set()
    await models.Ticket.bulk_create(tickets)
    part: dict[str, Any] = {"role": ParticipantRole.PARTICIPANT, "added_at": LONG_AGO}
    await models.Participant.bulk_create([models.Participant(ticket_id=each, user=me, **part) for each in mine])
    others = [models.Participant(ticket_id=each.id, user=colleague, **part) for each in tickets]
    await models.Participant.bulk_create(others)
    return Rows(me, colleague, here, there, {each.id: each for each in tickets}, mine)


async def hang_something_on_each(rows: Rows) -> None:
    ids = list(rows.tickets)
    said: dict[str, Any] = {"occurred_at": LONG_AGO, "kind": "CHAT", "source": "PORTAL", "body": "x"}
    public = [models.Message(ticket_id=t, sequence=1, public_sequence=1, visibility="PUBLIC", **said) for t in ids]
    internal = [models.Message(ticket_id=t, sequence=2, visibility="INTERNAL", **said) for t in ids]
    await models.Message.bulk_create([*public, *internal])
    happened: dict[str, Any] = {"occurred_at": LONG_AGO, "kind": TimelineEventKind.FIELD}
    seen = [
        models.TimelineEvent(ticket_id=t, sequence=3, public_sequence=2, visibility="PUBLIC", **happened) for t in ids
    ]
    hidden = [models.TimelineEvent(ticket_id=t, sequence=4, visibility="INTERNAL", **happened) for t in ids]
    await models.TimelineEvent.bulk_create([*seen, *hidden])
    file: dict[str, Any] = {
        "file_name": "a",
        "media_type": "b",
        "size_bytes": 1,
        "checksum": "",
        "created_at": LONG_AGO,
    }
    await models.Attachment.bulk_create(
        [
            models.Attachment(message_id=each.id, ticket_id=each.ticket_id, visibility=each.visibility, **file)
            for each in (*public, *internal)
        ]
    )
    await models.Attachment.bulk_create([models.Attachment(uploaded_by=by, **file) for by in (rows.me, rows.colleague)])
    following: dict[str, Any] = {"kind": FollowerKind.INTERNAL, "followed_at": LONG_AGO, "user_id": rows.colleague.id}
    await models.Follower.bulk_create(
        [models.Follower(ticket_id=t, organization_id=rows.tickets[t].organization_id, **following) for t in ids]
    )
    pairs = zip(ids, ids[1:] + ids[:1], strict=True)
    linked: dict[str, Any] = {"kind": "RELATED_TO", "created_at": LONG_AGO}
    await models.TicketLink.bulk_create([models.TicketLink(source_id=s, target_id=t, **linked) for s, t in pairs])
    await models.Feedback.bulk_create([models.Feedback(ticket_id=t, rating=3, submitted_at=LONG_AGO) for t in ids])
    when: dict[str, Any] = {"issue_description": "x", "submitted_at": LONG_AGO, "updated_at": LONG_AGO}
    escalations = [
        models.Escalation(ticket_id=t, number=n, reference=escalation_reference(n), **when) for n, t in enumerate(ids)
    ]
    await models.Escalation.bulk_create(escalations)
    entered: dict[str, Any] = {"sequence": 1, "stage": EscalationStage.SUBMITTED, "entered_at": LONG_AGO}
    await models.EscalationEntry.bulk_create(
        [models.EscalationEntry(escalation_id=each.id, **entered) for each in escalations]
    )


async def make_inventory(rows: Rows) -> None:
    await make_user("Without an organization")
    product_ = await models.Product.create(name="Camera")
    days: dict[str, Any] = {"starts_at": date(2026, 1, 1), "ends_at": date(2026, 2, 1)}
    for organization in (rows.here, rows.there):
        of: dict[str, Any] = {"organization": organization}
        space = await models.Space.create(kind=models.SpaceKind.ROOM, name="Rome", **of)
        await models.SpaceGroup.create(name="Ground floor", **of)
        await models.Device.create(product=product_, space=space, name="Camera", serial_number="1", **of)
        await models.ServiceLicense.create(space=space, level=ServiceLevel.SELECT, created_at=LONG_AGO, **of, **days)
        await models.ServiceCertificate.create(number=organization.name, kind="SERVICES", **of, **days)
