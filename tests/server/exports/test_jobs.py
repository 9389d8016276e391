"""Jobs: done once, by one process at a time, whoever dies; seen by whom they are for; let go of when they are over."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import pytest

import models
import server.jobs
from domain.enums import ExportFormat, JobStatus
from domain.errors import RateLimited
from domain.exporting import MOST_IN_A_WHILE, MOST_UNFINISHED
from domain.policy import ANONYMOUS
from resolvers import job_queue
from resolvers.context import Context, Services
from resolvers.job_queue import HELD_FOR, Result
from resolvers.ticket_export import export_ticket
from server.exports.process import NotWritten
from server.jobs import Worker
from server.settings import Settings
from server.storage import Storage
from server.sweeps import sweep_once
from tests.api.operations import mutate
from tests.api.world import VIEWERS, codes, gid, make_world
from tests.client import Refused
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_ticket
from tests.server.exports.conftest import Fetch, Work, ask_for, kept, state

pytestmark = pytest.mark.anyio

WATCH = "subscription($j: ID!) { job(jobId: $j) { status progress resultUrl } }"


def key_of(job: str) -> UUID:
    return UUID(job.partition("_")[2])


@pytest.fixture
def desk(services: Services) -> Context:
    return Context(ANONYMOUS, services)


# --- done once


async def test_a_job_that_is_done_says_so_and_is_done_no_more(
    as_user: AsUser, work: Work, clock: Clock, tmp_path: Path
) -> None:  # S72
    world = await make_world()
    author = as_user(world["author"])
    job = await ask_for(author, world.ticket, format="JSON")
    waiting = await state(author, job)

    assert await work()
    assert not await work()

    assert (waiting["status"], waiting["progress"], waiting["resultUrl"]) == ("QUEUED", 0, None)
    done = await state(author, job)
    assert (done["status"], done["progress"], done["total"], done["failed"]) == ("SUCCEEDED", 1, 4, [])
    assert (done["finishedAt"], done["expiresAt"]) == ("2026-03-02T09:00:00.000000Z", "2026-03-03T09:00:00.000000Z")
    assert kept(tmp_path) == [f"{key_of(job)}-1"]


async def test_of_two_that_come_at_once_one_gets_the_job(as_user: AsUser, desk: Context) -> None:
    world = await make_world()
    await ask_for(as_user(world["author"]), world.ticket)

    got = await asyncio.gather(*(job_queue.claim(desk, holder) for holder in ("one", "two", "three")))

    (job,) = [each for each in got if each]
    assert (job.status, job.attempts) == (JobStatus.RUNNING, 1)


async def test_jobs_are_done_in_the_order_they_were_asked_for(as_user: AsUser, desk: Context, clock: Clock) -> None:
    world = await make_world()
    asked = []
    for name in ("author", "agent", "author"):
        asked.append(key_of(await ask_for(as_user(world[name]), world.ticket)))
        clock.advance(seconds=1)

    done = [await job_queue.claim(desk, f"holder {number}") for number in range(3)]

    assert [job.id for job in done if job] == asked


async def test_a_job_whose_process_died_is_taken_again_and_the_dead_ones_result_is_nobodys(
    as_user: AsUser, desk: Context, work: Work, storage: Storage, clock: Clock, tmp_path: Path, fetch: Fetch
) -> None:
    world = await make_world()
    author = as_user(world["author"])
    job = await ask_for(author, world.ticket)
    key = key_of(job)
    assert await job_queue.claim(desk, "dead")
    await storage.put(f"results/{key}-1", b"half")

    assert not await work()
    clock.advance(seconds=HELD_FOR.total_seconds() + 1)
    assert await work()

    late = Result(f"results/{key}-1", "late.pdf", "application/pdf", 4, total=1)
    assert not await job_queue.succeed(desk, key, "dead", late, kept_for=timedelta(hours=1))
    assert not await job_queue.keep(desk, key, "dead", done=1, total=2)
    assert kept(tmp_path) == [f"{key}-2"]
    assert (await fetch(author, job)).content.startswith(b"%PDF-")


async def test_whoever_is_heard_of_keeps_the_job(as_user: AsUser, desk: Context, clock: Clock) -> None:
    world = await make_world()
    job = await ask_for(as_user(world["author"]), world.ticket)
    assert await job_queue.claim(desk, "slow")

    for done in range(1, 4):
        clock.advance(seconds=20)
        assert await job_queue.claim(desk, "other") is None
        assert await job_queue.keep(desk, key_of(job), "slow", done=done, total=4)

    found = await state(as_user(world["author"]), job)
    assert (found["status"], found["progress"], found["total"]) == ("RUNNING", 0.75, 4)


async def test_a_job_that_three_have_died_over_is_given_up_and_says_so(
    as_user: AsUser, desk: Context, clock: Clock
) -> None:
    world = await make_world()
    job = await ask_for(as_user(world["author"]), world.ticket)

    for holder in ("one", "two", "three"):
        assert await job_queue.claim(desk, holder)
        clock.advance(seconds=31)
    assert await job_queue.claim(desk, "four") is None

    found = await state(as_user(world["author"]), job)
    assert (found["status"], found["resultUrl"], found["finishedAt"] is not None) == ("FAILED", None, True)
    (failure,) = found["failed"]
    assert (failure["objectId"], failure["error"]["code"]) == (job, "INTERNAL")
    assert "Try again later" in failure["error"]["message"]
    await models.User.filter(id=world["author"].id).update(locale="it")  # S42
    (failure,) = (await state(as_user(world["author"]), job))["failed"]
    assert failure["error"]["message"].startswith("Non è riuscito, benché tentato più volte.")


async def test_what_breaks_is_tried_again_after_a_while(
    as_user: AsUser, work: Work, worker: Worker, clock: Clock, tmp_path: Path
) -> None:
    world = await make_world()
    job = await ask_for(as_user(world["author"]), world.ticket)

    with mock.patch.object(server.jobs, "make_file", side_effect=NotWritten("out of memory")):
        assert await work()
        assert not await work()
        clock.advance(seconds=11)
        assert await work()
    assert (await state(as_user(world["author"]), job))["status"] == "QUEUED"
    clock.advance(seconds=21)
    assert await work()

    assert (await state(as_user(world["author"]), job))["status"] == "SUCCEEDED"
    assert (worker.counts.done, worker.counts.put_back) == (1, 2)
    assert kept(tmp_path) == [f"{key_of(job)}-3"]


async def test_a_process_that_ends_in_an_orderly_way_leaves_its_job_to_another_at_once(
    as_user: AsUser, worker: Worker, work: Work
) -> None:
    world = await make_world()
    job = await ask_for(as_user(world["author"]), world.ticket)
    begun = asyncio.Event()

    async def never(*_: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    with mock.patch.object(server.jobs, "make_file", never):
        working = asyncio.create_task(worker.work())
        async with asyncio.timeout(10):
            await begun.wait()
            working.cancel()
            with pytest.raises(asyncio.CancelledError):
                await working

    row = await models.Job.get(id=key_of(job))
    assert (row.status, row.attempts, row.holder, row.held_until) == (JobStatus.QUEUED, 0, None, None)
    assert await work()


# --- asked for


async def test_the_same_request_sent_twice_is_one_job(as_user: AsUser) -> None:
    world = await make_world()
    author, other = as_user(world["author"]), await make_ticket(world.acme, world["author"])
    first = await ask_for(author, world.ticket, clientMutationId="once")

    again = await ask_for(author, world.ticket, clientMutationId="once")
    others = await ask_for(as_user(world["owner"]), world.ticket, clientMutationId="once")
    wrong = [
        await mutate(author, "ticketExport", "job { id }", clientMutationId="once", **given)
        for given in ({"ticketId": gid(other)}, {"ticketId": gid(world.ticket), "format": "TXT"})
    ]

    assert (again == first, others == first) == (True, False)
    assert [each["errors"][0]["code"] for each in wrong] == ["IDEMPOTENCY_MISMATCH"] * 2
    assert await models.Job.all().count() == 2


async def test_nobody_has_more_than_a_few_exports_made_at_once(as_user: AsUser, work: Work) -> None:
    world = await make_world()
    author = as_user(world["author"])
    for _ in range(MOST_UNFINISHED):
        await ask_for(author, world.ticket, format="JSON")

    one_more = await mutate(author, "ticketExport", "job { id }", ticketId=gid(world.ticket))

    (refusal,) = one_more["errors"]
    assert (one_more["job"], refusal["code"]) == (None, "RATE_LIMITED")
    assert "Wait until one of them is done" in refusal["message"]
    await ask_for(as_user(world["owner"]), world.ticket)
    assert await work()
    await ask_for(author, world.ticket)


async def test_many_that_are_asked_for_in_the_same_moment_are_not_more_either(
    as_user: AsUser, services: Services
) -> None:
    world = await make_world()
    viewer = await as_user(world["author"]).viewer()

    async def once() -> bool:
        try:
            await export_ticket(Context(viewer, services), world.ticket.id, format=ExportFormat.JSON)
        except RateLimited:
            return False
        return True

    async with asyncio.timeout(20):
        made = await asyncio.gather(*(once() for _ in range(12)))

    assert sum(made) == MOST_UNFINISHED
    assert await models.Job.all().count() == MOST_UNFINISHED


async def test_nobody_asks_for_more_than_so_many_exports_within_an_hour(as_user: AsUser, clock: Clock) -> None:
    world = await make_world()
    await ask_for(as_user(world["author"]), world.ticket)
    row = await models.Job.get()
    made = {"given": row.given, "kind": row.kind, "status": JobStatus.FAILED, "created_at": clock()}
    for _ in range(MOST_IN_A_WHILE - 1):
        await models.Job.create(requester=world["author"], **made)

    asked = await mutate(as_user(world["author"]), "ticketExport", "job { id }", ticketId=gid(world.ticket))

    assert (asked["job"], asked["errors"][0]["code"]) == (None, "RATE_LIMITED")
    clock.advance(hours=1)
    await ask_for(as_user(world["author"]), world.ticket)


# --- seen


async def test_a_job_is_seen_by_its_requester_and_by_those_who_run_the_desk(as_user: AsUser) -> None:  # S96
    world = await make_world()
    job = await ask_for(as_user(world["author"]), world.ticket)
    seen: dict[str, bool] = {}

    for name in VIEWERS[:-1]:
        client = as_user(world.people[name])
        found = await client.ask("query($j: ID!) { job(id: $j) { id } node(id: $j) { id } }", j=job)
        assert (found["job"] is None) is (found["node"] is None)
        seen[name] = found["job"] is not None
        async with client.watch(WATCH, j=job) as stream:
            if seen[name]:
                assert (await stream.next())["status"] == "QUEUED"
            else:
                assert codes((await stream.result())[1]) == ["NOT_FOUND"]

    assert {name for name, sees in seen.items() if sees} == {"author", "chief"}
    _, errors = await as_user(None).answer("query($j: ID!) { job(id: $j) { id } }", j=job)
    assert codes(errors) == ["UNAUTHENTICATED"]


async def test_a_job_is_followed_until_it_is_done(as_user: AsUser, work: Work, fetch: Fetch) -> None:
    world = await make_world()
    author = as_user(world["author"])
    job = await ask_for(author, world.ticket)

    async with author.watch(WATCH, j=job) as stream:
        assert (await stream.next())["status"] == "QUEUED"
        doing = asyncio.create_task(work())
        told = [await stream.next()]
        while told[-1]["status"] != "SUCCEEDED":
            told.append(await stream.next())
        with pytest.raises(StopAsyncIteration):
            await stream.next()
        assert await doing

    assert (told[0]["status"], told[-1]["progress"]) == ("RUNNING", 1)
    assert told[-1]["resultUrl"].startswith("http://")
    async with author.watch(WATCH, j=job) as again:
        assert (await again.next())["status"] == "SUCCEEDED"
        with pytest.raises(StopAsyncIteration):
            await again.next()


async def test_whoever_no_longer_runs_the_desk_is_told_nothing_more(
    as_user: AsUser, desk: Context, work: Work
) -> None:  # J3
    world = await make_world()
    job = await ask_for(as_user(world["author"]), world.ticket)

    async with as_user(world["chief"]).watch(WATCH, j=job) as stream:
        assert (await stream.next())["status"] == "QUEUED"
        await models.User.filter(id=world["chief"].id).update(staff_role="AGENT")
        assert await job_queue.claim(desk, "somebody")
        with pytest.raises(Refused) as refused:
            await stream.next()

    assert refused.value.codes == ["NOT_FOUND"]


async def test_ids_that_are_none_are_refused_like_everywhere(as_user: AsUser) -> None:
    world = await make_world()
    author = as_user(world["author"])

    for given, expected in (
        (gid(world.ticket), "INVALID"),
        ("nonsense", "INVALID"),
        (f"Job_{world.ticket.id}", "NOT_FOUND"),
    ):
        async with author.watch(WATCH, j=given) as stream:
            assert codes((await stream.result())[1]) == [expected], given


# --- over


async def test_a_result_is_let_go_of_when_its_time_is_over_and_the_job_later(
    as_user: AsUser, work: Work, services: Services, settings: Settings, clock: Clock, tmp_path: Path, fetch: Fetch
) -> None:
    world = await make_world()
    author = as_user(world["author"])
    job = await ask_for(author, world.ticket)
    assert await work()
    url = (await state(author, job))["resultUrl"]
    assert url is not None

    clock.advance(hours=24)
    assert (await state(author, job))["resultUrl"] is None
    swept = await sweep_once(services, settings)
    assert (swept.results_deleted, swept.jobs_forgotten) == (1, 0)
    assert kept(tmp_path) == []
    assert (await state(author, job))["status"] == "EXPIRED"
    assert (await sweep_once(services, settings)).results_deleted == 0

    clock.advance(hours=29 * 24)
    assert (await sweep_once(services, settings)).jobs_forgotten == 0
    clock.advance(seconds=1)
    assert (await sweep_once(services, settings)).jobs_forgotten == 1
    assert await models.Job.all().count() == 0


async def test_a_result_that_is_over_is_handed_out_to_nobody_before_any_sweep(
    as_user: AsUser, work: Work, clock: Clock, http: Any
) -> None:
    world = await make_world()
    job = await ask_for(as_user(world["author"]), world.ticket, format="TXT")
    assert await work()
    clock.advance(hours=23, minutes=50)
    url = (await state(as_user(world["author"]), job))["resultUrl"]
    assert (await http.get(url)).status_code == 200

    clock.advance(minutes=10)

    assert (await http.get(url)).status_code == 403
