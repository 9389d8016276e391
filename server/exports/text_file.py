"""A ticket as plain text, to be read anywhere."""

from collections.abc import Iterator
from io import TextIOWrapper
from textwrap import indent
from typing import BinaryIO

from server.exports import labels
from server.exports.content import Content, FileLine, Happened, Said, clean, one_line
from server.exports.manner import Manner, Record

RULE = "=" * 72
MARGIN = "    "


def write_text(manner: Manner, head: Record, items: Iterator[Record], out: BinaryIO) -> None:
    text = TextIOWrapper(out, encoding="utf-8", newline="\n", write_through=True)
    content = Content(manner, head)
    for line in lines_of(content, items):
        text.write(f"{line}\n")
    text.flush()
    text.detach()


def lines_of(content: Content, items: Iterator[Record]) -> Iterator[str]:
    yield from (f"{content.ticket['reference']}  {one_line(content.ticket['subject'])}", RULE, content.notice())
    if content.head["includesInternal"]:
        yield content.say(labels.INTERNAL_COPY)
    yield ""
    yield from (f"{label}: {value}" for label, value in content.facts())
    yield from heading(content.say(labels.DESCRIPTION))
    yield clean(content.ticket["description"])
    people = [f"{name} ({role})" for name, role in content.people()]
    yield from listed(content.say(labels.PEOPLE), people)
    yield from listed(content.say(labels.RELATED), list(content.links()))
    for escalation in content.head["escalations"]:
        yield from escalation_lines(content, escalation)
    yield from heading(content.say(labels.CONVERSATION))
    files: list[FileLine] = []
    for item, entry in content.entries(items):
        files += [content.file(each) for each in item.get("attachments", [])]
        yield from entry_lines(content, entry) if entry else ()
    judged = content.feedback()
    if judged:
        yield from (*heading(content.say(labels.FEEDBACK)), *(each for each in judged if each))
    lines = [f"{each.name} ({each.size}) · {each.whose} · {each.when}" for each in files]
    yield from listed(content.say(labels.FILES), lines)


def heading(title: str) -> Iterator[str]:
    yield from ("", title, "-" * len(title))


def listed(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield from (*heading(title), *lines)


def escalation_lines(content: Content, escalation: Record) -> Iterator[str]:
    yield from heading(content.say(labels.ESCALATION, reference=escalation["reference"]))
    yield from (f"{label}: {value}" for label, value in content.escalation_facts(escalation))
    yield from ("", clean(escalation["issueDescription"]), "")
    for entry in escalation["timeline"]:
        stage, entered, said = content.stage(entry)
        yield f"{stage} · {entered}"
        for text, internal in said:
            yield indent(f"[{content.say(labels.INTERNAL)}] {text}" if internal else text, MARGIN)


def entry_lines(content: Content, entry: Said | Happened) -> Iterator[str]:
    if isinstance(entry, Happened):
        yield f"* {entry.when} · {entry.author} · {entry.what}"
        return
    marks = f" [{', '.join(entry.marks)}]" if entry.marks else ""
    yield from ("", f"{entry.author}{marks} · {entry.when}")
    if entry.subject:
        yield indent(entry.subject, MARGIN)
    if entry.body:
        yield indent(entry.body, MARGIN)
    if entry.files:
        yield indent(content.say(labels.ATTACHED, files=", ".join(entry.files)), MARGIN)
    yield ""
