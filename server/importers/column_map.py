"""The column map: a small TOML file that says what a file's columns and values mean here."""

import tomllib
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from domain.enums import Described, TicketChannel, TicketPriority, TicketStatus


class ImportRefused(Exception):
    """The import was not begun: nothing was written. `problems` names each thing to put right."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}") from None
    return name


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Part):
    """Where the file comes from, and how it is written."""

    name: str = Field(min_length=1, max_length=60)
    encoding: str = "utf-8-sig"
    delimiter: str = Field(",", min_length=1, max_length=1)

    @field_validator("encoding")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError:
            raise ValueError(f"there is no encoding {name!r}") from None
        return name


class Columns(Part):
    """Which column of the file holds what; those without a default must be named."""

    key: str
    subject: str
    description: str
    status: str
    requester_email: str | None = None
    requester_name: str | None = None
    product: str | None = None
    resolution: str | None = None
    priority: str | None = None
    channel: str | None = None
    created_at: str | None = None
    first_responded_at: str | None = None
    resolved_at: str | None = None
    closed_at: str | None = None
    rating: str | None = None


class Values(Part):
    """What the file's values are called here. One that is spelt as ours need not be listed; "" is an empty cell."""

    status: dict[str, TicketStatus] = {}
    channel: dict[str, TicketChannel] = {}
    priority: dict[str, TicketPriority] = {}


class Text(Part):
    """Placeholders in subjects, descriptions and resolutions, and the column that each stands for."""

    replace: dict[str, str] = {}


class Times(Part):
    """How times are written. One without an offset is of this zone; without a format they are ISO 8601."""

    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    format: str | None = None


class ColumnMap(Part):
    source: Source
    columns: Columns
    values: Values = Values()
    text: Text = Text()
    times: Times = Times()
    note: tuple[str, ...] = ()
    """Columns that have no place here: kept, by their names, in an internal note."""
    ignore: tuple[str, ...] = ()
    """Columns that are left behind."""

    def named_columns(self) -> dict[str, str]:
        """Each column that the map speaks of, and where in the map it does."""
        used = {column: f"columns.{field}" for field, column in self.columns.model_dump().items() if column}
        used |= {column: f'text.replace."{placeholder}"' for placeholder, column in self.text.replace.items()}
        return used | dict.fromkeys(self.note, "note") | dict.fromkeys(self.ignore, "ignore")

    def check_header(self, header: list[str]) -> None:
        """
        Raises:
            ImportRefused: the file lacks a column that the map names, has one that the map says nothing about (it
                would be lost unnoticed), or has one twice.
        """
        named = self.named_columns()
        problems = [f'{where}: the file has no column "{name}"' for name, where in named.items() if name not in header]
        problems += [
            f'the map says nothing about the column "{name}": name it in [columns], or list it in `note` or `ignore`'
            for name in dict.fromkeys(header)
            if name not in named
        ]
        problems += [
            f'the file has the column "{name}" twice' for name in sorted(set(header)) if header.count(name) > 1
        ]
        if problems:
            raise ImportRefused(problems)


def load_column_map(path: Path) -> ColumnMap:
    """
    Raises:
        ImportRefused: the file cannot be read, or something in it is unknown, missing or means nothing here.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ImportRefused([f"{path}: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ImportRefused([f"{path}: {error}"]) from None
    return read_column_map(given)


def read_column_map(given: dict[str, Any]) -> ColumnMap:
    """
    Raises:
        ImportRefused: as for `load_column_map`.
    """
    try:
        return ColumnMap.model_validate(given)
    except ValidationError as error:
        raise ImportRefused([_told(each) for each in error.errors()]) from None


_ENUMS: dict[str, type[Described]] = {"status": TicketStatus, "channel": TicketChannel, "priority": TicketPriority}


def _told(error: ErrorDetails) -> str:
    """`values.status."Open": there is no status OPENED; expected one of NEW, OPEN, …`"""
    path = ".".join(str(part) for part in error["loc"])
    match error["type"], error["loc"]:
        case "extra_forbidden", _:
            return f"{path}: the map knows no such setting"
        case "missing", _:
            return f"{path}: missing"
        case "enum", ("values", str(kind), value):
            known = ", ".join(_ENUMS[kind])
            return f'values.{kind}."{value}": there is no {kind} {error["input"]}; expected one of {known}'
        case _:
            return f"{path}: {error['msg'].removeprefix('Value error, ')}"
