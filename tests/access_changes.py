"""Every kind of change of access: how it is made and announced, and what becomes of the streams of Ann, who watches."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from domain.enums import Confidentiality, HistoryAvailability, MemberVisibility, OrganizationRole, StaffRole
from models import Membership, Organization, Participant, Ticket, User
from resolvers.access import announce_access
from resolvers.transaction import Work
from tests.factories import make_member, make_organization, make_participant, make_staff, make_ticket

ENDS, MOVES, GOES_ON = "ends", "moves", "goes on"


@dataclass(frozen=True, slots=True)
class Scene:
    """Ann, in what part she has, and a colleague with rights of his own, whom none of the changes concerns."""

    organization: Organization
    ticket: Ticket
    ann: User
    colleague: User


Make = Callable[[Work, Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Change:
    make: Make
    outcome: str = ENDS
    code: str = "NOT_FOUND"
    """What a stream that ends says."""
    role: OrganizationRole | None = OrganizationRole.MEMBER
    staff_role: StaffRole | None = None
    visibility: MemberVisibility = MemberVisibility.OPEN
    takes_part: bool = False
    is_author: bool = False

    async def scene(self) -> Scene:
        acme = await make_organization("Acme", member_visibility=self.visibility)
        ann = await (make_member(acme, self.role, "Ann") if self.role else make_staff(name="Ann"))
        ann.staff_role = self.staff_role
        await ann.save()
        colleague = await make_staff(name="Colleague")
        ticket = await make_ticket(acme, ann if self.is_author else await make_member(acme, name="Author"))
        if self.takes_part:
            await make_participant(ticket, ann)
        return Scene(acme, ticket, ann, colleague)


async def leave(work: Work, scene: Scene) -> None:
    await Membership.filter(user=scene.ann).delete()
    announce_access(work, user_id=scene.ann.id)


def become(role: OrganizationRole) -> Make:
    async def change(work: Work, scene: Scene) -> None:
        await Membership.filter(user=scene.ann).update(role=role)
        announce_access(work, user_id=scene.ann.id)

    return change


def work_as(role: StaffRole | None) -> Make:
    async def change(work: Work, scene: Scene) -> None:
        await User.filter(id=scene.ann.id).update(staff_role=role)
        announce_access(work, user_id=scene.ann.id)

    return change


async def be_switched_off(work: Work, scene: Scene) -> None:
    await User.filter(id=scene.ann.id).update(is_active=False)
    announce_access(work, user_id=scene.ann.id)


async def take_part_no_longer(work: Work, scene: Scene) -> None:
    await Participant.filter(user=scene.ann).delete()
    announce_access(work, user_id=scene.ann.id)


async def hide_colleagues_tickets(work: Work, scene: Scene) -> None:
    await Organization.filter(id=scene.organization.id).update(member_visibility=MemberVisibility.OWN)
    announce_access(work, organization_id=scene.organization.id)


async def cut_history_off(work: Work, scene: Scene) -> None:
    later = scene.ticket.created_at + timedelta(days=1)
    await Organization.filter(id=scene.organization.id).update(history_starts_at=later)
    announce_access(work, organization_id=scene.organization.id)


async def regulate(work: Work, scene: Scene) -> None:
    withheld = HistoryAvailability.UNAVAILABLE_REGULATORY
    await Organization.filter(id=scene.organization.id).update(history_availability=withheld)
    announce_access(work, organization_id=scene.organization.id)


def change_ticket(**columns: object) -> Make:
    async def change(work: Work, scene: Scene) -> None:
        await Ticket.filter(id=scene.ticket.id).update(**columns)
        announce_access(work, ticket_id=scene.ticket.id)

    return change


async def be_somebody_elses(work: Work, scene: Scene) -> None:
    author = await make_member(scene.organization)
    await Ticket.filter(id=scene.ticket.id).update(requester_id=author.id, owner_id=author.id)
    announce_access(work, ticket_id=scene.ticket.id)


async def go_elsewhere(work: Work, scene: Scene) -> None:
    other = await make_organization("Other")
    await Ticket.filter(id=scene.ticket.id).update(organization_id=other.id)
    announce_access(work, ticket_id=scene.ticket.id)


OWN = MemberVisibility.OWN

CHANGES = {
    "membership": Change(leave),
    "role": Change(become(OrganizationRole.LICENSE_MANAGER)),
    "role, seeing all before": Change(
        become(OrganizationRole.MEMBER), role=OrganizationRole.SUPPORT_REQUEST_ADMIN, visibility=OWN
    ),
    "role, of the author": Change(become(OrganizationRole.READ_ONLY), outcome=GOES_ON, is_author=True),
    "staff role": Change(work_as(None), role=None, staff_role=StaffRole.AGENT),
    "staff role, of a member": Change(work_as(None), outcome=MOVES, staff_role=StaffRole.AGENT),
    "staff role, to another": Change(
        work_as(StaffRole.ENGINEER), outcome=GOES_ON, role=None, staff_role=StaffRole.AGENT
    ),
    "joining support": Change(work_as(StaffRole.AGENT), outcome=MOVES),
    "account": Change(be_switched_off),
    "account, of staff": Change(be_switched_off, role=None, staff_role=StaffRole.ADMIN),
    "participant": Change(take_part_no_longer, visibility=OWN, takes_part=True),
    "ticket's confidentiality": Change(change_ticket(confidentiality=Confidentiality.AUTHOR_ONLY)),
    "ticket's organization": Change(go_elsewhere),
    "ticket's people": Change(be_somebody_elses, visibility=OWN, is_author=True),
    "ticket of nobody any more": Change(
        change_ticket(requester_id=None, owner_id=None), outcome=GOES_ON, visibility=OWN, is_author=True
    ),
    "memberVisibility": Change(hide_colleagues_tickets),
    "historyStartsAt": Change(cut_history_off, is_author=True),
    "historyAvailability": Change(regulate, is_author=True, code="HISTORY_UNAVAILABLE"),
}
