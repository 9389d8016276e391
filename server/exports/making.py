"""A job made into a file: read as its requester, written by a process of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from domain.enums import ExportFormat
from domain.errors import Invalid, NotFound
from domain.exporting import LONGEST_PDF, MEDIA_TYPES
from models import Job
from resolvers.context import Context, Services
from resolvers.ticket_file import open_ticket_file
from resolvers.viewers import load_viewer
from server.exports.process import file_writer

Report = Callable[[int, int], None]
"""Told how many of how many things are done."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that is whole."""

    file_name: str
    media_type: str
    total: int


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
    return await _write_ticket(Context(viewer, services), job, out, report)


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


def subject_of(job: Job) -> str:
    """What a failure of the job is about, by its id in the API."""
    return f"Ticket_{job.ticket_id}" if job.ticket_id else f"Job_{job.id}"
