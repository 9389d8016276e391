"""What is done in the background for somebody: asking for it, seeing how far it is, following it."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import policy
from domain.enums import JobKind, JobStatus
from domain.errors import IdempotencyMismatch, NotFound
from domain.exporting import A_WHILE, FINAL, check_how_many
from domain.naming import line
from models import Job, User
from realtime.hub import CaughtUp, Delivered, Guard, Reset
from resolvers.access import rests_on
from resolvers.context import Context
from resolvers.reading import found
from resolvers.transaction import Work
from resolvers.viewers import load_again

JOB_CHANGED = "job.changed"
UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)
DOWNLOAD_WITHIN = timedelta(minutes=15)


def stream_of(user_id: UUID) -> str:
    """The stream of a person's jobs."""
    return f"jobs:{user_id}"


def announce(work: Work, job: Job) -> None:
    """Tell whoever follows the job that something of it has changed."""
    work.emit((stream_of(job.requester_id),), JOB_CHANGED, {"job": str(job.id)})


async def ask_for(
    work: Work,
    ctx: Context,
    kind: JobKind,
    given: dict[str, Any],
    *,
    ticket_id: UUID | None = None,
    client_mutation_id: str | None = None,
) -> Job:
    """Put down what the viewer asks for; rights have been checked. The same `client_mutation_id` asks for it once.

    Raises:
        RateLimited: the viewer has asked for enough, for now.
        IdempotencyMismatch: the id was used before for something else.
        Required, Invalid: the id cannot be stored.
    """
    await User.select_for_update().get(id=ctx.user_id)  # Whoever counts next waits until this one is there.
    if client_mutation_id is not None:
        client_mutation_id = line(client_mutation_id, field="clientMutationId", limit=100)
        before = await Job.get_or_none(requester_id=ctx.user_id, client_mutation_id=client_mutation_id)
        if before is not None:
            if (before.kind, before.ticket_id, before.given) != (kind, ticket_id, given):
                raise IdempotencyMismatch("This `clientMutationId` was used for another export. Use a new one.")
            return before
    mine = Job.filter(requester_id=ctx.user_id)
    check_how_many(
        unfinished=await mine.filter(status__in=UNFINISHED).count(),
        in_a_while=await mine.filter(created_at__gt=work.now - A_WHILE).count(),
    )
    return await Job.create(
        requester_id=ctx.user_id,
        ticket_id=ticket_id,
        kind=kind,
        given=given,
        client_mutation_id=client_mutation_id,
        created_at=work.now,
    )


async def get_job(ctx: Context, job_id: UUID) -> Job | None:
    policy.check_authenticated(ctx.viewer)
    return await found(ctx, Job, job_id)


async def watch_job(ctx: Context, job_id: UUID) -> AsyncGenerator[Job, None]:
    """A job as it is, and again whenever something of it has changed, until nothing more is done.

    Whoever comes back is told the present state first; so there is nothing to resume. States between may be skipped.

    Raises:
        Unauthenticated: nobody is signed in.
        NotFound: there is none that the viewer may see, or may still see; or it was forgotten.
    """
    job = await get_job(ctx, job_id)
    if job is None:
        raise NotFound("job", field=("jobId",))
    check, told = _watching(ctx, job_id), None
    async with aclosing(ctx.services.hub.follow(stream_of(job.requester_id), None, guard=check)) as steps:
        async for step in steps:
            match step:
                case Delivered(event) if event.data["job"] == str(job_id):
                    await check()
                case CaughtUp() | Reset():
                    pass
                case _:
                    continue
            ctx.refresh()
            job = await get_job(ctx, job_id)
            if job is None:
                raise NotFound("job", field=("jobId",))
            state = (job.status, job.done, job.total)
            if state != told:
                told = state
                yield job
            if job.status in FINAL:
                return


def _watching(ctx: Context, job_id: UUID) -> Guard:
    async def check() -> Collection[str]:
        viewer = await load_again(ctx.viewer)
        if viewer is None or not await Job.filter(Job.seen_by(viewer), id=job_id).exists():
            raise NotFound("job", field=("jobId",))
        ctx.viewer = viewer
        return rests_on(viewer)

    return check


def result_urls(ctx: Context, rows: Sequence[tuple[UUID, JobStatus, datetime | None]]) -> list[str | None]:
    """For each (id, status, when it expires), a signed address of its result for the viewer alone; None without one."""
    now = ctx.now()
    return [
        ctx.services.links.result(key, ctx.user_id, min(now + DOWNLOAD_WITHIN, expires_at))
        if status is JobStatus.SUCCEEDED and expires_at and expires_at > now
        else None
        for key, status, expires_at in rows
    ]
