"""Every setting: its name, default, unit and meaning.

A setting is an environment variable `CASEWIRE_<NAME>`, or a line of `.env` in the working directory; the environment
wins. An empty value counts as unset. A variable with our prefix that is no setting is refused, so that a misspelt one
cannot be silently without effect.
"""

import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from server.setting_errors import PREFIX, SettingsError, problems, variable
from server.setting_kinds import Duration, Names, at_most, is_safe_to_fetch, optional, show, with_scheme

__all__ = ["OWN_ISSUER", "Settings", "SettingsError", "load_settings", "settings_table"]

OWN_ISSUER = "casewire"
"""The `iss` of the tokens that this server signs itself; an outside provider cannot have it."""

MIN_SECRET_BYTES = 32
"""HS256 wants a key no shorter than its hash (RFC 7518 § 3.2)."""


def in_production(value: Any, otherwise: Any) -> Callable[[dict[str, Any]], Any]:
    """A default that depends on `env`."""
    return lambda data: value if data["env"] == "production" else otherwise


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        dotenv_filtering="match_prefix",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    env: Literal["development", "production", "test"] = Field(
        "development", description="What this server is for. `production` demands a secret key."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(
        8000,
        ge=0,
        le=65535,
        description="TCP port to listen on; 0 takes a free one. Plain `PORT` of the environment is read too.",
    )
    trusted_proxies: Names = Field(
        ("127.0.0.1",),
        description="Addresses of reverse proxies whose `X-Forwarded-For` and `-Proto` are believed (comma-separated).",
    )
    allowed_hosts: Names = Field(
        ("*",), description="Values of the `Host` header that are served (comma-separated; `*` is any)."
    )
    allowed_origins: Names = Field(
        (), description="Origins of other sites whose pages may call the API, as `https://host` (comma-separated)."
    )
    data_dir: Path = Field(
        Path("var"), description="Folder for what this server keeps: SQLite file, secret key, attachments."
    )
    database_url: Annotated[str, AfterValidator(with_scheme("sqlite", "postgres"))] = Field(
        default_factory=lambda data: f"sqlite://{data['data_dir']}/casewire.db",
        repr=False,
        description="Database: `sqlite://relative/path`, `sqlite:///absolute/path` or `postgres://user@host/name`.",
    )
    broadcast_url: Annotated[str, AfterValidator(with_scheme("memory", "redis", "rediss", "postgres"))] = Field(
        "memory://",
        repr=False,
        description="Where processes ring each other: `memory://` (one process), `redis://…` or `postgres://…`.",
    )

    public_url: str = Field(
        default_factory=lambda data: f"http://{data['host']}:{data['port']}",
        description="Where clients reach this server, as `https://host`; addresses of files begin with it.",
    )
    default_locale: Literal["en", "fr", "it", "pt", "ru"] = Field(
        "en", description="Language of people who chose none and whose client accepts none of these."
    )
    attachments_url: Annotated[str | None, AfterValidator(optional(with_scheme("s3")))] = Field(
        None,
        repr=False,
        description="Bucket for attachments, `s3://bucket/prefix?endpoint=https://…&region=…`, with the credentials of "
        "`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`; otherwise `attachments` in the data folder.",
    )

    result_ttl: Annotated[Duration, AfterValidator(at_most(timedelta(days=30)))] = Field(
        timedelta(hours=24), description="How long what was exported can be fetched (duration, ≤ 30d)."
    )
    job_ttl: Annotated[Duration, AfterValidator(at_most(timedelta(days=365)))] = Field(
        timedelta(days=30), description="How long it is remembered what was exported, and by whom (duration, ≤ 365d)."
    )

    secret_key: SecretStr | None = Field(
        None,
        description="Key that signs access tokens, at least 32 bytes; required in production. Otherwise made once and "
        "kept in `secret_key` in the data folder.",
    )
    access_token_ttl: Annotated[Duration, AfterValidator(at_most(timedelta(hours=24)))] = Field(
        timedelta(minutes=15), description="How long an access token lasts (duration, ≤ 24h)."
    )
    refresh_token_ttl: Annotated[Duration, AfterValidator(at_most(timedelta(days=365)))] = Field(
        timedelta(days=30), description="How long a sign-in lasts without being used (duration, ≤ 365d)."
    )
    jwks_url: str | None = Field(
        None, description="Where an outside identity provider publishes its keys; https, or http on this machine."
    )
    token_issuer: str | None = Field(None, description="The `iss` of that provider's tokens, exactly.")
    token_audience: str | None = Field(None, description="The `aud` that those tokens must carry, exactly.")

    metrics: bool = Field(
        False, description="Serve `/metrics` in Prometheus' text format; no token is asked: keep it from the public."
    )
    graphql_ide: bool = Field(
        default_factory=in_production(False, True),
        description="Whether GET /graphql shows the query editor to browsers.",
    )
    introspection: bool = Field(
        default_factory=in_production(False, True), description="Whether clients may ask for the schema."
    )
    max_page_size: int = Field(100, ge=1, le=1000, description="Largest `first` or `last` of a connection (items).")
    max_depth: int = Field(12, ge=1, description="Deepest nesting of an operation (levels).")
    max_tokens: int = Field(2000, ge=100, description="Longest document (lexical tokens).")
    max_cost: int = Field(
        10_000, ge=1, description="Highest cost of an operation: the objects that its answer may hold, every page full."
    )
    max_body_bytes: int = Field(1024 * 1024, ge=1024, description="Largest request body, attachments aside (bytes).")
    max_message_bytes: int = Field(64 * 1024, ge=1024, description="Largest message on a WebSocket (bytes).")
    max_operations_per_socket: int = Field(100, ge=1, description="Operations that one WebSocket may have open.")
    max_sockets_per_user: int = Field(
        100, ge=1, description="WebSockets that one person may have open at a server process."
    )
    max_sockets_per_address: int = Field(
        1000, ge=1, description="WebSockets that may be open from one address at a server process."
    )
    init_timeout_seconds: float = Field(
        3, gt=0, description="Time that a new WebSocket has to send `connection_init` (seconds)."
    )
    operation_timeout_seconds: float = Field(
        15, gt=0, description="Longest run of a query or mutation before it is cut (seconds)."
    )
    drain_seconds: float = Field(
        5, ge=0, description="Time over which sockets are closed one after another when the server stops (seconds)."
    )

    replay_window: Duration = Field(
        timedelta(days=7), description="How long events are kept at least, for clients that come back (duration)."
    )
    replay_max_events: int = Field(
        1000, ge=1, description="How many events of a stream are kept at least, for clients that come back (events)."
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["console", "json"] = Field(
        default_factory=in_production("json", "console"), description="Log lines for people or for machines."
    )

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key and len(key.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"expected at least {MIN_SECRET_BYTES} bytes, such as from `openssl rand -base64 48`")
        return key

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("expected an address such as https://support.example.com")
        return url.rstrip("/")

    @field_validator("jwks_url")
    @classmethod
    def _safe_to_fetch(cls, url: str | None) -> str | None:
        if url is not None and not is_safe_to_fetch(url):
            raise ValueError("expected an https:// address (http:// only for this machine)")
        return url

    @field_validator("token_issuer")
    @classmethod
    def _not_our_own(cls, issuer: str | None) -> str | None:
        if issuer == OWN_ISSUER:
            raise ValueError(f"expected the outside provider's issuer; {OWN_ISSUER!r} is this server's own")
        return issuer

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.env == "production" and self.secret_key is None:
            raise ValueError(f"{PREFIX}SECRET_KEY: required when {PREFIX}ENV=production")
        provider = ("jwks_url", "token_issuer", "token_audience")
        missing = [name for name in provider if getattr(self, name) is None]
        if missing and len(missing) < len(provider):
            raise ValueError(f"{', '.join(map(variable, missing))}: expected all three of an identity provider or none")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, StrictEnvironment(settings_cls), dotenv_settings

    def key_for(self, purpose: str) -> bytes:
        """32 bytes for one use of the secret, so that no two uses share a key."""
        assert self.secret_key is not None, "load_settings fills in the secret key"
        return hmac.digest(self.secret_key.get_secret_value().encode(), purpose.encode(), hashlib.sha256)


class StrictEnvironment(EnvSettingsSource):
    """Hands on every variable with our prefix, the unknown ones too, which `extra="forbid"` then refuses.

    Hosting platforms say the port as plain `PORT`: it stands in for ours.
    """

    def __call__(self) -> dict[str, Any]:
        data = super().__call__()
        prefix = PREFIX.lower()
        for name, value in self.env_vars.items():
            if name.startswith(prefix):
                data.setdefault(name.removeprefix(prefix), value)
        if "port" not in data and "port" in self.env_vars:
            data["port"] = self.env_vars["port"]
        return data


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process, with a secret key in any case.

    Raises:
        SettingsError: something is wrong, and says what.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        # `from None`: the cause would print the rejected values, and one of them may be a secret.
        raise SettingsError(problems(error, Settings.model_fields)) from None
    if settings.secret_key is None:
        key = kept_secret(settings.data_dir / "secret_key")
        settings = settings.model_copy(update={"secret_key": key})
    return settings


def kept_secret(path: Path) -> SecretStr:
    """The secret in the file, which is made on first use, readable by its owner alone.

    Two processes that start at once end up with the same one: the file appears complete or not at all.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret_key-")  # mode 0600
        try:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(48))
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    key = path.read_text().strip()
    if len(key.encode()) < MIN_SECRET_BYTES:
        raise SettingsError([f"{path}: expected a secret of at least {MIN_SECRET_BYTES} bytes; delete it"])
    return SecretStr(key)


def settings_table() -> str:
    """Every setting as a Markdown table: variable, default, meaning."""
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        usual, production = (show(default_of(field, env)) for env in ("development", "production"))
        default = usual if usual == production else f"{usual}; in production {production}"
        rows.append(f"| `{variable(name)}` | {default} | {field.description} |")
    return "\n".join(rows)


def default_of(field: FieldInfo, env: str) -> Any:
    known = {"env": env, **{name: Settings.model_fields[name].default for name in ("data_dir", "host", "port")}}
    return field.get_default(call_default_factory=True, validated_data=known)
