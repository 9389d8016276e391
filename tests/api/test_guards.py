"""What a printed permission does by itself, on a schema of three lines (S96)."""

from typing import Any

import pytest
import strawberry

from domain.enums import OrganizationRole, Scope, StaffRole
from domain.policy import ANONYMOUS, Membership, OrganizationFacts, Policy, Rule, Viewer
from schema.access import Authenticated, RequiresScopes, Schema, guarded, signed_in
from schema.enums import DeniedBehavior
from tests.api.world import codes
from tests.domain.strategies import ORGANIZATIONS, PEOPLE

pytestmark = pytest.mark.anyio

STAFF = Rule.any_of(Policy.STAFF)
NULL, SILENT, EMPTY = DeniedBehavior
READ, WRITE, NOTE = Scope.TICKET_READ, Scope.TICKET_WRITE, Scope.NOTE_INTERNAL
AGENT = Viewer(PEOPLE[0], StaffRole.AGENT)
MEMBER = Viewer(PEOPLE[0], memberships=(Membership(ORGANIZATIONS[0], OrganizationRole.MEMBER),))


class Here:
    """An object of the member's organization."""

    def facts(self) -> OrganizationFacts:
        return OrganizationFacts(ORGANIZATIONS[0])


class There:
    def facts(self) -> OrganizationFacts:
        return OrganizationFacts(ORGANIZATIONS[1])


class Nowhere:
    """An object that decides nothing: only support's policies can hold for it."""


class Asked:
    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer


def schema_of(kind: Any, directives: list[object], value: Any = 1) -> Schema:
    """`{ thing { guarded } }`, the field of that type and with those directives."""

    def resolve() -> Any:
        return value

    resolve.__annotations__["return"] = kind
    field = strawberry.field(resolver=resolve, directives=directives)
    thing = strawberry.type(type("Thing", (), {"guarded": field, "__annotations__": {}}))

    def things(self: Any, info: strawberry.Info) -> Any:
        return info.context.thing

    things.__annotations__["return"] = thing
    return Schema(strawberry.type(type("Query", (), {"thing": strawberry.field(things)})))


async def ask(schema: Schema, viewer: Viewer, thing: object = None) -> tuple[Any, list[Any]]:
    asked: Any = Asked(viewer)
    asked.thing = thing or Nowhere()
    result = await schema.execute("{ thing { guarded } }", context_value=asked)
    return result.data and result.data["thing"]["guarded"], codes(result.errors or [])


@pytest.mark.parametrize(
    ("kind", "behavior"),
    [(int, None), (list[int], None), (int, SILENT), (list[int], SILENT), (int | None, EMPTY), (int, EMPTY)],
)
def test_a_guard_that_would_take_its_parent_with_it_does_not_build(kind: Any, behavior: DeniedBehavior | None) -> None:
    with pytest.raises(TypeError, match="guarded"):
        schema_of(kind, guarded(STAFF, behavior))


@pytest.mark.parametrize(
    ("kind", "behavior", "value", "denied"),
    [
        (int | None, None, 1, (None, ["FORBIDDEN"])),
        (int | None, NULL, 1, (None, ["FORBIDDEN"])),
        (int | None, SILENT, 1, (None, [])),
        (list[int], EMPTY, [1], ([], [])),
        (list[int] | None, SILENT, [1], (None, [])),
    ],
)
async def test_who_is_denied_gets_what_the_field_prints(
    kind: Any, behavior: DeniedBehavior | None, value: Any, denied: Any
) -> None:
    schema = schema_of(kind, guarded(STAFF, behavior), value)

    assert await ask(schema, AGENT) == (value, [])
    assert await ask(schema, MEMBER) == denied
    assert await ask(schema, ANONYMOUS) == denied


async def test_a_policy_is_asked_of_the_object_that_the_field_is_on() -> None:
    schema = schema_of(int | None, guarded(Rule.any_of(Policy.ORG_TICKET_VIEWER)))

    assert await ask(schema, MEMBER, Here()) == (1, [])
    for thing in (There(), Nowhere()):
        assert await ask(schema, MEMBER, thing) == (None, ["FORBIDDEN"])


async def test_who_has_to_be_signed_in_is_told_so_first() -> None:
    schema = schema_of(int | None, signed_in(STAFF))

    assert await ask(schema, ANONYMOUS) == (None, ["UNAUTHENTICATED"])
    assert await ask(schema, MEMBER) == (None, ["FORBIDDEN"])
    assert await ask(schema_of(int | None, [Authenticated()]), MEMBER) == (1, [])


@pytest.mark.parametrize(
    ("held", "admitted"),
    [([], False), ([READ], False), ([WRITE], False), ([READ, WRITE], True), ([NOTE], True), (list(Scope), True)],
)
async def test_a_token_needs_one_of_the_combinations_of_scopes(held: list[Scope], admitted: bool) -> None:
    schema = schema_of(int | None, [RequiresScopes(scopes=[[READ, WRITE], [NOTE]])])

    found = await ask(schema, Viewer(PEOPLE[0], scopes=frozenset(held)))

    assert found == ((1, []) if admitted else (None, ["FORBIDDEN"]))


async def test_scopes_and_policies_must_both_hold() -> None:
    schema = schema_of(int | None, [RequiresScopes(scopes=[[READ]]), *guarded(STAFF)])

    assert await ask(schema, AGENT) == (1, [])
    assert await ask(schema, Viewer(PEOPLE[0], StaffRole.AGENT, scopes=frozenset())) == (None, ["FORBIDDEN"])
    assert await ask(schema, MEMBER) == (None, ["FORBIDDEN"])


async def test_what_is_behind_a_guard_is_not_even_asked() -> None:
    asked: list[str] = []

    def resolve() -> int | None:
        asked.append("resolved")
        return 1

    field = strawberry.field(resolver=resolve, directives=guarded(STAFF))
    thing = strawberry.type(type("Thing", (), {"guarded": field}))

    def things(info: strawberry.Info) -> Any:
        return Nowhere()

    things.__annotations__["return"] = thing
    schema = Schema(strawberry.type(type("Query", (), {"thing": strawberry.field(things)})))

    assert await ask(schema, MEMBER) == (None, ["FORBIDDEN"])
    assert asked == []
    assert await ask(schema, AGENT) == (1, [])
    assert asked == ["resolved"]
