"""The two queries in PostGraphile's words: its schema is made from the tables, so it cannot be ours."""

from typing import Any

LIST = """\
query List($organization: UUID!, $offset: Int) {
  tickets: organizationTickets(organization: $organization, first: 50, offset: $offset) {
    nodes {
      rowId reference subject status displayStatus priority channel createdAt lastActivityAt
      requester: appUserByRequesterId { rowId displayName email: shownEmail }
      organization: organizationByOrganizationId { rowId name }
      assignee: appUserByAssigneeId { rowId displayName avatarUrl }
      space: spaceBySpaceId { kind rowId name }
      product: productByProductId { rowId name }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""

GRAPH = """\
query Graph($id: UUID!) {
  ticket: staffTicket(wanted: $id) {
    rowId reference subject description status displayStatus version lastSequence feedPosition createdAt
    requester: appUserByRequesterId { rowId displayName email: shownEmail }
    assignee: appUserByAssigneeId { rowId displayName }
    messages: messagesByTicketId(last: 50, orderBy: SEQUENCE_ASC) {
      nodes {
        kind rowId sequence occurredAt body visibility source deliveryState automatic
        actor: appUserByActorId { rowId displayName avatarUrl }
      }
      pageInfo { hasPreviousPage startCursor }
    }
    activeEscalation {
      rowId reference stage submittedAt estimatedResolutionAt
      submittedBy: appUserBySubmittedById { rowId displayName }
      timeline: escalationEntriesByEscalationId(first: 20, orderBy: SEQUENCE_ASC) {
        nodes { rowId sequence stage enteredAt note internalNote automatic
                actor: appUserByActorId { rowId displayName } }
      }
    }
  }
}"""

DOCUMENTS = {"list": LIST, "graph": GRAPH}


def variables(name: str, ours: dict[str, Any]) -> dict[str, Any]:
    """The same page and the same ticket: keys without a type's name, and the second page by its offset."""
    if name == "graph":
        return {"id": ours["id"].removeprefix("Ticket_")}
    organization = ours["organization"].removeprefix("Organization_")
    return {"organization": organization, "offset": 50 if ours["after"] else 0}
