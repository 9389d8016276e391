"""What a plan is made of: root fields, and what hangs below a row."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLObjectType

from engine.declare import Every, FieldGuard, Found, Merged, Pages
from engine.given import GivenValue, RootObjects, RootValue
from engine.keyset import Order, PageArgs
from engine.selections import Argument, Selected
from engine.selects import Select, next_serial

PAGING = ("first", "after", "last", "before")


@dataclass(frozen=True, slots=True)
class Asked:
    """The paging arguments; what of them changes a statement's text (backwards, after, before); and the page's size."""

    args: PageArgs
    shape: tuple[bool, bool, bool]
    size: int


@dataclass(slots=True)
class PageParts:
    """What of a connection is selected, by alias: the shapes of its rows, and the keys of the rest in order."""

    layout: list[tuple[str, str, Any]]
    select: Select


@dataclass(slots=True)
class ChildPages:
    """`fixed`: the paging arguments, where no variable is part of them. `builders`: what has been made for a shape."""

    declared: Pages
    order: Order
    parent: int
    arguments: dict[str, Argument]
    parts: PageParts
    serial: int = field(default_factory=next_serial)
    fixed: Asked | None = None
    builders: dict[Hashable, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ChildMerged:
    """Pages cut from several tables together: one member for each. `narrowed`: what has been made for an argument."""

    declared: Merged
    parent: int
    members: list[ChildPages]
    narrowed: dict[str, list[ChildPages]] = field(default_factory=dict)


@dataclass(slots=True)
class ChildRows:
    declared: Every
    parent: int
    select: Select
    shape: Callable[..., list[Any]]
    serial: int = field(default_factory=next_serial)


@dataclass(slots=True)
class RootRow:
    key: str
    declared: Found
    arguments: dict[str, Argument]
    select: Select
    shape: Callable[..., list[Any]]
    needs: list[FieldGuard]
    serial: int = field(default_factory=next_serial)


@dataclass(slots=True)
class RootPages:
    """`depends` names the variables that say which list it is: all but those of its paging arguments.

    `fixed` and `builders` are as of `ChildPages`.
    """

    key: str
    selected: Selected
    parent: GraphQLObjectType
    arguments: dict[str, Argument]
    depends: tuple[str, ...]
    parts: PageParts
    serial: int = field(default_factory=next_serial)
    fixed: Asked | None = None
    builders: dict[Hashable, Any] = field(default_factory=dict)


Root = RootRow | RootPages | RootValue | RootObjects | GivenValue | tuple[str, str]
"""A root field; a pair is its key and the constant that it is."""


@dataclass(slots=True)
class Plan:
    """`is_single`: one statement answers it, so there is nothing that two could disagree about."""

    roots: list[Root]
    fields: int = 1
    """How many it is for: its size."""
    used: bool = False
    """Whether it was run since it was kept, or since it was spared: see `HeldPlans`."""
    is_single: bool = field(init=False)

    def __post_init__(self) -> None:
        asked = [each for each in self.roots if not isinstance(each, tuple)]
        self.is_single = len(asked) == 1 and takes_one_statement(asked[0])


def takes_one_statement(root: Root) -> bool:
    if isinstance(root, RootRow):
        return not root.select.children and not root.select.guards
    if not isinstance(root, RootPages):
        return False
    names = {name for name, _, _ in root.parts.layout}
    return "totalCount" not in names and not root.parts.select.children and not root.parts.select.guards
