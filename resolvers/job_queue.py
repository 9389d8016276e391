"""Doing what was asked for: whoever holds a job does it, and nobody else writes down what came of it.

A holder has to be heard of every now and then (`keep`). One that is not heard of has died: the job is taken again, or
given up when it was begun often enough. Every write of a holder asks whether it still holds the job; so there is never
more than one result.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from domain.enums import JobStatus
from domain.errors import DomainError
from domain.exporting import MOST_ATTEMPTS
from domain.words import Text
from models import Job
from resolvers.context import Context
from resolvers.jobs import UNFINISHED, announce
from resolvers.transaction import Work, run_in_transaction, unit_of_work

HELD_FOR = timedelta(seconds=30)
"""A holder that was not heard of for so long has died."""

BATCH = 100
BROKEN = Text("It could not be made, though it was tried several times. Try again later, or ask support.")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job could not be done, about an object of the API by its id."""

    object_id: str
    code: str
    text: Text

    def stored(self) -> dict[str, Any]:
        """As English and values: whoever looks at it is told in the own language (S42)."""
        values = {name: each if isinstance(each, int) else str(each) for name, each in self.text.values.items()}
        return {"object": self.object_id, "code": self.code, "message": self.text.english, "values": values}


@dataclass(frozen=True, slots=True)
class Result:
    """What a job has made of how many things, and where it is in the store."""

    blob_key: str
    file_name: str
    media_type: str
    size_bytes: int
    total: int


async def claim(ctx: Context, holder: str) -> Job | None:
    """The job that has waited longest, to be done by `holder`; None where nothing waits."""
    while True:
        waiting = await Job.filter(_free(ctx.now()), status__in=UNFINISHED).order_by("created_at", "id").first()
        if waiting is None:
            return None
        job = await _claim(ctx, waiting.id, holder)
        if job is not None and job.status is JobStatus.RUNNING:
            return job


@unit_of_work
async def _claim(work: Work, ctx: Context, job_id: UUID, holder: str) -> Job | None:
    """None where another was quicker. A job that was begun often enough is given up instead."""
    job = await Job.select_for_update().get_or_none(_free(work.now), id=job_id, status__in=UNFINISHED)
    if job is None:
        return None
    if job.attempts >= MOST_ATTEMPTS:
        await _end(work, job, [Failure(f"Job_{job.id}", "INTERNAL", BROKEN)])
        return job
    job.status, job.attempts, job.done = JobStatus.RUNNING, job.attempts + 1, 0
    job.holder, job.held_until = holder, work.now + HELD_FOR
    await job.save(update_fields=["status", "attempts", "done", "holder", "held_until"])
    announce(work, job)
    return job


@unit_of_work
async def keep(work: Work, ctx: Context, job_id: UUID, holder: str, *, done: int, total: int) -> bool:
    """Be heard of, and write down how far it is; False where the job is no longer the holder's."""
    job = await _held(job_id, holder)
    if job is None:
        return False
    moved = (job.done, job.total) != (done, total)
    job.done, job.total, job.held_until = min(done, total), total, work.now + HELD_FOR
    await job.save(update_fields=["done", "total", "held_until"])
    if moved:
        announce(work, job)
    return True


@unit_of_work
async def succeed(work: Work, ctx: Context, job_id: UUID, holder: str, result: Result, *, kept_for: timedelta) -> bool:
    """Write down the result; False where the job is no longer the holder's, and the result nobody's."""
    job = await _held(job_id, holder)
    if job is None:
        return False
    job.status, job.holder, job.held_until = JobStatus.SUCCEEDED, None, None
    job.done = job.total = result.total
    job.finished_at, job.expires_at = work.now, work.now + kept_for
    job.blob_key, job.file_name = result.blob_key, result.file_name
    job.media_type, job.size_bytes = result.media_type, result.size_bytes
    await job.save()
    announce(work, job)
    return True


@unit_of_work
async def fail(work: Work, ctx: Context, job_id: UUID, holder: str, refusal: DomainError, *, about: str) -> None:
    """It cannot be done, and would not be at another time. `about` is an object of the API by its id."""
    job = await _held(job_id, holder)
    if job is not None:
        await _end(work, job, [Failure(about, refusal.code, refusal.text)])


@unit_of_work
async def put_back(work: Work, ctx: Context, job_id: UUID, holder: str, *, wait: timedelta, counts: bool) -> None:
    """Let somebody begin it again after `wait`; `counts` says whether this attempt was one."""
    job = await _held(job_id, holder)
    if job is None:
        return
    job.status, job.holder, job.done = JobStatus.QUEUED, None, 0
    job.held_until = work.now + wait if wait else None
    job.attempts -= 0 if counts else 1
    await job.save(update_fields=["status", "holder", "held_until", "done", "attempts"])
    announce(work, job)


@unit_of_work
async def expire(work: Work, ctx: Context) -> list[Job]:
    """Results whose time is over are handed out to nobody from now on; returns the jobs whose bytes are to go."""
    due = Job.filter(status=JobStatus.SUCCEEDED, expires_at__lte=work.now).order_by("expires_at").limit(BATCH)
    for job in await due:
        job.status = JobStatus.EXPIRED
        await job.save(update_fields=["status"])
        announce(work, job)
    return await Job.filter(status=JobStatus.EXPIRED, blob_key__isnull=False).order_by("expires_at").limit(BATCH)


async def forget_results(job_ids: list[UUID]) -> int:
    """The bytes of these expired jobs are gone; returns how many they are."""

    async def body() -> int:
        return await Job.filter(id__in=job_ids, status=JobStatus.EXPIRED).update(blob_key=None)

    return await run_in_transaction(body) if job_ids else 0


async def forget_jobs(ctx: Context, *, older_than: timedelta) -> int:
    """Delete what was done so long ago and has nothing in the store any more; returns how many."""
    over = Job.filter(finished_at__lt=ctx.now() - older_than, blob_key__isnull=True)

    async def body() -> int:
        ids: list[UUID] = await over.order_by("finished_at").limit(BATCH).values_list("id", flat=True)  # type: ignore[assignment]
        return await Job.filter(id__in=ids).delete() if ids else 0

    return await run_in_transaction(body)


def _free(now: datetime) -> Q:
    """Nobody holds it, or nobody does any longer."""
    return Q(held_until__isnull=True) | Q(held_until__lt=now)


async def _held(job_id: UUID, holder: str) -> Job | None:
    return await Job.select_for_update().get_or_none(id=job_id, holder=holder, status=JobStatus.RUNNING)


async def _end(work: Work, job: Job, failures: list[Failure]) -> None:
    job.status, job.holder, job.held_until, job.finished_at = JobStatus.FAILED, None, None, work.now
    job.failures = [each.stored() for each in failures]
    await job.save()
    announce(work, job)
