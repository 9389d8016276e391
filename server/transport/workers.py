"""Several server processes behind one port: uvicorn's supervisor starts them, watches over them, and ends them.

SIGTERM goes to the supervisor, which sends it on to each; each then lets its own sockets go as a single one would.
"""

from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.supervisors import multiprocess

from server.transport.uvicorn_server import DrainingServer, configure, listen

ANSWERS_WITHIN = 30
"""Seconds that a process may take to answer before it is replaced, or to begin when it replaces one (SIGHUP)."""

MakeServer = Callable[[], DrainingServer]


class Worker(multiprocess.Process):
    """uvicorn's would run a server of uvicorn's own, which drops all sockets at once.

    And it would be taken for dead, and killed, where its imports take longer than a process may take to answer.
    """

    _was_asked = False
    _has_begun = False

    def is_alive(self, timeout: float = 5) -> bool:
        if self._has_begun or not self.process.is_alive():
            return super().is_alive(timeout)
        try:
            if not self._was_asked:
                self.parent_conn.send(b"ping")
                self._was_asked = True
            if self.parent_conn.poll(0):
                self.parent_conn.recv()
                self._has_begun = True
        except (OSError, EOFError):
            return False  # it ended between the question and the answer
        return True

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = self.config.make_server()  # type: ignore[attr-defined]
        return self._server


multiprocess.Process = Worker  # type: ignore[misc]  # its supervisor names the class wherever it starts or replaces one


def run_workers(workers: int, make_server: MakeServer, **config_of: Any) -> None:
    """Serve in so many processes until SIGTERM or SIGINT; one that dies is replaced.

    `make_server` is called in each of them, and has to be importable there; the rest goes to `configure`.
    """
    config: Any = configure("made in each process", **config_of)
    config.workers = workers
    config.timeout_worker_healthcheck = ANSWERS_WITHIN
    config.make_server = make_server
    multiprocess.Multiprocess(config, [listen(config)]).run()
