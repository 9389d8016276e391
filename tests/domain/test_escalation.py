"""The stages of an escalation: every pair of them, the customer's verdict, and the estimate."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

import pytest

from domain.enums import EscalationStage
from domain.errors import Conflict, Invalid, InvalidStageTransition
from domain.escalation import (
    after_customer_verdict,
    check_advance,
    check_estimate,
    check_submit,
    is_active,
    is_override,
    requires_customer_action,
)

SUBMITTED, IN_REVIEW, IN_PROGRESS, VERIFYING, RESOLVED = EscalationStage
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)

THE_WAY = [SUBMITTED, IN_REVIEW, IN_PROGRESS, VERIFYING, RESOLVED]
ALLOWED = list(pairwise(THE_WAY))


@pytest.mark.parametrize(("here", "there"), list(product(EscalationStage, repeat=2)))
def test_support_moves_an_escalation_to_the_next_stage_and_nowhere_else(
    here: EscalationStage, there: EscalationStage
) -> None:
    """S76, S78: all 25 pairs."""
    if (here, there) in ALLOWED:
        check_advance(here, there)
        return

    with pytest.raises(InvalidStageTransition) as refusal:
        check_advance(here, there)

    assert refusal.value.code == "INVALID_STAGE_TRANSITION"
    assert refusal.value.field == ("stage",)


def test_the_refusal_says_where_it_could_go() -> None:  # J9
    with pytest.raises(InvalidStageTransition, match="From IN_REVIEW an escalation goes to ENGINEERING_IN_PROGRESS"):
        check_advance(IN_REVIEW, RESOLVED)
    with pytest.raises(InvalidStageTransition, match="Submit a new one"):
        check_advance(RESOLVED, SUBMITTED)


def test_a_customer_who_is_asked_decides() -> None:  # S78
    assert after_customer_verdict(VERIFYING, confirmed=True) is RESOLVED
    assert after_customer_verdict(VERIFYING, confirmed=False) is IN_PROGRESS


@pytest.mark.parametrize("stage", [each for each in EscalationStage if each is not VERIFYING])
@pytest.mark.parametrize("confirmed", [True, False])
def test_a_customer_who_is_not_asked_does_not(stage: EscalationStage, confirmed: bool) -> None:  # S78
    with pytest.raises(InvalidStageTransition, match=f"while the stage is {stage}"):
        after_customer_verdict(stage, confirmed=confirmed)


@pytest.mark.parametrize(("here", "there"), list(product(EscalationStage, repeat=2)))
def test_resolving_what_the_customer_was_asked_about_is_an_override(
    here: EscalationStage, there: EscalationStage
) -> None:
    """S78: and nothing else is."""
    assert is_override(here, there) is ((here, there) == (VERIFYING, RESOLVED))


@pytest.mark.parametrize("stage", EscalationStage)
def test_the_customer_is_asked_in_one_stage_and_it_is_over_in_another(stage: EscalationStage) -> None:
    assert requires_customer_action(stage) is (stage is VERIFYING)
    assert is_active(stage) is (stage is not RESOLVED)


def test_a_ticket_has_one_escalation_under_way_at_a_time() -> None:
    check_submit(has_active=False)
    with pytest.raises(Conflict):
        check_submit(has_active=True)


@pytest.mark.parametrize("stage", [each for each in EscalationStage if each is not RESOLVED])
def test_an_estimate_lies_in_the_future_or_is_taken_back(stage: EscalationStage) -> None:  # S79
    check_estimate(stage, NOW + MOMENT, now=NOW)
    check_estimate(stage, None, now=NOW)
    for past in (NOW, NOW - MOMENT):
        with pytest.raises(Invalid) as refusal:
            check_estimate(stage, past, now=NOW)
        assert refusal.value.field == ("estimatedResolutionAt",)


@pytest.mark.parametrize("estimate", [None, NOW + MOMENT, NOW - MOMENT])
def test_what_is_over_has_no_estimate(estimate: datetime | None) -> None:  # S79
    with pytest.raises(InvalidStageTransition):
        check_estimate(RESOLVED, estimate, now=NOW)
