"""A process that writes: through the API of any server, and by the product's own functions in this process.

Some of what it does is taken back, given up half-way, sent twice at once, or spans two tickets. Whatever is answered
is written into a journal before the next step, so that also a writer that was killed can be held to its word.
"""

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2

from domain.enums import Visibility
from domain.errors import DomainError
from models.database import open_database, writer
from realtime.log import Draft, append
from realtime.tasks import jittered
from resolvers.context import Context, Services
from resolvers.messages import send_message
from resolvers.streams import streams_of
from resolvers.transaction import Work, run_in_transaction, settle, unit_of_work
from server.app import services_from
from server.settings import load_settings
from tests.realtime.faults.desk import Desk, Person, gid, viewer_of
from tests.realtime.faults.entry import begin

SEND = """mutation($t: ID!, $key: String!, $body: Markdown!, $seen: Visibility) {
  messageSend(input: {ticketId: $t, clientMessageId: $key, message: {body: $body, visibility: $seen}}) {
    message { id } errors { code } } }"""

ANSWERS_WITHIN = 3.0
"""Seconds after which an HTTP client gives up on an answer, and sends again."""

GIVES_UP_AFTER = 40.0
"""Seconds after which a write that nobody answers is left alone: then it may be in the log or not."""

WAYS = {"http": 45, "here": 25, "twice": 8, "taken back": 8, "given up": 8, "two tickets": 6}
"""How often each way of writing is chosen."""


class TakenBack(Exception):
    pass


class Refused(Exception):
    """The API refused the message, and gave this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Orders:
    """What a writer process is told: `pause` is the mean between two writes of one of its tasks, in seconds."""

    name: str
    journal: str
    servers: list[str]
    tickets: list[UUID]
    authors: list[Person]
    tasks: int
    pause: float
    ways: Mapping[str, int]


@dataclass(frozen=True)
class Post:
    """A message to be. The text is its key, and the instant at which it was first tried."""

    ticket: UUID
    author: Person
    key: str
    body: str
    visibility: Visibility


@dataclass
class Written:
    """What all writers of a run have said of their writes, by the messages' texts."""

    acknowledged: set[str] = field(default_factory=set)
    taken_back: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    ways: dict[str, int] = field(default_factory=dict)

    def read(self, journal: Path) -> None:
        for line in journal.read_text().splitlines() if journal.exists() else []:
            said = json.loads(line)
            if said["is"] == "acknowledged":
                self.acknowledged.add(said["body"])
            elif said["is"] == "taken back":
                self.taken_back.add(said["body"])
            else:
                self.refused.append(f"{said['way']}: {said['why']}")
            self.ways[said["way"]] = self.ways.get(said["way"], 0) + 1


def start_writer(
    desk: Desk,
    name: str,
    environment: dict[str, str],
    servers: list[str],
    *,
    tasks: int,
    pause: float,
    ways: Mapping[str, int],
) -> tuple[BaseProcess, Path]:
    """A writer process, and its journal."""
    journal = desk.folder / f"{name}.journal"
    authors = [*desk.agents, desk.requester]
    orders = Orders(name, str(journal), servers, desk.tickets, authors, tasks, pause, dict(ways))
    process, _ = begin(environment, desk.folder / name, write, orders)
    return process, journal


def write(orders: Orders) -> None:
    """Until SIGTERM; then finish what is under way."""
    asyncio.run(Writer(orders).run())


class Writer:
    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.dice = random.Random()
        self.stopping = asyncio.Event()
        self.journal = os.open(orders.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.count = 0

    async def run(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.stopping.set)
        settings = load_settings()
        self.services: Services = services_from(settings)
        async with (
            open_database(settings.database_url),
            httpx2.AsyncClient(timeout=ANSWERS_WITHIN, verify=False) as self.client,
        ):
            self.viewers = {person.id: await viewer_of(person.id) for person in self.orders.authors}
            await self.services.hub.start()
            async with asyncio.TaskGroup() as group:
                for _ in range(self.orders.tasks):
                    group.create_task(self.keep_writing())
            await settle()
            await self.services.hub.stop()

    async def keep_writing(self) -> None:
        ways = self.orders.ways
        while not self.stopping.is_set():
            (way,) = self.dice.choices(list(ways), list(ways.values()))
            await self.try_to(way)
            with suppress(TimeoutError):
                async with asyncio.timeout(self.dice.uniform(0, 2 * self.orders.pause)):
                    await self.stopping.wait()

    async def try_to(self, way: str) -> None:
        try:
            await {
                "http": self.by_http,
                "here": self.here,
                "twice": self.twice_at_once,
                "taken back": self.take_back,
                "given up": self.give_up,
                "two tickets": self.on_two_tickets,
            }[way](way)
        except TimeoutError:
            self.say("refused", way, why="nobody answered in time")

    # ---- the ways

    async def by_http(self, way: str) -> None:
        post = self.post()
        await self.until_answered(way, post, self.send_by_http)

    async def here(self, way: str) -> None:
        post = self.post()
        await self.until_answered(way, post, self.send_here)

    async def twice_at_once(self, way: str) -> None:
        """As a client does that did not wait for the first answer."""
        post = self.post()
        await asyncio.gather(
            self.until_answered(way, post, self.send_by_http),
            self.until_answered(way, post, self.dice.choice([self.send_here, self.send_by_http])),
        )

    async def take_back(self, way: str) -> None:
        """A unit of work that fails after it has said everything, or even after it has numbered its events."""
        post = self.post()

        @unit_of_work
        async def doomed(work: Work, ctx: Context) -> None:
            await self.send_here(post, ctx)
            raise TakenBack

        async def numbered() -> None:
            drafts = [Draft(topic, "note", {}, post.key) for topic in streams_of(post.ticket)]
            await append(writer(), drafts, at=self.services.clock())
            raise TakenBack

        try:
            await self.dice.choice([partial(doomed, self.context(post)), partial(run_in_transaction, numbered)])()
        except Exception:  # its own, or a database's that was killed before
            self.say("taken back", way, post)
        else:
            self.say("refused", way, why="a unit of work that failed was answered")

    async def give_up(self, way: str) -> None:
        """A caller that is cancelled in the middle. It cannot know what became of it, so it sends again."""
        post = self.post()
        sending = asyncio.create_task(self.send_here(post))
        await asyncio.sleep(self.dice.uniform(0, 0.01))
        sending.cancel()
        await asyncio.wait({sending})
        await self.until_answered(way, post, self.send_here)

    async def on_two_tickets(self, way: str) -> None:
        """One unit of work; always in the same order of tickets, as everybody who locks two."""
        first, second = (
            sorted(self.dice.sample(self.orders.tickets, 2))
            if len(self.orders.tickets) > 1
            else [self.orders.tickets[0]] * 2
        )
        author = self.dice.choice(self.orders.authors)
        posts = [self.post(ticket, author) for ticket in (first, second)]

        async def both(_: Post) -> None:
            @unit_of_work
            async def together(work: Work, ctx: Context) -> None:
                for post in posts:
                    await self.send_here(post, ctx)

            await together(self.context(posts[0]))

        await self.until_answered(way, posts[0], both)
        self.say("acknowledged", way, posts[1])

    # ---- one attempt, and as many as it takes

    async def until_answered(self, way: str, post: Post, send: Any) -> None:
        """Send under the same key until somebody says that it is done, or that it never will be.

        Raises:
            TimeoutError: nobody did.
        """
        async with asyncio.timeout(GIVES_UP_AFTER):
            while True:
                try:
                    await send(post)
                except (DomainError, Refused) as refusal:
                    self.say("refused", way, why=refusal.code)
                    return
                except Exception:  # whatever a database or a server says that is being killed: try again
                    await asyncio.sleep(jittered(0.1))
                else:
                    self.say("acknowledged", way, post)
                    return

    async def send_here(self, post: Post, ctx: Context | None = None) -> None:
        await send_message(
            ctx or self.context(post),
            post.ticket,
            body=post.body,
            client_message_id=post.key,
            visibility=post.visibility,
        )

    async def send_by_http(self, post: Post) -> None:
        variables = {"t": gid(post.ticket), "key": post.key, "body": post.body, "seen": post.visibility.value}
        response = await self.client.post(
            f"http://{self.dice.choice(self.orders.servers)}/graphql",
            json={"query": SEND, "variables": variables},
            headers={"authorization": f"Bearer {post.author.token}"},
        )
        answer = response.json()
        sent = (answer.get("data") or {}).get("messageSend")
        if answer.get("errors") or not sent:
            raise ConnectionError(f"{response.status_code}: {answer}")
        if sent["errors"]:
            raise Refused(sent["errors"][0]["code"])

    # ---- what is sent

    def post(self, ticket: UUID | None = None, author: Person | None = None) -> Post:
        author = author or self.dice.choice(self.orders.authors)
        internal = author.staff and self.dice.random() < 0.3
        self.count += 1
        key = f"{self.orders.name}-{self.count}"
        return Post(
            ticket or self.dice.choice(self.orders.tickets),
            author,
            key,
            f"{key} t={time.monotonic_ns()}",
            Visibility.INTERNAL if internal else Visibility.PUBLIC,
        )

    def context(self, post: Post) -> Context:
        return Context(self.viewers[post.author.id], self.services)

    def say(self, what: str, way: str, post: Post | None = None, why: str = "") -> None:
        line = {"is": what, "way": way, "body": post.body if post else "", "why": why}
        os.write(self.journal, json.dumps(line).encode() + b"\n")
