"""What carries the doorbell between processes, by the scheme of its URL."""

from broadcaster import Broadcast

LOCAL_SCHEMES = frozenset({"memory"})
"""Schemes whose rings stay in this process."""

_MAKERS = {"memory": lambda url: Broadcast(url)}


def make_broadcast(url: str) -> Broadcast:
    """A broadcast that is not connected yet; making one does no I/O.

    Raises:
        ValueError: no backend for the URL's scheme. The broadcaster package's own for Redis and PostgreSQL go deaf
            without a word when their connection is lost, so they are not offered.
    """
    scheme = scheme_of(url)
    if scheme not in _MAKERS:
        supported = ", ".join(f"{known}://" for known in sorted(_MAKERS))
        raise ValueError(f"no doorbell for {scheme or url!r}: the supported schemes are {supported}")
    return _MAKERS[scheme](url)


def scheme_of(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    return scheme if separator else ""
