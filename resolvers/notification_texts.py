"""The texts of notifications, made when they are read: what happened is stored as names, not as words."""

from collections.abc import Mapping

from domain.enums import EscalationStage, NotificationKind
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


def text_of(
    kind: NotificationKind,
    *,
    actor: str | None,
    reference: str = "",
    organization: str = "",
    values: Mapping[str, str],
) -> Text:
    """What a notification says, in the language of whoever reads it (S42)."""
    said = STAGES[values["stage"]] if kind is NotificationKind.ESCALATION_STAGE else KINDS[kind]
    return said.of(actor=actor or SOMEBODY, reference=reference, organization=organization)
