"""What carries the doorbell between processes, by the scheme of its URL."""

from broadcaster import Broadcast

LOCAL_SCHEMES = frozenset({"memory"})
"""Schemes whose rings stay in this process."""


def make_broadcast(url: str) -> Broadcast:
    """A broadcast that is not connected yet; making one does no I/O.

    The broadcaster package's own backends for Redis and PostgreSQL go deaf without a word when their connection is
    lost (and with redis-py 8 from the beginning), hence ours.

    Raises:
        ValueError: no backend for the URL's scheme, or not a URL of that scheme.
    """
    scheme = scheme_of(url)
    if scheme not in _MAKERS:
        supported = ", ".join(f"{known}://" for known in sorted(_MAKERS))
        raise ValueError(f"no doorbell for {scheme or url!r}: the supported schemes are {supported}")
    return _MAKERS[scheme](url)


def scheme_of(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    return scheme if separator else ""


def _redis(url: str) -> Broadcast:
    from realtime.backends.redis import RedisBackend  # Here, because redis-py takes 24 MB that not everybody needs.

    return Broadcast(backend=RedisBackend(url))


def _postgres(url: str) -> Broadcast:
    from realtime.backends.postgres import PostgresBackend

    return Broadcast(backend=PostgresBackend(url))


_MAKERS = {"memory": Broadcast, "postgres": _postgres, "postgresql": _postgres, "redis": _redis, "rediss": _redis}
