"""Scheduling conference calls and appointments, and answering them."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID, UNSET, Info

import models
from domain import policy
from models.base import BaseModel
from resolvers import scheduling
from resolvers.reading import found
from schema.calls import Appointment, ConferenceCall
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import key_of
from schema.operations import GIVEN, mutation, or_left_out, ticket_key
from schema.payloads import Payload, made
from schema.scalars import URL


@strawberry.input(description="A call to propose; the one that is coming is moved.")
class ConferenceCallScheduleInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    scheduled_for: datetime = strawberry.field(description="When it begins; at most a year from now.")
    join_url: URL | None = strawberry.field(
        description="Where to join; may follow later. Left out, it stays; null: none.", default=UNSET
    )
    passcode: str | None = strawberry.field(
        description="What to give on joining. Left out, it stays; null: none.", default=UNSET
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="An answer to a call.")
class ConferenceCallRespondInput:
    conference_call_id: ID = strawberry.field(description="The call.")
    accept: bool = strawberry.field(description="True: the customer will be there. False: either side calls it off.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="An appointment to ask for; the one that is coming is moved.")
class AppointmentScheduleInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    starts_at: datetime = strawberry.field(description="When it begins; at most a year from now.")
    ends_at: datetime = strawberry.field(description="When it ends; at most 8 hours later.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="An appointment to call off.")
class AppointmentCancelInput:
    appointment_id: ID = strawberry.field(description="The appointment.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The call proposed.")
class ConferenceCallSchedulePayload(Payload):
    conference_call: ConferenceCall | None = made("The call")


@strawberry.type(description="The call answered.")
class ConferenceCallRespondPayload(Payload):
    conference_call: ConferenceCall | None = made("The call")


@strawberry.type(description="The appointment made.")
class AppointmentSchedulePayload(Payload):
    appointment: Appointment | None = made("The appointment")


@strawberry.type(description="The appointment called off.")
class AppointmentCancelPayload(Payload):
    appointment: Appointment | None = made("The appointment")


@strawberry.type
class SchedulingMutations:
    @mutation("Propose a conference call about a ticket, or move the one that is coming.", policy.SCHEDULE_CALL)
    async def conference_call_schedule(
        self, info: Info, input: Annotated[ConferenceCallScheduleInput, GIVEN]
    ) -> ConferenceCallSchedulePayload:
        call = await scheduling.schedule_call(
            info.context,
            ticket_key(input.ticket_id),
            scheduled_for=input.scheduled_for,
            join_url=or_left_out(input.join_url),
            passcode=or_left_out(input.passcode),
        )
        return ConferenceCallSchedulePayload(conference_call=await _as_shown(info, models.ConferenceCall, call))

    @mutation("Accept a conference call that support has proposed, or call it off.", policy.ANSWER_CALL)
    async def conference_call_respond(
        self, info: Info, input: Annotated[ConferenceCallRespondInput, GIVEN]
    ) -> ConferenceCallRespondPayload:
        key = key_of(input.conference_call_id, "ConferenceCall", field="conferenceCallId")
        call = await scheduling.answer_call(info.context, key, accept=input.accept)
        return ConferenceCallRespondPayload(conference_call=await _as_shown(info, models.ConferenceCall, call))

    @mutation(
        "Ask for an appointment about a ticket, or move the one that is coming; support confirms by it.",
        policy.SCHEDULE_APPOINTMENT,
    )
    async def appointment_schedule(
        self, info: Info, input: Annotated[AppointmentScheduleInput, GIVEN]
    ) -> AppointmentSchedulePayload:
        appointment = await scheduling.schedule_appointment(
            info.context, ticket_key(input.ticket_id), starts_at=input.starts_at, ends_at=input.ends_at
        )
        return AppointmentSchedulePayload(appointment=await _as_shown(info, models.Appointment, appointment))

    @mutation("Call an appointment off.", policy.SCHEDULE_APPOINTMENT)
    async def appointment_cancel(
        self, info: Info, input: Annotated[AppointmentCancelInput, GIVEN]
    ) -> AppointmentCancelPayload:
        key = key_of(input.appointment_id, "Appointment", field="appointmentId")
        appointment = await scheduling.cancel_appointment(info.context, key)
        return AppointmentCancelPayload(appointment=await _as_shown(info, models.Appointment, appointment))


async def _as_shown(info: Info, model: type[BaseModel], row: BaseModel) -> Any:
    """The row as it is after the commit, with everything a shown one carries."""
    return await found(info.context, model, row.id)
