"""What a database says of its own tables, told alike by both engines, so that two schemas can be compared."""

import re
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field

import asyncpg

from models.database import is_sqlite, sqlite_path

Columns = tuple[str, ...]


@dataclass
class Table:
    columns: dict[str, tuple[str, bool, str | None]] = field(default_factory=dict)
    """By name: type, whether null is refused, default."""
    primary_key: Columns = ()
    uniques: set[tuple[Columns, str | None]] = field(default_factory=set)
    """Columns, and the condition of a partial one."""
    indexes: set[tuple[str, Columns]] = field(default_factory=set)
    foreign_keys: set[tuple[str, str, str, str]] = field(default_factory=set)
    """Column, referred table and column, what happens on delete."""
    checks: set[str] = field(default_factory=set)
    triggers: set[str] = field(default_factory=set)


async def tables_of(url: str) -> dict[str, Table]:
    tables = _sqlite_tables(sqlite_path(url)) if is_sqlite(url) else await _postgres_tables(url)
    ours = ("tortoise_migrations", "sqlite_sequence", "sqlite_stat1")
    kept = {name: table for name, table in tables.items() if name not in ours}
    # SQLite's full-text index is a table, and keeps itself in others.
    return {name: table for name, table in kept.items() if not name.startswith("search_index")}


def _sqlite_tables(path: str) -> dict[str, Table]:
    tables: dict[str, Table] = defaultdict(Table)
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        for kind, name, owner, sql in db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"):
            table = tables[owner]
            if kind == "trigger":
                table.triggers.add(name)
            elif kind == "index":
                _add_sqlite_index(db, table, name, sql)
            elif kind == "table":
                _describe_sqlite_table(db, table, name, sql)
    return tables


def _describe_sqlite_table(db: sqlite3.Connection, table: Table, name: str, sql: str) -> None:
    info = db.execute(f"PRAGMA table_info({name})").fetchall()
    table.columns = {row["name"]: (row["type"], bool(row["notnull"]), row["dflt_value"]) for row in info}
    table.primary_key = tuple(row["name"] for row in info if row["pk"])
    for row in db.execute(f"PRAGMA foreign_key_list({name})"):
        table.foreign_keys.add((row["from"], row["table"], row["to"], row["on_delete"]))
    table.checks = set(re.findall(r'CONSTRAINT "(\w+)" CHECK', sql))


def _add_sqlite_index(db: sqlite3.Connection, table: Table, name: str, sql: str | None) -> None:
    columns = tuple(row["name"] for row in db.execute(f"PRAGMA index_info({name})"))
    if sql is None or sql.startswith("CREATE UNIQUE"):
        if _origin(db, name) != "pk":
            table.uniques.add((columns, _condition(sql or "")))
    else:
        table.indexes.add((name, columns))


def _origin(db: sqlite3.Connection, index: str) -> str:
    """What made the index: "pk", "u" for a unique constraint, "c" for CREATE INDEX."""
    (owner,) = db.execute("SELECT tbl_name FROM sqlite_master WHERE name = ?", [index]).fetchone()
    (origin,) = db.execute("SELECT origin FROM pragma_index_list(?) WHERE name = ?", [owner, index]).fetchone()
    return str(origin)


async def _postgres_tables(url: str) -> dict[str, Table]:
    tables: dict[str, Table] = defaultdict(Table)
    db = await asyncpg.connect(url)
    try:
        for row in await db.fetch(_COLUMNS):
            tables[row["owner"]].columns[row["name"]] = (row["type"], row["required"], row["default"])
        for row in await db.fetch(_INDEXES):
            table, columns = tables[row["owner"]], tuple(row["columns"])
            if row["is_primary_key"]:
                table.primary_key = columns
            elif row["is_unique"]:
                table.uniques.add((columns, _condition(row["sql"])))
            else:
                table.indexes.add((row["name"], columns))
        for row in await db.fetch(_FOREIGN_KEYS):
            table = tables[row["owner"]]
            table.foreign_keys.add((row["column"], row["to_table"], row["to_column"], _ON_DELETE[row["on_delete"]]))
        for row in await db.fetch(_CHECKS):
            tables[row["owner"]].checks.add(row["conname"])
    finally:
        await db.close()
    return {name: table for name, table in tables.items() if table.columns}


def _condition(sql: str) -> str | None:
    """The condition of a partial index, without what PostgreSQL adds: brackets and casts."""
    _, found, condition = sql.partition(" WHERE ")
    return re.sub(r"::(text|character varying)|[()]", "", condition) if found else None


_ON_DELETE = {b"c": "CASCADE", b"n": "SET NULL", b"r": "RESTRICT", b"a": "NO ACTION"}

_COLUMNS = """
SELECT a.attrelid::regclass::text AS owner, attname AS name, format_type(atttypid, atttypmod) AS type,
       attnotnull AS required, pg_get_expr(adbin, adrelid) AS default
FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
"""
_INDEXES = """
SELECT indrelid::regclass::text AS owner, indexrelid::regclass::text AS name, indisprimary AS is_primary_key,
       indisunique AS is_unique, pg_get_indexdef(indexrelid) AS sql,
       ARRAY(SELECT pg_get_indexdef(indexrelid, n, true) FROM generate_series(1, indnatts) n) AS columns
FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
"""
_FOREIGN_KEYS = """
SELECT conrelid::regclass::text AS owner, f.attname AS column, confrelid::regclass::text AS to_table,
       t.attname AS to_column, confdeltype AS on_delete
FROM pg_constraint
JOIN pg_attribute f ON f.attrelid = conrelid AND f.attnum = conkey[1]
JOIN pg_attribute t ON t.attrelid = confrelid AND t.attnum = confkey[1]
WHERE contype = 'f'
"""
_CHECKS = "SELECT conrelid::regclass::text AS owner, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
