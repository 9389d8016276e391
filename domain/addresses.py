"""Addresses on the web that people write down for others to open."""

import re

from domain.errors import Invalid
from domain.naming import line

LONGEST_ADDRESS = 1_000

_ADDRESS = re.compile(
    r"""https?://
        (?: [^\s/?#@:\[\]]+ | \[ [0-9a-f:.]*:[0-9a-f:.]* \] )   # the host; nobody's name or password before it
        (?: : (?P<port> [0-9]{1,5}) )?
        (?: [/?#] .* )?""",
    re.VERBOSE | re.IGNORECASE,
)

_BREAKS_OUT = re.compile(r"""[\s\\<>"`]""")
"""Characters that no address needs as they are, and that browsers or pages read as something else."""


def web_address(value: str, *, field: str) -> str:
    """An address that is safe to be shown as a link.

    Raises:
        Required: there is none.
        Invalid: it is no http or https address with a host, carries a password, or cannot be stored.
    """
    found = line(value, field=field, limit=LONGEST_ADDRESS)
    if not is_web_address(found):
        raise Invalid("Give an address that begins with https:// or http://, without a password.", field=(field,))
    return found


def is_web_address(value: str) -> bool:
    """Whether it is an http or https address with a host and without a password, and nothing that breaks out of it."""
    address = _ADDRESS.fullmatch(value)
    return address is not None and not _BREAKS_OUT.search(value) and 0 < int(address["port"] or 1) < 2**16
