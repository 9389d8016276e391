"""What is asked of every server: the two queries, the chat's subscription, and the message that is posted."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

LIST = """\
query List($organization: ID!, $after: Cursor) {
  tickets(scope: ORGANIZATION, organizationId: $organization, first: 50, after: $after) {
    nodes {
      id reference subject status displayStatus priority channel createdAt lastActivityAt
      requester { id displayName email }
      organization { id name }
      assignee { id displayName avatarUrl }
      space { __typename id name }
      product { id name }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""
"""A page of the active tickets of an organization, as its manager sees it. `email` is guarded row by row."""

GRAPH = """\
query Graph($id: ID!) {
  ticket(id: $id) {
    id reference subject description status displayStatus version lastSequence feedCursor createdAt
    requester { id displayName email }
    assignee { id displayName }
    messages(last: 50) {
      nodes {
        __typename id sequence occurredAt body visibility source deliveryState
        actor { __typename id displayName avatarUrl }
      }
      pageInfo { hasPreviousPage startCursor }
    }
    activeEscalation {
      id reference stage submittedAt estimatedResolutionAt requiresCustomerAction
      submittedBy { id displayName }
      timeline(first: 20) {
        nodes { id sequence stage enteredAt note internalNote actor { __typename id displayName } }
      }
    }
  }
}"""
"""A ticket with its last fifty messages and the escalation under way, as an agent sees it."""

WATCH = """\
subscription Watch($ticket: ID!) {
  messages(ticketId: $ticket) {
    __typename
    ... on MessageChange {
      changeType cursor
      message { __typename id sequence occurredAt body actor { id displayName avatarUrl } }
    }
    ... on StreamCaughtUp { cursor }
    ... on StreamReset { reason cursor }
  }
}"""

RESUME = WATCH.replace("$ticket: ID!)", "$ticket: ID!, $after: Cursor)").replace(
    "ticketId: $ticket)", "ticketId: $ticket, after: $after)"
)
"""The same after a place."""

SEND = """\
mutation Send($input: MessageSendInput!) { messageSend(input: $input) { message { id } errors { code } } }"""


@dataclass(frozen=True)
class Query:
    """One of the two queries, by one viewer, with the variables that are asked in turn."""

    name: str
    document: str
    viewer: UUID
    variables: list[dict[str, Any]] = field(default_factory=list)


def send_input(ticket: UUID, body: str, client_message_id: str) -> dict[str, Any]:
    return {"input": {"ticketId": f"Ticket_{ticket}", "message": {"body": body}, "clientMessageId": client_message_id}}
