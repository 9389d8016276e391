"""What a storm would seldom meet, brought about on purpose: each check is a run of its own and ends in a verdict."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

from models.database import reader, writer
from realtime import log
from realtime.cursor import Cursor
from realtime.hub import Hub
from resolvers.context import Context, Services
from resolvers.messages import send_message
from resolvers.transaction import Work, run_in_transaction, unit_of_work
from tests.realtime.faults.desk import gid, viewer_of
from tests.realtime.faults.postgres import PostgresServer
from tests.realtime.faults.storm import Storm, Weather, storm_over
from tests.realtime.faults.verdict import Verdict
from tests.realtime.faults.watching import BEGINNING, MESSAGES, Watcher
from tests.server.running import Watch, open_socket

QUIET = Weather("quiet", "sqlite", "memory", (), writers=0, watchers=20, tickets=2, noisy=False, clock_jumps=False)

SMALL = 16 * 1024
"""Bytes of a socket's buffers, where a client is to be slow."""

COMES_WITHIN = 6.0
"""Seconds for what nobody rang for: some sweeps' worth."""


@asynccontextmanager
async def calm_desk(
    folder: Path,
    engine: str,
    postgres: PostgresServer | None,
    mutant: str | None,
    weather: Weather = QUIET,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Storm]:
    """Servers and a crowd on SQLite, or on PostgreSQL with a doorbell that reaches nobody."""
    if engine == "postgres":
        weather = replace(weather, engine="postgres", doorbell="dead")
    async with storm_over(weather, folder, postgres=postgres, mutant=mutant, environment=environment or {}) as storm:
        yield storm


async def quiet_topic(
    folder: Path, *, engine: str = "sqlite", postgres: PostgresServer | None = None, mutant: str | None = None
) -> Verdict:
    """Writers that die between their commit and the ring, on streams where nothing else happens."""
    async with calm_desk(folder, engine, postgres, mutant) as storm, storm.watching():
        await everybody_live(storm)
        for _ in range(2):
            for ticket in storm.desk.tickets:
                await write_without_a_ring(storm, ticket)
            await storm.calm(COMES_WITHIN)
        return await storm.verdict()


async def restored_backup(
    folder: Path, *, engine: str = "sqlite", postgres: PostgresServer | None = None, mutant: str | None = None
) -> Verdict:
    """A backup is put back, under a new epoch, and has come as far again before anybody looks.

    Every watcher has to be told that its place is lost: those that stayed, and those that come back.
    """
    async with calm_desk(folder, engine, postgres, mutant) as storm:
        stay, leave = storm.watchers[::2], storm.watchers[1::2]
        async with storm.watching(leave):
            await write_on_all(storm, 3, among=leave)
        async with storm.watching(stay):
            await everybody_live(storm, stay)
            await restore_backup(storm)
            async with storm.watching(leave):
                await until_reset(storm)
        verdict = Verdict(connections=storm.counts.connections)
        for watcher in storm.watchers:
            verdict.find("watchers that were not told", watcher.resets[:1] != ["CURSOR_INVALID"])
        return verdict


async def kept_too_short(
    folder: Path, *, engine: str = "sqlite", postgres: PostgresServer | None = None, mutant: str | None = None
) -> Verdict:
    """Who was away for longer than events are kept is told so, once; who stayed notices nothing."""
    async with calm_desk(folder, engine, postgres, mutant) as storm:
        stay, leave = storm.watchers[::2], storm.watchers[1::2]
        async with storm.watching(stay):
            async with storm.watching(leave):
                await write_on_all(storm, 3)
            seen = {watcher: len(watcher.told) for watcher in leave}
            await write_on_all(storm, 6, among=stay)
            everything = await storm.desk.read_log()
            for topic in storm.desk.topics:
                assert await compacted(topic, keep=2) > 0
            async with storm.watching(leave):
                await until_reset(storm, leave)
                await write_on_all(storm, 1)
        verdict = Verdict(connections=storm.counts.connections)
        log_now = await storm.desk.read_log()
        for watcher in leave:
            verdict.find("watchers that were not told", watcher.resets != ["CURSOR_TOO_OLD"])
            later = [told for told in watcher.expected(log_now) if told.seq > everything[watcher.topic][-1].seq]
            verdict.find("deliveries lost or doubled after it", watcher.told[seen[watcher] :] != later)
        for watcher in stay:
            verdict.find("watchers that lost their place", len(watcher.resets))
        return verdict


async def overtaken(
    folder: Path, *, engine: str = "sqlite", postgres: PostgresServer | None = None, mutant: str | None = None
) -> Verdict:
    """Followers that read slowly, and are overtaken by the compaction: what they were not told is owned up to."""
    weather = replace(QUIET, servers=1, tickets=1, watchers=0)
    environment = {"FAULTS_SEND_BUFFER": str(SMALL)}
    async with AsyncExitStack() as stack:
        storm = await stack.enter_async_context(
            calm_desk(folder, engine, postgres, mutant, weather, environment=environment)
        )
        (ticket,) = storm.desk.tickets
        await write_many(storm, ticket, 250, size=8_000)
        slow = []
        for agent in storm.desk.agents:
            opened = open_socket(storm.addresses[0], agent.token, receive_buffer=SMALL)
            socket = await stack.enter_async_context(opened)
            slow.append(await socket.watch(MESSAGES, t=gid(ticket), after=BEGINNING))
            assert (await slow[-1].next())["__typename"] == "MessageChange"
            socket.stall()
        await compacted_for_good(storm.desk.topics[0], keep=5)
        await write_many(storm, ticket, 1)
        verdict = Verdict(connections=len(slow))
        for watch in slow:
            watch.socket.wake()
            verdict.find("watchers that were not told", not await owned_up(watch, storm))
        return verdict


async def owned_up(watch: Watch, storm: Storm) -> bool:
    """Whether one reset stands between what the watcher was told without a gap and what comes after it."""
    last, resets = Cursor.parse(str(watch.cursor)).seq, []
    head = (await storm.desk.positions())[storm.desk.topics[0]][0]
    while last < head:
        item = await watch.next()
        seq = Cursor.parse(item["cursor"]).seq
        if item["__typename"] == "StreamReset":
            resets.append(item["reason"])
        elif item["__typename"] == "MessageChange" and seq != last + 1:
            return False
        last = seq
    return resets == ["CURSOR_TOO_OLD"]


async def soon(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether it came to hold within so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


async def everybody_live(storm: Storm, watchers: list[Watcher] | None = None) -> None:
    assert await soon(lambda: all(watcher.live for watcher in watchers or storm.watchers), 30)


async def write_on_all(storm: Storm, times: int, *, among: list[Watcher] | None = None) -> None:
    """So many messages on each ticket, until those `among` whom they are counted have them."""
    for _ in range(times):
        for ticket in storm.desk.tickets:
            await write_without_a_ring(storm, ticket)
    log_now = await storm.desk.read_log()
    last = {watcher: watcher.expected(log_now)[-1:] for watcher in among or storm.watchers}
    await soon(lambda: all(each.live and each.told[-1:] == last[each] for each in last), 3 * COMES_WITHIN)


async def write_without_a_ring(storm: Storm, ticket: UUID) -> None:
    """As a process that dies as soon as it has committed: its hub has never begun to ring anybody."""
    author = storm.desk.agents[0]
    context = Context(await viewer_of(author.id), Services(hub=Hub(reader)))
    key = uuid4().hex
    await send_message(context, ticket, body=f"{key} t={time.monotonic_ns()}", client_message_id=key)


async def write_many(storm: Storm, ticket: UUID, number: int, *, size: int = 0) -> None:
    """Public messages in one transaction; nobody is told. Each text has `size` characters at least."""
    author = storm.desk.agents[0]
    context = Context(await viewer_of(author.id), Services(hub=Hub(reader)))

    @unit_of_work
    async def many(work: Work, ctx: Context) -> None:
        for _ in range(number):
            key = uuid4().hex
            body = f"{'x' * size}{key} t={time.monotonic_ns()}"
            await send_message(ctx, ticket, body=body, client_message_id=key)

    await many(context)


async def restore_backup(storm: Storm) -> None:
    """The last two events of every stream are other ones now, and there is one more; all in one transaction."""

    async def body() -> None:
        for topic in storm.desk.topics:
            head = (await log.position(writer(), topic)).head
            await writer().execute_query(
                f"UPDATE feed_event SET key = 'restored-' || seq WHERE topic = '{topic}' AND seq > {head - 2}"
            )
            await writer().execute_query(f"UPDATE feed_stream SET epoch = 'restored' WHERE topic = '{topic}'")

    await run_in_transaction(body)
    for ticket in storm.desk.tickets:
        await write_without_a_ring(storm, ticket)


async def until_reset(storm: Storm, watchers: list[Watcher] | None = None) -> None:
    """Or until there was time enough for it."""
    await soon(lambda: all(watcher.resets for watcher in watchers or storm.watchers), COMES_WITHIN)


async def compacted_for_good(topic: str, *, keep: int) -> None:
    while await compacted(topic, keep=keep):
        pass


async def compacted(topic: str, *, keep: int) -> int:
    async def body() -> int:
        return await log.compact(writer(), topic, keep=keep)

    return await run_in_transaction(body)
