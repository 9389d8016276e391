"""The tables of docs/permissions.md, made from the code: `python -m tests.permission_tables` writes them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from domain.actions import ACTIONS, Asked, TicketState
from domain.enums import Confidentiality, EscalationStage, MemberVisibility, OrganizationRole, StaffRole, TicketStatus
from domain.policy import (
    SET_CONFIDENTIALITY,
    UPDATE_TICKET,
    Membership,
    Policy,
    TicketFacts,
    Viewer,
    allows,
    may_read_ticket,
)

FILE = Path(__file__).resolve().parent.parent / "docs" / "permissions.md"
BEGIN, END = "<!-- made by tests/permission_tables.py -->", "<!-- until here -->"

HERE, ME, AUTHOR, AGENT = (UUID(int=n) for n in range(1, 5))
NOW = datetime(2026, 1, 1, tzinfo=UTC)

COLLEAGUES = TicketFacts(
    organization_id=HERE,
    requester_id=AUTHOR,
    owner_id=AUTHOR,
    confidentiality=Confidentiality.ORGANIZATION,
    created_at=NOW,
    assignee_id=AGENT,
)


def tables() -> str:
    return "\n".join(["## What a member may do", *members(), "", "## Policies", *policies()])


def policies() -> Iterator[str]:
    yield from ("", "| policy | holds for whoever |", "|---|---|")
    for each in Policy:
        yield f"| `{each}` | {each.description[0].lower()}{each.description[1:].rstrip('.')} |"


def members() -> Iterator[str]:
    """One row for each thing to do, one column for each role; of a colleague's ticket, and one's own if they differ."""
    yield from ("", "On a colleague's ticket / on one's own, where `memberVisibility` is OPEN.", "")
    people = [member(role) for role in OrganizationRole] + [staff()]
    yield "| | " + " | ".join([*OrganizationRole, "support, assigned"]) + " |"
    yield "|---|" + "---|" * len(people)
    yield "| see it | " + " | ".join(cell(may_read_ticket(each, COLLEAGUES), sees_own(each)) for each in people) + " |"
    for name, action in ACTIONS.items():
        state = STATES.get(name, OPEN)
        cells = []
        for each in people:
            theirs = replace(COLLEAGUES, requester_id=None) if name == "can_claim" else COLLEAGUES
            mine = None if each.is_staff or name == "can_claim" else action(Asked(each, own(each), state, NOW)) is None
            cells.append(cell(action(Asked(each, theirs, state, NOW)) is None, mine))
        yield f"| {name.removeprefix('can_').replace('_', ' ')} | " + " | ".join(cells) + " |"
    for name, rule in RULES.items():
        cells = [
            cell(allows(each, rule, COLLEAGUES), None if each.is_staff else allows(each, rule, own(each)))
            for each in people
        ]
        yield f"| {name} | " + " | ".join(cells) + " |"


RULES = {"change what it says": UPDATE_TICKET, "say who sees it": SET_CONFIDENTIALITY}
"""What no field of `viewerPermissions` tells."""

OPEN = TicketState(TicketStatus.OPEN)
STATES = {
    "can_reopen": TicketState(TicketStatus.RESOLVED, resolved_at=NOW),
    "can_leave_feedback": TicketState(TicketStatus.RESOLVED, resolved_at=NOW),
    "can_schedule_appointment": TicketState(TicketStatus.OPEN, offers_appointments=True),
    "can_confirm_resolution": TicketState(TicketStatus.OPEN, stage=EscalationStage.VERIFYING_RESOLUTION),
}
"""The ticket is open, or as an action needs it to be; what is claimed has no requester."""


def member(role: OrganizationRole) -> Viewer:
    return Viewer(ME, memberships=(Membership(HERE, role, MemberVisibility.OPEN),))


def staff() -> Viewer:
    return Viewer(AGENT, StaffRole.AGENT)


def own(viewer: Viewer) -> TicketFacts:
    return TicketFacts(HERE, viewer.user_id, Confidentiality.ORGANIZATION, NOW, viewer.user_id, AGENT)


def sees_own(viewer: Viewer) -> bool | None:
    return None if viewer.is_staff else may_read_ticket(viewer, own(viewer))


def cell(colleagues: bool, mine: bool | None) -> str:
    told = ["yes" if each else "–" for each in (colleagues, mine) if each is not None]
    return told[0] if len(set(told)) == 1 else " / ".join(told)


def whole(text: str) -> str:
    """The page with the tables as they are now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    FILE.write_text(whole(FILE.read_text()))
