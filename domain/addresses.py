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
    address = _ADDRESS.fullmatch(found)
    if address is None or _BREAKS_OUT.search(found) or not 0 < int(address["port"] or 1) < 2**16:
        raise Invalid("Give an address that begins with https:// or http://, without a password.", field=(field,))
    return found
