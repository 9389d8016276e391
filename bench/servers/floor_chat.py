"""The floor of fan-out: a message is stored, made into bytes once, and sent to every watcher's socket in turn.

It speaks just enough graphql-transport-ws for the same client to watch it. No log, no resuming, no access asked again.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect
from uuid_utils.compat import uuid7

NUMBER = "UPDATE ticket SET last_sequence = last_sequence + 1 WHERE id = ? RETURNING last_sequence"
STORE = """
    INSERT INTO message (id, ticket_id, sequence, public_sequence, visibility, automatic, occurred_at, kind, source,
                         delivery_state, body, client_message_id, actor_id)
    VALUES (?, ?, ?, ?, 'PUBLIC', 0, ?, 'CHAT', 'PORTAL', 'SENT', ?, ?, ?)"""
CAUGHT_UP = b'{"data":{"messages":{"__typename":"StreamCaughtUp","cursor":"-"}}}'


class Chat:
    def __init__(self, path: str) -> None:
        self._watchers: dict[str, dict[WebSocket, str]] = defaultdict(dict)
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("busy_timeout=10000", "synchronous=NORMAL", "foreign_keys=ON"):
            self._connection.execute(f"PRAGMA {pragma}")

    async def send(self, user_id: str, given: dict[str, Any]) -> dict[str, Any]:
        ticket_id, body = given["ticketId"].removeprefix("Ticket_"), given["message"]["body"]
        message_id, now = str(uuid7()), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._connection.execute("BEGIN IMMEDIATE")
        ((sequence,),) = self._connection.execute(NUMBER, (ticket_id,)).fetchall()
        values = (message_id, ticket_id, sequence, sequence, now, body, given["clientMessageId"], user_id)
        self._connection.execute(STORE, values)
        self._connection.execute("COMMIT")
        await self._deliver(ticket_id, message_id, sequence, now, body, user_id)
        return {"messageSend": {"message": {"id": f"ChatMessage_{message_id}"}, "errors": []}}

    async def publish(self, messages: list[dict[str, Any]]) -> None:
        """Messages that somebody else has stored."""
        for each in messages:
            await self._deliver(each["ticket"], each["id"], each["sequence"], each["at"], each["body"], each["actor"])

    async def _deliver(self, ticket_id: str, message_id: str, sequence: int, at: str, body: str, user_id: str) -> None:
        actor = {"id": f"User_{user_id}", "displayName": "Person", "avatarUrl": None}
        message = {
            "__typename": "ChatMessage",
            "id": f"ChatMessage_{message_id}",
            "sequence": sequence,
            "occurredAt": at,
            "body": body,
            "actor": actor,
        }
        change = {"__typename": "MessageChange", "changeType": "ADDED", "cursor": f"{sequence}", "message": message}
        payload = orjson.dumps({"data": {"messages": change}}).decode()
        for websocket, prefix in list(self._watchers[ticket_id].items()):
            await websocket.send_text(f"{prefix}{payload}}}")

    async def serve(self, websocket: WebSocket, subject: Callable[[str | None], str]) -> None:
        await websocket.accept("graphql-transport-ws")
        watched = None
        try:
            hello = await websocket.receive_json()
            subject(hello["payload"]["authorization"])
            await websocket.send_text('{"type":"connection_ack"}')
            subscribe = await websocket.receive_json()
            prefix = f'{{"id":"{subscribe["id"]}","type":"next","payload":'
            watched = subscribe["payload"]["variables"]["ticket"].removeprefix("Ticket_")
            self._watchers[watched][websocket] = prefix
            await websocket.send_text(f"{prefix}{CAUGHT_UP.decode()}}}")
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            pass
        finally:
            if watched:
                self._watchers[watched].pop(websocket, None)
