"""What the house has agreed on, and what a reader would not notice had been broken."""

import ast
from collections.abc import Iterator
from pathlib import Path

from domain import enums, errors, policy
from domain.enums import Described
from schema.enums import ErrorCode
from tests.test_layers import MAY_IMPORT, modules, write

ROOT = Path(__file__).resolve().parent.parent

MAY_OPEN_TRANSACTIONS = {"resolvers/transaction.py", "models/migrate.py"}
"""The unit of work, the engine below it, and the migrations, which run before there is anything else."""

HARMFUL = {
    "MaxAliasesLimiter": "walks spreads without a memo: a small document keeps it busy for minutes",
    "QueryDepthLimiter": "walks spreads without a memo: a small document keeps it busy for minutes",
    "in_transaction": "a cancelled request would leave half a write behind: use `unit_of_work`",
    "pytest_asyncio": "tests run with anyio's plugin",
}


def test_only_the_unit_of_work_opens_a_transaction() -> None:
    assert {where for where, name in uses(ROOT, packages()) if name == "in_transaction"} == MAY_OPEN_TRANSACTIONS


def test_what_does_harm_is_used_nowhere() -> None:
    found = [(where, HARMFUL[name]) for where, name in uses(ROOT, [*packages(), "tests"]) if name != "in_transaction"]

    assert found == []


def test_a_use_is_found_however_it_is_spelled(tmp_path: Path) -> None:
    write(tmp_path, "schema/a.py", "from tortoise.transactions import in_transaction as begin\n")
    write(tmp_path, "schema/b.py", "import tortoise.transactions as t\n\nasync def f():\n    t.in_transaction('x')\n")
    write(tmp_path, "schema/c.py", "from strawberry.extensions import QueryDepthLimiter\n")
    write(tmp_path, "schema/d.py", '"""Not in_transaction: only a word."""\n')
    write(tmp_path, "schema/e.py", "import pytest_asyncio\n")
    write(tmp_path, "schema/f.py", "def f(connection):\n    return connection.in_transaction\n")

    assert sorted(uses(tmp_path, ["schema"])) == [
        ("schema/a.py", "in_transaction"),
        ("schema/b.py", "in_transaction"),
        ("schema/c.py", "QueryDepthLimiter"),
        ("schema/e.py", "pytest_asyncio"),
    ]


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [each.code for each in refusals()]

    assert sorted(codes) == sorted(set(codes))
    assert "INTERNAL" not in codes


def test_every_refusal_of_a_mutation_can_be_said_in_the_api() -> None:  # J9
    """`UNAUTHENTICATED` alone is never a payload's error: it fails the whole request."""
    codes = {each.code for each in refusals()} - {errors.Unauthenticated.code}

    assert codes - {code.value for code in ErrorCode} == set()


def test_every_member_of_every_enum_says_what_it_means() -> None:
    found = [each for each in vars(enums).values() if isinstance(each, type) and issubclass(each, Described)]
    silent = [f"{kind.__name__}.{member.name}" for kind in found for member in kind if not member.description]
    unlike = [f"{kind.__name__}.{member.name}" for kind in found for member in kind if member.name != member.value]

    assert len(found) > 20
    assert (silent, unlike) == ([], [])


WEIGHED_BY_POLICY = {"sees_all", "manages", "is_above_read_only", "member_visibility"}
"""What of a membership decides who may see and do what."""


def test_nobody_but_the_policy_weighs_a_membership() -> None:
    """J4: whoever else asks, asks a rule of `domain.policy`; models hold its SQL form, and write what is chosen."""
    found = {
        where
        for folder in ("domain", "resolvers", "schema", "server", "realtime")
        for where, tree in modules(ROOT, folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in WEIGHED_BY_POLICY
    }

    assert found - {"server/demo/people.py", "schema/organization_saving.py"} == {"domain/policy.py"}


def test_every_policy_has_its_function() -> None:  # J4
    assert policy.HOLDS.keys() == set(policy.Policy)


def refusals() -> list[type[errors.DomainError]]:
    return [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.DomainError) and each is not errors.DomainError
    ]


def packages() -> list[str]:
    return list(MAY_IMPORT)


def uses(root: Path, folders: list[str]) -> Iterator[tuple[str, str]]:
    """Where one of the harmful names is used: imported under whatever name, or reached through its module."""
    for folder in folders:
        for where, tree in modules(root, folder):
            for name in {name for node in ast.walk(tree) for name in _names(node)} & HARMFUL.keys():
                yield where, name


def _names(node: ast.AST) -> Iterator[str]:
    """What is named, imported or called; not what is merely read: SQLite's connections have an `in_transaction` too."""
    match node:
        case ast.Name(id=name) | ast.Call(func=ast.Attribute(attr=name)):
            yield name
        case ast.Import(names=found) | ast.ImportFrom(names=found):
            yield from (each.name.partition(".")[0] for each in found)
