"""The import rule of the house: server > schema > resolvers > realtime > models > domain > engine, and never back."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MAY_IMPORT = {
    "server": {"schema", "resolvers", "realtime", "models", "domain", "engine"},
    "schema": {"resolvers", "realtime", "models", "domain", "engine"},
    "resolvers": {"realtime", "models", "domain", "engine"},
    "realtime": {"domain", "engine"},
    "models": {"domain", "engine"},
    "domain": {"engine"},
    "engine": set[str](),
}
"""Of our own packages. `realtime` and `models` stand side by side and do not know each other."""

OUR_OWN = {*MAY_IMPORT, "tests", "bench"}

NO_IO = {
    "aiosqlite",
    "anyio",
    "asyncio",
    "asyncpg",
    "broadcaster",
    "graphql",
    "httpx",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "sqlite3",
    "starlette",
    "strawberry",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "tortoise",
    "urllib",
}
"""What decides by values alone has no use for."""

CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
TOUCHES_THE_OUTSIDE = {"open", "print", "input"}


def test_every_package_imports_only_packages_to_its_right() -> None:
    assert list(forbidden_imports(ROOT)) == []


def test_every_package_is_there_to_be_looked_at() -> None:
    """A package that was renamed would pass all of these tests unseen."""
    assert {name for name in MAY_IMPORT if any((ROOT / name).rglob("*.py"))} == MAY_IMPORT.keys()


def test_what_decides_does_no_input_or_output_and_has_no_clock() -> None:
    assert list(forbidden_in_domain(ROOT)) == []


def test_an_import_that_goes_back_is_found_wherever_it_stands(tmp_path: Path) -> None:
    write(tmp_path, "engine/fast.py", "import tortoise\nimport domain.policy\n")
    write(
        tmp_path, "domain/rule.py", "from engine import keyset\n\ndef late() -> None:\n    from models import Ticket\n"
    )
    write(tmp_path, "models/rows.py", "from realtime.log import append\nfrom domain import policy\n")
    write(tmp_path, "realtime/hub.py", "if True:\n    import models as rows\n")
    write(
        tmp_path, "resolvers/do.py", "from models import Ticket\nfrom realtime import log\nfrom engine import keyset\n"
    )
    write(tmp_path, "schema/deep/er.py", "import server\nfrom tests.clock import Clock\n")
    write(tmp_path, "server/app.py", "import schema, resolvers, realtime, models, domain, engine\nfrom . import near\n")

    assert sorted(forbidden_imports(tmp_path)) == [
        "domain/rule.py:4 imports models",
        "engine/fast.py:2 imports domain",
        "models/rows.py:1 imports realtime",
        "realtime/hub.py:2 imports models",
        "schema/deep/er.py:1 imports server",
        "schema/deep/er.py:2 imports tests",
    ]


def test_a_relative_import_out_of_its_package_is_found(tmp_path: Path) -> None:
    write(tmp_path, "domain/rule.py", "from . import errors\nfrom ..models import Ticket\n")

    assert list(forbidden_imports(tmp_path)) == ["domain/rule.py:2 imports models"]


def test_a_clock_or_a_file_in_what_decides_is_found(tmp_path: Path) -> None:
    write(
        tmp_path,
        "domain/rule.py",
        "from os import path\nimport time as t\nfrom datetime import datetime\nimport datetime as dt\n\n"
        "def f(now: datetime) -> object:\n    open('x')\n    return datetime.now(), dt.date.today(), now\n",
    )

    assert sorted(forbidden_in_domain(tmp_path)) == [
        "domain/rule.py:1 imports os",
        "domain/rule.py:2 imports time",
        "domain/rule.py:7 calls open",
        "domain/rule.py:8 reads date.today",
        "domain/rule.py:8 reads datetime.now",
    ]


def forbidden_imports(root: Path) -> Iterator[str]:
    """`file:line imports package`, for every import of ours that the rule does not allow."""
    for package, allowed in MAY_IMPORT.items():
        for where, line, name in imports_of(root, package):
            if name in OUR_OWN - allowed - {package}:
                yield f"{where}:{line} imports {name}"


def forbidden_in_domain(root: Path) -> Iterator[str]:
    yield from (f"{where}:{line} imports {name}" for where, line, name in imports_of(root, "domain") if name in NO_IO)
    for where, tree in modules(root, "domain"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and (read := ".".join(ast.unparse(node).split(".")[-2:])) in CLOCKS:
                yield f"{where}:{node.lineno} reads {read}"
            if isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in TOUCHES_THE_OUTSIDE:
                yield f"{where}:{node.lineno} calls {called}"


def imports_of(root: Path, package: str) -> Iterator[tuple[str, int, str]]:
    """Every import of a package's modules, also inside functions: file, line, and the top of what is imported."""
    for where, tree in modules(root, package):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((where, node.lineno, each.name.partition(".")[0]) for each in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((where, node.lineno, name) for name in _from(where, node))


def _from(where: str, node: ast.ImportFrom) -> Iterator[str]:
    """The top-level packages that a `from … import …` names; the dots of a relative one count up from its file."""
    folder = where.split("/")[:-1]
    above = folder[: len(folder) - node.level + 1] if node.level else []
    path = [*above, *(node.module.split(".") if node.module else [])]
    yield from [path[0]] if path else [each.name for each in node.names]


@cache
def modules(root: Path, package: str) -> list[tuple[str, ast.Module]]:
    """The package's modules, by their paths below the root."""
    files = sorted((root / package).rglob("*.py"))
    return [(file.relative_to(root).as_posix(), ast.parse(file.read_text())) for file in files]


def write(root: Path, where: str, text: str) -> None:
    file = root / where
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
