"""A brake on guessing passwords: so many failures for one address and e-mail, then a pause.

It counts in this process alone, so several processes allow as many times more; and one e-mail tried from many
addresses is not its concern. A limit in front of the servers is what stops a larger attack.
"""

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from typing import NamedTuple

ATTEMPTS = 10
WINDOW = timedelta(minutes=5)
MAX_KEYS = 10_000
"""Beyond it the key that was tried longest ago is forgotten: memory is bounded, whatever is sent."""


class Attempt(NamedTuple):
    address: str
    email: str


class Brake:
    def __init__(self, *, attempts: int = ATTEMPTS, window: timedelta = WINDOW, max_keys: int = MAX_KEYS) -> None:
        self._attempts = attempts
        self._window = window
        self._max_keys = max_keys
        self._recent: OrderedDict[Attempt, deque[datetime]] = OrderedDict()

    def take(self, attempt: Attempt, now: datetime) -> timedelta | None:
        """Count an attempt before it is tried; the time to wait if there were too many, which does not count.

        Counted beforehand, so that a hundred at the same moment do not all pass; `forgive` it when it succeeds.
        """
        recent = self._recent.setdefault(attempt, deque())
        self._recent.move_to_end(attempt)
        if len(self._recent) > self._max_keys:
            self._recent.popitem(last=False)
        while recent and now - recent[0] >= self._window:
            recent.popleft()
        if len(recent) >= self._attempts:
            return recent[0] + self._window - now
        recent.append(now)
        return None

    def forgive(self, attempt: Attempt) -> None:
        """Forget the attempts: one of them was right."""
        self._recent.pop(attempt, None)
