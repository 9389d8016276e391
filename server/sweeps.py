"""What happens by itself, one process at a time: whoever holds the lease goes round."""

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import structlog
from tortoise.expressions import Q

from domain.policy import ANONYMOUS
from models import Lease
from resolvers import job_queue, sweeps
from resolvers.context import Context, Services
from resolvers.transaction import run_in_transaction
from server.results import delete_result
from server.settings import Settings
from server.storage import Storage, storage_from

LEASE = "sweeps"
EVERY = timedelta(seconds=30)
HELD_FOR = timedelta(seconds=90)
"""A leader that dies is followed by another after this long."""

logger = structlog.get_logger("casewire.sweeps")


@dataclass(frozen=True, slots=True)
class Swept:
    """What one round did."""

    resolved: int
    closed: int
    events_let_go: int
    tokens_forgotten: int
    files_deleted: int = 0
    holds_ended: int = 0
    results_deleted: int = 0
    jobs_forgotten: int = 0
    meetings_ended: int = 0


async def sweep_once(services: Services, settings: Settings) -> Swept:
    """One round, whoever holds the lease. What is due and was not done yesterday is done now, once."""
    context, storage = Context(ANONYMOUS, services), storage_from(settings)
    return Swept(
        holds_ended=await sweeps.end_holds(context),
        meetings_ended=await sweeps.end_meetings(context),
        resolved=await sweeps.resolve_waiting(context),
        closed=await sweeps.close_resolved(context),
        events_let_go=await sweeps.compact_streams(
            context, keep=settings.replay_max_events, window=settings.replay_window
        ),
        tokens_forgotten=await sweeps.forget_old_tokens(context),
        files_deleted=await delete_files(context, storage),
        results_deleted=await delete_results(context, storage),
        jobs_forgotten=await job_queue.forget_jobs(context, older_than=settings.job_ttl),
    )


async def delete_files(context: Context, storage: Storage) -> int:
    """Delete the files that nobody wants any more; returns how many. First the bytes, then the row that knows them:
    what fails in between is done at the next round."""
    unwanted = await sweeps.let_go_of_files(context)
    for file in unwanted:
        if file.checksum and not await sweeps.bytes_are_shared(file):
            await storage.delete(file.blob_key)
    return await sweeps.forget_files([file.id for file in unwanted])


async def delete_results(context: Context, storage: Storage) -> int:
    """Delete what was exported and is over; returns how many. In the order of `delete_files`, for its reason."""
    over = await job_queue.expire(context)
    for job in over:
        if job.blob_key:
            await delete_result(storage, job.blob_key)
    return await job_queue.forget_results([job.id for job in over])


async def sweep_for_ever(services: Services, settings: Settings) -> None:
    """Rounds while the process lives. A round that fails is logged and tried again at the next."""
    holder = uuid4().hex
    while True:
        await asyncio.sleep(EVERY.total_seconds() * random.uniform(0.5, 1.0))
        try:
            if await take_lease(services, holder):
                swept = await sweep_once(services, settings)
                logger.debug("swept", **{name: getattr(swept, name) for name in Swept.__slots__})
        except Exception:
            logger.exception("a round of what happens by itself failed; the next one tries again")


async def take_lease(services: Services, holder: str) -> bool:
    """Whether this process is the one to go round: it holds the lease already, or nobody does any longer."""
    now = services.clock()

    async def body() -> bool:
        free = Q(until__lt=now) | Q(holder=holder)
        if await Lease.filter(free, name=LEASE).update(holder=holder, until=now + HELD_FOR):
            return True
        if await Lease.filter(name=LEASE).exists():
            return False
        await Lease.bulk_create([Lease(name=LEASE, holder=holder, until=now + HELD_FOR)], ignore_conflicts=True)
        return await Lease.filter(name=LEASE, holder=holder).exists()

    return await run_in_transaction(body)
