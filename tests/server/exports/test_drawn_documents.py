"""How documents are set: every text has a place, in any language, and nothing in it breaks the page (S40, S42)."""

import io
import json
import subprocess
import sys
from typing import Any

import pytest
from pypdf import PdfReader

from domain.words.languages import LOCALES
from server.exports.process import ROOT
from server.exports.typesetting import MISSING

AT = "2026-11-22T23:30:00.000000Z"
ANN = {"id": "User_1", "displayName": "Ann", "isStaff": False}
SAM = {"id": "User_2", "displayName": "Sam", "isStaff": True}
NOBODY_KNOWS = (
    *("onBehalfOf", "owner", "assignee", "project", "requestType", "classification", "issueType", "product"),
    *("productVersion", "productUpdate", "certificate", "space", "firstRespondedAt", "resolvedAt", "closedAt"),
    *("resolutionReason", "closureReason", "holdUntil"),
)


def head(**ticket: Any) -> dict[str, Any]:
    known = {
        **dict.fromkeys(NOBODY_KNOWS),
        "id": "Ticket_1",
        "reference": "T-000042",
        "subject": "No picture",
        "description": "Since Monday.",
        "status": "OPEN",
        "displayStatus": "ESCALATED",
        "channel": "CHAT",
        "priority": "HIGH",
        "severity": "UNKNOWN",
        "organization": {"id": "1", "name": "Acme"},
        "requester": ANN,
        "devices": [],
        "createdAt": AT,
        "updatedAt": AT,
        "lastActivityAt": AT,
        **ticket,
    }
    said = {"participants": [], "links": [], "escalations": [], "feedback": None, "includesInternal": False}
    return {"exportedAt": AT, "exportedBy": ANN, "ticket": known, **said}


def message(body: str | None, actor: Any = ANN, **given: Any) -> dict[str, Any]:
    said = {"type": "ChatMessage", "sequence": 1, "occurredAt": AT, "actor": actor, "visibility": "PUBLIC"}
    return {**said, "body": body, "editedAt": None, "attachments": [], **given}


def written(format: str, head: Any, *items: Any, locale: str = "en", zone: str = "UTC") -> bytes:
    records = [{"format": format, "locale": locale, "time_zone": zone}, head, *items]
    sent = "\n".join(map(json.dumps, records)).encode()
    done = subprocess.run(
        [sys.executable, "-m", "server.exports"], input=sent, capture_output=True, cwd=ROOT, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def pages(*items: Any, of: Any = None, **given: Any) -> list[str]:
    """The text of each page of a document."""
    reader = PdfReader(io.BytesIO(written("PDF", of or head(), *items, **given)))
    return [page.extract_text() for page in reader.pages]


@pytest.mark.parametrize(
    ("locale", "zone", "label", "status", "moment"),
    [
        ("en", "UTC", "Requester", "Escalated", "Nov 22, 2026, 11:30"),
        ("en_GB", "Europe/Rome", "Requester", "Escalated", "23 Nov 2026, 00:30"),
        ("it", "Europe/Rome", "Richiedente", "In escalation", "23 nov 2026, 00:30"),
        ("fr", "America/New_York", "Demandeur", "Escaladé", "22 nov. 2026, 18:30"),
        ("pt", "America/Sao_Paulo", "Requerente", "Escalado", "22/11/2026, 20:30"),
        ("pt_BR", "Asia/Kathmandu", "Requerente", "Escalado", "23 de nov. de 2026, 05:15"),
        ("ru", "Asia/Kolkata", "Заявитель", "Эскалировано", "23 нояб. 2026"),
    ],
)
def test_a_document_is_in_the_language_and_by_the_clock_of_its_reader(
    locale: str, zone: str, label: str, status: str, moment: str
) -> None:  # S40, S42
    (text,) = pages(message("Как есть, così com’è"), locale=locale, zone=zone)

    assert [each for each in (label, status, moment, "Как есть, così com’è", zone) if each not in text] == []


def test_every_page_says_what_it_is_of_and_which_one_it_is() -> None:  # S72
    found = pages(*(message(f"message {number}. " + "word " * 100) for number in range(40)))

    assert len(found) > 3
    for number, text in enumerate(found, start=1):
        assert f"Page {number} of {len(found)}" in text
        assert text.count("T-000042") >= 1
    told = " ".join(found)
    assert [number for number in range(40) if f"message {number}." not in told] == []


@pytest.mark.parametrize(
    "body",
    [
        "x" * 64_000,
        "W" * 5000 + " " + "й" * 5000,
        "word " * 12_000,
        "\n" * 3000,
        "a\x00b\x07c\x1b[31md\u202eevil\ufeff\u200b",
        "👍🏽 👨‍👩‍👧‍👦 🙂 ☃",
        "שלום עולם مرحبا بالعالم",
        "漢字かな交じり文 한국어 ไทย",
        "e\u0301 ё й ﬁ ① Å ͏ \u0300\u0301\u0302",
        "{nb} ( ) \\ <b>&amp;</b> %s {0}",
        "   indented\n\ttabbed\r\nwindows",
        "",
    ],
)
def test_no_text_breaks_a_document(body: str) -> None:
    names = {"id": "1", "name": body[:200] or "x"}
    of = head(subject=body[:300] or "x", description=body, organization=names)
    files = [{"fileName": body[:255] or "x", "sizeBytes": 5, "uploadedBy": None, "createdAt": AT}]

    found = pages(message(body, attachments=files), message(body, SAM, type="EmailMessage", subject=body[:300]), of=of)

    assert "Page 1 of" in found[0]
    assert written("TXT", of, message(body)).decode()
    assert json.loads(written("JSON", of, message(body)))["timeline"][0]["body"] == body


def test_what_the_font_lacks_is_called_by_name_or_marked_and_the_document_says_so() -> None:
    text = " ".join(pages(message("ok 👍 → שלום")))
    plain = " ".join(pages(message("ok")))

    assert f"ok [thumbs up sign] -> {MISSING * 4}" in text
    assert ("no sign in this document" in text, "no sign in this document" in plain) == (True, False)


def test_a_description_that_is_the_first_message_too_is_told_once() -> None:
    files = [{"fileName": "log.txt", "sizeBytes": 5, "uploadedBy": ANN, "createdAt": AT}]

    (alone,) = pages(message("Since Monday."), message("Since Monday."))
    (with_files,) = pages(message("Since Monday.", attachments=files))
    told = written("TXT", head(), message("Since Monday."), message("Again")).decode()

    assert (alone.count("Since Monday."), with_files.count("Since Monday."), told.count("Since Monday.")) == (2, 1, 1)
    assert "Attached: log.txt" in with_files


def test_an_internal_document_says_on_every_page_that_it_is_one() -> None:  # J7
    of = head() | {"includesInternal": True}

    found = pages(*(message("word " * 300, SAM, visibility="INTERNAL", type="Note") for _ in range(6)), of=of)

    assert len(found) > 1
    assert all("for support staff only" in text for text in found)
    assert "Support · Note · Internal" in found[0]


def test_what_was_deleted_says_nothing_any_more() -> None:
    (text,) = pages(message(None))

    assert "This message was deleted." in text


def test_what_happened_is_told_in_words() -> None:  # S47, S49
    def event(kind: str, **given: Any) -> dict[str, Any]:
        return {"type": kind, "sequence": 1, "occurredAt": AT, "actor": SAM, "visibility": "PUBLIC", **given}

    (text,) = pages(
        event("StatusChangedEvent", **{"from": "OPEN", "to": "RESOLVED", "reason": "INACTIVITY"}),
        event("FieldChangedEvent", field="priority", oldValue=None, newValue="HIGH"),
        event("FieldChangedEvent", field="assignee", oldValue="Sam", newValue=None),
        event("FieldChangedEvent", field="holdUntil", oldValue=None, newValue=AT),
        event("ParticipantChangedEvent", change="REMOVED", user=ANN, isFollower=True),
        event("EscalationStageChangedEvent", escalation="CP-00007", stage="IN_REVIEW"),
        event("FeedbackSubmittedEvent"),
        event("TicketLinkedEvent", change="ADDED", link={"kind": "BLOCKED_BY", "source": "T-1", "target": "T-2"}),
        event("TicketLinkedEvent", change="ADDED", link=None),
        event("TicketLinkedEvent", change="REMOVED", link=None),
        event("ResourceSharedEvent", resource={"title": "Manual", "url": None}),
        event("CallChangedEvent", conferenceCall={"scheduledFor": AT}, appointment=None, status="ACCEPTED"),
        event("CallChangedEvent", conferenceCall=None, appointment={"startsAt": AT}, status="CANCELLED"),
        event("SomethingNew"),
        zone="Europe/Rome",
    )

    assert "Status: Resolved (before: Open) – no answer from the customer · Sam" in text
    assert "Priority: High · Sam" in text
    assert "Handled by: nothing any more (before: Sam) · Sam" in text
    assert "On hold until: Nov 23, 2026" in text
    assert "No longer a follower: Ann · Sam" in text
    assert "Escalation CP-00007: In review · Sam" in text
    assert "Linked: T-1 waits for T-2 · Sam" in text
    assert "Linked: another request · Sam" in text
    assert "Shared: Manual · Sam" in text
    assert ": accepted · Sam" in text
    assert ": called off · Sam" in text


def test_a_json_file_is_one_object_with_an_item_on_each_line() -> None:
    found = written("JSON", {"kind": "casewire.ticket"}, {"sequence": 1}, {"sequence": 2}).decode()

    assert json.loads(found) == {"kind": "casewire.ticket", "timeline": [{"sequence": 1}, {"sequence": 2}]}
    assert '    {"sequence":1},\n    {"sequence":2}\n' in found
    assert json.loads(written("JSON", {"kind": "casewire.ticket"})) == {"kind": "casewire.ticket", "timeline": []}


def test_a_process_that_is_cut_off_ends_and_its_file_is_none() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server.exports"],
        input=b'{"format": "PDF"}\n{"ki',
        capture_output=True,
        cwd=ROOT,
        timeout=50,
        check=False,
    )

    assert done.returncode != 0


def test_documents_are_offered_in_every_shipped_language() -> None:  # S42
    for locale in LOCALES:
        assert "T-000042" in " ".join(pages(locale=locale))
