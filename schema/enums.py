"""The enums of the business as the API prints them: names and descriptions come from `domain.enums`."""

import inspect
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from domain import enums
from domain.enums import Described
from domain.policy import Policy

Kind = TypeVar("Kind", bound=type[Described])


def described(enum: Kind) -> Kind:
    """Register an enum with the descriptions that its class and its members carry."""
    assert enum.__doc__, enum.__name__
    strawberry.enum(enum, description=inspect.cleandoc(enum.__doc__).split("\n\n")[0])
    definition: StrawberryEnumDefinition = enum.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = enum[value.name].description
    return enum


class TicketOrderField(Described):
    """What a list of tickets is ordered by."""

    CREATED_AT = "CREATED_AT", "When it was opened."
    UPDATED_AT = "UPDATED_AT", "When anything of it last changed."
    LAST_ACTIVITY_AT = "LAST_ACTIVITY_AT", "When anybody last did something on it."
    REFERENCE = "REFERENCE", "Its reference, which is the order of opening."
    STATUS = "STATUS", "Its status, from NEW to CLOSED."
    REQUESTER_NAME = "REQUESTER_NAME", "Who opened it, in the order of the alphabet; first where nobody is known."
    ISSUE_TYPE = "ISSUE_TYPE", "The kind of trouble, in the order of the alphabet; first where none is given."
    SERVICE_LEVEL = "SERVICE_LEVEL", "The service plan that it was opened under, from BASIC to SELECT."
    PRIORITY = "PRIORITY", "How soon support should act, from LOW to URGENT."


class TranscriptAvailability(Described):
    """Whether the conversation of a ticket can be read."""

    AVAILABLE = "AVAILABLE", "It is there."
    NOT_RECORDED_PHONE = "NOT_RECORDED_PHONE", "Phone calls leave no transcript (S54)."


class DeniedBehavior(Described):
    """What an unauthorised caller gets for a guarded field."""

    NULL_WITH_ERROR = "NULL_WITH_ERROR", "null, and an error that says why."
    NULL_SILENT = "NULL_SILENT", "null, as if there were nothing."
    EMPTY_LIST = "EMPTY_LIST", "An empty list."


class ErrorCode(Described):
    """What kind of refusal an error is; clients branch on it."""

    REQUIRED = "REQUIRED", "Something is missing."
    INVALID = "INVALID", "Something cannot be used as it is."
    NOT_FOUND = "NOT_FOUND", "It does not exist, or you may not know that it does."
    FORBIDDEN = "FORBIDDEN", "You may not do this."
    CONFLICT = "CONFLICT", "It contradicts the state things are in."
    STALE_VERSION = "STALE_VERSION", "Somebody else changed it first: load it again."
    TICKET_CLOSED = "TICKET_CLOSED", "A closed ticket is final: open a linked one."
    REOPEN_WINDOW_EXPIRED = "REOPEN_WINDOW_EXPIRED", "The time to reopen has passed: open a linked ticket."
    REOPEN_NOT_ALLOWED = "REOPEN_NOT_ALLOWED", "Only a resolved ticket can be reopened."
    DUPLICATE = "DUPLICATE", "There is one of that name or number already."
    CERTIFICATE_REQUIRED = "CERTIFICATE_REQUIRED", "It needs a certificate that is not there or was not chosen."
    CERTIFICATE_INACTIVE = "CERTIFICATE_INACTIVE", "The certificate is not in force today."
    TOO_MANY_FILES = "TOO_MANY_FILES", "More files than one message may have: see `attachmentPolicy`."
    FILE_TOO_LARGE = "FILE_TOO_LARGE", "The file has more bytes than may be attached."
    FILE_TYPE_NOT_ALLOWED = "FILE_TYPE_NOT_ALLOWED", "This kind of file is not taken, or its content is another kind."
    HISTORY_UNAVAILABLE = "HISTORY_UNAVAILABLE", "A regulation forbids to show the organization's tickets here."
    APPOINTMENT_NOT_AVAILABLE = "APPOINTMENT_NOT_AVAILABLE", "There can be no appointment about the ticket now."
    FEEDBACK_ALREADY_SUBMITTED = "FEEDBACK_ALREADY_SUBMITTED", "Feedback on this ticket was given before."
    INVALID_STAGE_TRANSITION = "INVALID_STAGE_TRANSITION", "An escalation does not go from here to there."
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH", "The key was used before for something else."
    RATE_LIMITED = "RATE_LIMITED", "Too much at once: wait, then try again."
    INTERNAL = "INTERNAL", "Something went wrong on our side."


for _enum in [*vars(enums).values(), Policy, TicketOrderField, TranscriptAvailability, DeniedBehavior, ErrorCode]:
    if isinstance(_enum, type) and issubclass(_enum, Described) and _enum is not Described:
        described(_enum)
