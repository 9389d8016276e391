"""The connection that writes on SQLite: it never keeps the loop waiting for somebody else's lock, nor for the disk."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from models import sqlite_loop
from models.sqlite_loop import LoopConnection

pytestmark = pytest.mark.anyio

PATIENCE = 5.0


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "desk.db")
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE note (text)")
    return path


async def test_the_loop_goes_on_while_another_process_has_the_lock(path: str) -> None:
    ours, theirs = LoopConnection(path, PATIENCE), sqlite3.connect(path, isolation_level=None)
    theirs.execute("BEGIN IMMEDIATE")
    turns = 0

    waiting = asyncio.create_task(ours.execute("BEGIN IMMEDIATE"))
    async with asyncio.timeout(PATIENCE):
        while turns < 100:
            turns += 1
            await asyncio.sleep(0)
    assert not waiting.done()
    theirs.execute("COMMIT")
    async with asyncio.timeout(PATIENCE):
        await waiting

    await ours.execute("INSERT INTO note VALUES ('kept')")
    await ours.commit()
    assert theirs.execute("SELECT text FROM note").fetchall() == [("kept",)]
    await ours.close()
    theirs.close()


async def test_patience_ends_with_the_error_and_the_connection_goes_on(path: str) -> None:
    ours, theirs = LoopConnection(path, 0.05), sqlite3.connect(path, isolation_level=None)
    theirs.execute("BEGIN IMMEDIATE")

    async with asyncio.timeout(PATIENCE):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await ours.execute("BEGIN IMMEDIATE")
    theirs.execute("ROLLBACK")

    await ours.execute("BEGIN IMMEDIATE")
    await ours.rollback()
    await ours.close()
    theirs.close()


async def test_another_error_is_met_at_once(path: str) -> None:
    ours = LoopConnection(path, PATIENCE)

    async with asyncio.timeout(1):
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await ours.execute("INSERT INTO missing VALUES (1)")

    await ours.close()


async def test_what_is_rolled_back_is_gone_and_what_is_committed_stays(path: str) -> None:
    ours = LoopConnection(path, PATIENCE)

    await ours.execute("BEGIN IMMEDIATE")
    await ours.executemany("INSERT INTO note VALUES (?)", [("one",), ("two",)])
    await ours.rollback()
    await ours.execute("BEGIN IMMEDIATE")
    assert await ours.execute_insert("INSERT INTO note VALUES (?)", ["three"]) == (1,)
    await ours.commit()
    await ours.rollback()  # nothing is open: nothing happens

    assert [tuple(row) for row in await ours.execute_fetchall("SELECT text FROM note")] == [("three",)]
    await ours.close()


async def test_a_thread_brings_what_was_written_into_the_file(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_loop, "COMMITS_BETWEEN_CHECKPOINTS", 3)
    brought: list[str] = []
    monkeypatch.setattr(sqlite_loop, "checkpoint", brought.append)
    ours = LoopConnection(path, PATIENCE)

    for number in range(7):
        await ours.execute("BEGIN IMMEDIATE")
        await ours.execute("INSERT INTO note VALUES (?)", [str(number)])
        await ours.commit()
        if ours._checkpoint is not None:
            await ours._checkpoint

    assert brought == [path, path]
    await ours.close()


async def test_a_checkpoint_empties_the_log_of_writes(path: str) -> None:
    ours = LoopConnection(path, PATIENCE)
    await ours.execute("PRAGMA wal_autocheckpoint=0")
    await ours.execute("BEGIN IMMEDIATE")
    await ours.execute("INSERT INTO note VALUES ('written')")
    await ours.commit()
    before = await asyncio.to_thread(Path(path).read_bytes)

    await asyncio.to_thread(sqlite_loop.checkpoint, path)

    assert await asyncio.to_thread(Path(path).read_bytes) != before
    await ours.close()
