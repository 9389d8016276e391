"""The life of a ticket: what a reply, a resolution, a closure and the passing of time make of its status."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from domain.enums import (
    ACTIVE_STATUSES,
    ClosureReason,
    LifecyclePreset,
    ResolutionReason,
    TicketDisplayStatus,
    TicketStatus,
)
from domain.errors import (
    Conflict,
    FeedbackAlreadySubmitted,
    Invalid,
    ReopenNotAllowed,
    ReopenWindowExpired,
    TicketClosed,
)
from domain.words import Text


@dataclass(frozen=True, slots=True)
class Windows:
    """How long a ticket waits for whom."""

    reopen: timedelta
    auto_close_after: timedelta
    auto_resolve_after: timedelta = timedelta(days=7)


PRESETS = {
    LifecyclePreset.WEEK: Windows(reopen=timedelta(days=7), auto_close_after=timedelta(days=7)),
    LifecyclePreset.HOURS_72: Windows(reopen=timedelta(hours=72), auto_close_after=timedelta(hours=72)),
}
"""Source: S64 and S65; the auto-resolve default of 7 days is S63."""

LONGEST_HOLD = timedelta(days=366)

DEFAULT_WINDOWS = PRESETS[LifecyclePreset.WEEK]


def windows_of(
    *, organization: LifecyclePreset, request_type: LifecyclePreset | None, resolved_under: LifecyclePreset | None
) -> Windows:
    """The times that count for a ticket: its organization's, unless its request type has its own.

    What was chosen when it was resolved counts until it is open again: whoever read then how long a reply reopens it
    can rely on that, and no change of a setting closes a ticket earlier, or opens one again that was over.

    Source: S64, S65.
    """
    return PRESETS[resolved_under or preset_of(organization=organization, request_type=request_type)]


def preset_of(*, organization: LifecyclePreset, request_type: LifecyclePreset | None) -> LifecyclePreset:
    """What an organization and a request type have chosen together."""
    return request_type or organization


def status_after_customer_reply(
    status: TicketStatus, *, resolved_at: datetime | None, now: datetime, windows: Windows = DEFAULT_WINDOWS
) -> TicketStatus:
    """The status a ticket takes when the customer's side writes in it.

    A reply to a resolved ticket reopens it up to and including `windows.reopen` after `resolved_at`.

    Raises:
        TicketClosed: the ticket is closed; a linked ticket is the way on.
        ReopenWindowExpired: it was resolved longer ago than that.

    Source: S62, S64, S65, S66, S69.
    """
    match status:
        case TicketStatus.CLOSED:
            raise _closed()
        case TicketStatus.RESOLVED:
            check_reopen_window(resolved_at, now=now, windows=windows)
            return TicketStatus.OPEN
        case TicketStatus.NEW:
            return TicketStatus.NEW
        case TicketStatus.OPEN | TicketStatus.PENDING_CUSTOMER | TicketStatus.ON_HOLD:
            return TicketStatus.OPEN
        case _:
            assert_never(status)


def status_after_staff_reply(status: TicketStatus) -> TicketStatus:
    """The status a ticket takes when support answers in public.

    An answer on a resolved ticket leaves it resolved: a word of thanks must not start the customer's clock again.

    Raises:
        TicketClosed: as for the customer.

    Source: S62.
    """
    match status:
        case TicketStatus.CLOSED:
            raise _closed()
        case TicketStatus.RESOLVED:
            return TicketStatus.RESOLVED
        case _:
            return TicketStatus.PENDING_CUSTOMER


def status_after_question(
    status: TicketStatus, *, resolved_at: datetime | None, now: datetime, windows: Windows = DEFAULT_WINDOWS
) -> TicketStatus:
    """The status a ticket takes when support asks its customer for something: unlike an answer, it opens one again that
    is resolved, as long as the customer's reply would.

    Raises:
        TicketClosed: closed is final.
        ReopenWindowExpired: it was resolved longer than `windows.reopen` ago.

    Source: S62, S64, S65, S66.
    """
    check_not_closed(status)
    if status is TicketStatus.RESOLVED:
        check_reopen_window(resolved_at, now=now, windows=windows)
    return TicketStatus.PENDING_CUSTOMER


def check_may_resolve(status: TicketStatus) -> None:
    """
    Raises:
        TicketClosed: closed is final.
        Conflict: it is resolved already.

    Source: S61, S66.
    """
    if status is TicketStatus.CLOSED:
        raise TicketClosed("This ticket is closed already.")
    if status is TicketStatus.RESOLVED:
        raise Conflict("This ticket is resolved already.")


def check_resolution_reason(reason: ResolutionReason, *, by_staff: bool) -> None:
    """A person gives a reason of the own side; INACTIVITY is the desk's alone.

    Raises:
        Invalid: it is another side's reason.
    """
    own = ResolutionReason.SUPPORT_RESOLVED if by_staff else ResolutionReason.CUSTOMER_RESOLVED
    allowed = {own, ResolutionReason.DUPLICATE} | ({ResolutionReason.CUSTOMER_RESOLVED} if by_staff else set())
    if reason not in allowed:
        raise Invalid(
            "You cannot give {reason} as the reason. Leave it out, or give {own}.",
            field=("reason",),
            reason=reason,
            own=own,
        )


def check_closure_reason(reason: ClosureReason, *, own: ClosureReason) -> None:
    """Who closes a ticket is recorded, not chosen; the other reasons belong to what the desk does by itself.

    Raises:
        Invalid: it is not the reason of whoever closes.
    """
    if reason is not own:
        raise Invalid(
            "You cannot give {reason} as the reason. Leave it out, or give {own}.",
            field=("reason",),
            reason=reason,
            own=own,
        )


def check_may_close(status: TicketStatus) -> None:
    """
    Raises:
        TicketClosed: it is closed already.

    Source: S60, S66.
    """
    if status is TicketStatus.CLOSED:
        raise TicketClosed("This ticket is closed already.")


def check_not_closed(status: TicketStatus) -> None:
    """
    Raises:
        TicketClosed: nothing on a closed ticket changes any more; a linked ticket is the way on (S66, S69).
    """
    if status is TicketStatus.CLOSED:
        raise _closed()


def check_may_reopen(
    status: TicketStatus, *, resolved_at: datetime | None, now: datetime, windows: Windows = DEFAULT_WINDOWS
) -> None:
    """
    Raises:
        TicketClosed: closed is final.
        ReopenNotAllowed: it is not resolved, so there is nothing to reopen.
        ReopenWindowExpired: it was resolved longer than `windows.reopen` ago.

    Source: S64, S65, S66.
    """
    check_not_closed(status)
    if status is not TicketStatus.RESOLVED:
        raise ReopenNotAllowed("Only a resolved ticket can be reopened; this one is still open.")
    check_reopen_window(resolved_at, now=now, windows=windows)


def check_may_hold(status: TicketStatus, *, until: datetime, now: datetime) -> None:
    """
    Raises:
        TicketClosed: closed is final.
        Conflict: it is resolved, so nothing is waited for.
        Invalid: `until` is not in the future, or more than `LONGEST_HOLD` away.

    Source: S67.
    """
    check_not_closed(status)
    if status is TicketStatus.RESOLVED:
        raise Conflict("This ticket is resolved. Reopen it first.")
    if not now < until <= now + LONGEST_HOLD:
        raise Invalid("Name a moment in the future, at most a year away.", field=("until",))


def hold_over(status: TicketStatus, *, hold_until: datetime | None, now: datetime) -> bool:
    """Whether a hold has come to its end, at that instant and after (S67). One without an end lasts."""
    return status is TicketStatus.ON_HOLD and hold_until is not None and now >= hold_until


def check_may_leave_feedback(status: TicketStatus, *, given: bool) -> None:
    """
    Raises:
        Conflict: there is nothing to look back on yet.
        FeedbackAlreadySubmitted: it was `given` before, by whomever: a ticket has one.

    Source: S71.
    """
    if status in ACTIVE_STATUSES:
        raise Conflict("You can leave feedback once this ticket is resolved or closed.")
    if given:
        raise FeedbackAlreadySubmitted("Feedback on this ticket is there already. Thank you.")


@dataclass(frozen=True, slots=True)
class Notice:
    """What a ticket says of itself to whoever opens it."""

    text: Text
    offers_linked_ticket: bool
    reference_to_quote: str


def notice_of(status: TicketStatus, reference: str, *, is_merged: bool = False) -> Notice | None:
    """What a closed ticket carries; None where it is not closed (S68)."""
    if status is not TicketStatus.CLOSED:
        return None
    text = Text(
        "This ticket is closed for good. If you need more help, open a new ticket and quote {reference}.",
        reference=reference,
    )
    if is_merged:
        text = Text(
            "This ticket was merged into another one and goes on there. If you cannot see that one, open a new ticket "
            "and quote {reference}.",
            reference=reference,
        )
    return Notice(text, offers_linked_ticket=True, reference_to_quote=reference)


def check_reopen_window(resolved_at: datetime | None, *, now: datetime, windows: Windows) -> None:
    """
    Raises:
        ReopenWindowExpired: `now` is later than `resolved_at` by more than `windows.reopen`.
    """
    assert resolved_at is not None, "a resolved ticket has resolved_at"
    if now - resolved_at > windows.reopen:
        raise ReopenWindowExpired("The time to reopen this ticket has passed. Open a linked ticket instead.")


def auto_resolve_due(
    status: TicketStatus, *, waiting_since: datetime, now: datetime, windows: Windows = DEFAULT_WINDOWS
) -> bool:
    """Whether a ticket that waits for its customer is resolved by itself (S63); ON_HOLD never is (S67)."""
    return status is TicketStatus.PENDING_CUSTOMER and now - waiting_since >= windows.auto_resolve_after


def auto_close_due(
    status: TicketStatus, *, resolved_at: datetime | None, now: datetime, windows: Windows = DEFAULT_WINDOWS
) -> bool:
    """Whether a resolved ticket is closed by itself (S64, S65).

    At exactly `auto_close_after` a reply would still reopen it, so it closes only after that instant.
    """
    return status is TicketStatus.RESOLVED and resolved_at is not None and now - resolved_at > windows.auto_close_after


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When what happens by itself would happen to a ticket as it stands; None where it would not."""

    auto_resolve_at: datetime | None = None
    auto_close_at: datetime | None = None
    reopen_until: datetime | None = None
    """The last instant at which a reply reopens it."""


def deadlines(
    status: TicketStatus, *, waiting_since: datetime, resolved_at: datetime | None, windows: Windows = DEFAULT_WINDOWS
) -> Deadlines:
    """
    Source: S63, S64, S65, S67.
    """
    match status:
        case TicketStatus.PENDING_CUSTOMER:
            return Deadlines(auto_resolve_at=waiting_since + windows.auto_resolve_after)
        case TicketStatus.RESOLVED:
            assert resolved_at is not None, "a resolved ticket has resolved_at"
            return Deadlines(
                auto_close_at=resolved_at + windows.auto_close_after, reopen_until=resolved_at + windows.reopen
            )
        case _:
            return Deadlines()


def display_status(status: TicketStatus, *, is_escalated: bool) -> TicketDisplayStatus:
    """What list screens show: ESCALATED wins over the open states (S62)."""
    if is_escalated and status in ACTIVE_STATUSES:
        return TicketDisplayStatus.ESCALATED
    return TicketDisplayStatus(status.value)


def _closed() -> TicketClosed:
    return TicketClosed("This ticket is closed. Open a linked ticket and quote this one's reference.")
