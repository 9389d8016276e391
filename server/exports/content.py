"""What a document of a ticket says, in the language and by the clock of its reader: the same in print and as text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from domain.words import Text
from server.exports import labels
from server.exports.manner import Manner, Record

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\ufff9-\uffff\ud800-\udfff]"
)
"""Control characters, marks of direction and other things that no sign is for."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message or a note."""

    author: str
    when: str
    body: str
    marks: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    by_support: bool = False
    internal: bool = False
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that was done, in one line."""

    when: str
    what: str
    author: str


@dataclass(frozen=True, slots=True)
class FileLine:
    name: str
    size: str
    whose: str
    when: str


def clean(text: str) -> str:
    """Text of which every character has a place on a line."""
    return _UNPRINTABLE.sub("", text.replace("\t", "    ").replace("\u2028", "\n").replace("\u2029", "\n"))


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


class Content:
    """Says things in the manner of one document."""

    def __init__(self, manner: Manner, head: Record) -> None:
        self.manner, self.head, self.ticket = manner, head, head["ticket"]

    def say(self, text: Text, /, **values: str) -> str:
        return self.manner.say(text.of(**values) if values else text)

    def word(self, words: Mapping[str, Text], value: str) -> str:
        """The word for a value; one that we have none for is shown as it is."""
        return self.say(words[value]) if value in words else value

    # --- the head

    def notice(self) -> str:
        """When, for whom and by which clock the document was made."""
        made, zone = self.head["exportedAt"], self.manner.time_zone
        person = self.person(self.head["exportedBy"])
        told = self.say(labels.EXPORTED, moment=self.manner.moment(made), person=person)
        return f"{told}. {self.say(labels.TIMES, zone=zone, offset=self.manner.offset(made))}".replace("..", ".")

    def facts(self) -> Iterator[tuple[str, str]]:
        """What is known of the ticket, each under its label; what is not known is left out."""
        ticket = self.ticket
        yield self.say(labels.STATUS), self.word(labels.STATUSES, ticket["displayStatus"])
        yield self.say(labels.PRIORITY), self.word(labels.PRIORITIES, ticket["priority"])
        yield self.say(labels.SEVERITY), self.word(labels.SEVERITIES, ticket["severity"])
        yield self.say(labels.CHANNEL), self.word(labels.CHANNELS, ticket["channel"])
        for label, name in (
            (labels.ORGANIZATION, "organization"),
            (labels.ON_BEHALF_OF, "onBehalfOf"),
            (labels.REQUEST_TYPE, "requestType"),
            (labels.ISSUE_TYPE, "issueType"),
            (labels.PLACE, "space"),
        ):
            if ticket[name]:
                yield self.say(label), one_line(ticket[name]["name"])
        for label, name in ((labels.REQUESTER, "requester"), (labels.OWNER, "owner"), (labels.ASSIGNEE, "assignee")):
            if ticket[name]:
                yield self.say(label), self.person(ticket[name])
        product = [ticket[name]["name"] for name in ("product", "productVersion", "productUpdate") if ticket[name]]
        if product:
            yield self.say(labels.PRODUCT), one_line(" · ".join(product))
        if ticket["certificate"]:
            yield self.say(labels.CERTIFICATE), one_line(ticket["certificate"]["number"])
        if ticket["devices"]:
            yield self.say(labels.DEVICES), ", ".join(map(self._device, ticket["devices"]))
        yield from self._dates()

    def _device(self, device: Record) -> str:
        serial = f" ({device['serialNumber']})" if device["serialNumber"] else ""
        return one_line(f"{device['name']}{serial}")

    def _dates(self) -> Iterator[tuple[str, str]]:
        for label, name, reason in (
            (labels.CREATED, "createdAt", None),
            (labels.FIRST_RESPONSE, "firstRespondedAt", None),
            (labels.LAST_ACTIVITY, "lastActivityAt", None),
            (labels.ON_HOLD_UNTIL, "holdUntil", None),
            (labels.RESOLVED, "resolvedAt", "resolutionReason"),
            (labels.CLOSED, "closedAt", "closureReason"),
        ):
            if self.ticket[name]:
                why = self.ticket[reason] if reason else None
                told = f" – {self.word(labels.REASONS, why)}" if why else ""
                yield self.say(label), f"{self.manner.moment(self.ticket[name])}{told}"

    def people(self) -> Iterator[tuple[str, str]]:
        for each in self.head["participants"]:
            yield self.person(each["user"]), self.word(labels.ROLES, each["role"])

    def links(self) -> Iterator[str]:
        return map(self._link, self.head["links"])

    def _link(self, link: Record) -> str:
        text = labels.LINKS.get(link["kind"], labels.LINKS["RELATED_TO"])
        return self.say(text, source=link["source"], target=link["target"])

    def escalation_facts(self, escalation: Record) -> Iterator[tuple[str, str]]:
        yield self.say(labels.STAGE), self.word(labels.STAGES, escalation["stage"])
        yield self.say(labels.CREATED), self.manner.moment(escalation["submittedAt"])
        if escalation["estimatedResolutionAt"]:
            yield self.say(labels.ESTIMATE), self.manner.day(escalation["estimatedResolutionAt"])
        if escalation["resolvedAt"]:
            yield self.say(labels.RESOLVED), self.manner.moment(escalation["resolvedAt"])

    def stage(self, entry: Record) -> tuple[str, str, list[tuple[str, bool]]]:
        """A stage, when it was entered and by whom, and what was said of it: each with whether it is internal."""
        said = [(clean(entry["note"]), False)] if entry["note"] else []
        said += [(self.say(labels.OVERRIDDEN), False)] if entry["isOverride"] else []
        said += [(clean(entry["internalNote"]), True)] if entry.get("internalNote") else []
        entered = f"{self.manner.moment(entry['enteredAt'])} · {self.person(entry['actor'])}"
        return self.word(labels.STAGES, entry["stage"]), entered, said

    def feedback(self) -> tuple[str, str] | None:
        given = self.head["feedback"]
        if given is None:
            return None
        rating = self.say(labels.RATING, rating=str(given["rating"]))
        told = f"{rating} · {self.person(given['submittedBy'])} · {self.manner.moment(given['submittedAt'])}"
        return told, clean(given["comment"] or "")

    def person(self, person: Record | None) -> str:
        return one_line(person["displayName"]) if person else self.say(labels.SOMEBODY)

    # --- the timeline

    def entries(self, items: Iterator[Record]) -> Iterator[tuple[Record, Said | Happened | None]]:
        """Each item, and how it is told; None for one that says what was told already.

        A ticket's description is its first message as well; of that only the files are told again.
        """
        for number, item in enumerate(items):
            if number or item.get("body") != self.ticket["description"]:
                yield item, self.entry(item)
            else:
                yield item, self.entry({**item, "body": ""}) if item["attachments"] else None

    def entry(self, item: Record) -> Said | Happened:
        return self._said(item) if "body" in item else self._happened(item)

    def _said(self, item: Record) -> Said:
        marks = []
        if item["actor"] and item["actor"]["isStaff"]:
            marks.append(self.say(labels.SUPPORT))
        if item["type"] == "Note":
            marks.append(self.say(labels.NOTE))
        if item["type"] == "EmailMessage":
            marks.append(self.say(labels.EMAIL))
        if item["visibility"] == "INTERNAL":
            marks.append(self.say(labels.INTERNAL))
        if item["editedAt"]:
            marks.append(self.say(labels.EDITED))
        return Said(
            author=self.person(item["actor"]),
            when=self.manner.moment(item["occurredAt"]),
            body=self.say(labels.DELETED) if item["body"] is None else clean(item["body"]),
            marks=marks,
            files=[one_line(each["fileName"]) for each in item["attachments"]],
            by_support=bool(item["actor"] and item["actor"]["isStaff"]),
            internal=item["visibility"] == "INTERNAL",
            subject=one_line(item["subject"]) if item.get("subject") else None,
        )

    def _happened(self, item: Record) -> Happened:
        return Happened(self.manner.moment(item["occurredAt"]), self._what(item), self.person(item["actor"]))

    def _what(self, item: Record) -> str:
        match item["type"]:
            case "StatusChangedEvent":
                why = f" – {self.word(labels.REASONS, one_line(item['reason']))}" if item["reason"] else ""
                return self._change("status", item["from"], item["to"]) + why
            case "FieldChangedEvent":
                return self._change(item["field"], item["oldValue"], item["newValue"])
            case "ParticipantChangedEvent":
                gone = item["change"] == "REMOVED"
                if item["isFollower"]:
                    text = labels.UNFOLLOWS if gone else labels.FOLLOWS
                else:
                    text = labels.LEFT if gone else labels.JOINED
                return self.say(text, person=self.person(item["user"]))
            case "EscalationStageChangedEvent":
                reference = self.say(labels.ESCALATION, reference=item.get("escalation", ""))
                return f"{reference}: {self.word(labels.STAGES, item.get('stage', ''))}"
            case "TicketLinkedEvent":
                if item["change"] == "REMOVED":
                    return self.say(labels.UNLINKED)
                link = self._link(item["link"]) if item["link"] else self.say(labels.ANOTHER_REQUEST)
                return self.say(labels.LINKED, link=link)
            case "ResourceSharedEvent":
                return self.say(labels.SHARED, title=one_line(item["resource"]["title"]))
            case "CallChangedEvent":
                return self._call(item)
            case _:
                return self.say(labels.FEEDBACK)

    def _call(self, item: Record) -> str:
        call, appointment = item["conferenceCall"], item["appointment"]
        text, begins = (labels.CALL, call["scheduledFor"]) if call else (labels.APPOINTMENT, appointment["startsAt"])
        status = self.word(labels.CALL_STATUSES, item["status"])
        return self.say(text, moment=self.manner.moment(begins), status=status)

    def _change(self, name: str, old: str | None, new: str | None) -> str:
        field = self.word(labels.FIELDS, name)
        before, after = (self._value(name, each) if each else None for each in (old, new))
        if after and before:
            return self.say(labels.CHANGED, field=field, old=before, new=after)
        if after:
            return self.say(labels.SET, field=field, new=after)
        return self.say(labels.EMPTIED, field=field, old=before or "")

    def _value(self, name: str, value: str) -> str:
        if name.endswith("Until"):
            return self.manner.moment(value)
        return self.word(labels.VALUES.get(name, {}), one_line(value))

    def file(self, file: Record) -> FileLine:
        return FileLine(
            name=one_line(file["fileName"]),
            size=self._size(file["sizeBytes"]),
            whose=self.person(file["uploadedBy"]),
            when=self.manner.moment(file["createdAt"]),
        )

    def _size(self, size: int) -> str:
        for unit, bytes_of in (("MB", 1_000_000), ("kB", 1_000)):
            if size >= bytes_of:
                return f"{self.manner.number(size / bytes_of)} {unit}"
        return f"{size} B"
