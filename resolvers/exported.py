"""How rows stand in an exported file: plain values in the names of the API, instants in UTC."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.enums import ChangeType, MessageKind, TimelineEventKind
from engine.instants import instant_text
from models import Attachment, Message, TimelineEvent, User
from models.base import BaseModel

Record = dict[str, Any]

SYSTEM: Record = {"id": "SystemActor_casewire", "displayName": "Casewire", "isStaff": False}
MESSAGES = {MessageKind.CHAT: "ChatMessage", MessageKind.EMAIL: "EmailMessage", MessageKind.NOTE: "Note"}
EVENTS = {
    TimelineEventKind.STATUS: "StatusChangedEvent",
    TimelineEventKind.FIELD: "FieldChangedEvent",
    TimelineEventKind.PARTICIPANT: "ParticipantChangedEvent",
    TimelineEventKind.ESCALATION: "EscalationStageChangedEvent",
    TimelineEventKind.FEEDBACK: "FeedbackSubmittedEvent",
    TimelineEventKind.LINK: "TicketLinkedEvent",
    TimelineEventKind.RESOURCE: "ResourceSharedEvent",
    TimelineEventKind.CALL: "CallChangedEvent",
}


def at(moment: datetime | None) -> str | None:
    return instant_text(moment) if moment else None


def named(row: BaseModel | None, type_name: str | None = None) -> Record | None:
    """A row that has a name, by that and its id."""
    return {"id": f"{type_name or type(row).__name__}_{row.id}", "name": getattr(row, "name")} if row else None  # noqa: B009


class People:
    """Those who stand on a ticket, each read once."""

    def __init__(self) -> None:
        self._known: dict[UUID, Record] = {}

    async def meet(self, ids: Iterable[UUID | None]) -> None:
        unknown = {each for each in ids if each} - self._known.keys()
        if unknown:
            for user in await User.filter(id__in=list(unknown)).only("id", "display_name", "staff_role"):
                self._known[user.id] = {
                    "id": f"User_{user.id}",
                    "displayName": user.display_name,
                    "isStaff": user.staff_role is not None,
                }

    def __getitem__(self, user_id: UUID | None) -> Record | None:
        """Somebody who was met; None for nobody, or once the account is gone."""
        return self._known.get(user_id) if user_id else None

    def who_did(self, row: Any) -> Record | None:
        return SYSTEM if row.automatic else self[row.actor_id]


def message(row: Message, people: People, files: list[Attachment], *, sequence: int, replied: int | None) -> Record:
    """`replied` is the number of what it answers, if that is shown as well. One that was deleted says nothing."""
    found: Record = {
        "type": MESSAGES[row.kind],
        "id": f"{MESSAGES[row.kind]}_{row.id}",
        "sequence": sequence,
        "occurredAt": at(row.occurred_at),
        "actor": people.who_did(row),
        "visibility": row.visibility,
        "source": row.source,
        "language": row.language,
        "body": None if row.deleted_at else row.body,
        "editedAt": at(row.edited_at),
        "deletedAt": at(row.deleted_at),
        "inReplyTo": replied,
        "attachments": [] if row.deleted_at else [file(each, people) for each in files],
    }
    if row.kind is MessageKind.EMAIL:
        found |= {"subject": row.email_subject or "", "from": row.email_from}
    return found


def file(row: Attachment, people: People) -> Record:
    return {
        "id": f"Attachment_{row.id}",
        "fileName": row.file_name,
        "mediaType": row.media_type,
        "sizeBytes": row.size_bytes,
        "checksum": row.checksum,
        "uploadedBy": people[row.uploaded_by_id],
        "createdAt": at(row.created_at),
    }


def event(row: TimelineEvent, people: People, told: dict[UUID, Record], *, sequence: int) -> Record:
    """`told` is what is told of rows that events are about, by their ids; nothing of those that are not shown."""
    found: Record = {
        "type": EVENTS[row.kind],
        "id": f"{EVENTS[row.kind]}_{row.id}",
        "sequence": sequence,
        "occurredAt": at(row.occurred_at),
        "actor": people.who_did(row),
        "visibility": row.visibility,
    }
    match row.kind:
        case TimelineEventKind.STATUS:
            return found | {"from": row.old_value, "to": row.new_value, "reason": row.reason}
        case TimelineEventKind.FIELD:
            return found | {"field": row.field, "oldValue": row.old_value, "newValue": row.new_value}
        case TimelineEventKind.PARTICIPANT:
            follows = row.follower_id is not None
            return found | {
                "change": ChangeType(row.new_value or ""),
                "user": people[row.user_id],
                "isFollower": follows,
            }
        case TimelineEventKind.LINK:
            return found | {"change": ChangeType(row.new_value or ""), "link": _told(told, row.link_id)}
        case TimelineEventKind.RESOURCE:
            return found | {"resource": _told(told, row.resource_id)}
        case TimelineEventKind.CALL:
            about = {
                "conferenceCall": _told(told, row.conference_call_id),
                "appointment": _told(told, row.appointment_id),
            }
            return found | about | {"status": row.new_value}
        case TimelineEventKind.ESCALATION:
            return found | (_told(told, row.entry_id) or {})
        case _:
            return found


def _told(told: dict[UUID, Record], key: UUID | None) -> Record | None:
    return told.get(key) if key else None
