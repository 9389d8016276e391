"""Doing what was asked for in the background: each process does one thing at a time, and each job is done by one."""

import asyncio
import contextlib
import os
import random
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any
from uuid import uuid4

import structlog

from domain.errors import Conflict, DomainError
from domain.exporting import MOST_ATTEMPTS
from domain.policy import ANONYMOUS
from models import Job
from resolvers import job_queue
from resolvers.context import Context, Services
from resolvers.job_queue import Result
from server.exports.making import Made, Report, make_file, subject_of
from server.results import delete_result, tickets_of
from server.settings import Settings
from server.storage import Storage

EVERY = 2.0
"""Seconds between two looks for what another process was asked for, or has died over."""

PROGRESS_EVERY = 1.0
HEARD_EVERY = 5.0
"""Seconds between two words of whoever does a job: of how far it is, and that it is being done at all."""

MINUTES = 15
"""How long a job may take."""

AGAIN_AFTER = timedelta(seconds=10)
"""How long what broke is left alone; twice as long each time."""

RESULTS = "results"
"""What the keys of results in the store begin with."""

logger = structlog.get_logger("casewire.jobs")


@dataclass(slots=True)
class Counts:
    """What this process has done since it began."""

    done: int = 0
    failed: int = 0
    put_back: int = 0


class Lost(Exception):
    """Another process has the job: this one was not heard of for too long."""


class Worker:
    """One a process."""

    def __init__(self, services: Services, storage: Storage, settings: Settings) -> None:
        self.counts = Counts()
        self._services, self._storage, self._kept_for = services, storage, settings.result_ttl
        self._context = Context(ANONYMOUS, services)

    async def work_for_ever(self) -> None:
        """Work while the process lives. What was begun when it ends is put back for another."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY * random.uniform(0.7, 1.3)):
                    await self._services.jobs.wait()
            self._services.jobs.clear()
            try:
                while await self.work():
                    pass
            except Exception:
                logger.exception("jobs could not be looked for; the next round tries again")
                await asyncio.sleep(EVERY)

    async def work(self) -> bool:
        """Do the job that has waited longest; False where nothing waits."""
        holder = uuid4().hex
        job = await job_queue.claim(self._context, holder)
        if job is None:
            return False
        try:
            await self._do(job, holder)
            self.counts.done += 1
        except asyncio.CancelledError:
            await job_queue.put_back(self._context, job.id, holder, wait=timedelta(), counts=False)
            raise
        except Lost:
            logger.warning("a job was taken by another process", job=str(job.id))
        except DomainError as refusal:
            await job_queue.fail(self._context, job.id, holder, refusal, about=subject_of(job))
            self.counts.failed += 1
        except Exception:
            await self._broke(job, holder)
        return True

    async def _broke(self, job: Job, holder: str) -> None:
        """The next who looks gives it up, where it was begun often enough."""
        logger.exception("a job broke", job=str(job.id), attempt=job.attempts)
        wait = AGAIN_AFTER * 2 ** (job.attempts - 1) if job.attempts < MOST_ATTEMPTS else timedelta()
        await job_queue.put_back(self._context, job.id, holder, wait=wait, counts=True)
        self.counts.put_back += 1

    async def _do(self, job: Job, holder: str) -> None:
        """
        Raises:
            Lost: another process has the job by now.
            DomainError: it cannot be done.
        """
        key = f"{RESULTS}/{job.id}-{job.attempts}"
        with tempfile.TemporaryFile() as file:
            made = await self._watched(job, holder, lambda report: self._make(job, key, file, report))
            size = file.seek(0, os.SEEK_END)
            result = Result(key, made.file_name, made.media_type, size, made.total)
        if not await job_queue.succeed(self._context, job.id, holder, result, kept_for=self._kept_for):
            await delete_result(self._storage, key)
            raise Lost
        for attempt in range(1, job.attempts):
            # Whoever died over it may have stored what it made, and never said so.
            await delete_result(self._storage, f"{RESULTS}/{job.id}-{attempt}")

    async def _make(self, job: Job, key: str, file: IO[bytes], report: Report) -> Made:
        made = await make_file(self._services, job, file, report)
        file.seek(0)
        await self._storage.put_file(key, file)
        if made.tickets is not None:
            await self._storage.put(tickets_of(key), made.tickets)
        return made

    async def _watched(self, job: Job, holder: str, make: Callable[[Report], Coroutine[Any, Any, Made]]) -> Made:
        """What `make` gives. Meanwhile it is told every now and then how far it is, and that it is being done."""
        now = told = (0, 0)

        def report(done: int, total: int) -> None:
            nonlocal now
            now = (done, total)

        began = heard = time.monotonic()
        making = asyncio.create_task(make(report))
        try:
            while not (await asyncio.wait({making}, timeout=PROGRESS_EVERY))[0]:
                if time.monotonic() - began > MINUTES * 60:
                    raise Conflict("It takes more than {minutes} minutes. Ask for less at once.", minutes=MINUTES)
                if now != told or time.monotonic() - heard > HEARD_EVERY:
                    told, heard = now, time.monotonic()
                    if not await job_queue.keep(self._context, job.id, holder, done=now[0], total=now[1]):
                        raise Lost
            return making.result()
        finally:
            making.cancel()
            await asyncio.wait({making})
