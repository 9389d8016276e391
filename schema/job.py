"""What is done in the background, and the files that tickets are taken away in."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID, Info, Parent

import models
from domain import policy
from domain.enums import ExportFormat, JobStatus
from domain.words import as_text
from resolvers import jobs, ticket_export, tickets_export
from schema.access import signed_in
from schema.enums import ErrorCode
from schema.errors import FieldError, UserError
from schema.inputs import CLIENT_MUTATION_ID, TicketFilter
from schema.node import Node, entity, key_of
from schema.operations import GIVEN, mutation, ticket_key
from schema.payloads import Payload, made
from schema.relations import batched, derived
from schema.scalars import URL, Locale, TimeZone

ONCE = f"{CLIENT_MUTATION_ID} Sent again with the same one, it is the job of the first time."


@strawberry.type(description="Something that a job could not do, and why.")
class JobFailure:
    object_id: ID = strawberry.field(description="What it is about: an object's id, or the job's own.")
    error: UserError = strawberry.field(description="Why, and what to do next.")


def _progress(status: str, done: int, total: int) -> float:
    if JobStatus(status) in (JobStatus.SUCCEEDED, JobStatus.EXPIRED):
        return 1.0
    return round(done / total, 3) if total else 0.0


def _failures(given: Any, language: str) -> list[JobFailure]:
    return [
        JobFailure(
            object_id=ID(each["object"]),
            error=FieldError(
                message=as_text(each["message"], each.get("values", {})).in_(language),
                code=ErrorCode(each["code"]),
                field=None,
            ),
        )
        for each in given
    ]


@entity(models.Job, description="Something that is done in the background.")
class Job(Node):
    status: JobStatus = strawberry.field(description="How far it has come.")
    progress: float = derived(("status", "done", "total"), _progress, "From 0 to 1.")
    total: int = strawberry.field(description="How many things it is about; 0 until that is known.")

    @strawberry.field(description="What could not be done.")
    @staticmethod
    def failed(root: Parent[models.Job], info: Info) -> list[JobFailure]:
        return _failures(root.failures or (), info.context.viewer.language)

    result_url: URL | None = batched(
        jobs.result_urls,
        "A signed address of what it made, good for 15 minutes and for you alone; null where there is nothing.",
        needs=("id", "status", "expires_at"),
    )
    expires_at: datetime | None = strawberry.field(description="Until when that is kept; null until it is made.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    finished_at: datetime | None = strawberry.field(description="When it was done, or given up.")


@strawberry.input(description="A ticket to be made into a file.")
class TicketExportInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    format: ExportFormat = strawberry.field(description="PDF, JSON or TXT.", default=ExportFormat.PDF)
    locale: Locale | None = strawberry.field(
        description="The language of headings and dates: one of `server.locales`, or as one country has it (`pt-BR`). "
        "Your own if left out. What people wrote stays as it is.",
        default=None,
    )
    time_zone: TimeZone | None = strawberry.field(
        description="Whose clock its times go by; your own if left out, or UTC. In JSON all times are UTC.",
        default=None,
    )
    include_internal: bool | None = strawberry.field(
        description="With what only support staff see; for support staff.", default=False
    )
    client_mutation_id: str | None = strawberry.field(description=ONCE, default=None)


@strawberry.type(description="The job that makes the file.")
class TicketExportPayload(Payload):
    job: Job | None = made("The job: follow it, and fetch the file from its `resultUrl`")


@strawberry.input(description="A list of tickets to be made into a file.")
class TicketsExportInput:
    filter: TicketFilter = strawberry.field(
        description="Which ones, of the organizations whose requests you manage; `{}` means all of them."
    )
    format: ExportFormat = strawberry.field(description="CSV or XLSX.", default=ExportFormat.CSV)
    client_mutation_id: str | None = strawberry.field(description=ONCE, default=None)


@strawberry.type(description="The job that makes the file.")
class TicketsExportPayload(Payload):
    job: Job | None = made("The job: follow it, and fetch the file from its `resultUrl`")


@strawberry.type
class JobMutations:
    @mutation("Have a ticket made into a file, with everything of it that you may see.", policy.EXPORT_TICKET)
    async def ticket_export(self, info: Info, input: Annotated[TicketExportInput, GIVEN]) -> TicketExportPayload:
        job: Any = await ticket_export.export_ticket(
            info.context,
            ticket_key(input.ticket_id),
            format=input.format,
            locale=input.locale,
            time_zone=input.time_zone,
            include_internal=bool(input.include_internal),
            client_mutation_id=input.client_mutation_id,
        )
        return TicketExportPayload(job=job)

    @mutation("Have a list of tickets made into a table, a row for each, oldest first.", policy.EXPORT_TICKETS)
    async def tickets_export(self, info: Info, input: Annotated[TicketsExportInput, GIVEN]) -> TicketsExportPayload:
        job: Any = await tickets_export.export_tickets(
            info.context, input.filter.plain(), format=input.format, client_mutation_id=input.client_mutation_id
        )
        return TicketsExportPayload(job=job)


@strawberry.type
class JobSubscriptions:
    @strawberry.subscription(
        description="A job: at first as it is, then on each change, until it is done. After a break it begins anew.",
        directives=signed_in(),
    )
    async def job(
        self, info: Info, job_id: Annotated[ID, strawberry.argument(description="The job.")]
    ) -> AsyncGenerator[Job, None]:
        key = key_of(job_id, "Job", field="jobId")
        async with aclosing(jobs.watch_job(info.context, key)) as states:
            async for each in states:
                yield each  # type: ignore[misc]
