"""What a live list is told of a ticket that changed (S26, S99)."""

import pytest

from domain.enums import ChangeType
from domain.live_lists import change_in_list


@pytest.mark.parametrize(
    ("was_there", "is_there", "something_shown", "told"),
    [
        (False, True, True, ChangeType.ADDED),
        (False, True, False, ChangeType.ADDED),
        (True, True, True, ChangeType.UPDATED),
        (True, True, False, None),
        (None, True, True, ChangeType.UPDATED),
        (None, True, False, None),
        (True, False, True, ChangeType.REMOVED),
        (True, False, False, ChangeType.REMOVED),
        (None, False, True, ChangeType.REMOVED),
        (None, False, False, ChangeType.REMOVED),
        (False, False, True, None),
        (False, False, False, None),
    ],
)
def test_what_a_list_is_told(
    was_there: bool | None, is_there: bool, something_shown: bool, told: ChangeType | None
) -> None:
    assert change_in_list(was_there=was_there, is_there=is_there, something_shown=something_shown) is told
