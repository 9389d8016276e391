"""Everything that can be refused, one class per code. The codes are API: clients branch on them."""

from typing import Any, ClassVar
from uuid import UUID

from domain.enums import AppointmentBlockedReason
from domain.words import Text, as_text
from domain.words.things import no_such


class DomainError(Exception):
    """A refusal that a person or a client can act on.

    `text` says what happened and what to do next, in the language of whoever is told; `message` is its English. Where
    it is given as a string it may have `{names}`, whose `values` follow. `field` is the path of the argument at fault,
    if one is. `extensions` is what GraphQL copies into a top-level error.
    """

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, text: str | Text, *, field: tuple[str, ...] | None = None, **values: Any) -> None:
        super().__init__(text)
        self.text = as_text(text, values)
        self.field = field

    @property
    def message(self) -> str:
        return str(self.text)

    def __str__(self) -> str:
        return self.message

    @property
    def extensions(self) -> dict[str, Any]:
        found: dict[str, Any] = {"code": self.code}
        if self.field:
            found["field"] = list(self.field)
        return found


class Unauthenticated(DomainError):
    """Nobody is signed in, or the credentials are no good. Never says which part was wrong."""

    code = "UNAUTHENTICATED"

    def __init__(self, text: str | Text = Text("Sign in and send a valid bearer token.")) -> None:
        super().__init__(text)


class Forbidden(DomainError):
    code = "FORBIDDEN"


class NotFound(DomainError):
    """There is no such thing, or the viewer may not know that there is: the two answer alike (S07)."""

    code = "NOT_FOUND"

    def __init__(self, what: str = "object", *, field: tuple[str, ...] | None = None) -> None:
        super().__init__(no_such(what), field=field)


class Required(DomainError):
    code = "REQUIRED"


class Invalid(DomainError):
    code = "INVALID"


class Conflict(DomainError):
    code = "CONFLICT"


class StaleVersion(DomainError):
    """Somebody else changed it first (J8)."""

    code = "STALE_VERSION"

    def __init__(
        self,
        current: int,
        text: Text = Text("Somebody changed this ticket in the meantime. Load it again and repeat your change."),
    ) -> None:
        super().__init__(text, field=("expectedVersion",))
        self.current = current


class TicketClosed(DomainError):
    """A closed ticket is final; a linked ticket is the way on (S66, S69). `ticket_id` says from which, once known."""

    code = "TICKET_CLOSED"
    ticket_id: UUID | None = None


class ReopenWindowExpired(DomainError):
    """Too late, and a linked ticket is the way on (S65), as from a closed one."""

    code = "REOPEN_WINDOW_EXPIRED"
    ticket_id: UUID | None = None


class ReopenNotAllowed(DomainError):
    code = "REOPEN_NOT_ALLOWED"


class HistoryUnavailable(DomainError):
    """The tickets of an organization may not be shown to its people (S11)."""

    code = "HISTORY_UNAVAILABLE"

    def __init__(self, *, field: tuple[str, ...] | None = None) -> None:
        super().__init__(
            Text("A regulation forbids to show this organization's ticket history here. Ask support for it."),
            field=field,
        )


class InvalidStageTransition(DomainError):
    code = "INVALID_STAGE_TRANSITION"


class IdempotencyMismatch(DomainError):
    """A key was used again for something else (J2)."""

    code = "IDEMPOTENCY_MISMATCH"


class Duplicate(DomainError):
    """There is one of that name or number already."""

    code = "DUPLICATE"


class CertificateRequired(DomainError):
    """A request needs a certificate of a kind that was not chosen, or that the organization does not have (S18)."""

    code = "CERTIFICATE_REQUIRED"


class CertificateInactive(DomainError):
    """The certificate is not in force on this day (S18)."""

    code = "CERTIFICATE_INACTIVE"


class TooManyFiles(DomainError):
    """More files than one message may have (S53)."""

    code = "TOO_MANY_FILES"


class FileTooLarge(DomainError):
    """A file of more bytes than may be attached (S53)."""

    code = "FILE_TOO_LARGE"


class FileTypeNotAllowed(DomainError):
    """A kind of file that is not taken, or one whose content is not what its name says (S53)."""

    code = "FILE_TYPE_NOT_ALLOWED"


class FeedbackAlreadySubmitted(DomainError):
    code = "FEEDBACK_ALREADY_SUBMITTED"


class AppointmentNotAvailable(DomainError):
    """There can be no appointment about a ticket, for a `reason` (S94)."""

    code = "APPOINTMENT_NOT_AVAILABLE"

    def __init__(self, reason: AppointmentBlockedReason) -> None:
        super().__init__(WHY_NO_APPOINTMENT[reason], field=("ticketId",))
        self.reason = reason


WHY_NO_APPOINTMENT = {
    AppointmentBlockedReason.ISSUE_TYPE_NOT_ELIGIBLE: Text(
        "There are no appointments about issues of this type. Write in the ticket instead."
    ),
    AppointmentBlockedReason.NO_ENGINEER_ASSIGNED: Text(
        "Nobody in support has been given this ticket yet. Ask for an appointment once somebody has."
    ),
    AppointmentBlockedReason.TICKET_CLOSED: Text(
        "This ticket is closed. Open a linked ticket to ask for an appointment."
    ),
}


class RateLimited(DomainError):
    code = "RATE_LIMITED"
