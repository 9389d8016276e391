"""Permissions: directives that are printed in the schema, and enforced from the same declaration.

A guarded field carries the directives; the `Schema` of this module attaches the extension that enforces them, so a
printed rule cannot be forgotten. A guarded field is nullable or a list, or the root field of an operation: otherwise
the schema refuses to build.
"""

import inspect
from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema_directive import Location
from strawberry.types.base import StrawberryList, StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.field import StrawberryField

from domain import policy
from domain.enums import Scope
from domain.errors import DomainError, Forbidden, Unauthenticated
from domain.policy import Facts, Policy, Rule, Viewer
from engine.statements import ALWAYS, NEVER, Bail, Dialect, Fragment, all_of
from models.base import BaseModel
from schema.enums import DeniedBehavior

PLACES = [Location.OBJECT, Location.FIELD_DEFINITION, Location.INTERFACE]
ROOTS = ("Query", "Mutation", "Subscription")


@strawberry.schema_directive(locations=PLACES, name="authenticated", description="Somebody must be signed in.")
class Authenticated:
    pass


@strawberry.schema_directive(
    locations=PLACES,
    name="requiresScopes",
    description="Scopes that the token needs: the outer list is OR, the inner AND.",
)
class RequiresScopes:
    scopes: list[list[Scope]] = strawberry.directive_field(name="scopes")


@strawberry.schema_directive(
    locations=PLACES,
    name="policy",
    description="Policies that must hold for the object: the outer list is OR, the inner AND. Asked again in streams.",
)
class PolicyDirective:
    policies: list[list[Policy]] = strawberry.directive_field(name="policies")

    @property
    def rule(self) -> Rule:
        return Rule(tuple(tuple(combination) for combination in self.policies))


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="onDenied",
    description="What an unauthorised caller gets for this field; without it null, and an error that says why.",
)
class OnDenied:
    behavior: DeniedBehavior = strawberry.directive_field(name="behavior")


def guarded(rule: Rule, on_denied: DeniedBehavior | None = None) -> list[object]:
    """The directives of a field that only some may read."""
    found: list[object] = [PolicyDirective(policies=[list(combination) for combination in rule.alternatives])]
    return [*found, OnDenied(behavior=on_denied)] if on_denied else found


def signed_in(rule: Rule | None = None) -> list[object]:
    """The directives of an operation, or of a type, that needs somebody signed in."""
    return [Authenticated(), *(guarded(rule) if rule else [])]


class Guard(FieldExtension):
    """Enforces the directives of one field."""

    def __init__(self, directives: list[object], *, at_root: bool) -> None:
        self.authenticated = any(isinstance(each, Authenticated) for each in directives)
        self.scopes = [each.scopes for each in directives if isinstance(each, RequiresScopes)]
        self.rules = [each.rule for each in directives if isinstance(each, PolicyDirective)]
        self.behavior = next(
            (each.behavior for each in directives if isinstance(each, OnDenied)), DeniedBehavior.NULL_WITH_ERROR
        )
        self.at_root = at_root

    def apply(self, field: StrawberryField) -> None:
        """
        Raises:
            TypeError: a denial could not be answered: it would take the parent with it.
        """
        a_list = isinstance(field.type, StrawberryList)
        if self.at_root:
            return
        if self.behavior is DeniedBehavior.EMPTY_LIST and not a_list:
            raise TypeError(f"{field.python_name} is no list and cannot be answered with an empty one")
        if self.behavior is not DeniedBehavior.EMPTY_LIST and not isinstance(field.type, StrawberryOptional):
            raise TypeError(f"{field.python_name} is guarded, so it must be nullable")

    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        if self.admits(info.context.viewer, source):
            return next_(source, info, **kwargs)
        return [] if self.behavior is DeniedBehavior.EMPTY_LIST else None

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        found = self.resolve(next_, source, info, **kwargs)
        return await found if inspect.isawaitable(found) else found

    def admits(self, viewer: Viewer, source: Any) -> bool:
        """Whether the field may be read; False where it is to be left out silently.

        At the root no object is known yet: there it is asked whether the rule could hold at all, and the resolver asks
        again with the object.

        Raises:
            Unauthenticated: nobody is signed in.
            Forbidden: a rule or scope is missing, and the field says so.
        """
        if self.authenticated or self.at_root:
            policy.check_authenticated(viewer)
        facts = None if self.at_root else facts_of(source)
        if self._scopes_held(viewer) and all(self._holds(viewer, rule, facts) for rule in self.rules):
            return True
        if self.behavior is DeniedBehavior.NULL_WITH_ERROR:
            raise Forbidden(policy.MAY_NOT if self.at_root else policy.MAY_NOT_SEE)
        return False

    # --- asked by the planner, for rows that are no objects

    def decide(self, viewer: Viewer) -> bool | None:
        """What the viewer alone decides; None where the row does. At the root, whether the rule could hold at all."""
        if self.at_root:
            return self.admits(viewer, None)
        if not self._scopes_held(viewer):
            return False
        if all(policy.allows(viewer, rule, None) for rule in self.rules):
            return True
        return None if all(policy.conceivable(viewer, rule) for rule in self.rules) else False

    def in_sql(self, model: type[BaseModel]) -> bool:
        return model.decides_in_sql

    def condition(self, viewer: Viewer, model: type[BaseModel], dialect: Dialect) -> Fragment:
        decided = self.decide(viewer)
        if decided is not None:
            return ALWAYS if decided else NEVER
        return all_of(*[model.allowed_sql(viewer, rule, dialect) for rule in self.rules])

    def fact_columns(self, model: type[BaseModel]) -> tuple[str, ...]:
        return model.fact_columns

    async def decide_rows(
        self, viewer: Viewer, model: type[BaseModel], keys: set[tuple[Any, ...]], read: Any
    ) -> dict[Any, bool]:
        facts = await model.facts_by_columns(keys, viewer, read)
        decided = {each: all(policy.allows(viewer, rule, each) for rule in self.rules) for each in set(facts.values())}
        return {key: decided[each] for key, each in facts.items()}

    def reason(self, viewer: Viewer) -> DomainError:
        """Why a viewer may not read the field: what `admits` raises."""
        if self.authenticated and not viewer.is_authenticated:
            return Unauthenticated()
        return Forbidden("You may not see this.")

    @property
    def denied(self) -> Any:
        """What stands for a value that may not be read.

        Raises:
            Bail: an error is to stand beside it, which graphql-core words.
        """
        if self.behavior is DeniedBehavior.NULL_WITH_ERROR:
            raise Bail("a field that may not be read")
        return [] if self.behavior is DeniedBehavior.EMPTY_LIST else None

    def _scopes_held(self, viewer: Viewer) -> bool:
        return all(any(viewer.scopes.issuperset(each) for each in wanted) for wanted in self.scopes)

    def _holds(self, viewer: Viewer, rule: Rule, facts: Facts) -> bool:
        return policy.conceivable(viewer, rule) if self.at_root else policy.allows(viewer, rule, facts)


def facts_of(source: Any) -> Facts:
    """What decides about a row; rows that decide nothing have no `facts`, and then only staff policies can hold."""
    facts = getattr(source, "facts", None)
    found: Facts = facts() if facts else None
    return found


class Schema(strawberry.Schema):
    """Attaches a `Guard` to every field that prints a permission."""

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        at_root = type_definition.name in ROOTS
        for field in type_definition.fields:
            guards = [d for d in field.directives if isinstance(d, Authenticated | RequiresScopes | PolicyDirective)]
            if guards and not any(isinstance(each, Guard) for each in field.extensions):
                guard = Guard(list(field.directives), at_root=at_root)
                # First in the list is innermost: a mutation's refusals are then turned into data like all others.
                field.extensions.insert(0, guard) if at_root else field.extensions.append(guard)
        return type_definition.fields
