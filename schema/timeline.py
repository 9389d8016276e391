"""What stands on a ticket's timeline: what was said, and what happened."""

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Info, Parent, lazy

import models
from domain.enums import (
    AppointmentStatus,
    ChangeType,
    ConferenceCallStatus,
    DeliveryState,
    MessageKind,
    MessageSource,
    ScanState,
    TicketStatus,
    TimelineEventKind,
    Visibility,
)
from domain.policy import Viewer, sees_internal
from engine.keyset import Order
from resolvers import attachments
from resolvers.mentions import people_mentioned
from resolvers.read_marks import readers_of
from resolvers.reading import listed
from resolvers.rendered import as_html, as_text
from schema.node import Node, entity
from schema.paging import After, Connection, First, page_args
from schema.people import Actor, User, actor_of
from schema.read_receipts import ReadReceipt
from schema.relations import all_of, batched, derived, derived_for, made_of, to_one, to_one_through
from schema.scalars import URL, Cursor, EmailAddress, Locale, Markdown

if TYPE_CHECKING:
    from schema.calls import Appointment, ConferenceCall
    from schema.escalation import Escalation, EscalationTimelineEntry
    from schema.followers import TicketFollower
    from schema.shared_resource import SharedResource
    from schema.ticket import Feedback, Ticket, TicketParticipant
    from schema.ticket_link import TicketLink

FOR_STAFF = Order("timeline", "sequence", kind="int")
BY_READ = Order("readers", "read_at")
FOR_CUSTOMERS = Order("public timeline", "public_sequence", kind="int")


def timeline_order(viewer: Viewer) -> Order:
    """Staff and customers count a ticket's items apart, so that no gap tells of something internal."""
    return FOR_STAFF if sees_internal(viewer) else FOR_CUSTOMERS


@entity(models.Attachment, description="A file on a message.")
class Attachment(Node):
    file_name: str = strawberry.field(description="Its name.")
    media_type: str = strawberry.field(description="What it is, like `image/png`.")
    size_bytes: int = strawberry.field(description="Its size in bytes.")
    checksum: str = strawberry.field(description="SHA-256 of its bytes, in hexadecimal.")
    scan_state: ScanState = strawberry.field(description="What the virus scan found.")
    uploaded_by: Actor | None = actor_of("Who uploaded it; null once the account is gone.", "uploaded_by_id")
    created_at: datetime = strawberry.field(description="When it was announced.")

    @strawberry.field(description="A signed address to get it from; null while there is nothing to hand out.")
    @staticmethod
    def download_url(
        root: Parent[models.Attachment],
        info: Info,
        expires_in: Annotated[
            timedelta | None,
            strawberry.argument(description="How long it is good for, at most `PT1H`; 5 minutes if left out."),
        ] = None,
    ) -> URL | None:
        url = attachments.download_url(info.context, root, expires_in)
        return URL(url) if url else None


@strawberry.interface(description="Everything that can appear on a ticket's timeline.")
class TimelineItem(Node):
    ticket: Annotated["Ticket", lazy("schema.ticket")] = to_one("ticket", "The ticket it is on.", implied=True)
    occurred_at: datetime = strawberry.field(description="When it was said or happened.")
    actor: Actor | None = actor_of("Who said or did it; null once the account is gone.")
    visibility: Visibility = strawberry.field(description="Who may see it.")

    sequence: int = derived_for(
        lambda viewer: (timeline_order(viewer).column,),
        lambda viewer: int,
        "1, 2, 3 … among the items of the ticket that you may see.",
    )
    cursor: Cursor = derived_for(
        lambda viewer: (timeline_order(viewer).column, "id"),
        lambda viewer: lambda place, key: timeline_order(viewer).cursor_at(place, str(key)),
        "Its place in the ticket's timeline, messages and e-mails; the ticket's subscriptions go on from it, too.",
    )


@strawberry.interface(description="A piece of conversation.")
class Message(TimelineItem, Node):
    body: Markdown = strawberry.field(description="What it says, as it was written.")
    body_html: str = made_of(
        "body",
        as_html,
        "What it says, as HTML that is safe to be shown: no script, no style, nothing that loads by itself.",
    )
    body_text: str = made_of("body", as_text, "What it says without marks, for previews and notifications.")
    language: Locale | None = strawberry.field(description="The language it is written in, where that is known.")
    attachments: list[Attachment] = all_of(models.Attachment, "message_id", "created_at", "Its files, first one first.")
    in_reply_to: Annotated["Message", lazy("schema.timeline")] | None = to_one("in_reply_to", "What it answers.")
    edited_at: datetime | None = strawberry.field(description="When it was last edited; null if never.")
    deleted_at: datetime | None = strawberry.field(description="When it was deleted; null if it was not.")
    client_message_id: str | None = strawberry.field(description="The id that its sender gave it.")
    delivery_state: DeliveryState = strawberry.field(description="How far it has got.")
    source: MessageSource = strawberry.field(description="Where it came from.")

    @strawberry.field(description="Who else has read it, as far as you are told, the earliest first.")
    @staticmethod
    def read_by(
        root: Parent[models.Message], info: Info, first: First = None, after: After = None
    ) -> Connection[ReadReceipt]:
        rows: Any = partial(readers_of, info.context, root)
        return listed(info.context, rows, BY_READ, page_args(first, after))  # type: ignore[return-value]


def named(name: str, field: Any) -> Any:
    """The field under a name that Python has a use of its own for."""
    field.graphql_name = name
    return field


def _header(name: str, description: str) -> Any:
    """One of the lists that an e-mail's headers are kept as."""
    return derived_for(
        lambda viewer: ("email_headers",),
        lambda viewer: lambda headers: list((headers or {}).get(name) or []),
        description,
    )


def _status(value: str | None) -> TicketStatus | None:
    return TicketStatus(value) if value else None


@entity(models.Message, where=("kind", MessageKind.CHAT), description="A message in the live conversation.")
class ChatMessage(Message, TimelineItem, Node):
    pass


@entity(models.Message, where=("kind", MessageKind.EMAIL), description="An e-mail of the request.")
class EmailMessage(Message, TimelineItem, Node):
    subject: str = derived("email_subject", lambda subject: subject or "", "Its subject line.")
    from_: EmailAddress | None = named(
        "from", derived("email_from", lambda address: address, "Its sender's address, where it is known.")
    )
    to: list[EmailAddress] = _header("to", "Whom it was sent to, as far as that is known.")
    cc: list[EmailAddress] = _header("cc", "Who got a copy, as far as that is known.")
    references: list[str] = _header("references", "The `Message-ID`s that it answers, the oldest first.")
    message_id: str | None = derived_for(
        lambda viewer: ("email_headers",),
        lambda viewer: lambda headers: (headers or {}).get("messageId"),
        "Its own `Message-ID`; null where none was recorded.",
    )


@entity(models.Message, where=("kind", MessageKind.NOTE), description="A note beside the conversation.")
class Note(Message, TimelineItem, Node):
    mentions: list[User] = batched(people_mentioned, "Whom it mentions, in the order of its author.")


@entity(models.TimelineEvent, where=("kind", TimelineEventKind.STATUS), description="The ticket's status changed.")
class StatusChangedEvent(TimelineItem, Node):
    from_: TicketStatus | None = named("from", derived("old_value", _status, "The status before."))
    to: TicketStatus = derived("new_value", _status, "The status after.")
    reason: str | None = strawberry.field(description="Why, where a reason was given.")


@entity(models.TimelineEvent, where=("kind", TimelineEventKind.FIELD), description="A field of the ticket changed.")
class FieldChangedEvent(TimelineItem, Node):
    field: str = strawberry.field(description="Which one, by its name in this API.")
    old_value: str | None = strawberry.field(description="What it was, in words; null: nothing.")
    new_value: str | None = strawberry.field(description="What it is, in words; null: nothing.")


@entity(
    models.TimelineEvent,
    where=("kind", TimelineEventKind.PARTICIPANT),
    description="Somebody was put on the ticket or taken off it, or follows it or no longer does.",
)
class ParticipantChangedEvent(TimelineItem, Node):
    change: ChangeType = derived("new_value", ChangeType, "Whether it was added, changed or removed.")
    participant: Annotated["TicketParticipant", lazy("schema.ticket")] | None = to_one(
        "participant", "Who takes part; null once taken off, and where a follower changed.", implied=True
    )
    follower: Annotated["TicketFollower", lazy("schema.followers")] | None = to_one(
        "follower", "Who follows; null once taken off, and where a participant changed.", implied=True
    )
    user: User | None = to_one("user", "The person it is about, also once taken off; null for an address.")


@entity(
    models.TimelineEvent,
    where=("kind", TimelineEventKind.ESCALATION),
    description="An escalation of the ticket entered a stage.",
)
class EscalationStageChangedEvent(TimelineItem, Node):
    escalation: Annotated["Escalation", lazy("schema.escalation")] = to_one_through(
        "entry", "escalation", "The escalation as it is now."
    )
    entry: Annotated["EscalationTimelineEntry", lazy("schema.escalation")] = to_one(
        "entry", "The entry of the stage.", implied=True
    )


@entity(
    models.TimelineEvent,
    where=("kind", TimelineEventKind.FEEDBACK),
    description="The customer said what the support was like.",
)
class FeedbackSubmittedEvent(TimelineItem, Node):
    feedback: Annotated["Feedback", lazy("schema.ticket")] = to_one("feedback", "What was said.", implied=True)


@entity(
    models.TimelineEvent,
    where=("kind", TimelineEventKind.LINK),
    description="The ticket was linked with another, or no longer is.",
)
class TicketLinkedEvent(TimelineItem, Node):
    change: ChangeType = derived("new_value", ChangeType, "ADDED: linked. REMOVED: taken apart again.")
    link: Annotated["TicketLink", lazy("schema.ticket_link")] | None = to_one(
        "link", "The link; null once it is gone, and where you may not see the other ticket."
    )


@entity(models.TimelineEvent, where=("kind", TimelineEventKind.RESOURCE), description="Support shared something on it.")
class ResourceSharedEvent(TimelineItem, Node):
    resource: Annotated["SharedResource", lazy("schema.shared_resource")] = to_one(
        "resource", "What was shared.", implied=True
    )


@entity(
    models.TimelineEvent,
    where=("kind", TimelineEventKind.CALL),
    description="A conference call or an appointment was made, moved, answered, called off, or is over.",
)
class CallChangedEvent(TimelineItem, Node):
    conference_call: Annotated["ConferenceCall", lazy("schema.calls")] | None = to_one(
        "conference_call", "The call as it is now; null where it is an appointment.", implied=True
    )
    appointment: Annotated["Appointment", lazy("schema.calls")] | None = to_one(
        "appointment", "The appointment as it is now; null where it is a call.", implied=True
    )
    call_status: ConferenceCallStatus | None = derived(
        ("conference_call_id", "new_value"),
        lambda call, status: ConferenceCallStatus(status) if call else None,
        "What became of the call then; null where it is an appointment.",
    )
    appointment_status: AppointmentStatus | None = derived(
        ("appointment_id", "new_value"),
        lambda appointment, status: AppointmentStatus(status) if appointment else None,
        "What became of the appointment then; null where it is a call.",
    )
