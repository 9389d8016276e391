"""Messages of graphql-transport-ws: what is wrong with one, before anybody acts on it."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class NoText:
    """A `subscribe` with half of a character in it (a lone surrogate): it is JSON, but no text."""

    id: str


def no_text(frame: str) -> NoText | None:
    """What a frame that could not be decoded is about, if that is all that is wrong with it.

    A page that cuts a long text in the middle of an emoji sends such a thing; its other operations are none the worse.
    """
    if "\\u" not in frame:
        return None
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("type") != "subscribe" or not is_name(message.get("id")):
        return None
    return NoText(message["id"]) if message["id"].isprintable() else None


def mistake_in(message: Any) -> str | None:
    """What is wrong with a message by the protocol, as the reason to close with; None if it is well formed."""
    if not isinstance(message, dict):
        return "A message must be a JSON object"
    wrong: str | None = None
    match message.get("type"):
        case "connection_init" | "ping" | "pong":
            wrong = None if isinstance(message.get("payload"), dict | None) else "payload must be an object"
        case "complete":
            wrong = None if is_name(message.get("id")) else "id must be a string that is not empty"
        case "subscribe":
            wrong = mistake_in_subscribe(message.get("id"), message.get("payload"))
        case str() as kind:
            return f"Unknown message type: {kind}"
        case _:
            return "A message must have a type"
    return f"Invalid {message['type']} message: {wrong}" if wrong else None


def mistake_in_subscribe(id: Any, payload: Any) -> str | None:
    if not is_name(id):
        return "id must be a string that is not empty"
    if not isinstance(payload, dict):
        return "payload must be an object"
    if not isinstance(payload.get("query"), str):
        return "payload.query must be a string"
    if not isinstance(payload.get("operationName"), str | None):
        return "payload.operationName must be a string"
    for name in ("variables", "extensions"):
        if not isinstance(payload.get(name), dict | None):
            return f"payload.{name} must be an object"
    return None


def is_name(id: Any) -> bool:
    return isinstance(id, str) and id != ""
