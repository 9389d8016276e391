"""A PostgreSQL server of the suite's own, to be crashed and started again."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
from tortoise.backends.base.executor import EXECUTOR_CACHE

from models.migrate import migrate
from tests.databases import quiet
from tests.realtime.backends.brokers import unavailable
from tests.server.processes import free_port

STARTS_WITHIN = 30.0
TEMPLATE = "migrated"
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",  # a server that is killed loses nothing by it; a machine that is, is not tested
    "max_connections": "100",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
}


class PostgresServer:
    """It refuses to run as root, hence belongs to the user `postgres` there."""

    def __init__(self, programs: Path) -> None:
        self.port = free_port()
        self._programs = programs
        self._user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._folder = Path(tempfile.mkdtemp(prefix="casewire-faults-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._migrated = False

    def url(self, database: str) -> str:
        return f"postgres://{self._user.pw_name}@127.0.0.1:{self.port}/{database}"

    def create(self) -> None:
        os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        flags = ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
        self._run("initdb", "-D", str(self._folder / "data"), *flags).wait(timeout=STARTS_WITHIN)

    async def start(self) -> None:
        options = [f"--{name}={value}" for name, value in {**OPTIONS, "unix_socket_directories": self._folder}.items()]
        self._process = self._run("postgres", "-D", str(self._folder / "data"), "-p", str(self.port), *options)
        async with asyncio.timeout(STARTS_WITHIN):
            while not await self._answers():
                assert self._process.poll() is None, "PostgreSQL ended at once"
                await asyncio.sleep(0.05)

    async def crash(self) -> None:
        """End every process of it at once, without a word to clients or to its files."""
        await self._end(signal.SIGQUIT)

    async def cut(self, database: str) -> int:
        """End all sessions on a database; returns how many there were."""
        conn = await asyncpg.connect(self.url("postgres"), timeout=5)
        try:
            rows = await conn.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database
            )
        finally:
            await conn.close()
        return len(rows)

    async def remove(self) -> None:
        await self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    @asynccontextmanager
    async def database(self, name: str) -> AsyncIterator[str]:
        """The URL of a migrated, empty database."""
        EXECUTOR_CACHE.clear()  # see tests/databases.py
        if not self._migrated:
            await self._execute(f"CREATE DATABASE {TEMPLATE}")
            await migrate(self.url(TEMPLATE), report=quiet)
            self._migrated = True
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        try:
            yield self.url(name)
        finally:
            await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        conn = await asyncpg.connect(self.url("postgres"), timeout=5)
        try:
            await conn.execute(statement)
        finally:
            await conn.close()

    async def _answers(self) -> bool:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError):
            await (await asyncpg.connect(self.url("postgres"), timeout=2)).close()
            return True
        return False

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(how)
            try:
                await asyncio.to_thread(process.wait, STARTS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

    def _run(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        other = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.Popen(
            [self._programs / program, *words], cwd=self._folder, start_new_session=True, **quiet, **other
        )  # type: ignore[call-overload]


@asynccontextmanager
async def postgres_server() -> AsyncIterator[PostgresServer]:
    """Skips the test where PostgreSQL's programs are not installed; with CI=true fails it."""
    programs = find_programs()
    if programs is None:
        unavailable("no initdb: PostgreSQL's server programs are not installed")
    server = PostgresServer(programs)
    try:
        await asyncio.to_thread(server.create)
        await server.start()
        yield server
    finally:
        await server.remove()


def find_programs() -> Path | None:
    """Debian keeps them off the path, the newest version last."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return kept[-1].parent if kept else None
