"""The full-text index: one document for each ticket, message, escalation, place, device, article, person, organization.

Triggers keep it, so that nothing that is written, changed or erased, by whom ever, is forgotten. On SQLite it is an FTS5
table that holds no text itself; on PostgreSQL a column of the documents with a GIN index. Both fold text alike, and as
`domain.searching.folded` does: lower case, Latin letters without their marks, ё as е, œ as oe.

Besides the words of its title and its body a document has marks that people's words cannot be: what kind it is of and
whose it is. They narrow a search before rights are looked at.
"""

from dataclasses import dataclass

from tortoise import migrations
from tortoise.migrations import operations as ops

from models.schema_editors import statements


@dataclass(frozen=True)
class Source:
    """A table that is searched. Expressions name the row as `{row}`; `columns` are those they look at."""

    table: str
    columns: tuple[str, ...]
    kind: str
    title: str
    body: str = "''"
    label: str = "NULL"
    """What it is known by exactly, in capitals."""
    ticket: str = "NULL"
    organization: str = "NULL"
    internal: str = "FALSE"

    def of(self, expression: str, row: str) -> str:
        return getattr(self, expression).format(row=row)


OF_TICKET = "(SELECT organization_id FROM ticket WHERE id = {row}.ticket_id)"

SOURCES = (
    Source(
        "ticket",
        ("subject", "description", "reference", "organization_id"),
        "'TICKET'",
        "{row}.subject || ' ' || {row}.reference",
        "{row}.description",
        "{row}.reference",
        "{row}.id",
        "{row}.organization_id",
    ),
    Source(
        "message",
        ("body", "email_subject", "visibility", "deleted_at"),
        "'MESSAGE'",
        "CASE WHEN {row}.deleted_at IS NULL THEN coalesce({row}.email_subject, '') ELSE '' END",
        "CASE WHEN {row}.deleted_at IS NULL THEN {row}.body ELSE '' END",
        "NULL",
        "{row}.ticket_id",
        OF_TICKET,
        "{row}.visibility <> 'PUBLIC'",
    ),
    Source(
        "escalation",
        ("issue_description", "reference"),
        "'ESCALATION'",
        "{row}.reference",
        "{row}.issue_description",
        "{row}.reference",
        "{row}.ticket_id",
        OF_TICKET,
    ),
    Source("space", ("name", "kind"), "{row}.kind", "{row}.name", organization="{row}.organization_id"),
    Source(
        "device",
        ("name", "serial_number"),
        "'DEVICE'",
        "{row}.name || ' ' || {row}.serial_number",
        label="upper({row}.serial_number)",
        organization="{row}.organization_id",
    ),
    Source(
        "knowledge_article",
        ("title", "body", "visibility"),
        "'KNOWLEDGE_ARTICLE'",
        "{row}.title",
        "{row}.body",
        internal="{row}.visibility <> 'PUBLIC'",
    ),
    Source(
        "app_user",
        ("display_name", "username", "email"),
        "'USER'",
        "{row}.display_name || ' ' || {row}.username",
        "{row}.email",
    ),
    Source("organization", ("name",), "'ORGANIZATION'", "{row}.name"),
)

DOCUMENT = ("kind", "row_id", "ticket_id", "organization_id", "label", "internal")


def document_of(source: Source, row: str) -> list[str]:
    """The values of a document's columns."""
    return [
        source.of("kind", row),
        f"{row}.id",
        source.of("ticket", row),
        source.of("organization", row),
        source.of("label", row),
        source.of("internal", row),
    ]


# --- SQLite

SPELLINGS = (("ё", "е"), ("Ё", "Е"), ("œ", "oe"), ("Œ", "Oe"))
PLACE = (
    "'k' || lower(replace(d.kind, '_', '')) || ' o' || coalesce(replace(d.organization_id, '-', ''), 'nobody')"
)

INDEX = """
CREATE VIRTUAL TABLE search_index USING fts5(
  title, body, place, content='', tokenize="unicode61 remove_diacritics 2", prefix='2 3'
);
"""


def spelled(sql: str) -> str:
    for given, plain in SPELLINGS:
        sql = f"replace({sql}, '{given}', '{plain}')"
    return sql


def indexed(source: Source, row: str, command: str = "") -> str:
    """Put a row's words into the index, or with the command 'delete' take them out: they must be the same ones."""
    columns = "search_index, rowid" if command else "rowid"
    values = f"{command}, d.id" if command else "d.id"
    title, body = (spelled(source.of(each, row)) for each in ("title", "body"))
    return f"INSERT INTO search_index ({columns}, title, body, place) SELECT {values}, {title}, {body}, {PLACE}"


def sqlite_triggers(source: Source) -> str:
    table, document = source.table, "FROM search_document d WHERE d.row_id = {row}.id;"
    taken_out = f"{indexed(source, 'OLD', chr(39) + 'delete' + chr(39))} {document.format(row='OLD')}"
    put_in = f"{indexed(source, 'NEW')} {document.format(row='NEW')}"
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in source.columns)
    values = ", ".join(document_of(source, "NEW"))
    return f"""
CREATE TRIGGER {table}_found_when_made AFTER INSERT ON {table} BEGIN
  INSERT INTO search_document ({", ".join(DOCUMENT)}) VALUES ({values});
  {put_in}
END;
CREATE TRIGGER {table}_found_when_changed AFTER UPDATE OF {", ".join(source.columns)} ON {table}
WHEN {changed} BEGIN
  {taken_out}
  UPDATE search_document SET ({", ".join(DOCUMENT)}) = ({values}) WHERE row_id = OLD.id;
  {put_in}
END;
CREATE TRIGGER {table}_found_no_more AFTER DELETE ON {table} BEGIN
  {taken_out}
  DELETE FROM search_document WHERE row_id = OLD.id;
END;
"""


def sqlite_fill(source: Source) -> str:
    return f"{indexed(source, 't')} FROM search_document d JOIN {source.table} t ON t.id = d.row_id ORDER BY d.id;"


# --- PostgreSQL. What changed is looked at inside the functions: a column that a trigger's definition names could not be
# altered later.

FUNCTIONS = r"""
CREATE FUNCTION search_folded(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN octet_length(given) = length(given) THEN lower(given) ELSE replace(replace(
    normalize(regexp_replace(normalize(lower(given), NFD), '([a-z])[\u0300-\u036f]+', '\1', 'g'), NFC),
    'ё', 'е'), 'œ', 'oe') END
$$;
CREATE FUNCTION search_words(given text, mark text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(DISTINCT mark || left(word, 60)), '{}')
  FROM unnest(string_to_array(regexp_replace(search_folded(given), '[^[:alnum:]]+', ' ', 'g'), ' ')) word
  WHERE word <> ''
$$;
CREATE FUNCTION search_vector(title text, body text, kind text, organization uuid) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_to_tsvector(
    search_words(title, '^') || search_words(title || ' ' || body, '') || ARRAY[
      '@k' || lower(replace(kind, '_', '')), '@o' || coalesce(replace(organization::text, '-', ''), 'nobody')])
$$;
ALTER TABLE search_document ADD COLUMN words tsvector NOT NULL DEFAULT '';
"""


def postgres_values(source: Source, row: str) -> str:
    values = document_of(source, row)
    title, body = source.of("title", row), source.of("body", row)
    casts = ("text", "uuid", "uuid", "uuid", "text", "boolean")
    typed = [f"({value})::{cast}" for value, cast in zip(values, casts, strict=True)]
    return ", ".join([*typed, f"search_vector({title}, {body}, {values[0]}, {values[3]})"])


def postgres_triggers(source: Source) -> str:
    table = source.table
    columns = (*DOCUMENT, "words")
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in source.columns)
    function = f"{table}_found"
    return f"""
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM search_document WHERE row_id = OLD.id;
  ELSIF TG_OP = 'INSERT' THEN
    INSERT INTO search_document ({", ".join(columns)}) VALUES ({postgres_values(source, "NEW")});
  ELSIF {changed} THEN
    UPDATE search_document SET ({", ".join(columns)}) = ROW({postgres_values(source, "NEW")}) WHERE row_id = OLD.id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER {function} AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}();
"""


# --- both

ONCE_FILLED = "CREATE INDEX search_document_words ON search_document USING gin (words);"


def documents() -> str:
    """The documents of all rows there are, the oldest first: a newer document has a greater number."""
    rows = " UNION ALL ".join(
        f"SELECT {', '.join(f'{value} AS {name}' for name, value in zip(DOCUMENT, document_of(each, 't'), strict=True))} "
        f"FROM {each.table} t"
        for each in SOURCES
    )
    return f"INSERT INTO search_document ({', '.join(DOCUMENT)}) SELECT * FROM ({rows}) r ORDER BY row_id;"


def postgres_documents() -> str:
    rows = " UNION ALL ".join(f"SELECT {postgres_values(each, 't')} FROM {each.table} t" for each in SOURCES)
    return f"INSERT INTO search_document ({', '.join(DOCUMENT)}, words) SELECT * FROM ({rows}) r ORDER BY 2;"


def on_sqlite() -> list[str]:
    """All of it, as statements."""
    fill = [documents(), *map(sqlite_fill, SOURCES), "INSERT INTO search_index (search_index) VALUES ('optimize');"]
    return [*statements(INDEX), *fill, *statements("".join(map(sqlite_triggers, SOURCES)))]


def off_sqlite() -> list[str]:
    triggers = [f"{each.table}_found_{when}" for each in SOURCES for when in ("when_made", "when_changed", "no_more")]
    return [*(f"DROP TRIGGER {name}" for name in triggers), "DROP TABLE search_index", "DELETE FROM search_document"]


def on_postgres() -> str:
    return "".join([FUNCTIONS, postgres_documents(), ONCE_FILLED, *map(postgres_triggers, SOURCES)])


def off_postgres() -> str:
    triggers = "".join(f"DROP FUNCTION {each.table}_found() CASCADE;" for each in SOURCES)
    column = "ALTER TABLE search_document DROP COLUMN words; DELETE FROM search_document;"
    return f"{triggers} {column} DROP FUNCTION search_vector, search_words, search_folded;"


async def keep(apps, schema_editor) -> None:
    await run(schema_editor, on_sqlite(), on_postgres())


async def keep_no_more(apps, schema_editor) -> None:
    await run(schema_editor, off_sqlite(), off_postgres())


async def run(schema_editor, sqlite: list[str], postgres: str) -> None:
    if schema_editor.DIALECT == "postgres":
        await schema_editor.client.execute_script(postgres)
        return
    for statement in sqlite:
        await schema_editor.client.execute_query(statement)


class Migration(migrations.Migration):
    dependencies = [("casewire", "0004_ticket_order")]

    operations = [ops.RunPython(keep, keep_no_more)]
