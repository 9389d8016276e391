"""Documents of the product's schema, written at random: whatever a client could send, kept small.

What is drawn is the place of a thing in a list, never its id: a seed makes the same document on every database.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_required_argument,
)

import models
from domain.policy import Viewer
from engine.declare import PLAN, Found, Listed, Pages
from engine.keyset import Order
from models.base import BaseModel
from resolvers import catalog, escalations, organizations, ticket_lists
from schema.enums import DeniedBehavior
from schema.node import TABLES, global_id, type_name_of

Json = dict[str, Any]
Kind = GraphQLObjectType | GraphQLInterfaceType

DEEPEST = 6
VARIANTS = 2
"""Sets of variables that a document is asked with."""

LISTS: dict[str, list[Order]] = {
    "tickets": [way for order in ticket_lists.ORDERS.values() for way in (order, order.flipped())],
    "unclaimedTickets": [ticket_lists.DEFAULT_ORDER],
    "organizations": [organizations.BY_NAME],
    "escalations": [escalations.BY_SUBMITTED],
    "products": [catalog.BY_PRODUCT_NAME],
}
NODES = {table.model for table in TABLES.values()}
ORDER_FIELDS = {order.name: name for name, order in ticket_lists.ORDERS.items()}


class Name(str):
    """The name of an enum's value, which a document writes without quotes and a variable with."""


@dataclass(slots=True)
class Known:
    """What there is to be asked for: rows by table, in the order of their making."""

    schema: GraphQLSchema
    rows: Mapping[type[BaseModel], list[Any]]

    def ids(self, *kinds: type[BaseModel]) -> list[str]:
        return [global_id(type_name_of(row), row.id) for kind in kinds for row in self.rows[kind]]

    def cursors(self, model: type[BaseModel], order: Order) -> list[str]:
        return [order.cursor(row) for row in self.rows[model] if getattr(row, order.column) is not None]


@dataclass(slots=True)
class Asked:
    document: str
    variants: list[Json]


class Writer:
    """Writes one document of about `size` fields for a viewer: cursors are those that this viewer is given."""

    def __init__(self, random: Random, size: int, known: Known, viewer: Viewer) -> None:
        self.random, self.known, self.schema, self.viewer = random, known, known.schema, viewer
        self.numbers = count(1)
        self.left = size
        self.declared: list[str] = []
        self.variants: list[Json] = [{} for _ in range(VARIANTS)]
        self.fragments: list[tuple[str, Kind, str]] = []

    # --- drawing

    def one_of(self, choices: Any) -> Any:
        return self.random.choice(list(choices))

    def chance(self, percent: int) -> bool:
        return self.random.random() * 100 < percent

    def number(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    # --- documents

    def document(self) -> Asked:
        root = self.schema.query_type
        assert root is not None
        parts = [self.field(root, self.root_field(root), DEEPEST) for _ in range(self.number(1, 2))]
        if self.chance(15):
            parts.append(self.in_fragment(root, DEEPEST))
        if self.chance(10):
            parts.append("__typename")
        variables = f"({', '.join(self.declared)})" if self.declared else ""
        fragments = [f"fragment {name} on {kind.name} {text}" for name, kind, text in self.fragments]
        return Asked("\n".join([f"query Q{variables} {{ {' '.join(parts)} }}", *fragments]), self.variants)

    def root_field(self, root: Kind) -> str:
        """Mostly a list or something by its id; now and then one of the rest."""
        whole = [name for name, each in root.fields.items() if isinstance(plan_of(each), Found | Listed)]
        return str(self.one_of(root.fields if self.chance(40) else whole))

    def selection(self, kind: Kind, depth: int) -> str:
        leaves = [name for name in kind.fields if self.wanted(kind, name, composite=False)]
        objects = [name for name in kind.fields if self.wanted(kind, name, composite=True)]
        parts = []
        inner = 80 if "pageInfo" in kind.fields else 40
        for _ in range(self.number(1, 4)):
            self.left -= 1
            if objects and depth > 1 and self.left > 0 and (not leaves or self.chance(inner)):
                parts.append(self.field(kind, self.one_of(objects), depth))
            elif depth > 1 and self.left > 0 and self.chance(25):
                parts.append(self.in_fragment(kind, depth))
            elif leaves and not self.chance(12):
                parts.append(self.leaf(self.one_of(leaves)))
            else:
                parts.append(f"__typename{self.directive()}")
        return f"{{ {' '.join(parts)} }}"

    def wanted(self, kind: Kind, name: str, *, composite: bool) -> bool:
        """Whether the field is one to choose from: seldom one that is not planned, or that may be refused."""
        definition = kind.fields[name]
        if bool(is_composite_type(get_named_type(definition.type))) is not composite:
            return False
        known = definition.extensions["strawberry-definition"]
        if "pageInfo" in kind.fields:
            return True
        guards = [each for each in known.extensions if hasattr(each, "decide_rows")]
        return self.chance(25) if any(g.behavior is DeniedBehavior.NULL_WITH_ERROR for g in guards) else True

    def leaf(self, name: str) -> str:
        alias = f"a{next(self.numbers)}: " if self.chance(15) else ""
        return f"{alias}{name}{self.directive()}"

    def field(self, parent: Kind, name: str, depth: int) -> str:
        definition = parent.fields[name]
        arguments = self.arguments(name, definition)
        alias = f"{name}{next(self.numbers)}: " if arguments or self.chance(20) else ""
        named: Any = get_named_type(definition.type)
        whole = f"{alias}{name}{arguments}{self.directive()} {self.selection(named, depth - 1)}"
        if self.left > 0 and self.chance(12):  # the same field again: both selections are one
            whole += f" {alias}{name}{arguments} {self.selection(named, depth - 1)}"
        return whole

    def in_fragment(self, kind: Kind, depth: int) -> str:
        possible = self.types_of(kind)
        conditions: list[Any] = [each for each in self.schema.type_map.values() if self.types_of(each) & possible]
        known = [name for name, on, _ in self.fragments if self.types_of(on) & possible]
        if known and self.chance(30):
            return f"...{self.one_of(known)}{self.directive()}"
        on: Any = kind if self.chance(40) or kind.name == "Query" else self.one_of(conditions)
        if kind.name == "Query":
            text = f"{{ {self.field(kind, self.root_field(kind), depth)} }}"
        else:
            text = self.selection(on, depth - 1)
        if self.chance(40):
            name = f"F{next(self.numbers)}"
            self.fragments.append((name, on, text))
            return f"...{name}{self.directive()}"
        condition = "" if on is kind and self.chance(50) else f" on {on.name}"
        return f"...{condition}{self.directive()} {text}"

    def types_of(self, kind: Any) -> set[str]:
        if isinstance(kind, GraphQLInterfaceType):
            return {each.name for each in self.schema.get_possible_types(kind)}
        return {kind.name} if isinstance(kind, GraphQLObjectType) else set()

    def directive(self) -> str:
        if not self.chance(8):
            return ""
        if self.chance(20):  # may be null all the same, and is refused then
            name = f"v{next(self.numbers)}"
            self.declared.append(f"${name}: Boolean = {text_of(self.chance(50))}")
            for each in self.variants:
                if self.chance(50):
                    each[name] = self.one_of([True, False, None])
            condition = f"${name}"
        else:
            condition = self.given("Boolean!", lambda: self.chance(50))
        return f" @{self.one_of(['skip', 'include'])}(if: {condition})"

    # --- values

    def given(self, kind: str, make: Callable[[], Any], *, variable: int = 35) -> str:
        """A value as a document has it: written out, or a variable, which may have a default, be null or left out."""
        if not self.chance(variable):
            return text_of(make())
        name, nullable = f"v{next(self.numbers)}", not kind.endswith("!")
        default = f" = {text_of(make())}" if nullable and self.chance(20) else ""
        self.declared.append(f"${name}: {kind}{default}")
        for each in self.variants:
            if nullable and self.chance(15):
                if self.chance(50):
                    each[name] = None
            else:
                each[name] = make()
        return f"${name}"

    def arguments(self, name: str, definition: GraphQLField) -> str:
        given: list[str] = []
        if name == "tickets" and isinstance(plan_of(definition), Listed):
            given += self.ticket_list()
        elif name == "escalations" and isinstance(plan_of(definition), Listed):
            if self.chance(30):
                stages = ["SUBMITTED", "ENGINEERING_IN_PROGRESS", "RESOLVED"]
                given.append(f"stages: {self.given('[EscalationStage!]', self.some_of(map(Name, stages)))}")
            if self.chance(25):
                given.append(f"organizationId: {self.given('ID', self.id_of(models.Organization))}")
        elif name == "unclaimedTickets":
            mine = [global_id("Organization", m.organization_id) for m in self.viewer.memberships]
            known = mine or self.known.ids(models.Organization)
            given.append(f"organizationId: {self.given('ID!', lambda: self.one_of(known))}")
        elif isinstance(found := plan_of(definition), Found):
            given.append(self.sought(found, definition))
        elif name in ("node", "nodes"):
            given.append(f"id: {self.given('ID!', self.any_id)}" if name == "node" else f"ids: {self.any_ids()}")
        elif name == "deviceBySerialNumber":
            given.append(f"serialNumber: {self.given('String!', lambda: self.one_of(self.serial_numbers()))}")
        if "first" in definition.args:
            given += self.paging(name, definition, given)
        missing = [arg for arg, each in definition.args.items() if is_required_argument(each)]
        missing = [arg for arg in missing if not any(each.startswith(f"{arg}:") for each in given)]
        given += [f"{arg}: {json.dumps(self.id_of(models.Organization)())}" for arg in missing]
        return f"({', '.join(given)})" if given else ""

    def sought(self, found: Found, definition: GraphQLField) -> str:
        rows = self.known.rows[found.model]  # type: ignore[index]
        (name,) = [arg for arg in definition.args if arg in ("id", "reference")]
        if name == "id":
            return f"id: {self.given('ID!', self.id_of(found.model))}"
        return f"reference: {self.given('String!', lambda: f' {self.one_of(rows).reference.lower()}')}"

    def any_id(self) -> str:
        """Of whatever type; now and then of nothing, of the desk itself, or none at all."""
        if self.chance(10):
            return str(self.one_of(["SystemActor_casewire", "Room_00000000-0000-4000-8000-000000000000", "nonsense"]))
        kind = self.one_of([each for each, rows in self.known.rows.items() if rows and each in NODES])
        found = self.one_of(self.known.ids(kind))
        wrong_kind = kind is models.Space and self.chance(20)
        return found.replace("Room_", "Desk_") if wrong_kind else str(found)

    def any_ids(self) -> str:
        """A list, a variable, or a list with variables in it."""
        if self.chance(30):
            return self.given("[ID!]!", lambda: [self.any_id() for _ in range(self.number(0, 4))], variable=100)
        return f"[{', '.join(self.given('ID!', self.any_id) for _ in range(self.number(0, 4)))}]"

    def serial_numbers(self) -> list[str]:
        return ["none", *(f" {each.serial_number.lower()}" for each in self.known.rows[models.Device])]

    def id_of(self, *kinds: Any) -> Callable[[], str]:
        """Mostly one of these; now and then one of another type, of nothing, or none at all."""

        def make() -> str:
            unknown = f"{kinds[0].__name__}_00000000-0000-4000-8000-000000000000"
            if not self.chance(5):
                return str(self.one_of(self.known.ids(*kinds) or [unknown]))
            return str(self.one_of([unknown, unknown, "nonsense", *self.known.ids(models.Product)]))

        return make

    def some_of(self, choices: Any) -> Callable[[], Any]:
        """A list; now and then a single value, which stands for a list of one."""
        choices = list(choices)

        def make() -> Any:
            found = [self.one_of(choices) for _ in range(self.number(0, 3))]
            return found[0] if found and self.chance(10) else found

        return make

    # --- lists

    def ticket_list(self) -> list[str]:
        scope = self.one_of(
            ["ALL", "ALL", "ORGANIZATION", "UNCLAIMED", "MINE", "FOLLOWING", "SHARED_WITH_ME", "ASSIGNED_TO_ME"]
        )
        given = [f"scope: {self.given('TicketListScope!', lambda: Name(scope), variable=20)}"]
        if scope in ("ORGANIZATION", "UNCLAIMED") or self.chance(10):
            mine = [m.organization_id for m in self.viewer.memberships]
            known = [global_id("Organization", key) for key in mine] or self.known.ids(models.Organization)
            given.append(f"organizationId: {self.given('ID', lambda: self.one_of(known))}")
        if self.chance(25):
            given.append("filter: null")
        elif self.chance(65):
            given.append(f"filter: {self.filter(2)}")
        if self.chance(40):
            given.append(f"orderBy: {self.order()}")
        return given

    def order(self) -> str:
        def field_name() -> Name:
            return Name(self.one_of(ticket_lists.ORDERS))

        def direction() -> Name:
            return Name(self.one_of(["ASC", "DESC"]))

        if self.chance(25):
            return self.given("TicketOrder", lambda: {"field": field_name(), "direction": direction()}, variable=100)
        parts = [f"field: {self.given('TicketOrderField!', field_name)}"]
        if self.chance(60):
            parts.append(f"direction: {self.given('OrderDirection!', direction)}")
        return f"{{{', '.join(parts)}}}"

    def filter(self, depth: int) -> str:
        if self.chance(25):
            return self.given("TicketFilter", lambda: self.plain_filter(depth), variable=100)
        parts = []
        for name in self.filter_fields(depth):
            kind, make = self.filter_value(name, depth - 1)
            inner = self.filter(depth - 1) if name in ("and", "or", "not") else self.value(kind, make)
            parts.append(f"{name}: {f'[{inner}]' if name in ('and', 'or') and not inner.startswith('$') else inner}")
        # A variable of one filter cannot stand for a list of them.
        return f"{{{', '.join(part for part in parts if not part.startswith(('and: $', 'or: $')))}}}"

    def value(self, kind: str, make: Callable[[], Any]) -> str:
        """As `given`; a list may be written out with variables in it."""
        found = make() if kind.startswith("[") and self.chance(25) else None
        if not isinstance(found, list):
            return self.given(kind, make)
        inner = kind.removesuffix("!").strip("[]")
        return f"[{', '.join(self.given(inner, lambda each=each: each) for each in found)}]"  # type: ignore[misc]

    def plain_filter(self, depth: int) -> Json:
        return {name: self.filter_value(name, depth - 1)[1]() for name in self.filter_fields(depth)}

    def filter_fields(self, depth: int) -> list[str]:
        nested = {"and", "or", "not"}
        names = [name for name in self.filters(depth) if depth > 0 or name not in nested]
        return self.random.sample(names, self.number(0, 3))

    def filter_value(self, name: str, depth: int) -> tuple[str, Callable[[], Any]]:
        kind: GraphQLInputType = self.schema.type_map["TicketFilter"].fields[name].type  # type: ignore[attr-defined]
        return str(kind), self.filters(depth)[name]

    def filters(self, depth: int) -> dict[str, Callable[[], Any]]:
        ids, rows = self.known.ids, self.known.rows
        rooms = [each for each in ids(models.Space) if each.startswith("Room")]
        desks = [each for each in ids(models.Space) if each.startswith("Desk")]
        enums = {"statuses": "TicketStatus", "displayStatuses": "TicketDisplayStatus", "channels": "TicketChannel"}
        found: dict[str, Callable[[], Any]] = {
            name: self.some_of(map(Name, self.schema.type_map[kind].values))  # type: ignore[attr-defined]
            for name, kind in enums.items()
        }
        flags = ("isActive", "isEscalated", "hasRequester", "isOnBehalf")
        return found | {
            **{name: lambda: self.chance(50) for name in flags},
            "priorities": self.some_of([Name("NORMAL"), Name("URGENT")]),
            "organizationIds": self.some_of(ids(models.Organization)),
            "onBehalfOfOrganizationIds": self.some_of(ids(models.Organization)),
            "followerIds": self.some_of(ids(models.User)),
            "requesterIds": self.some_of(ids(models.User)),
            "assigneeIds": self.some_of(ids(models.User)),
            "spaceIds": self.some_of(ids(models.Space)),
            "roomIds": self.some_of(rooms),
            "deskIds": self.some_of(desks),
            "deviceIds": self.some_of(ids(models.Device)),
            "requestTypeKeys": self.some_of(["FULL", "BARE", "NONE"]),
            "productIds": self.some_of(ids(models.Product)),
            "references": self.some_of(each.reference for each in rows[models.Ticket]),
            "escalationReferences": self.some_of(each.reference for each in rows[models.Escalation]),
            "createdAt": self.span,
            "lastActivityAt": self.span,
            "and": lambda: [self.plain_filter(depth) for _ in range(self.number(0, 2))],
            "or": lambda: [self.plain_filter(depth) for _ in range(self.number(0, 2))],
            "not": lambda: self.plain_filter(depth),
        }

    def span(self) -> Json:
        hours = [f"2026-01-05T{hour:02}:00:00Z" for hour in (8, 11, 18, 20)]
        return {name: self.one_of(hours) for name in ("gte", "lt") if self.chance(60)}

    def paging(self, name: str, definition: GraphQLField, others: list[str]) -> list[str]:
        def size() -> int:
            return 101 if self.chance(1) else self.number(0, 5)

        given = []
        kind = self.one_of(["", "first", "first", "last", "both" if self.chance(4) else "last"])
        for argument in ("first", "last"):
            if kind in (argument, "both"):
                given.append(f"{argument}: {self.given('Int', size)}")
        places = self.cursors(name, definition, others)
        for argument, percent in (("after", 22), ("before", 14)):
            if places and self.chance(percent):
                given.append(f"{argument}: {self.given('Cursor', lambda: self.one_of(places))}")
        return given

    def cursors(self, name: str, definition: GraphQLField, others: list[str]) -> list[str]:
        """Of this list, as answers for this viewer have them; now and then of another."""
        declared = plan_of(definition)
        if self.chance(4):
            return ["nonsense", *self.known.cursors(models.Product, Order("other", "name", "text"))]
        if isinstance(declared, Pages):
            return self.known.cursors(declared.model, declared.order(self.viewer))  # type: ignore[arg-type]
        if not isinstance(declared, Listed):
            return []
        orders = LISTS[name]
        if name == "tickets":
            text = next((each for each in others if each.startswith("orderBy")), "field: LAST_ACTIVITY_AT")
            way = "asc" if "ASC" in text else "desc"
            orders = [each for each in orders if ORDER_FIELDS[each.name] in text and each.descending == (way == "desc")]
        return [cursor for order in orders for cursor in self.known.cursors(declared.model, order)]  # type: ignore[arg-type]


def plan_of(definition: GraphQLField) -> Any:
    known = (definition.extensions or {}).get("strawberry-definition")
    return known.metadata.get(PLAN) if known else None


def text_of(value: Any) -> str:
    match value:
        case Name():
            return str(value)
        case dict():
            return "{" + ", ".join(f"{name}: {text_of(each)}" for name, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(text_of, value)) + "]"
        case _:
            return json.dumps(value)
