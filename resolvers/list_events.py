"""What lists of tickets are told of a change.

Whatever a unit of work announces on the streams of a ticket is told to lists too, once for each ticket, when the unit
of work is about to commit: whoever announces a change need not think of them. The streams of lists are

- `desk`, all tickets, and `org:{id}`, those of an organization: for support staff;
- `org:{id}:pub`: for customers who see their organization's requests;
- `org:{id}:unclaimed`: for customers who do not, those that nobody opened and whoever may claims;
- `tickets:{user id}`: the tickets that a person takes part in or follows, as a customer sees them.

Nothing internal is told to customers, nothing author-only but to its author, and nothing that a regulation or the
beginning of the organization's history keeps from them: so nobody can tell from a gap that it happened.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from domain.enums import Confidentiality, HistoryAvailability
from engine.prepared import Prepared
from models import Ticket
from realtime.log import MAX_DATA, Draft
from resolvers.list_topics import DESK, list_of_organization, list_of_person, list_of_unclaimed
from resolvers.streams import TICKET_CREATED, ticket_of_stream
from resolvers.ticket_facts import COLUMNS, RIGHTS, SETS, Facts, as_id, facts_of, with_facts

LIST_CHANGED = "tickets.changed"

NOW = Prepared(Ticket, {"id": UUID}, with_facts)


@dataclass(slots=True)
class Told:
    """What one audience is told of a ticket in one unit of work."""

    fields: dict[str, None] = field(default_factory=dict)
    item: dict[str, str] = field(default_factory=dict)
    is_new: bool = False
    key: str = ""

    def add(self, draft: Draft) -> None:
        self.key = self.key or draft.key
        self.is_new |= draft.kind == TICKET_CREATED
        self.fields |= dict.fromkeys(draft.data.get("fields", ()))
        self.item = {name: draft.data[name] for name in ("message", "item") if draft.data.get(name)} or self.item


async def list_drafts(drafts: Iterable[Draft], before: Mapping[UUID, Facts]) -> list[Draft]:
    """What lists are told of the tickets that `drafts` are about. To be called in the transaction, after all changes.

    `before` has the facts of each ticket from before the transaction. A change of a ticket that is not among them is
    told as one of which nothing is known.
    """
    staff: dict[UUID, Told] = {}
    public: dict[UUID, Told] = {}
    for draft in drafts:
        if stream := ticket_of_stream(draft.topic):
            ticket_id, is_public = stream
            (public if is_public else staff).setdefault(ticket_id, Told()).add(draft)
    if not staff:
        return []
    read = [await NOW.first(ticket_id) for ticket_id in staff]  # hardly ever more than one
    rows = {row.id: facts_of(row) for row in read if row}
    found: list[Draft] = []
    for ticket_id, told in staff.items():
        moments = [each for each in (before.get(ticket_id), rows.get(ticket_id)) if each]
        found += _drafts(staff_lists(moments), ticket_id, told, before.get(ticket_id))
        if ticket_id in public:
            found += _drafts(public_lists(moments), ticket_id, public[ticket_id], before.get(ticket_id))
    return found


def staff_lists(moments: list[Facts]) -> set[str]:
    """The streams of staff that a ticket belongs onto, which had these facts before and after."""
    return {DESK} | {list_of_organization(each, staff=True) for each in _ids(moments, "organization_id")}


def public_lists(moments: list[Facts]) -> set[str]:
    """The streams of customers that a ticket belongs onto, which had these facts before and after."""
    found: set[str] = set()
    for facts in moments:
        since, availability = facts["history_starts_at"], facts["history_availability"]
        if availability != HistoryAvailability.AVAILABLE or (since is not None and facts["created_at"] < since):
            continue
        found |= {list_of_person(each) for each in _ids([facts], "requester_id")}
        if facts["confidentiality"] != Confidentiality.AUTHOR_ONLY:
            found |= {list_of_organization(each, staff=False) for each in _ids([facts], "organization_id")}
            found |= {list_of_person(each) for each in _ids([facts], "owner_id")}
            people = (*facts["participant_ids"], *facts["follower_ids"])
            found |= {list_of_person(each) for each in map(as_id, people) if each}
            if facts["requester_id"] is None:
                found |= {list_of_unclaimed(each) for each in _ids([facts], "organization_id")}
    return found


def _ids(moments: list[Facts], name: str) -> Iterator[UUID]:
    return (each for each in (as_id(facts[name]) for facts in moments) if each)


def _drafts(topics: set[str], ticket_id: UUID, told: Told, before: Facts | None) -> Iterator[Draft]:
    data: dict[str, Any] = {"ticket": str(ticket_id), "fields": list(told.fields)[:MOST_FIELDS], "was": {}, **told.item}
    if told.is_new:
        data["was"] = None
    elif before is not None:
        data["was"] = _fitted(before, room=MAX_DATA - len(orjson.dumps(data)))
    return (Draft(topic=topic, kind=LIST_CHANGED, data=data, key=told.key) for topic in topics)


MOST_FIELDS = 25
"""Names of fields in an event: more than any one change has."""

LOOKED_AT = ("request_type_key",)
"""Besides columns and sets, what filters ask for that may change."""


def _fitted(before: Facts, *, room: int) -> dict[str, Any]:
    """As much of what was before as there is room for: what rights look at always, then columns, then sets, small ones
    first. What is left out is not known."""
    was: dict[str, Any] = {}
    sets = sorted(SETS, key=lambda name: len(before[name]))
    for name in dict.fromkeys((*RIGHTS, *COLUMNS, *LOOKED_AT, *sets)):
        size = len(orjson.dumps({name: before[name]}))  # its braces stand for the comma
        if size <= room or name in RIGHTS:
            was[name] = before[name]
            room -= size
    return was
