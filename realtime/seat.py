"""A place in a topic that is kept without a task, by whoever follows only what is at hand."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from realtime.cursor import Cursor
from realtime.log import Event

if TYPE_CHECKING:
    from realtime.tail import Tail


class Seat:
    """All events up to `seq` are done with. `on_news` is called when there may be more; it must not wait.

    The tail must be registered with the hub for as long as somebody sits there.
    """

    __slots__ = ("_era", "_max_lag", "_tail", "on_news", "seq")

    def __init__(self, tail: "Tail", seq: int, max_lag: int, on_news: Callable[[], None]) -> None:
        self._tail = tail
        self._era = tail.era
        self._max_lag = max_lag
        self.seq = seq
        self.on_news = on_news
        tail.seats[self] = None

    @property
    def place(self) -> Cursor:
        return Cursor(self._tail.epoch, self.seq)

    @property
    def has_more(self) -> bool:
        return self.seq < self._tail.last or self._era != self._tail.era

    def next_event(self) -> Event | None:
        """The event after `seq`; None where there is none, or not here."""
        tail = self._tail
        if self._era != tail.era or tail.last - self.seq > self._max_lag:
            return None
        return tail.recent(self.seq + 1)

    def leave(self) -> None:
        self._tail.seats.pop(self, None)
