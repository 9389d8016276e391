"""The stages of an escalation, who moves it, and what the customer is asked."""

from datetime import datetime

from domain.enums import EscalationStage
from domain.errors import Conflict, Invalid, InvalidStageTransition

_FORWARD = {
    EscalationStage.SUBMITTED: EscalationStage.IN_REVIEW,
    EscalationStage.IN_REVIEW: EscalationStage.ENGINEERING_IN_PROGRESS,
    EscalationStage.ENGINEERING_IN_PROGRESS: EscalationStage.VERIFYING_RESOLUTION,
    EscalationStage.VERIFYING_RESOLUTION: EscalationStage.RESOLVED,
}


def check_advance(current: EscalationStage, wanted: EscalationStage) -> None:
    """Support moves an escalation one stage on. VERIFYING_RESOLUTION → RESOLVED by support is the override of a
    silent customer; it is recorded as such by whoever saves it.

    Raises:
        InvalidStageTransition: anything but the next stage.

    Source: S76, S78.
    """
    expected = _FORWARD.get(current)
    if expected is None:
        raise InvalidStageTransition("This escalation is resolved. Submit a new one.", field=("stage",))
    if wanted is not expected:
        raise InvalidStageTransition(
            "From {current} an escalation goes to {expected}, not to {wanted}.",
            field=("stage",),
            current=current,
            expected=expected,
            wanted=wanted,
        )


def after_customer_verdict(current: EscalationStage, *, confirmed: bool) -> EscalationStage:
    """The stage after the customer has tried the solution: RESOLVED, or back to ENGINEERING_IN_PROGRESS.

    Raises:
        InvalidStageTransition: nobody asked the customer yet, or the escalation is over.

    Source: S78.
    """
    if current is not EscalationStage.VERIFYING_RESOLUTION:
        raise InvalidStageTransition(
            "There is no solution to confirm or reject while the stage is {current}.", current=current
        )
    return EscalationStage.RESOLVED if confirmed else EscalationStage.ENGINEERING_IN_PROGRESS


def is_override(current: EscalationStage, wanted: EscalationStage) -> bool:
    """Whether support resolves an escalation that its customer was asked to confirm (S78)."""
    return current is EscalationStage.VERIFYING_RESOLUTION and wanted is EscalationStage.RESOLVED


def requires_customer_action(stage: EscalationStage) -> bool:
    """Whether the customer is asked to confirm or reject (S78)."""
    return stage is EscalationStage.VERIFYING_RESOLUTION


def is_active(stage: EscalationStage) -> bool:
    return stage is not EscalationStage.RESOLVED


def check_submit(*, has_active: bool) -> None:
    """
    Raises:
        Conflict: the ticket has an escalation under way; it is followed there, not doubled.
    """
    if has_active:
        raise Conflict("This ticket has an escalation under way already.")


def check_estimate(stage: EscalationStage, estimate: datetime | None, *, now: datetime) -> None:
    """An estimated resolution date may be set, moved or taken back until the escalation is over (S79).

    Raises:
        InvalidStageTransition: the escalation is resolved.
        Invalid: the date is in the past.
    """
    if not is_active(stage):
        raise InvalidStageTransition("This escalation is resolved; there is nothing left to estimate.")
    if estimate is not None and estimate <= now:
        raise Invalid("An estimated resolution date lies in the future.", field=("estimatedResolutionAt",))
