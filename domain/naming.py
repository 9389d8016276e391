"""What may stand in a name, a subject or a text, and how things are numbered."""

import re

from domain.enums import TicketChannel
from domain.errors import Invalid, Required
from domain.words import Text
from domain.words.languages import LOCALES, SOURCE
from domain.words.languages import language as shipped_language

SUBJECT_LIMIT = 300
"""Characters of a subject or a name."""

TEXT_LIMIT = 64_000
"""Characters of a message, a description or a note."""

LONGEST_REFERENCE = 100

TICKET_PREFIX = "T-"
ESCALATION_PREFIX = "CP-"

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_DOMAIN = re.compile(r"[^\W_](?:[^\W_]|-){0,62}(?:\.[^\W_](?:[^\W_]|-){0,62})+")
_EMAIL = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,190}\.[^\s@<>\".]{2,63}")


def line(text: str, *, field: str, limit: int = SUBJECT_LIMIT) -> str:
    """One line of text: trimmed, white space folded.

    Raises:
        Required: nothing is left.
        Invalid: too long, or a character that no store can keep (NUL, control characters, lone surrogates).
    """
    return _SPACES.sub(" ", _checked(text, field, limit)).strip()


def text(value: str, *, field: str, limit: int = TEXT_LIMIT) -> str:
    """Text of many lines, kept as written but for the line ends, which become `\\n`.

    Raises:
        Required, Invalid: as for `line`.
    """
    return _checked(value, field, limit).replace("\r\n", "\n").replace("\r", "\n")


def subject_of(channel: TicketChannel, given: str, *, username: str, language: str = SOURCE) -> str:
    """The subject of a new ticket: of a conference call always, of a phone call where none is given, who called (S31).

    It is made once, in the language of whoever opens the ticket, and stays like every other text of a ticket (S42).

    Raises:
        Required, Invalid: as for `line`, where it is not made.
    """
    match channel:
        case TicketChannel.CONFERENCE_CALL:
            return Text("Conference call – {username}", username=username).in_(language)
        case TicketChannel.PHONE if not given.strip():
            return Text("Phone call – {username}", username=username).in_(language)
        case _:
            return line(given, field="subject")


def email(value: str, *, field: str = "email") -> str:
    """An address in lower case, the form it is compared in.

    Raises:
        Invalid: not the shape of an address.
    """
    found = value.strip().lower()
    if not is_email(found):
        raise Invalid("Give an e-mail address, like ann@example.com.", field=(field,))
    return found


def is_email(value: str) -> bool:
    """Whether it has the shape of an address."""
    return len(value) <= 254 and not _FORBIDDEN.search(value) and _EMAIL.fullmatch(value) is not None


def mail_domain(value: str, *, field: str) -> str:
    """What stands behind the @ of somebody's address, in lower case.

    Raises:
        Invalid: not the shape of a domain, or longer than one can be.
    """
    found = value.strip().lower()
    if len(found) > 253 or not _DOMAIN.fullmatch(found):
        raise Invalid("Give a domain, like example.com.", field=(field,))
    return found


def locale(value: str, *, field: str = "language") -> str:
    """
    Raises:
        Invalid: not the shape of a language tag (BCP 47), or one of more than 16 characters.
    """
    if len(value) > 16 or not _LOCALE.fullmatch(value):
        raise Invalid("A language is written like en or pt-BR.", field=(field,))
    return value


def spoken(asked: str | None, otherwise: str) -> str:
    """The shipped language that an argument `locale` asks for; `otherwise`, where it asks for none or another.

    Raises:
        Invalid: it is not the shape of a language tag.

    Source: S42.
    """
    if asked is None:
        return otherwise
    if len(asked) > 16 or not _LOCALE.fullmatch(asked):
        raise Invalid(
            "A language is written like en or pt-BR. Texts are there in: {locales}.",
            field=("locale",),
            locales=", ".join(LOCALES),
        )
    return shipped_language(asked) or otherwise


def client_id(value: str | None, *, field: str = "clientMutationId") -> str | None:
    """An id that a client made up for its request, as it is; it may send none, or an empty one.

    Raises:
        Invalid: more than 100 characters, or one that cannot be stored or sent back.
    """
    if value:
        line(value, field=field, limit=100)
    return value


def quoted(reference: str) -> str | None:
    """A reference, key or serial number as it is looked up: trimmed, in capitals; None if no row can have it."""
    found = reference.strip().upper()
    return None if not found or len(found) > LONGEST_REFERENCE or _FORBIDDEN.search(found) else found


def ticket_reference(number: int) -> str:
    """`T-000042`: what people quote (S25)."""
    return f"{TICKET_PREFIX}{number:06d}"


def escalation_reference(number: int) -> str:
    """`CP-00042` (S75)."""
    return f"{ESCALATION_PREFIX}{number:05d}"


def _checked(value: str, field: str, limit: int) -> str:
    if len(value) > limit:
        raise Invalid("At most {limit} characters; this has {count}.", field=(field,), limit=limit, count=len(value))
    if not value.strip():
        raise Required("Write something here.", field=(field,))
    if _FORBIDDEN.search(value):
        raise Invalid("This text has control characters that cannot be stored. Remove them.", field=(field,))
    return value
