"""Filters of lists of tickets. Each is written down in two forms side by side: as SQL, and as a question about facts.

SQL selects the rows of a page. Live lists ask the question instead: for every event and every watcher, in memory. A
test holds the two against each other.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from tortoise.expressions import Q, RawSQL, Subquery

from domain.enums import ACTIVE_STATUSES, ServiceLevel, TicketChannel, TicketDisplayStatus, TicketPriority, TicketStatus
from domain.errors import Invalid
from domain.naming import quoted
from domain.policy import ANONYMOUS, Viewer
from domain.searching import searched
from models import Escalation, RequestType, Ticket
from models.followers import followed_by
from models.searching import saying
from resolvers.read_marks import unread_by
from resolvers.ticket_facts import Facts, as_fact

MOST_VALUES, DEEPEST = 100, 5


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Conditions that all have to hold; None asks nothing, an empty list lets nothing through."""

    all_of: "list[TicketFilter] | None" = None
    any_of: "list[TicketFilter] | None" = None
    none_of: "TicketFilter | None" = None
    statuses: list[TicketStatus] | None = None
    display_statuses: list[TicketDisplayStatus] | None = None
    is_active: bool | None = None
    is_escalated: bool | None = None
    channels: list[TicketChannel] | None = None
    priorities: list[TicketPriority] | None = None
    organization_ids: list[UUID] | None = None
    requester_ids: list[UUID] | None = None
    assignee_ids: list[UUID] | None = None
    follower_ids: list[UUID] | None = None
    is_on_behalf: bool | None = None
    on_behalf_of_ids: list[UUID] | None = None
    has_requester: bool | None = None
    space_ids: list[UUID] | None = None
    device_ids: list[UUID] | None = None
    service_levels: list[ServiceLevel] | None = None
    issue_type_ids: list[UUID] | None = None
    request_type_keys: list[str] | None = None
    product_ids: list[UUID] | None = None
    references: list[str] | None = None
    escalation_references: list[str] | None = None
    created_at: tuple[datetime | None, datetime | None] | None = None
    last_activity_at: tuple[datetime | None, datetime | None] | None = None
    unread_only: Literal[True] | None = None
    text: str | None = None


Question = Callable[[Facts], bool | None]
"""Whether a ticket of these facts is meant; None where that depends on a fact that is not known."""


class Condition(NamedTuple):
    """What the value of one field of the filter asks of a ticket.

    `question` is None where facts cannot tell (a search in texts, the viewer's own marks): a page can be filtered so, a
    live list cannot.
    """

    sql: Callable[[Any], Q]
    question: Callable[[Any], Question] | None


def condition(wanted: TicketFilter, viewer: Viewer = ANONYMOUS) -> Q:
    """The filter as SQL; what is unread is so for `viewer`, and what is found by words is found for `viewer`.

    Raises:
        Required, Invalid: more than 100 values in one list, filters nested deeper than 5, or no text to search for.
    """
    return _condition(wanted, viewer, depth=0)


def question(wanted: TicketFilter) -> Question:
    """The filter as a question about the facts of a ticket.

    Raises:
        Invalid: as `condition`; or facts cannot tell what a field asks for.
    """
    return _question(wanted, depth=0)


def all_hold(questions: Collection[Question]) -> Question:
    """No if one says no; else not known if one does not know."""

    def all_of_them(facts: Facts) -> bool | None:
        answer: bool | None = True
        for each in questions:
            found = each(facts)
            if found is False:
                return False
            answer = answer if found else None
        return answer

    return all_of_them


def one_holds(questions: Collection[Question]) -> Question:
    return negated(all_hold([negated(each) for each in questions]))


def negated(question: Question) -> Question:
    def other(facts: Facts) -> bool | None:
        answer = question(facts)
        return None if answer is None else not answer

    return other


def among(name: str, values: Collection[Any]) -> Question:
    """Whether a fact is one of `values`; one that is empty is none of them."""
    wanted = frozenset(map(as_fact, values))
    return lambda facts: facts[name] in wanted if name in facts else None


def overlapping(name: str, values: Collection[Any]) -> Question:
    """Whether one of a set's members is one of `values`."""
    wanted = frozenset(map(as_fact, values))
    return lambda facts: not wanted.isdisjoint(facts[name]) if name in facts else None


def _condition(wanted: TicketFilter, viewer: Viewer, *, depth: int) -> Q:
    found = Q()
    for name, value in _given(wanted, depth):
        match name:
            case "all_of":
                found &= Q(*[_condition(each, viewer, depth=depth + 1) for each in value])
            case "any_of":
                found &= _any([_condition(each, viewer, depth=depth + 1) for each in value])
            case "none_of":
                # By id: in SQL the negation of a condition about null is no better met than the condition itself.
                refused = Ticket.filter(_condition(value, viewer, depth=depth + 1))
                found &= ~Q(id__in=Subquery(refused.values("id")))
            case "unread_only":
                found &= CONDITIONS[name].sql(viewer)
            case "text":
                found &= CONDITIONS[name].sql((searched(value), viewer))
            case _:
                found &= CONDITIONS[name].sql(value)
    return found


def _question(wanted: TicketFilter, *, depth: int) -> Question:
    found: list[Question] = []
    for name, value in _given(wanted, depth):
        match name:
            case "all_of":
                found += [_question(each, depth=depth + 1) for each in value]
            case "any_of":
                found.append(one_holds([_question(each, depth=depth + 1) for each in value]))
            case "none_of":
                found.append(negated(_question(value, depth=depth + 1)))
            case _:
                ask = CONDITIONS[name].question
                if ask is None:
                    field = _in_api(name)
                    raise Invalid("A live list cannot be filtered by `{name}`.", field=("filter", field), name=field)
                found.append(ask(value))
    return all_hold(found)


def _given(wanted: TicketFilter, depth: int) -> list[tuple[str, Any]]:
    if depth > DEEPEST:
        raise Invalid("Filters are nested at most {limit} deep.", field=("filter",), limit=DEEPEST)
    given = [(field.name, getattr(wanted, field.name)) for field in fields(wanted)]
    if any(isinstance(value, list) and len(value) > MOST_VALUES for _, value in given):
        raise Invalid("At most {limit} values in one list of a filter.", field=("filter",), limit=MOST_VALUES)
    return [(name, value) for name, value in given if value is not None]


def _in_api(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.title() for each in others)


_NONE = Q(id__in=[])


def _any(conditions: list[Q]) -> Q:
    """At least one of them; one that asks nothing is met by everything, though Tortoise would leave it out."""
    if not conditions:
        return _NONE
    return Q() if any(map(_asks_nothing, conditions)) else Q(*conditions, join_type=Q.OR)


def _asks_nothing(condition: Q) -> bool:
    return not condition.filters and all(map(_asks_nothing, condition.children))


def _among(column: str) -> Condition:
    def sql(values: list[Any]) -> Q:
        wanted: dict[str, Any] = {f"{column}__in": values}
        return Q(**wanted)

    return Condition(sql, lambda values: among(column, values))


def _is(column: str) -> Condition:
    def sql(value: bool) -> Q:
        wanted: dict[str, Any] = {column: value}
        return Q(**wanted)

    return Condition(sql, lambda value: among(column, [value]))


def _between(column: str) -> Condition:
    def sql(span: tuple[datetime | None, datetime | None]) -> Q:
        since, until = span
        bounds: dict[str, Any] = {}
        if since is not None:
            bounds[f"{column}__gte"] = since
        if until is not None:
            bounds[f"{column}__lt"] = until
        return Q(**bounds)

    def question_about(span: tuple[datetime | None, datetime | None]) -> Question:
        since, until = span

        def holds(facts: Facts) -> bool | None:
            if column not in facts:
                return None
            moment = datetime.fromisoformat(facts[column])
            return (since is None or moment >= since) and (until is None or moment < until)

        return holds

    return Condition(sql, question_about)


def _is_active(active: bool) -> list[TicketStatus]:
    return [status for status in TicketStatus if (status in ACTIVE_STATUSES) is active]


def _shown(wanted: list[TicketDisplayStatus]) -> Q:
    """ESCALATED wins over the open states, so each of those means: that status, and no escalation under way."""

    def of_one(display: TicketDisplayStatus) -> Q:
        if display is TicketDisplayStatus.ESCALATED:
            return Q(is_escalated=True, status__in=ACTIVE_STATUSES)
        if display.value in ACTIVE_STATUSES:
            return Q(is_escalated=False, status=display.value)
        return Q(status=display.value)

    return _any([of_one(each) for each in wanted])


def _shows(wanted: list[TicketDisplayStatus]) -> Question:
    def question_of_one(display: TicketDisplayStatus) -> Question:
        if display is TicketDisplayStatus.ESCALATED:
            return all_hold([among("is_escalated", [True]), among("status", ACTIVE_STATUSES)])
        alone = among("status", [display.value])
        return all_hold([alone, among("is_escalated", [False])]) if display.value in ACTIVE_STATUSES else alone

    return one_holds([question_of_one(each) for each in wanted])


def _is_on_behalf(is_so: bool) -> Q:
    """Tortoise words `IS NOT NULL` as a negation, for which SQLite takes no partial index: every id is above nil."""
    return Q(on_behalf_of_id__gt=UUID(int=0)) if is_so else Q(on_behalf_of_id__isnull=True)


def _of_request_types(given: list[str]) -> Q:
    """A single one is asked for as one: an index that it begins gives its tickets in their order."""
    keys = _quoted(given)
    found = Subquery(RequestType.filter(key__in=keys).values("id"))
    return Q(request_type_id=found) if len(keys) == 1 else Q(request_type_id__in=found)


def _quoted(given: list[str]) -> list[str]:
    return [each for each in map(quoted, given) if each]


def _about_devices(ids: list[UUID]) -> RawSQL:
    """From the table that joins the two alone: Tortoise would join both sides too, and SQLite look at every ticket."""
    wanted = ", ".join(f"'{each}'" for each in ids) or "NULL"
    return RawSQL(f"(SELECT ticket_id FROM ticket_device WHERE device_id IN ({wanted}))")


CONDITIONS: dict[str, Condition] = {
    "statuses": _among("status"),
    "display_statuses": Condition(_shown, _shows),
    "is_active": Condition(
        lambda active: Q(status__in=_is_active(active)), lambda active: among("status", _is_active(active))
    ),
    "is_escalated": _is("is_escalated"),
    "channels": _among("channel"),
    "priorities": _among("priority"),
    "organization_ids": _among("organization_id"),
    "requester_ids": _among("requester_id"),
    "assignee_ids": _among("assignee_id"),
    "follower_ids": Condition(lambda ids: Q(id__in=followed_by(ids)), lambda ids: overlapping("follower_ids", ids)),
    "is_on_behalf": Condition(
        _is_on_behalf,
        lambda is_so: negated(among("on_behalf_of_id", [None])) if is_so else among("on_behalf_of_id", [None]),
    ),
    "on_behalf_of_ids": _among("on_behalf_of_id"),
    "has_requester": Condition(
        lambda has: Q(requester_id__isnull=not has),
        lambda has: negated(among("requester_id", [None])) if has else among("requester_id", [None]),
    ),
    "space_ids": _among("space_id"),
    "device_ids": Condition(
        lambda ids: Q(id__in=_about_devices(ids)),
        lambda ids: overlapping("device_ids", ids),
    ),
    "request_type_keys": Condition(
        _of_request_types,
        lambda given: among("request_type_key", _quoted(given)),
    ),
    "service_levels": _among("service_level"),
    "issue_type_ids": _among("issue_type_id"),
    "product_ids": _among("product_id"),
    "references": Condition(
        lambda given: Q(reference__in=_quoted(given)), lambda given: among("reference", _quoted(given))
    ),
    "escalation_references": Condition(
        lambda given: Q(id__in=Subquery(Escalation.filter(reference__in=_quoted(given)).values("ticket_id"))),
        lambda given: overlapping("escalation_references", _quoted(given)),
    ),
    "created_at": _between("created_at"),
    "last_activity_at": _between("last_activity_at"),
    "unread_only": Condition(unread_by, None),
    "text": Condition(lambda asked: saying(*asked), None),
}
"""Every field of `TicketFilter` but those that combine others."""
