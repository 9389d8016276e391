"""The schema as a whole: roots, scalars, and what runs around every operation."""

from typing import Any

from strawberry.extensions import ParserCache, ValidationCache
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter

from schema import errors, escalation, inventory, people, timeline
from schema.access import Schema
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription


class Names(NameConverter):
    """A connection of what is on a timeline is called after the timeline that it is."""

    def from_generic(self, object_type: Any, types: Any) -> str:
        name = super().from_generic(object_type, types)
        return name.replace("TimelineEntry", "Timeline").replace("TimelineItem", "Timeline")


CONFIG = StrawberryConfig(scalar_map=SCALARS, name_converter=Names())

REACHED_BY_INTERFACE_ONLY = [
    people.SystemActor,
    inventory.Room,
    inventory.Desk,
    timeline.ChatMessage,
    timeline.EmailMessage,
    timeline.Note,
    timeline.StatusChangedEvent,
    timeline.FieldChangedEvent,
    timeline.ParticipantChangedEvent,
    timeline.FeedbackSubmittedEvent,
    timeline.EscalationStageChangedEvent,
    timeline.TicketLinkedEvent,
    timeline.ResourceSharedEvent,
    timeline.CallChangedEvent,
    escalation.EscalationTimelineEntry,
    errors.FieldError,
    errors.TicketClosedError,
    errors.StaleVersionError,
    errors.AppointmentNotAvailableError,
]


def build_schema(*, extensions: list[Any] | None = None, **options: Any) -> Schema:
    """The product's schema. `extensions` run besides the caches of parsed and validated documents."""
    return Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=REACHED_BY_INTERFACE_ONLY,
        config=CONFIG,
        extensions=[ParserCache, ValidationCache, *(extensions or [])],
        **options,
    )


def sdl() -> str:
    """The schema in GraphQL's own language, as `schema.graphql` has it."""
    return print_schema(build_schema()) + "\n"
