"""What a query costs: the statements it becomes, in the order they are read, or why it is none of the planned ones."""

import asyncio
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from graphql import GraphQLError

from domain.policy import ANONYMOUS, Viewer
from engine.reads import Reads
from engine.statements import NotPlannable
from models import User
from models.database import open_database
from resolvers.context import Context, Services
from resolvers.viewers import load_viewer, viewer_kind
from schema.build import build_schema
from server.app import limits_from, open_reads, planner, services_from
from server.commands.common import console, fail, the_settings
from server.settings import Settings
from server.transport.documents import Documents
from server.transport.fast import RULES

CLAUSE = re.compile(r"(\bFROM |\bLEFT JOIN |(?<!LEFT )\bJOIN |\bWHERE |\bGROUP BY |\bORDER BY |\bLIMIT )")

LONGEST_VALUE = 60
"""Characters of a statement's value that are shown."""


@dataclass(slots=True)
class Statement:
    purpose: str
    path: str
    sql: str
    values: tuple[Any, ...]
    rows: int | None = None
    """None where the statement was cut."""
    seconds: float = 0.0


class Heard:
    """Reads that keep what was read."""

    def __init__(self, reads: Reads) -> None:
        self.reads, self.dialect = reads, reads.dialect
        self.statements: list[Statement] = []

    async def fetch(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        return await self.reads.fetch(sql, values)

    async def once(self, run: Any, plan: Any) -> dict[str, Any]:
        fetch = run.fetch

        async def heard(sql: str, values: tuple[Any, ...]) -> list[Any]:
            purpose, select = run.reading
            statement = Statement(purpose, select.path if select else "", sql, values)
            self.statements.append(statement)
            began = time.perf_counter()
            try:
                rows: list[Any] = await fetch(sql, values)
                statement.rows = len(rows)
            finally:
                statement.seconds = time.perf_counter() - began
            return rows

        run.fetch = heard
        return await self.reads.once(run, plan)

    async def close(self) -> None:
        await self.reads.close()


def plan(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file with a query.")],
    by: Annotated[str | None, typer.Option("--as", help="The e-mail address of whoever asks; else nobody.")] = None,
    variables: Annotated[str, typer.Option(help="The variables, as JSON.")] = "{}",
    operation: Annotated[str | None, typer.Option(help="Which one, if there are several.")] = None,
) -> None:
    """Run a query and show its statements, what each is for, and what it took; or why it is not planned."""
    settings = the_settings()
    asyncio.run(show(settings, file.read_text(), operation, by, given(variables)))


def given(variables: str) -> dict[str, Any]:
    try:
        found = orjson.loads(variables)
    except orjson.JSONDecodeError as error:
        raise fail(f"--variables: this is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise fail('--variables: an object is expected, like {"id": "Ticket_…"}.')
    return found


async def show(settings: Settings, text: str, name: str | None, email: str | None, variables: dict[str, Any]) -> None:
    async with open_database(settings.database_url):
        viewer = await viewer_by(email)
        heard = Heard(await open_reads(settings.database_url))
        try:
            data = await answered(settings, heard, text, name, viewer, variables)
        finally:
            await heard.close()
    for number, statement in enumerate(heard.statements, 1):
        print_statement(number, statement)
    taken = sum(each.seconds for each in heard.statements)
    console.print(
        f"{len(heard.statements)} statements in {taken * 1000:.1f} ms, an answer of {len(orjson.dumps(data))} bytes, "
        f"planned for {viewer_kind(viewer)} viewers."
    )
    if any(each.rows is None for each in heard.statements):
        console.print("The statement without rows was cut: the whole query was run again in a thread.")


async def viewer_by(email: str | None) -> Viewer:
    if email is None:
        return ANONYMOUS
    user = await User.get_or_none(email=email.strip().lower())
    viewer = await load_viewer(user.id) if user else None
    if viewer is None:
        raise fail(f"There is no active account with the address {email}.")
    return viewer


async def answered(
    settings: Settings, heard: Heard, text: str, name: str | None, viewer: Viewer, variables: dict[str, Any]
) -> dict[str, Any]:
    services: Services = services_from(settings)
    documents = Documents(build_schema()._schema, limits_from(settings))
    try:
        document = documents.open(text)
    except GraphQLError as error:
        raise fail(str(error)) from None
    if errors := document.errors(RULES, name, variables):
        raise fail("\n\n".join(str(error) for error in errors))
    engine = planner(documents.schema, heard, settings.max_page_size)
    try:
        return await engine.shown(engine.open(document.node, name), variables, Context(viewer, services))
    except NotPlannable as reason:
        raise fail(f"Not planned: {reason}. graphql-core executes this operation.") from None
    except Exception as error:
        raise fail(f"Planned, but graphql-core has to answer. {type(error).__name__}: {error}") from None


def print_statement(number: int, statement: Statement) -> None:
    rows = "cut" if statement.rows is None else "1 row" if statement.rows == 1 else f"{statement.rows} rows"
    taken = f"{statement.seconds * 1000:.2f} ms"
    console.print(f"[bold]{number}[/] {statement.path}: {statement.purpose}  [dim]{rows}, {taken}[/]")
    for line in broken(statement.sql):
        console.print(f"    {line}", markup=False)
    if statement.values:
        console.print(f"    with {', '.join(short(each) for each in statement.values)}", markup=False, style="dim")
    console.print()


def broken(sql: str) -> list[str]:
    """A statement in lines: each clause begins one, but for those inside parentheses."""
    lines, depth = [""], 0
    for piece in CLAUSE.split(sql):
        if depth == 0 and CLAUSE.fullmatch(piece):
            lines.append("")
        lines[-1] += piece
        depth += piece.count("(") - piece.count(")")
    return [line.strip() for line in lines]


def short(value: Any) -> str:
    text = repr(str(value)) if not isinstance(value, int | bool) and value is not None else repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
