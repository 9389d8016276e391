"""The two queries of the bench, written by hand: statements, rows to JSON, and what is withheld from whom."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

ACTIVE = ("NEW", "OPEN", "PENDING_CUSTOMER", "ON_HOLD")
MANAGERS = ("OWNER", "ADMIN", "SUPPORT_REQUEST_ADMIN")


@dataclass(slots=True)
class Viewer:
    user_id: str
    is_staff: bool
    sees: dict[str, bool]
    """Organizations, and whether the viewer sees all of their tickets."""
    manages: list[str]


def viewer_from(user_id: str, rows: Sequence[Sequence[Any]]) -> Viewer:
    viewer = Viewer(user_id, rows[0][0] is not None, {}, [])
    for _, organization, role, visibility, _ in rows:
        if organization is not None:
            organization = str(organization)
            viewer.sees[organization] = role in MANAGERS or (role in ("MEMBER", "READ_ONLY") and visibility == "OPEN")
            if role in MANAGERS:
                viewer.manages.append(organization)
    return viewer


def instant(stored: Any) -> str | None:
    """SQLite holds the text that is answered; PostgreSQL an instant."""
    return stored.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(stored, datetime) else stored


def cursor(mark: str, value: Any, row_id: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([mark, value, str(row_id)])).decode().rstrip("=")


def unpacked(given: str) -> tuple[str, str]:
    _, value, row_id = orjson.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    return value, row_id


TICKETS = """
    SELECT t.id, t.reference, t.subject, t.status, t.is_escalated, t.priority, t.channel, t.created_at,
           t.last_activity_at, r.id, r.display_name,
           CASE WHEN r.id = ? OR EXISTS (SELECT 1 FROM membership m WHERE m.user_id = r.id
                                         AND m.organization_id IN ({manages})) THEN r.email END,
           o.id, o.name, a.id, a.display_name, a.avatar_url, s.id, s.kind, s.name, p.id, p.name
    FROM ticket t
    JOIN organization o ON o.id = t.organization_id
    LEFT JOIN app_user r ON r.id = t.requester_id
    LEFT JOIN app_user a ON a.id = t.assignee_id
    LEFT JOIN space s ON s.id = t.space_id AND s.organization_id IN ({member})
    LEFT JOIN product p ON p.id = t.product_id
    WHERE t.organization_id = ? AND (t.requester_id = ? OR t.confidentiality = 'ORGANIZATION')
      AND t.status IN ('NEW', 'OPEN', 'PENDING_CUSTOMER', 'ON_HOLD') {beyond}
    ORDER BY t.last_activity_at DESC, t.id DESC LIMIT 51"""
BEYOND = "AND t.last_activity_at <= ? AND (t.last_activity_at < ? OR t.id < ?)"


async def tickets(database: Any, viewer: Viewer, organization: str, after: str | None = None) -> dict[str, Any]:
    asked = organization.removeprefix("Organization_")
    if not viewer.sees.get(asked):
        raise PermissionError(asked)
    beyond: list[Any] = []
    if after:
        value, row_id = unpacked(after)
        edge = database.instant(value)
        beyond = [edge, edge, row_id]
    sql = TICKETS.format(
        manages=", ".join("?" * len(viewer.manages)) or "NULL",
        member=", ".join("?" * len(viewer.sees)),
        beyond=BEYOND if after else "",
    )
    rows = await database.fetch(sql, viewer.user_id, *viewer.manages, *viewer.sees, asked, viewer.user_id, *beyond)
    nodes = [_ticket(row) for row in rows[:50]]
    last = rows[: len(nodes)][-1] if nodes else None
    end = last and cursor("tickets by activity:desc", instant(last[8]), last[0])
    return {"tickets": {"nodes": nodes, "pageInfo": {"hasNextPage": len(rows) > 50, "endCursor": end}}}


def _ticket(row: Sequence[Any]) -> dict[str, Any]:
    (key, reference, subject, status, escalated, priority, channel, created, active, *relations) = row
    (r_id, r_name, r_email, o_id, o_name, a_id, a_name, a_avatar, s_id, s_kind, s_name, p_id, p_name) = relations
    kind = "Room" if s_kind == "ROOM" else "Desk"
    return {
        "id": f"Ticket_{key}",
        "reference": reference,
        "subject": subject,
        "status": status,
        "displayStatus": "ESCALATED" if escalated and status in ACTIVE else status,
        "priority": priority,
        "channel": channel,
        "createdAt": instant(created),
        "lastActivityAt": instant(active),
        "requester": r_id and {"id": f"User_{r_id}", "displayName": r_name, "email": r_email},
        "organization": {"id": f"Organization_{o_id}", "name": o_name},
        "assignee": a_id and {"id": f"User_{a_id}", "displayName": a_name, "avatarUrl": a_avatar},
        "space": s_id and {"__typename": kind, "id": f"{kind}_{s_id}", "name": s_name},
        "product": p_id and {"id": f"Product_{p_id}", "name": p_name},
    }


TICKET = """
    SELECT t.id, t.reference, t.subject, t.description, t.status, t.is_escalated, t.version, t.last_sequence,
           (SELECT epoch || ':' || head FROM feed_stream WHERE topic = 'ticket:' || t.id), t.created_at,
           r.id, r.display_name, r.email, a.id, a.display_name
    FROM ticket t LEFT JOIN app_user r ON r.id = t.requester_id LEFT JOIN app_user a ON a.id = t.assignee_id
    WHERE t.id = ?"""
MESSAGES = """
    SELECT m.kind, m.id, m.sequence, m.occurred_at, m.body, m.visibility, m.source, m.delivery_state,
           m.automatic, u.id, u.display_name, u.avatar_url
    FROM message m LEFT JOIN app_user u ON u.id = m.actor_id
    WHERE m.ticket_id = ? ORDER BY m.sequence DESC LIMIT 51"""
ESCALATION = """
    SELECT e.id, e.reference, e.stage, e.submitted_at, e.estimated_resolution_at, u.id, u.display_name
    FROM escalation e LEFT JOIN app_user u ON u.id = e.submitted_by_id
    WHERE e.ticket_id = ? AND e.stage <> 'RESOLVED' ORDER BY e.submitted_at LIMIT 1"""
ENTRIES = """
    SELECT n.id, n.sequence, n.stage, n.entered_at, n.note, n.internal_note, n.automatic, u.id, u.display_name
    FROM escalation_entry n LEFT JOIN app_user u ON u.id = n.actor_id
    WHERE n.escalation_id = ? ORDER BY n.sequence LIMIT 20"""
MESSAGE_TYPES = {"CHAT": "ChatMessage", "EMAIL": "EmailMessage", "NOTE": "Note"}
SYSTEM = {"__typename": "SystemActor", "id": "SystemActor_casewire", "displayName": "Casewire"}


async def ticket(database: Any, viewer: Viewer, id: str) -> dict[str, Any]:
    """For staff, who see every ticket and what is internal."""
    if not viewer.is_staff:
        raise PermissionError(id)
    asked = id.removeprefix("Ticket_")
    rows = await database.fetch(TICKET, asked)
    if not rows:
        return {"ticket": None}
    (key, reference, subject, description, status, escalated, version, sequence, position, created, *people) = rows[0]
    r_id, r_name, r_email, a_id, a_name = people
    messages = await database.fetch(MESSAGES, asked)
    shown = messages[49::-1]
    start = cursor("timeline:asc", shown[0][2], shown[0][1]) if shown else None
    found = {
        "id": f"Ticket_{key}",
        "reference": reference,
        "subject": subject,
        "description": description,
        "status": status,
        "displayStatus": "ESCALATED" if escalated and status in ACTIVE else status,
        "version": version,
        "lastSequence": sequence,
        "feedCursor": base64.urlsafe_b64encode((position or "-:0").encode()).decode().rstrip("="),
        "createdAt": instant(created),
        "requester": r_id and {"id": f"User_{r_id}", "displayName": r_name, "email": r_email},
        "assignee": a_id and {"id": f"User_{a_id}", "displayName": a_name},
        "messages": {
            "nodes": [_message(row) for row in shown],
            "pageInfo": {"hasPreviousPage": len(messages) > 50, "startCursor": start},
        },
        "activeEscalation": await _escalation(database, asked) if escalated else None,
    }
    return {"ticket": found}


def _message(row: Sequence[Any]) -> dict[str, Any]:
    kind, key, sequence, occurred, body, visibility, source, state, automatic, u_id, u_name, u_avatar = row
    name = MESSAGE_TYPES[kind]
    person = u_id and {"__typename": "User", "id": f"User_{u_id}", "displayName": u_name, "avatarUrl": u_avatar}
    return {
        "__typename": name,
        "id": f"{name}_{key}",
        "sequence": sequence,
        "occurredAt": instant(occurred),
        "body": body,
        "visibility": visibility,
        "source": source,
        "deliveryState": state,
        "actor": {**SYSTEM, "avatarUrl": None} if automatic else person,
    }


async def _escalation(database: Any, ticket_id: str) -> dict[str, Any] | None:
    rows = await database.fetch(ESCALATION, ticket_id)
    if not rows:
        return None
    key, reference, stage, submitted, estimated, u_id, u_name = rows[0]
    entries = await database.fetch(ENTRIES, key)
    return {
        "id": f"Escalation_{key}",
        "reference": reference,
        "stage": stage,
        "submittedAt": instant(submitted),
        "estimatedResolutionAt": instant(estimated),
        "requiresCustomerAction": stage == "VERIFYING_RESOLUTION",
        "submittedBy": u_id and {"id": f"User_{u_id}", "displayName": u_name},
        "timeline": {"nodes": [_entry(row) for row in entries]},
    }


def _entry(row: Sequence[Any]) -> dict[str, Any]:
    key, sequence, stage, entered, note, internal, automatic, u_id, u_name = row
    return {
        "id": f"EscalationTimelineEntry_{key}",
        "sequence": sequence,
        "stage": stage,
        "enteredAt": instant(entered),
        "note": note,
        "internalNote": internal,
        "actor": SYSTEM if automatic else u_id and {"__typename": "User", "id": f"User_{u_id}", "displayName": u_name},
    }
