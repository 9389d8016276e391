"""Conference calls and appointments."""

from datetime import datetime

import strawberry

import models
from domain import policy
from domain.enums import AppointmentStatus, ConferenceCallStatus
from schema.access import guarded
from schema.node import Node, entity
from schema.people import Actor, User, actor_of
from schema.relations import to_one
from schema.scalars import URL


@entity(models.ConferenceCall, description="A call about a ticket that support proposed.")
class ConferenceCall(Node):
    scheduled_for: datetime = strawberry.field(description="When it begins.")
    status: ConferenceCallStatus = strawberry.field(description="What became of it.")
    join_url: URL | None = strawberry.field(
        description="Where to join; null until support has said so.", directives=guarded(policy.JOIN_CALL)
    )
    passcode: str | None = strawberry.field(
        description="What to give on joining; null where none is needed.", directives=guarded(policy.JOIN_CALL)
    )
    scheduled_by: Actor | None = actor_of("Who proposed it; null once the account is gone.", "scheduled_by_id")


@entity(models.Appointment, description="A time at which somebody from support is there for the customer of a ticket.")
class Appointment(Node):
    status: AppointmentStatus = strawberry.field(description="What became of it.")
    starts_at: datetime = strawberry.field(description="When it begins.")
    ends_at: datetime = strawberry.field(description="When it ends.")
    engineer: User | None = to_one("engineer", "Who will be there; null once the account is gone.", implied=True)
