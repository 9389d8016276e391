"""Kinds of values that settings take as text: durations, lists and addresses, and how each is shown again."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(given: object) -> object:
    """`15m`, `12h`, `30d`, `90s` or a plain number of seconds, not 0, as a timedelta; what is no text is left alone."""
    if isinstance(given, str):
        found = re.fullmatch(r"0*([1-9]\d{0,8})([smhd]?)", given.strip())
        if not found:
            raise ValueError("expected a duration such as 90s, 15m, 12h or 30d")
        return timedelta(seconds=int(found[1]) * UNITS[found[2] or "s"])
    return given


def show_duration(duration: timedelta) -> str:
    """The shortest form that `parse_duration` reads back as `duration` (whole seconds)."""
    seconds = int(duration.total_seconds())
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % UNITS[unit] == 0)
    return f"{seconds // UNITS[unit]}{unit}"


def at_most(longest: timedelta) -> Callable[[timedelta], timedelta]:
    def check(duration: timedelta) -> timedelta:
        if duration > longest:
            raise ValueError(f"expected at most {show_duration(longest)}")
        return duration

    return check


def split_list(given: object) -> object:
    if isinstance(given, str):
        return tuple(part.strip() for part in given.split(",") if part.strip())
    return given


def with_scheme(*schemes: str) -> Callable[[str], str]:
    """A validator that takes an address with one of `schemes`, and reads `postgresql://` as `postgres://`."""

    def check(address: str) -> str:
        scheme, separator, rest = address.partition("://")
        scheme = "postgres" if scheme == "postgresql" else scheme
        if not separator or scheme not in schemes:
            raise ValueError("expected an address that begins with " + " or ".join(f"{s}://" for s in schemes))
        return f"{scheme}://{rest}"

    return check


def optional(check: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """The same validator for what may be left out."""
    return lambda given: None if given is None else check(given)


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list)]


def is_safe_to_fetch(url: str) -> bool:
    """Whether nobody on the way can change what `url` answers: https, or plain http on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")


def show(value: Any) -> str:
    match value:
        case None | ():
            return "none"
        case bool():
            return "`true`" if value else "`false`"
        case timedelta():
            return f"`{show_duration(value)}`"
        case tuple():
            return f"`{','.join(value)}`"
        case _:
            return f"`{value}`"
