"""A job made into a file: read as its requester, written by a process of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from domain.enums import ExportFormat, JobKind
from domain.errors import Invalid, NotFound
from domain.exporting import LONGEST_PDF, MEDIA_TYPES
from models import Job
from resolvers.context import Context, Services
from resolvers.exported import at
from resolvers.ticket_file import open_ticket_file
from resolvers.tickets_export import COLUMNS, INSTANTS, open_ticket_table
from resolvers.viewers import load_viewer
from server.exports.process import file_writer

Report = Callable[[int, int], None]
"""Told how many of how many things are done."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that is whole, of how many things. `tickets` are those of a list, 16 bytes for each."""

    file_name: str
    media_type: str
    total: int
    tickets: bytes | None = None


async def make_file(services: Services, job: Job, out: IO[bytes], report: Report) -> Made:
    """Write what the job's requester may see now into `out`.

    Raises:
        NotFound, Forbidden: the account or the ticket is no longer there for the requester, or what is internal.
        Invalid: it is more than a file of this kind can hold.
        NotWritten: the process that writes has died.
    """
    viewer = await load_viewer(job.requester_id)
    if viewer is None:
        raise NotFound("account")
    write = _write_ticket if job.kind is JobKind.TICKET_EXPORT else _write_tickets
    return await write(Context(viewer, services), job, out, report)


async def _write_ticket(ctx: Context, job: Job, out: IO[bytes], report: Report) -> Made:
    assert job.ticket_id is not None, "an export of one ticket has it"
    format = ExportFormat(job.given["format"])
    file = await open_ticket_file(ctx, job.ticket_id, include_internal=job.given["include_internal"])
    report(0, file.total)
    limit = LONGEST_PDF if format is ExportFormat.PDF else None
    done = characters = 0
    async with file_writer(out) as writer:
        await writer.send({name: job.given[name] for name in ("format", "locale", "time_zone")})
        await writer.send(file.head)
        async for item in file.items:
            characters += len(item.get("body") or "")
            if limit is not None and characters > limit:
                raise Invalid("This ticket is too long for one document. Export it as JSON or TXT.", field=("format",))
            await writer.send(item)
            done += 1
            report(min(done, file.total), file.total)
        await writer.finish()
    return Made(f"{file.reference}.{format.lower()}", MEDIA_TYPES[format], done)


async def _write_tickets(ctx: Context, job: Job, out: IO[bytes], report: Report) -> Made:
    table = await open_ticket_table(ctx, job)
    report(0, table.total)
    tickets = bytearray()
    async with file_writer(out) as writer:
        await writer.send({"format": job.given["format"]})
        await writer.send({"columns": COLUMNS, "instants": INSTANTS, "exportedAt": at(ctx.now())})
        async for ids, rows in table.pages:
            ctx.refresh()
            await writer.send({"rows": rows})
            tickets += b"".join(each.bytes for each in ids)
            report(min(len(tickets) // 16, table.total), table.total)
        await writer.finish()
    format = ExportFormat(job.given["format"])
    name = f"tickets-{ctx.now():%Y-%m-%d}.{format.lower()}"
    return Made(name, MEDIA_TYPES[format], len(tickets) // 16, bytes(tickets))


def subject_of(job: Job) -> str:
    """What a failure of the job is about, by its id in the API."""
    return f"Ticket_{job.ticket_id}" if job.ticket_id else f"Job_{job.id}"
