"""What a viewer may do with a ticket as it stands, and if not, why not.

Each action is one function that gives the refusal, or None where the action is possible. The mutation raises what it
gives, and `Ticket.viewerPermissions` shows it: so what a client is told and what then happens cannot differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain import escalation as stages
from domain import lifecycle, policy, scheduling
from domain.enums import (
    AppointmentBlockedReason,
    Confidentiality,
    EscalationStage,
    OrganizationRole,
    ReplyBlockedReason,
    TicketStatus,
)
from domain.errors import AppointmentNotAvailable, Conflict, DomainError, Forbidden, HistoryUnavailable
from domain.lifecycle import DEFAULT_WINDOWS, Windows
from domain.policy import Rule, TicketFacts, Viewer
from domain.words import Text, as_text


@dataclass(frozen=True, slots=True)
class TicketState:
    """How a ticket stands, besides who it belongs to. `stage` is that of the escalation under way.

    Whether it `has_feedback` is told of one that is resolved or closed.
    """

    status: TicketStatus
    locked: bool = False
    resolved_at: datetime | None = None
    windows: Windows = DEFAULT_WINDOWS
    stage: EscalationStage | None = None
    has_feedback: bool = False
    offers_appointments: bool = False
    """Whether its issue type does."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whether this viewer may do something with this ticket at this instant."""

    viewer: Viewer
    ticket: TicketFacts
    state: TicketState
    now: datetime


Action = Callable[[Asked], DomainError | None]


def reply(asked: Asked) -> DomainError | None:
    """Write in the conversation, for everybody on the ticket to read (S51, S52, S64, S65, S69)."""
    return _kept_from(asked, policy.SEND_MESSAGE, "You may read this ticket, but not write in it.") or (
        _refused(lambda: lifecycle.status_after_staff_reply(asked.state.status))
        if asked.viewer.is_staff
        else _refused(
            lambda: lifecycle.status_after_customer_reply(
                asked.state.status, resolved_at=asked.state.resolved_at, now=asked.now, windows=asked.state.windows
            )
        )
        or _stopped(asked)
    )


def add_note(asked: Asked) -> DomainError | None:
    """Put a note beside the conversation (S04, S48)."""
    return (
        _kept_from(asked, policy.ADD_NOTE, "You may read this ticket, but not note on it.")
        or _closed(asked)
        or _stopped(asked)
    )


def resolve(asked: Asked) -> DomainError | None:
    """Say that it is solved (S61)."""
    return _kept_from(asked, policy.RESOLVE_TICKET) or _refused(lambda: lifecycle.check_may_resolve(asked.state.status))


def close(asked: Asked) -> DomainError | None:
    """Close it for good (S60)."""
    return _kept_from(asked, policy.CLOSE_TICKET) or _refused(lambda: lifecycle.check_may_close(asked.state.status))


def reopen(asked: Asked) -> DomainError | None:
    """Reopen it with a comment (S64, S65)."""
    return (
        _kept_from(asked, policy.REOPEN_TICKET)
        or _refused(
            lambda: lifecycle.check_may_reopen(
                asked.state.status, resolved_at=asked.state.resolved_at, now=asked.now, windows=asked.state.windows
            )
        )
        or _stopped(asked)
    )


def update_status(asked: Asked) -> DomainError | None:
    """Change its status in one way or another (S04)."""
    refusals = [action(asked) for action in (resolve, close, reopen)]
    return None if None in refusals else refusals[0]


def follow(asked: Asked) -> DomainError | None:
    """Be told of its changes (S83, S84)."""
    return _kept_from(asked, policy.FOLLOW_TICKET, "Your role in this organization only lets you read.")


def add_followers(asked: Asked) -> DomainError | None:
    """Have others told of its changes (S83, S84). What is for its author alone is told to nobody by its author."""
    return follow(asked) or (None if asked.viewer.is_staff else _private(asked, "Nobody else can follow it."))


def share(asked: Asked) -> DomainError | None:
    """Put colleagues on it, who then see it (S72). Nothing on it changes: a closed one can be shared."""
    return _kept_from(asked, policy.SHARE_TICKET, "You may read this ticket, but not share it.") or _private(
        asked, "It cannot be shared."
    )


def add_contact(asked: Asked) -> DomainError | None:
    """Add a contact to it and to its e-mail thread (S06)."""
    return (
        _kept_from(asked, policy.ADD_CONTACT, "Only the assigned support agent adds contacts to a ticket.")
        or _private(asked, "It has no contacts.")
        or _closed(asked)
    )


def claim(asked: Asked) -> DomainError | None:
    """Become the requester of a ticket that has none (S14). A closed one can be claimed too: it is history to find."""
    refusal = _kept_from(asked, policy.CLAIM_TICKET, "Members who may open requests claim a ticket.")
    if refusal is None and asked.ticket.requester_id is not None:
        return Conflict("This ticket has a requester already.")
    return refusal


def confirm_resolution(asked: Asked) -> DomainError | None:
    """Say whether the solution of its escalation works (S78)."""
    return _kept_from(asked, policy.DECIDE_RESOLUTION, "The customer confirms or rejects a resolution.") or _refused(
        lambda: stages.after_customer_verdict(asked.state.stage or EscalationStage.RESOLVED, confirmed=True)
    )


def create_linked(asked: Asked) -> DomainError | None:
    """Open another ticket from it, most of all from a closed one; nothing on this one changes (S69, S70)."""
    return _kept_from(asked, policy.CREATE_LINKED_TICKET, "You may read this ticket, but not open another from it.")


def leave_feedback(asked: Asked) -> DomainError | None:
    """Say once what the support was like (S71)."""
    return _kept_from(
        asked, policy.LEAVE_FEEDBACK, "Who takes part in this ticket for the customer leaves feedback."
    ) or _refused(lambda: lifecycle.check_may_leave_feedback(asked.state.status, given=asked.state.has_feedback))


def export(asked: Asked) -> DomainError | None:
    """Take it away as a file (S72): whoever may read it may keep what is shown."""
    return _kept_from(asked, policy.EXPORT_TICKET)


def attach(asked: Asked) -> DomainError | None:
    """Put files on it: with a reply or with a note, whichever is open (S04, S48, S51)."""
    refusal = reply(asked)
    return None if refusal is None or add_note(asked) is None else refusal


def schedule_appointment(asked: Asked) -> DomainError | None:
    """Have an appointment about it (S94)."""
    refusal = _kept_from(
        asked, policy.SCHEDULE_APPOINTMENT, "Who takes part in this ticket, and support, make appointments."
    )
    reason = appointment_blocked_reason(asked)
    return refusal or (AppointmentNotAvailable(reason) if reason else None)


def see_internal(asked: Asked) -> DomainError | None:
    """Read and write among support staff (J7)."""
    return _kept_from(asked, policy.SEE_INTERNAL, "Only support staff write internal messages.")


ACTIONS: dict[str, Action] = {
    "can_reply": reply,
    "can_add_note": add_note,
    "can_update_status": update_status,
    "can_resolve": resolve,
    "can_close": close,
    "can_reopen": reopen,
    "can_follow": follow,
    "can_add_followers": add_followers,
    "can_add_contact": add_contact,
    "can_share": share,
    "can_claim": claim,
    "can_confirm_resolution": confirm_resolution,
    "can_create_linked_ticket": create_linked,
    "can_leave_feedback": leave_feedback,
    "can_export": export,
    "can_attach": attach,
    "can_schedule_appointment": schedule_appointment,
    "can_see_internal": see_internal,
}
"""By the name that a client is told the answer under."""


def check(action: Action, asked: Asked) -> None:
    """
    Raises:
        DomainError: the action's refusal.
    """
    refusal = action(asked)
    if refusal is not None:
        raise refusal


def appointment_blocked_reason(asked: Asked) -> AppointmentBlockedReason | None:
    """Why there can be no appointment about the ticket, whoever asks; None where there can (S94)."""
    return scheduling.appointment_blocked_reason(
        asked.state.status,
        is_offered=asked.state.offers_appointments,
        is_assigned=asked.ticket.assignee_id is not None,
    )


def reply_blocked_reason(asked: Asked) -> ReplyBlockedReason | None:
    """Why the viewer cannot reply, in the words of an editor that is not shown (S52); None where it is."""
    refusal = reply(asked)
    membership = asked.viewer.membership_in(asked.ticket.organization_id)
    match refusal:
        case None:
            return None
        case HistoryUnavailable():
            return ReplyBlockedReason.HISTORY_UNAVAILABLE
        case Forbidden() if membership and membership.role is OrganizationRole.READ_ONLY:
            return ReplyBlockedReason.READ_ONLY_ROLE
        case Forbidden():
            return ReplyBlockedReason.NOT_SUBMITTER_OR_ORG_ADMIN
        case Conflict():
            return ReplyBlockedReason.LOCKED
        case _:
            return ReplyBlockedReason.TICKET_CLOSED


def _kept_from(asked: Asked, rule: Rule, english: str | Text = policy.MAY_NOT) -> DomainError | None:
    """What the viewer's place refuses. A ticket that only a regulation withholds says so."""
    if policy.allows(asked.viewer, rule, asked.ticket):
        return None
    if asked.viewer.is_kept_from_history and not policy.may_read_ticket(asked.viewer, asked.ticket):
        return HistoryUnavailable()
    return Forbidden(english)


def _closed(asked: Asked) -> DomainError | None:
    return _refused(lambda: lifecycle.check_not_closed(asked.state.status))


def _stopped(asked: Asked) -> DomainError | None:
    """The lock of support, which stops what customers write."""
    if asked.state.locked and not asked.viewer.is_staff:
        return Conflict("Support has stopped replies on this ticket.")
    return None


def _private(asked: Asked, english: str) -> DomainError | None:
    if asked.ticket.confidentiality is Confidentiality.AUTHOR_ONLY:
        return Conflict("This request is for its author and support alone. {what}", what=as_text(english, {}))
    return None


def _refused(check: Callable[[], object]) -> DomainError | None:
    """What a check raises."""
    try:
        check()
    except DomainError as refusal:
        return refusal
    return None
