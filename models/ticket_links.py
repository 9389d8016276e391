"""How tickets hang together (S69, S70)."""

from datetime import datetime
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

from domain.enums import TicketLinkKind
from domain.policy import Viewer
from models.base import BaseModel, Choice, Instant
from models.tickets import Ticket, of_visible_ticket


class TicketLink(BaseModel):
    """`kind` says what the `source` is to the `target`: the later one to the earlier, where one came from the other."""

    source: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="links_from", on_delete=fields.CASCADE
    )
    source_id: UUID
    target: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="links_to", on_delete=fields.CASCADE
    )
    target_id: UUID
    kind: TicketLinkKind = Choice(TicketLinkKind, max_length=16)
    created_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "ticket_link"
        constraints = [CheckConstraint(check="source_id <> target_id", name="ticket_link_of_two")]
        unique_together = (("source", "target", "kind"),)
        indexes = [Index(fields=("target_id", "kind"), name="ticket_link_target")]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        """Whoever sees both tickets: a link tells of either that it is there (S07)."""
        return of_visible_ticket(cls, viewer, "source_id") & of_visible_ticket(cls, viewer, "target_id")
