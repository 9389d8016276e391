"""What a list that is shown live is told of a ticket that changed."""

from domain.enums import ChangeType


def change_in_list(*, was_there: bool | None, is_there: bool, something_shown: bool) -> ChangeType | None:
    """What happened to a ticket as far as one list is concerned; None where it is no concern of the list.

    `was_there` is None where nobody knows: then leaving is told in case it was. `something_shown` is False where
    nothing changed that a list shows.

    Source: S26, S99.
    """
    if is_there:
        if was_there is False:
            return ChangeType.ADDED
        return ChangeType.UPDATED if something_shown else None
    return None if was_there is False else ChangeType.REMOVED
