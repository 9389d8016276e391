"""`python -m server plan`: what a query costs, told to whoever writes it."""

import asyncio
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import models
from domain.enums import OrganizationRole
from models.database import open_database
from server.commands.plan import broken, plan
from tests.api.world import gid
from tests.databases import fresh_sqlite
from tests.factories import make_member, make_message, make_organization, make_ticket

app = typer.Typer()
app.command()(plan)

QUERY = """query Graph($id: ID!) {
  ticket(id: $id) { subject requester { displayName email } messages(last: 2) { totalCount nodes { body } } } }"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> models.Ticket:
    """A ticket with three messages; its organization's owner is ann@example.com."""

    async def make() -> tuple[str, models.Ticket]:
        url = await fresh_sqlite(tmp_path)
        async with open_database(url):
            acme = await make_organization("Acme")
            ann = await make_member(acme, OrganizationRole.OWNER, "ann")
            ann.email = "ann@example.com"
            await ann.save()
            ticket = await make_ticket(acme, ann)
            for text in ("one", "two", "three"):
                await make_message(ticket, ann, text)
            return url, ticket

    url, ticket = asyncio.run(make())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CASEWIRE_DATABASE_URL", url)
    return ticket


def asked(query: str, *options: str) -> tuple[int, str]:
    """The exit code, and what is printed."""
    Path("query.graphql").write_text(query)
    result = CliRunner().invoke(app, ["query.graphql", *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_every_statement_is_shown_with_what_it_is_for(desk: models.Ticket) -> None:
    code, told = asked(QUERY, "--as", "Ann@example.com", "--variables", f'{{"id": "{gid(desk)}"}}')

    assert code == 0, told
    headings = [line.split("  ")[0] for line in told.splitlines() if line[:1].isdigit()]
    assert headings[:3] == [
        "1 ticket: a row",
        "2 ticket.messages: a page",
        "3 ticket.messages: the count for each parent",
    ]
    assert headings[3].startswith("3 statements in ")
    assert 'CASE WHEN ("j1"."id" = ' in told, "what decides about the guarded address"
    assert '    LEFT JOIN "app_user" "j1" ON "j1"."id" = "ticket"."requester_id"\n' in told
    assert f"    with '{desk.id}', " in told
    assert "3 rows, " in told, "the page and the one too many"
    assert told.rstrip().endswith("planned for public viewers.")


def test_what_is_not_planned_says_why(desk: models.Ticket) -> None:
    code, told = asked("{ __schema { types { name } } }")

    assert (code, told) == (1, "Not planned: __schema. graphql-core executes this operation.\n")


def test_what_resolvers_give_is_shown_by_the_rows_that_are_read_for_it(desk: models.Ticket) -> None:
    document = (
        "query($id: ID!) { viewer { user { displayName } permissions } node(id: $id) { ... on Ticket { subject } } }"
    )

    code, told = asked(document, "--as", "ann@example.com", "--variables", f'{{"id": "{gid(desk)}"}}')

    assert code == 0, told
    headings = [line.split("  ")[0] for line in told.splitlines() if line[:1].isdigit()]
    assert headings[:2] == ["1 viewer.user: rows by their keys", "2 node: rows by their keys"]
    assert headings[2].startswith("2 statements in ")


def test_what_is_planned_and_refused_says_so(desk: models.Ticket) -> None:
    code, told = asked(QUERY, "--variables", f'{{"id": "{gid(desk)}"}}')

    assert code == 1
    assert told.startswith("Planned, but graphql-core has to answer. Unauthenticated: ")


@pytest.mark.parametrize(
    ("query", "options", "said"),
    [
        ("{ ticket", (), "Syntax Error"),
        ("{ nothing }", (), "Cannot query field 'nothing'"),
        ("{ viewer { user { id } } }", ("--as", "bob@example.com"), "no active account with the address bob@example"),
        ("{ server { version } }", ("--variables", "[1]"), "an object is expected"),
        ("{ server { version } }", ("--variables", "{"), "this is no JSON"),
        ("mutation { __typename }", (), "Not planned: not a query"),
        ("query A { __typename } query B { __typename }", (), "has several operations"),
    ],
)
def test_what_cannot_be_asked_is_explained_without_a_traceback(
    desk: models.Ticket, query: str, options: tuple[str, ...], said: str
) -> None:
    code, told = asked(query, *options)

    assert code == 1
    assert said in told


def test_one_of_several_operations_is_chosen_by_name(desk: models.Ticket) -> None:
    code, told = asked("query A { __typename } query B { server { version } }", "--operation", "A")

    assert (code, told.split(" in ")[0]) == (0, "0 statements")


def test_a_statement_is_broken_at_its_own_clauses_alone() -> None:
    sql = 'SELECT "a" FROM "t" LEFT JOIN "u" ON (1) WHERE "b" IN (SELECT 1 FROM "v" WHERE 2) ORDER BY "a" LIMIT ?'

    assert broken(sql) == [
        'SELECT "a"',
        'FROM "t"',
        'LEFT JOIN "u" ON (1)',
        'WHERE "b" IN (SELECT 1 FROM "v" WHERE 2)',
        'ORDER BY "a"',
        "LIMIT ?",
    ]
