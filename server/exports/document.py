"""A ticket as a document to keep or to print: A4, in the language and by the clock of its reader."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import BinaryIO

from server.exports import labels
from server.exports.content import Content, FileLine, Happened, Said, clean, one_line
from server.exports.manner import Manner, Record
from server.exports.sheet import ACCENT, AMBER, FAINT, INK, LEFT, PALE_AMBER, QUIET, Colour, Sheet

Facts = Sequence[tuple[str, str]]

CUSTOMER: Colour = (150, 158, 168)
"""The bar before what a customer wrote."""

MOST_LINES = 3
"""Of a value in a grid."""

INSET = 12.0
"""How far what was said stands from its bar."""


def write_document(manner: Manner, head: Record, items: Iterator[Record], out: BinaryIO) -> None:
    content = Content(manner, head)
    ticket = content.ticket
    sheet = Sheet(
        title=f"{ticket['reference']} {one_line(ticket['subject'])}",
        language=manner.locale.replace("_", "-"),
        made_at=datetime.fromisoformat(head["exportedAt"]),
    )
    document = Document(sheet, content)
    document.draw(items)
    sheet.save(out)


class Document:
    def __init__(self, sheet: Sheet, content: Content) -> None:
        self.sheet, self.content = sheet, content
        self.files: list[FileLine] = []

    def draw(self, items: Iterator[Record]) -> None:
        content = self.content
        self.opening()
        self.facts(list(content.facts()))
        if description := clean(content.ticket["description"]).strip():
            self.heading(content.say(labels.DESCRIPTION))
            self.sheet.prose(description)
        self.people()
        self.related()
        for each in content.head["escalations"]:
            self.escalation(each)
        self.timeline(items)
        self.feedback()
        self.attachments()
        self.closing()
        self.edges()

    # --- the beginning

    def opening(self) -> None:
        sheet, content = self.sheet, self.content
        reference = content.ticket["reference"]
        sheet.line(content.say(labels.REQUEST), LEFT, sheet.y, 300, size=9.5, style="B", colour=ACCENT)
        sheet.line(reference, LEFT, sheet.y, sheet.width, size=9.5, style="B", colour=QUIET, align="right")
        sheet.y += 20
        sheet.paragraph(clean(content.ticket["subject"]), size=19, leading=1.22, style="B")
        sheet.y += 6
        if content.head["includesInternal"]:
            sheet.paragraph(content.say(labels.INTERNAL_COPY), size=9, style="B", colour=AMBER)
        sheet.paragraph(content.notice(), size=8.5, colour=QUIET)
        sheet.y += 8
        sheet.rule(sheet.y, ACCENT, 1.2)
        sheet.y += 14

    def facts(self, facts: Facts, columns: int = 3) -> None:
        """A grid: labels small, values under them. Long values stand below it, each over the whole width."""
        sheet, gap = self.sheet, 16.0
        width = (sheet.width - gap * (columns - 1)) / columns
        told = [(label, value, sheet.broken(value, size=9.5, width=width)) for label, value in facts]
        short = [(label, lines) for label, _, lines in told if len(lines) <= MOST_LINES]
        for start in range(0, len(short), columns):
            row = short[start:][:columns]
            height = 11 + 13 * max(len(lines) for _, lines in row)
            sheet.room_for(height)
            for number, (label, lines) in enumerate(row):
                x = LEFT + number * (width + gap)
                sheet.line(label, x, sheet.y, width, size=7.8, colour=QUIET)
                for place, each in enumerate(lines):
                    sheet.put(each, x, sheet.y + 11 + 13 * place, size=9.5)
            sheet.y += height + 6
        for label, value, lines in told:
            if len(lines) > MOST_LINES:
                sheet.room_for(11 + 13)
                sheet.line(label, LEFT, sheet.y, sheet.width, size=7.8, colour=QUIET)
                sheet.y += 11
                sheet.paragraph(value, size=9.5, leading=13 / 9.5)
                sheet.y += 6

    def heading(self, title: str, *, below: float = 40) -> None:
        """A heading, with room for something below it."""
        sheet = self.sheet
        sheet.skip(14)
        sheet.room_for(26 + below)
        sheet.line(title, LEFT, sheet.y, sheet.width, size=12.5, style="B", colour=ACCENT)
        sheet.y += 18
        sheet.rule(sheet.y)
        sheet.y += 8

    def people(self) -> None:
        people = list(self.content.people())
        if people:
            self.heading(self.content.say(labels.PEOPLE))
            self.facts([(role, name) for name, role in people])

    def related(self) -> None:
        links = list(self.content.links())
        if links:
            self.heading(self.content.say(labels.RELATED))
            for each in links:
                self.sheet.paragraph(each)

    # --- escalations

    def escalation(self, escalation: Record) -> None:
        sheet, content = self.sheet, self.content
        self.heading(content.say(labels.ESCALATION, reference=escalation["reference"]), below=70)
        self.facts(list(content.escalation_facts(escalation)), columns=4)
        sheet.prose(clean(escalation["issueDescription"]))
        sheet.y += 8
        for number, entry in enumerate(escalation["timeline"]):
            self.stage(entry, is_last=number == len(escalation["timeline"]) - 1)

    def stage(self, entry: Record, *, is_last: bool) -> None:
        """A dot on a line that leads to the next stage."""
        sheet, inset = self.sheet, 18.0
        name, entered, said = self.content.stage(entry)
        sheet.room_for(32)
        page, top = sheet.pdf.page, sheet.y
        self.dot(LEFT + 5, top + 6.4, 3.2)
        wide = sheet.line(name, LEFT + inset, sheet.y, 240, size=10, style="B")
        sheet.line(
            entered, LEFT + inset + wide + 8, sheet.y + 1, sheet.width - inset - wide - 8, size=8.5, colour=QUIET
        )
        sheet.y += 15
        for text, internal in said:
            marked = f"{self.content.say(labels.INTERNAL)}: {text}" if internal else text
            sheet.prose(marked, size=9.5, indent=inset, colour=AMBER if internal else INK)
        sheet.y += 6
        if not is_last and sheet.pdf.page == page:
            sheet.box(LEFT + 4.6, top + 12, 0.8, sheet.y - top - 9, FAINT)

    def dot(self, x: float, y: float, radius: float) -> None:
        self.sheet.pdf.set_fill_color(*ACCENT)
        self.sheet.pdf.circle(x, y, radius, style="F")

    # --- the timeline

    def timeline(self, items: Iterator[Record]) -> None:
        self.heading(self.content.say(labels.CONVERSATION), below=60)
        empty = True
        for item, entry in self.content.entries(items):
            self.files += [self.content.file(each) for each in item.get("attachments", [])]
            empty = empty and entry is None
            if isinstance(entry, Said):
                self.said(entry)
            elif entry is not None:
                self.happened(entry)
        if empty:
            self.sheet.paragraph(self.content.say(labels.NOTHING_SAID), colour=QUIET, style="I")

    def said(self, said: Said) -> None:
        sheet = self.sheet
        bar = AMBER if said.internal else ACCENT if said.by_support else CUSTOMER
        shade = PALE_AMBER if said.internal else None
        sheet.skip(6)
        sheet.room_for(17 + 28)
        sheet.decorate(17, bar, shade)
        self.byline(said, bar)
        sheet.y += 17
        if said.subject:
            sheet.paragraph(said.subject, size=9.5, style="B", indent=INSET, bar=bar, shade=shade)
        if said.body:
            sheet.prose(said.body, indent=INSET, bar=bar, shade=shade)
        if said.files:
            told = self.content.say(labels.ATTACHED, files=", ".join(said.files))
            sheet.paragraph(told, size=8.5, colour=QUIET, indent=INSET, bar=bar, shade=shade)
        sheet.y += 6

    def byline(self, said: Said, bar: Colour) -> None:
        """Who and when: the time at the right, marks after the name."""
        sheet, y = self.sheet, self.sheet.y + 1
        x, left = LEFT + INSET, sheet.width - INSET
        left -= sheet.line(said.when, x, y + 0.8, left, size=8.5, colour=QUIET, align="right") + 12
        marks = " · ".join(said.marks)
        room = sheet.wide(marks, size=8.5, style="B") + 7 if marks else 0
        wide = sheet.line(said.author, x, y, max(left - room, left * 0.6), size=10, style="B")
        if marks:
            sheet.line(marks, x + wide + 7, y + 0.8, left - wide - 7, size=8.5, style="B", colour=bar)

    def happened(self, happened: Happened) -> None:
        """What was done, by whom, and the time at the right of its first line."""
        sheet = self.sheet
        sheet.room_for(14)
        x, left = LEFT + INSET, sheet.width - INSET
        left -= sheet.line(happened.when, x, sheet.y, left, size=8.5, colour=QUIET, align="right") + 12
        for each in sheet.broken(f"{happened.what} · {happened.author}", size=8.5, width=left, style="I"):
            sheet.room_for(14)
            sheet.put(each, x, sheet.y, size=8.5, style="I", colour=QUIET)
            sheet.y += 12
        sheet.y += 2

    # --- the end

    def feedback(self) -> None:
        given = self.content.feedback()
        if given:
            told, comment = given
            self.heading(self.content.say(labels.FEEDBACK))
            self.sheet.paragraph(told, style="B", size=9.5)
            if comment:
                self.sheet.paragraph(comment)

    def attachments(self) -> None:
        if not self.files:
            return
        sheet = self.sheet
        self.heading(self.content.say(labels.FILES))
        for each in self.files:
            rest = f"{each.size} · {each.whose} · {each.when}"
            left = sheet.width - 16 - sheet.wide(rest, size=8.5)
            names = sheet.broken(each.name, size=9.5, width=sheet.width)
            sheet.room_for(13 * len(names) + 14)
            if len(names) == 1 and sheet.wide(each.name, size=9.5) <= left:
                sheet.line(rest, LEFT, sheet.y, sheet.width, size=8.5, colour=QUIET, align="right")
                sheet.put(names[0], LEFT, sheet.y, size=9.5)
                sheet.y += 15
                continue
            for line in names:
                sheet.put(line, LEFT, sheet.y, size=9.5)
                sheet.y += 13
            sheet.line(rest, LEFT, sheet.y, sheet.width, size=8.5, colour=QUIET)
            sheet.y += 17

    def closing(self) -> None:
        if self.sheet.lacks_signs:
            self.sheet.skip(16)
            self.sheet.paragraph(self.content.say(labels.NOT_SHOWN), size=8.5, colour=QUIET, style="I")

    def edges(self) -> None:
        """The head and the foot of every page; the first has its title for a head."""
        sheet, content, ticket = self.sheet, self.content, self.content.ticket
        name = one_line(ticket["organization"]["name"]) if ticket["organization"] else ""
        for number, total in sheet.pages():
            if number > 1:
                wide = sheet.line(ticket["reference"], LEFT, 32, 200, size=8.5, style="B", colour=QUIET)
                sheet.line(ticket["subject"], LEFT + wide + 8, 32, sheet.width - wide - 8, size=8.5, colour=QUIET)
                sheet.rule(46)
            foot = sheet.pdf.h - 44
            sheet.rule(foot - 8)
            page = content.say(labels.PAGE, number=str(number), total=str(total))
            wide = sheet.line(page, LEFT, foot, sheet.width, size=8.5, colour=QUIET, align="right")
            begun, left = LEFT, sheet.width - wide - 16
            if content.head["includesInternal"]:
                mark = content.say(labels.INTERNAL_COPY)
                wide = sheet.line(mark, begun, foot, left, size=8.5, style="B", colour=AMBER) + 12
                begun, left = begun + wide, left - wide
            told = " · ".join(filter(None, (ticket["reference"], name)))
            sheet.line(told, begun, foot, left, size=8.5, colour=QUIET)
