"""The texts of notifications, made when they are read: what happened is stored as names, not as words."""

from collections.abc import Mapping

from domain.enums import AppointmentStatus, ConferenceCallStatus, EscalationStage, NotificationKind
from domain.words import Text

SOMEBODY = Text("Somebody")
"""Whose account is gone; what the desk does by itself is told without an actor."""

KINDS: dict[NotificationKind, Text] = {
    NotificationKind.ASSIGNED: Text("{actor} gave {reference} to you."),
    NotificationKind.REPLIED: Text("{actor} wrote on {reference}."),
    NotificationKind.RESOLVED: Text("{reference} is resolved."),
    NotificationKind.CLOSED: Text("{reference} is closed."),
    NotificationKind.ADDED: Text("{actor} put you on {reference}."),
    NotificationKind.MENTIONED: Text("{actor} mentioned you on {reference}."),
    NotificationKind.FOLLOWING: Text("{actor} made you a follower of {reference}."),
    NotificationKind.RESOURCE_SHARED: Text("{actor} shared a link on {reference}."),
    NotificationKind.INVITED: Text("{actor} made you a member of {organization}."),
}
"""By kind; `{actor}` is who did it, `{reference}` the ticket, `{organization}` its name."""

STAGES: dict[str, Text] = {
    EscalationStage.SUBMITTED: Text("The escalation of {reference} is submitted."),
    EscalationStage.IN_REVIEW: Text("The escalation of {reference} is in review."),
    EscalationStage.ENGINEERING_IN_PROGRESS: Text("The escalation of {reference} is with engineering."),
    EscalationStage.VERIFYING_RESOLUTION: Text(
        "The escalation of {reference} is waiting for you to verify the solution."
    ),
    EscalationStage.RESOLVED: Text("The escalation of {reference} is resolved."),
}

CALLS: dict[str, Text] = {
    ConferenceCallStatus.PENDING: Text("{actor} proposes a conference call about {reference}."),
    ConferenceCallStatus.ACCEPTED: Text("{actor} accepted the conference call about {reference}."),
    ConferenceCallStatus.CANCELLED: Text("{actor} called off the conference call about {reference}."),
}

APPOINTMENTS: dict[str, Text] = {
    AppointmentStatus.REQUESTED: Text("{actor} asks for an appointment about {reference}."),
    AppointmentStatus.CONFIRMED: Text("{actor} confirmed the appointment about {reference}."),
    AppointmentStatus.CANCELLED: Text("{actor} called off the appointment about {reference}."),
}


def text_of(
    kind: NotificationKind,
    *,
    actor: str | None,
    reference: str = "",
    organization: str = "",
    values: Mapping[str, str],
) -> Text:
    """What a notification says, in the language of whoever reads it (S42)."""
    match kind:
        case NotificationKind.ESCALATION_STAGE:
            said = STAGES[values["stage"]]
        case NotificationKind.CALL:
            said = CALLS[values["status"]]
        case NotificationKind.APPOINTMENT:
            said = APPOINTMENTS[values["status"]]
        case _:
            said = KINDS[kind]
    return said.of(actor=actor or SOMEBODY, reference=reference, organization=organization)
