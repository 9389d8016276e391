"""What people write, as HTML that can do nothing and as text: whoever writes it, nobody who reads it is harmed."""

import re
from html.parser import HTMLParser
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rendering import ALLOWED, LINK_REL, LONGEST_FORMATTED, MOST_MARKS, Markdown, is_unmarked

MARKDOWN = Markdown()
html_of, text_of = MARKDOWN.html_of, MARKDOWN.text_of

LINK = f'target="_blank" rel="{LINK_REL}"'


class Elements(HTMLParser):
    """Every element of a fragment, with its attributes as a browser reads them; and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.found.append(("<!-- -->", {}))

    def handle_decl(self, decl: str) -> None:
        self.found.append(("<!>", {}))

    def handle_pi(self, data: str) -> None:
        self.found.append(("<?>", {}))


def harm(html: str) -> list[str]:
    """What is in a fragment that must not be in it."""
    found = []
    for tag, attributes in Elements(html).found:
        if tag not in ALLOWED:
            found.append(tag)
        elif tag == "a":
            rest = attributes.keys() - {"href", "title", "target", "rel"}
            found += [f"a {name}" for name in rest]
            if (attributes.get("target"), attributes.get("rel")) != ("_blank", LINK_REL):
                found.append(f"a {attributes}")
            if not re.match(r"(?i)https?://[^/]|mailto:[^@]+@", attributes.get("href") or ""):
                found.append(f"a href={attributes.get('href')}")
        else:
            found += [f"{tag} {name}" for name in attributes.keys() - ALLOWED[tag]]
    return found


@pytest.mark.parametrize(
    ("written", "html", "text"),
    [
        ("", "", ""),
        ("Hello", "<p>Hello</p>\n", "Hello"),
        ("one\ntwo\n\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>\n", "one\ntwo\n\nthree"),
        ("**bold** and `code`", "<p><strong>bold</strong> and <code>code</code></p>\n", "bold and code"),
        ("2 < 3 & 4", "<p>2 &lt; 3 &amp; 4</p>\n", "2 < 3 & 4"),
        (
            "1. a\n2. b\n   - c",
            "<ol>\n<li>a</li>\n<li>b\n<ul>\n<li>c</li>\n</ul>\n</li>\n</ol>\n",
            "1. a\n2. b\n  - c",
        ),
        ("4. x", '<ol start="4">\n<li>x</li>\n</ol>\n', "4. x"),
        ("> said\n\nanswer", "<blockquote>\n<p>said</p>\n</blockquote>\n<p>answer</p>\n", "said\n\nanswer"),
        ("```py\nx < 1\n```", "<pre><code>x &lt; 1\n</code></pre>\n", "x < 1"),
        (
            "|a|b|\n|-|-|\n|1|2|",
            "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n"
            "<tbody>\n<tr>\n<td>1</td>\n<td>2</td>\n</tr>\n</tbody>\n</table>\n",
            "a\tb\n1\t2",
        ),
        ("~~no~~", "<p><s>no</s></p>\n", "no"),
    ],
)
def test_what_is_written_becomes_html_and_text(written: str, html: str, text: str) -> None:  # S51
    assert (html_of(written), text_of(written)) == (html, text)


@pytest.mark.parametrize(
    ("written", "html", "text"),
    [
        ("[x](https://a.b/c)", f'<a href="https://a.b/c" {LINK}>x</a>', "x (https://a.b/c)"),
        ("[x](https://a.b 'why')", f'<a href="https://a.b" title="why" {LINK}>x</a>', "x (https://a.b)"),
        ("<https://a.b/c>", f'<a href="https://a.b/c" {LINK}>https://a.b/c</a>', "https://a.b/c"),
        ("https://a.b/?c&d", f'<a href="https://a.b/?c&amp;d" {LINK}>https://a.b/?c&amp;d</a>', "https://a.b/?c&d"),
        ("ann@acme.com", f'<a href="mailto:ann@acme.com" {LINK}>ann@acme.com</a>', "ann@acme.com"),
        ("main.py and www.a.example", "main.py and www.a.example", "main.py and www.a.example"),
    ],
)
def test_links_lead_to_the_web_and_to_people(written: str, html: str, text: str) -> None:  # S51
    assert (html_of(written), text_of(written)) == (f"<p>{html}</p>\n", text)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "&#106;avascript:alert(1)",
        "java\\script:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/logout",
        "?a=b",
        "#top",
        "https://user:secret@bank.example",
        "mailto:nobody",
        "tel:123",
    ],
)
def test_an_address_that_is_none_of_these_is_no_link(address: str) -> None:
    for written in (f"[x]({address})", f"![x]({address})", f"<{address}>", f"[x](<{address}>)"):
        assert "<a " not in html_of(written), written


def test_a_link_does_not_look_as_if_it_led_elsewhere() -> None:
    """What stands before an @ in an address looks like the place it leads to."""
    for address in ("https://bank.example\\@evil.example", "https://bank.example@evil.example"):
        hrefs = [each["href"] for tag, each in Elements(html_of(f"[x]({address}) <{address}> {address}")).found if each]

        assert set(hrefs) <= {"https://bank.example"}, address


def test_an_image_is_a_link_so_that_its_owner_does_not_learn_who_reads() -> None:
    beside, inside = (
        html_of("![a *b*](https://t.example/p.png)"),
        html_of("[![a](https://t.example/p.png)](https://b.c)"),
    )

    assert beside == f'<p><a href="https://t.example/p.png" {LINK}>a b</a></p>\n'
    assert inside == f'<p><a href="https://b.c" {LINK}>a</a></p>\n'
    assert text_of("![a](https://t.example/p.png)") == "a (https://t.example/p.png)"


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<div style='background:url(javascript:alert(1))'>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<!-- --><?php ?><![CDATA[<b>]]>",
    '[a](https://a.b "onmouseover=alert(1)")',
    "[a](https://a.b' onmouseover='alert(1))",
    '![" onerror="alert(1)](https://a.b)',
    "<https://a.b/\"onmouseover='alert(1)'>",
    '```"onclick=alert(1)\n```',
    "https://a.b/<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<style>@import 'https://a.b'</style>",
    "<b\x0conclick=alert(1)>",
]


@pytest.mark.parametrize("written", HOSTILE)
def test_html_that_is_typed_is_shown_as_it_was_typed(written: str) -> None:
    assert harm(html_of(written)) == []


def test_two_hostile_texts_together_do_no_harm_either() -> None:
    for one, other in product(HOSTILE, repeat=2):
        assert harm(html_of(f"{one} {other}")) == [], (one, other)
        assert harm(html_of(f"> - {one}\n{other}")) == [], (one, other)


pieces = st.sampled_from(
    [*HOSTILE, *"<>[]()!*_`~|\"'&;:#=-+\\/\n @.", "://", "javascript:", "on", "href=", "\t", "    "]
)
hostile = st.lists(pieces | st.text(max_size=5), max_size=25).map("".join)


@given(hostile)
def test_whatever_is_written_no_script_no_handler_and_nothing_that_loads_comes_of_it(written: str) -> None:
    assert harm(html_of(written)) == []


marked = st.lists(st.sampled_from(["abc", "de", *"[]()!*_<>&#-+. \n:1@/", "https://x.yz/"]), max_size=30).map("".join)


@given(marked)
def test_every_word_that_was_written_can_be_read(written: str) -> None:
    """Nothing is taken for a mark and lost: not a footnote that nobody refers to, nor what stands deep in quotes."""
    words = re.findall(r"abc|de", written)

    for made in (html_of(written), text_of(written)):
        found = re.findall(r"abc|de", made)
        assert all(found.count(each) >= words.count(each) for each in words), made


lines = st.lists(st.sampled_from(["Hello", "é", "it’s", "1", *" \n,.!?()'\"%$€-–:;"]), min_size=1, max_size=20).map(
    "".join
)


@given(lines)
def test_what_has_no_marks_is_the_same_with_and_without_the_parser(written: str) -> None:
    """The short way for most messages gives what the long one would."""
    if is_unmarked(written):
        blocks = MARKDOWN._blocks(written)
        assert blocks is not None
        long_way = MARKDOWN._parser.renderer.render(blocks, MARKDOWN._parser.options, {})
        assert html_of(written) == long_way.replace("<br />", "<br>").replace("&quot;", '"')
        assert Elements(html_of(written)).text.strip("\n").replace("\n\n", "\n") == written.replace("\n\n", "\n")


@pytest.mark.parametrize(
    "written",
    [
        "a " * (LONGEST_FORMATTED // 2) + "*b*",
        "[" * (MOST_MARKS + 1),
        "://" * (MOST_MARKS + 1),
        "a@" * (MOST_MARKS + 1),
        ">" * 25 + "deep <b>",
        "- " * 12 + "deep <b>",
    ],
)
def test_what_takes_too_long_to_make_out_is_shown_as_it_was_written(written: str) -> None:
    html = html_of(written)

    assert (html[:5], html[-7:]) == ("<pre>", "</pre>\n")
    assert Elements(html).text == f"{written}\n"
    assert text_of(written) == written


def test_what_is_just_short_and_plain_enough_is_formatted() -> None:
    assert html_of("a " * (LONGEST_FORMATTED // 2 - 2) + "*b*").endswith("<em>b</em></p>\n")
    assert html_of("[" * MOST_MARKS + "*b*").endswith("<em>b</em></p>\n")
    assert html_of("> " * 9 + "*b*").count("<blockquote>") == 9


def test_a_footnote_that_nobody_refers_to_is_shown() -> None:
    """As a line of a log often looks."""
    assert html_of("[ERROR]: timeout") == "<p>[ERROR]: timeout</p>\n"
    assert text_of("[ERROR]: https://a.b/c") == "[ERROR]: https://a.b/c"
