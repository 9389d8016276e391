"""The texts of notifications, made when they are read: what happened is stored as names, not as words."""

from collections.abc import Mapping

from domain.enums import EscalationStage, NotificationKind

ENGLISH: dict[NotificationKind, str] = {
    NotificationKind.ASSIGNED: "{actor} gave {reference} to you.",
    NotificationKind.REPLIED: "{actor} wrote on {reference}.",
    NotificationKind.RESOLVED: "{reference} is resolved.",
    NotificationKind.CLOSED: "{reference} is closed.",
    NotificationKind.ESCALATION_STAGE: "The escalation of {reference} is {stage}.",
    NotificationKind.ADDED: "{actor} put you on {reference}.",
    NotificationKind.FOLLOWING: "{actor} made you a follower of {reference}.",
    NotificationKind.INVITED: "{actor} made you a member of {organization}.",
}
"""By kind; `{actor}` is who did it, `{reference}` the ticket, `{organization}` its name."""

STAGES: dict[str, str] = {
    EscalationStage.SUBMITTED: "submitted",
    EscalationStage.IN_REVIEW: "in review",
    EscalationStage.ENGINEERING_IN_PROGRESS: "with engineering",
    EscalationStage.VERIFYING_RESOLUTION: "waiting for you to verify the solution",
    EscalationStage.RESOLVED: "resolved",
}

SOMEBODY = "Somebody"
"""Whose account is gone; what the desk does by itself is told without an actor."""


def text_of(
    kind: NotificationKind,
    *,
    actor: str | None,
    reference: str = "",
    organization: str = "",
    values: Mapping[str, str],
) -> str:
    """What a notification says."""
    stage = STAGES.get(values.get("stage", ""), "")
    return ENGLISH[kind].format(actor=actor or SOMEBODY, reference=reference, organization=organization, stage=stage)
