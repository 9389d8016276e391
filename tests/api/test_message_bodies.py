"""What messages say, as HTML and as text: of every kind, on every way, made once for the same text (S47, S50, S51)."""

import asyncio
import threading
from typing import Any

import pytest

from domain.rendering import LINK_REL
from resolvers.rendered import AT_ONCE, Kept, Rendering
from tests.api.operations import send
from tests.api.world import gid
from tests.conftest import AsUser
from tests.factories import make_member, make_message, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

WRITTEN = "See **this**: [log](https://a.b/c)\n<script>alert(1)</script>"
HTML = (
    f'<p>See <strong>this</strong>: <a href="https://a.b/c" target="_blank" rel="{LINK_REL}">log</a><br>\n'
    "&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"
)
TEXT = "See this: log (https://a.b/c)\n<script>alert(1)</script>"


async def test_every_kind_of_message_has_its_html_and_its_text(as_user: AsUser) -> None:
    acme = await make_organization()
    ann, sam = await make_member(acme), as_user(await make_staff())
    ticket = await make_ticket(acme, ann)
    for kind in ("CHAT", "EMAIL", "NOTE"):
        await make_message(ticket, ann, WRITTEN, kind=kind)

    found = await sam.ask(
        """query($t: ID!) { ticket(id: $t) {
          messages(first: 10) { nodes { __typename body bodyHtml bodyText } }
          emails(first: 10) { nodes { bodyHtml } }
          timeline(first: 10) { nodes { ... on Note { bodyText } } } } }""",
        t=gid(ticket),
    )

    said = found["ticket"]["messages"]["nodes"]
    assert [each.pop("__typename") for each in said] == ["ChatMessage", "EmailMessage", "Note"]
    assert said == [{"body": WRITTEN, "bodyHtml": HTML, "bodyText": TEXT}] * 3
    assert found["ticket"]["emails"]["nodes"] == [{"bodyHtml": HTML}]
    assert found["ticket"]["timeline"]["nodes"] == [{}, {}, {"bodyText": TEXT}]


async def test_what_is_said_now_comes_with_its_html(as_user: AsUser) -> None:  # S97
    document = """subscription($t: ID!) { messages(ticketId: $t) { __typename
      ... on MessageChange { message { bodyHtml bodyText } } } }"""
    acme = await make_organization()
    ann, sam = await make_member(acme), as_user(await make_staff())
    ticket = await make_ticket(acme, ann)
    async with as_user(ann).watch(document, t=gid(ticket)) as stream:
        assert (await stream.next())["__typename"] == "StreamCaughtUp"

        sent = await send(sam, ticket, WRITTEN)

        assert sent["message"]["body"] == WRITTEN
        assert (await stream.next())["message"] == {"bodyHtml": HTML, "bodyText": TEXT}


async def test_a_page_of_much_text_is_made_as_well(as_user: AsUser) -> None:
    acme = await make_organization()
    ann = await make_member(acme)
    ticket = await make_ticket(acme, ann)
    bodies = [f"*{n}* " + "word " * (AT_ONCE // 20) for n in range(10)]
    for body in bodies:
        await make_message(ticket, ann, body)
    document = "query($t: ID!) { ticket(id: $t) { messages(first: 10) { nodes { bodyHtml } } } }"

    found = (await as_user(ann).ask(document, t=gid(ticket)))["ticket"]["messages"]["nodes"]

    words = "word " * (AT_ONCE // 20)
    assert found == [{"bodyHtml": f"<p><em>{n}</em> {words.rstrip()}</p>\n"} for n in range(10)]


class Made:
    """Counts what is made, and notes where."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.threads: set[str] = set()

    def __call__(self, text: str) -> str:
        self.texts.append(text)
        self.threads.add(threading.current_thread().name)
        return text.upper()


def rows(*texts: str) -> list[tuple[str]]:
    return [(text,) for text in texts]


async def test_the_same_text_is_made_once_whoever_reads_it() -> None:
    here, beside = Made(), Made()
    field: Any = Rendering(here, beside)

    first = field(rows("b", "a", "b", ""))
    again = field(rows("a", "b", "c"))

    assert (first, again) == (["B", "A", "B", ""], ["A", "B", "C"])
    assert (here.texts, beside.texts) == (["b", "a", "", "c"], [])


async def test_much_text_is_made_in_a_thread_and_kept_for_the_next() -> None:
    here, beside = Made(), Made()
    field: Any = Rendering(here, beside)
    long, longer = "a" * AT_ONCE, "b" * AT_ONCE
    field(rows("short"))

    async with asyncio.timeout(5):
        found = await field(rows(long, "short", longer, long))

    assert found == [long.upper(), "SHORT", longer.upper(), long.upper()]
    assert (here.texts, beside.texts) == (["short"], [long, longer])
    assert {name.rpartition("_")[0] for name in beside.threads} == {"rendering"}
    assert field(rows(longer, long)) == [longer.upper(), long.upper()]


def test_no_more_is_kept_than_there_is_room_for() -> None:
    kept = Kept(most=10)
    for text in ("aa", "bb", "aa"):
        kept.add(text, text)
    assert (kept.get("aa"), kept.get("bb"), kept.size) == ("aa", "bb", 8)

    kept.get("aa")
    kept.add("c", "c")
    assert (kept.get("bb"), kept.get("aa"), kept.get("c"), kept.size) == ("bb", "aa", "c", 10)

    kept.get("aa")
    kept.add("d", "d")
    assert (kept.get("bb"), kept.get("c"), kept.get("aa"), kept.get("d")) == (None, "c", "aa", "d")
    kept.add("x" * 100, "x")
    assert (kept.get("d"), kept.get("x" * 100), kept.size) == (None, None, 0)
