"""What is taken as a setting, what is refused, and how that is said."""

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from server.settings import Settings, SettingsError, load_settings, settings_table

SECRET = "a secret of more than thirty-two bytes"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory, and none of the variables that this machine may have set."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("CASEWIRE_") or name == "PORT":
            monkeypatch.delenv(name)


def refused(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_with_nothing_set_a_developer_can_start() -> None:
    settings = load_settings()

    assert (settings.env, settings.host, settings.port) == ("development", "127.0.0.1", 8000)
    assert (settings.database_url, settings.broadcast_url) == ("sqlite://var/casewire.db", "memory://")
    assert (settings.access_token_ttl, settings.refresh_token_ttl) == (timedelta(minutes=15), timedelta(days=30))
    assert (settings.graphql_ide, settings.introspection, settings.log_format) == (True, True, "console")


def test_in_production_helps_are_off() -> None:
    settings = load_settings(env="production", secret_key=SECRET)

    assert (settings.graphql_ide, settings.introspection, settings.log_format) == (False, False, "json")


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("CASEWIRE_MAX_DEPTH=7\nCASEWIRE_MAX_COST=70\nCASEWIRE_PORT=7000\nOTHER=1\n")
    monkeypatch.setenv("CASEWIRE_MAX_DEPTH", "8")
    monkeypatch.setenv("CASEWIRE_PORT", "8001")

    settings = load_settings()

    assert (settings.max_depth, settings.max_cost, settings.port) == (8, 70, 8001)


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWIRE_JWKS_URL", "")
    monkeypatch.setenv("CASEWIRE_MAX_DEPTH", "")

    settings = load_settings()

    assert (settings.jwks_url, settings.max_depth) == (None, 12)


def test_plain_port_is_read_and_ours_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "5000")
    assert load_settings().port == 5000

    monkeypatch.setenv("CASEWIRE_PORT", "6000")
    assert load_settings().port == 6000
    assert load_settings(port=0).port == 0


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90", timedelta(seconds=90)),
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("12h", timedelta(hours=12)),
        (" 7d ", timedelta(days=7)),
    ],
)
def test_durations_have_units(monkeypatch: pytest.MonkeyPatch, text: str, duration: timedelta) -> None:
    monkeypatch.setenv("CASEWIRE_REPLAY_WINDOW", text)

    assert load_settings().replay_window == duration


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWIRE_ALLOWED_ORIGINS", "https://a.example, https://b.example,")

    assert load_settings().allowed_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("sqlite:///srv/casewire.db", "sqlite:///srv/casewire.db"),
        ("postgres://desk@db/casewire", "postgres://desk@db/casewire"),
        ("postgresql://desk@db/casewire", "postgres://desk@db/casewire"),
    ],
)
def test_both_spellings_of_postgres_are_taken(monkeypatch: pytest.MonkeyPatch, given: str, taken: str) -> None:
    monkeypatch.setenv("CASEWIRE_DATABASE_URL", given)

    assert load_settings().database_url == taken


def test_the_data_folder_moves_the_database_and_the_secret(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "data")

    assert settings.database_url == f"sqlite://{tmp_path}/data/casewire.db"
    assert (tmp_path / "data" / "secret_key").exists()


REFUSED = {
    "CASEWIRE_ENV": ("staging", "expected 'development', 'production' or 'test'"),
    "CASEWIRE_PORT": ("http", "expected a whole number"),
    "PORT": ("70000", "expected at most 65535"),
    "CASEWIRE_PROT": ("8000", "there is no such setting; did you mean CASEWIRE_PORT?"),
    "CASEWIRE_QQQQ": ("1", "there is no such setting"),
    "CASEWIRE_ACCESS_TOKEN_TTL": ("1441m", "expected at most 1d"),
    "CASEWIRE_REFRESH_TOKEN_TTL": ("400d", "expected at most 365d"),
    "CASEWIRE_REPLAY_WINDOW": ("0d", "expected a duration such as 90s, 15m, 12h or 30d"),
    "CASEWIRE_INIT_TIMEOUT_SECONDS": ("0", "expected more than 0"),
    "CASEWIRE_DATABASE_URL": ("mysql://x", "expected an address that begins with sqlite:// or postgres://"),
    "CASEWIRE_BROADCAST_URL": (
        "redis",
        "expected an address that begins with memory:// or redis:// or rediss:// or postgres://",
    ),
    "CASEWIRE_SECRET_KEY": ("short", "expected at least 32 bytes, such as from `openssl rand -base64 48`"),
    "CASEWIRE_JWKS_URL": ("http://login.example.com", "expected an https:// address (http:// only for this machine)"),
    "CASEWIRE_TOKEN_ISSUER": ("casewire", "expected the outside provider's issuer; 'casewire' is this server's own"),
    "CASEWIRE_LOG_LEVEL": ("loud", "expected 'debug', 'info', 'warning' or 'error'"),
    "CASEWIRE_GRAPHQL_IDE": ("perhaps", "expected true or false"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_value_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    value, said = REFUSED[name]
    shown = "CASEWIRE_PORT" if name == "PORT" else name

    assert refused(monkeypatch, **{name: value}) == [f"{shown}: {said}"]


def test_a_misspelt_line_of_the_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("CASEWIRE_LOG_LEVLE=info\n")

    assert refused(monkeypatch) == ["CASEWIRE_LOG_LEVLE: there is no such setting; did you mean CASEWIRE_LOG_LEVEL?"]


def test_every_problem_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(monkeypatch, CASEWIRE_ENV="staging", CASEWIRE_MAX_DEPTH="0") == [
        "CASEWIRE_ENV: expected 'development', 'production' or 'test'",
        "CASEWIRE_MAX_DEPTH: expected at least 1",
    ]


def test_production_demands_a_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert refused(monkeypatch, CASEWIRE_ENV="production") == [
        "CASEWIRE_SECRET_KEY: required when CASEWIRE_ENV=production"
    ]
    assert not (tmp_path / "var").exists()


def test_an_identity_provider_is_given_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(monkeypatch, CASEWIRE_JWKS_URL="https://login.example.com/keys") == [
        "CASEWIRE_TOKEN_ISSUER, CASEWIRE_TOKEN_AUDIENCE: expected all three of an identity provider or none"
    ]


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = load_settings(), load_settings()

    assert first.secret_key is not None
    assert first.secret_key == second.secret_key
    file = tmp_path / "var" / "secret_key"
    assert file.read_text() == first.secret_key.get_secret_value()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["secret_key"]


def test_servers_that_start_at_the_same_moment_share_the_secret(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def start() -> str:
        together.wait(timeout=5)
        key = load_settings().secret_key
        assert key is not None
        return key.get_secret_value()

    with ThreadPoolExecutor(8) as threads:
        keys = {started.result(timeout=5) for started in [threads.submit(start) for _ in range(8)]}

    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret_key"]


def test_a_secret_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret_key").write_text("x")

    with pytest.raises(SettingsError, match="expected a secret of at least 32 bytes"):
        load_settings()


def test_each_purpose_has_its_own_key() -> None:
    settings = load_settings(secret_key=SECRET)
    same = load_settings(secret_key=SECRET)
    other = load_settings(secret_key=SECRET + "!")

    assert settings.key_for("access token") == same.key_for("access token")
    assert len({settings.key_for("a"), settings.key_for("b"), other.key_for("a")}) == 3
    assert len(settings.key_for("a")) == 32


SECRET_SETTINGS: dict[str, Any] = {
    "secret_key": SECRET,
    "database_url": "postgres://desk:pa55word@db/casewire",
    "broadcast_url": "redis://:pa55word@cache/0",
}


def test_secrets_are_not_in_the_repr() -> None:
    shown = repr(load_settings(**SECRET_SETTINGS))

    assert "pa55word" not in shown
    assert SECRET not in shown


def test_a_refused_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWIRE_SECRET_KEY", "hunter2")
    monkeypatch.setenv("CASEWIRE_DATABASE_URL", "mysql://desk:pa55word@db")

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert caught.value.__suppress_context__
    assert "hunter2" not in str(caught.value)
    assert "pa55word" not in str(caught.value)


def test_a_refused_secret_is_not_repeated_by_the_class_itself_either() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"database_url": "mysql://desk:pa55word@db"})

    assert "pa55word" not in str(caught.value)


def test_every_setting_is_described() -> None:
    described = {name: field.description for name, field in Settings.model_fields.items() if field.description}

    assert described.keys() == Settings.model_fields.keys()


def test_every_number_says_its_unit() -> None:
    """Either the name says it, or the description does."""
    times, amounts = ("seconds", "duration"), ("bytes", "items", "levels", "tokens", "events", "operations", "sockets")
    for name, field in Settings.model_fields.items():
        if field.annotation in (int, float, timedelta):
            assert field.description
            assert any(word in field.description.lower() for word in (*times, *amounts, "port", "cost")), name


def test_the_table_shows_every_setting_with_its_default() -> None:
    rows = settings_table().splitlines()

    assert len(rows) == 2 + len(Settings.model_fields)
    assert "| `CASEWIRE_ACCESS_TOKEN_TTL` | `15m` | How long an access token lasts (duration, ≤ 24h). |" in rows
    assert any(row.startswith("| `CASEWIRE_GRAPHQL_IDE` | `true`; in production `false` |") for row in rows)
    assert any(row.startswith("| `CASEWIRE_DATABASE_URL` | `sqlite://var/casewire.db` |") for row in rows)
