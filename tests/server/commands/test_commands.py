"""The command line: what each command does and prints, and what it says when it cannot."""

import asyncio
import csv
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from tortoise.backends.base.executor import EXECUTOR_CACHE
from typer.testing import CliRunner, Result

from models.migrate import pending
from schema.build import sdl
from server.commands import app
from server.settings import load_settings, settings_table
from tests.databases import ROOT
from tests.server.running import SECRET, ask, http, serving

Run = Callable[..., Result]

COLUMN_MAP = """
[source]
name = "old desk"
[columns]
key = "id"
subject = "subject"
description = "text"
status = "status"
requester_email = "email"
requester_name = "name"
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty folder, with a database of its own and no other settings."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("CASEWIRE_") or name == "PORT":
            monkeypatch.delenv(name)
    monkeypatch.setenv("CASEWIRE_SECRET_KEY", SECRET)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("server.commands.common.set_up_logs", lambda settings: None)
    EXECUTOR_CACHE.clear()

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(app, words)

    return invoke


def test_schema_prints_what_is_in_the_repository(run: Run) -> None:
    done = run("schema")

    assert done.exit_code == 0
    assert done.output == sdl() == (ROOT / "schema.graphql").read_text()


def test_settings_prints_the_table_of_the_docs(run: Run) -> None:
    done = run("settings")

    assert (done.exit_code, done.output) == (0, settings_table() + "\n")
    assert "| `CASEWIRE_PORT` | `8000` |" in done.output


def test_migrate_says_what_it_applied_and_the_second_time_that_there_is_nothing(run: Run) -> None:
    first, second = run("migrate"), run("migrate")

    assert (first.exit_code, second.exit_code) == (0, 0)
    files = sorted(file.stem for file in (ROOT / "models" / "migrations").glob("[0-9]*.py"))
    shipped = "Request types are entered that tickets can be opened with; change them as you need.\n"
    assert first.output == "".join(f"Applying {name}.\n" for name in files) + shipped
    assert second.output == "The database is up to date.\n"
    assert asyncio.run(pending(load_settings().database_url)) == []


def test_demo_loads_once_and_its_people_can_be_spoken_for(run: Run) -> None:
    first, second = run("demo"), run("demo")
    token = run("token", "--user", " Sam@Orba.example ", "--ttl", "1h")
    refused = [run("token", "--user", "sam@orba.example", "--ttl", ttl) for ttl in ("25h", "soon")]

    assert (first.exit_code, second.exit_code, token.exit_code) == (0, 0, 0)
    assert "The demo world is loaded. Everybody's password is casewire-demo." in first.output
    assert "The demo world is there already; nothing was changed." in second.output
    assert "The database is up to date.\n" in second.output
    assert [(each.exit_code, each.stdout, each.stderr.split()[0]) for each in refused] == [(1, "", "--ttl:")] * 2
    assert asyncio.run(who_is(token.output.strip())) == {"username": "sam", "organizations": 3}


async def who_is(token: str) -> dict[str, object]:
    """What a server says to whoever has the token."""
    async with serving(load_settings(port=0)) as served, http(served.address, token) as client:
        data = await ask(client, "{ viewer { user { username } } organizations(first: 5) { totalCount } }")
    return {"username": data["viewer"]["user"]["username"], "organizations": data["organizations"]["totalCount"]}


def write_rows(path: Path, *rows: tuple[str, ...]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "subject", "text", "status", "email", "name"), *rows])


def test_import_lands_the_good_rows_and_reports_the_bad_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(COLUMN_MAP)
    good = [(f"{n}", "No picture", "Since Monday.", "OPEN", "ann@example.com", "Ann") for n in (1, 2)]
    write_rows(tmp_path / "rows.csv", good[0], ("3", "No sound", "", "LOST", "bob@example.com", "Bob"), good[1])
    words = ("import", "csv", "rows.csv", "--organization", "Acme", "--map", "map.toml")

    first, second = run(*words), run(*words)

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "Acme (a new organization): 2 imported, 0 there already\n1 could not be imported" in first.output
    assert "Acme: 0 imported, 2 there already" in second.output
    assert "Lines and reasons: " in first.output
    with (tmp_path / "rows.report.csv").open(newline="") as file:
        (line,) = list(csv.DictReader(file))
    assert (line["line"], line["key"]) == ("3", "3")
    assert "LOST" in line["reason"]


def test_import_refuses_a_map_that_forgets_a_column(run: Run, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(COLUMN_MAP.replace('requester_name = "name"\n', ""))
    write_rows(tmp_path / "rows.csv", ("1", "No picture", "Since Monday.", "OPEN", "ann@example.com", "Ann"))

    done = run("import", "csv", "rows.csv", "--organization", "Acme", "--map", "map.toml")

    assert done.exit_code == 1
    assert "name" in done.stderr
    assert not (tmp_path / "rows.report.csv").exists()


def test_sweep_says_what_it_did(run: Run) -> None:
    run("migrate")

    done = run("sweep")

    assert done.exit_code == 0
    assert done.output == (
        "0 resolved for inactivity, 0 closed, 0 events let go, 0 expired tokens forgotten, 0 files deleted\n"
    )


def test_a_wrong_setting_is_named_with_what_was_expected(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWIRE_PORT", "many")
    monkeypatch.setenv("CASEWIRE_ACCES_TOKEN_TTL", "1h")

    done = run("migrate")

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "These settings cannot be used:",
        "  CASEWIRE_PORT: expected a whole number",
        "  CASEWIRE_ACCES_TOKEN_TTL: there is no such setting; did you mean CASEWIRE_ACCESS_TOKEN_TTL?",
    ]


@pytest.mark.parametrize("words", [("token", "--user", "ann@example.com"), ("sweep",)])
def test_a_database_without_its_tables_is_told_in_a_sentence(run: Run, words: tuple[str, ...]) -> None:
    refused = run(*words)

    assert refused.exit_code == 1
    assert "Run `python -m server migrate` first." in refused.output


def test_a_token_for_nobody_is_refused_in_a_sentence(run: Run) -> None:
    run("migrate")

    done = run("token", "--user", "nobody@example.com")

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "There is no active account with the address nobody@example.com.\n"


def commands() -> list[tuple[str, Any]]:
    """Every command and group, by the words that call it."""
    found: list[tuple[str, Any]] = []

    def walk(command: Any, words: str) -> None:
        found.append((words.strip(), command))
        for name, each in getattr(command, "commands", {}).items():
            walk(each, f"{words} {name}")

    walk(typer.main.get_command(app), "")
    return found


def test_the_promised_commands_are_there() -> None:
    promised = {"serve", "migrate", "demo", "token", "schema", "settings", "sweep", "import", "import csv"}

    assert promised - {words for words, _ in commands()} == set()


@pytest.mark.parametrize(("words", "command"), commands(), ids=lambda value: value if isinstance(value, str) else "")
def test_the_help_of_every_command_says_what_it_does_and_what_each_option_means(
    run: Run, words: str, command: Any
) -> None:
    done = run(*words.split(), "--help")

    assert done.exit_code == 0
    first = (command.help or "").split(". ")[0].split("\n")[0]
    assert len(first) > 20
    assert first.rstrip(".") in done.output
    for parameter in command.params:
        told = getattr(parameter, "help", None)
        assert told, f"{words} {parameter.name}"
        assert told.split()[0] in done.output


def test_the_module_is_the_command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["server", "--help"])

    with pytest.raises(SystemExit) as end:
        runpy.run_module("server", run_name="__main__")

    assert end.value.code == 0
    told = capsys.readouterr().out
    assert "Usage: python -m server" in told
    assert "Serve the API until SIGTERM or Ctrl-C." in told
