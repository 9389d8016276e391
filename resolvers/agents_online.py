"""Who of support staff is there: whoever has a socket open, at whichever process."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from domain.policy import Viewer
from realtime.entries import Key, Watch
from realtime.ephemeral import FORGET, Ephemeral

DESK, ONLINE = "desk", "online"


NOBODY = nullcontext()


def being_there(ephemeral: Ephemeral, viewer: Viewer) -> AbstractContextManager[None]:
    """For as long as this lasts the viewer is there; it counts for support staff alone."""
    return _being_there(ephemeral, Key(DESK, ONLINE, str(viewer.user_id))) if viewer.is_staff else NOBODY


@contextmanager
def _being_there(ephemeral: Ephemeral, key: Key) -> Iterator[None]:
    ephemeral.say(key, {}, ttl=FORGET)
    with ephemeral.keeping(key):
        yield


def count_agents(ephemeral: Ephemeral) -> int:
    """How many people of support staff are there, each counted once."""
    return len(ephemeral.said(DESK, ONLINE))


def comings_and_goings(ephemeral: Ephemeral) -> AbstractContextManager[Watch]:
    """From here on, who comes and goes."""
    return ephemeral.watching(DESK, ONLINE)
