"""Who is shown to whom as having a ticket open (J7)."""

from itertools import product

import pytest

from domain.enums import PresenceState, StaffRole
from domain.policy import Viewer
from domain.presence import sees_presence, shown_state
from tests.domain.strategies import PEOPLE

CUSTOMER, AGENT = Viewer(PEOPLE[0]), Viewer(PEOPLE[0], StaffRole.AGENT)
OTHER, ASSIGNEE = PEOPLE[1], PEOPLE[2]


@pytest.mark.parametrize(
    ("is_staff", "person", "seen"), [(False, OTHER, True), (True, OTHER, False), (True, ASSIGNEE, True)]
)
def test_customers_see_their_own_side_and_the_assigned_agent(is_staff: bool, person: object, seen: bool) -> None:  # J7
    assert sees_presence(CUSTOMER, person, is_staff=is_staff, assignee_id=ASSIGNEE) is seen  # type: ignore[arg-type]


def test_staff_sees_everybody_as_they_are() -> None:  # J7
    for person, is_staff, state in product((OTHER, ASSIGNEE), (False, True), PresenceState):
        assert sees_presence(AGENT, person, is_staff=is_staff, assignee_id=None)
        assert shown_state(AGENT, state, is_staff=is_staff) is state


def test_customers_are_not_told_that_an_agent_writes() -> None:  # J7
    shown = {state: shown_state(CUSTOMER, state, is_staff=True) for state in PresenceState}

    assert shown == {
        PresenceState.VIEWING: PresenceState.VIEWING,
        PresenceState.TYPING: PresenceState.VIEWING,
        PresenceState.EDITING: PresenceState.VIEWING,
        PresenceState.IDLE: PresenceState.IDLE,
        PresenceState.OFFLINE: PresenceState.OFFLINE,
    }
    assert all(shown_state(CUSTOMER, state, is_staff=False) is state for state in PresenceState)
