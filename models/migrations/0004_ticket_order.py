"""What lists of tickets are sorted by, kept by the database: ranks of enums, and names that stand in other tables.

The columns `sort_…` of "ticket" follow its own columns, its requester's name and its issue type's. Triggers do it, so
that no write can forget to, whoever makes it.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

from models.schema_editors import statements


def rank(column: str, *names: str) -> str:
    return f"CASE {{row}}.{column} " + " ".join(f"WHEN '{name}' THEN {n}" for n, name in enumerate(names, 1)) + " END"


def name(column: str, table: str, key: str) -> str:
    return f"coalesce((SELECT lower({column}) FROM {table} WHERE id = {{row}}.{key}{{lock}}), '')"


SORTED = {
    "sort_status": rank("status", "NEW", "OPEN", "PENDING_CUSTOMER", "ON_HOLD", "RESOLVED", "CLOSED"),
    "sort_priority": rank("priority", "LOW", "NORMAL", "HIGH", "URGENT"),
    "sort_service_level": rank("service_level", "BASIC", "ESSENTIAL", "SELECT"),
    "sort_issue_type": name("name", "issue_type", "issue_type_id"),
    "sort_requester": name("display_name", "app_user", "requester_id"),
}
FOLLOWED = ("status", "priority", "service_level", "issue_type_id", "requester_id", *SORTED)
"""What is looked at when a ticket is saved: the columns `sort_…` too, which a row read long ago would set back."""


def update_of(row: str, where: str) -> str:
    to = ", ".join(f"{column} = {sql.format(row=row, lock='')}" for column, sql in SORTED.items())
    return f"UPDATE ticket SET {to}{where};"


SQLITE = f"""
CREATE TRIGGER ticket_sorted_when_made AFTER INSERT ON ticket BEGIN
  {update_of("NEW", " WHERE rowid = NEW.rowid")}
END;
CREATE TRIGGER ticket_sorted_when_changed AFTER UPDATE OF {", ".join(FOLLOWED)} ON ticket
WHEN {" OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in FOLLOWED)} BEGIN
  {update_of("NEW", " WHERE rowid = NEW.rowid")}
END;
CREATE TRIGGER ticket_sorted_by_requester AFTER UPDATE OF display_name ON app_user
WHEN NEW.display_name <> OLD.display_name BEGIN
  UPDATE ticket SET sort_requester = lower(NEW.display_name) WHERE requester_id = NEW.id;
END;
CREATE TRIGGER ticket_sorted_by_issue_type AFTER UPDATE OF name ON issue_type
WHEN NEW.name <> OLD.name BEGIN
  UPDATE ticket SET sort_issue_type = lower(NEW.name) WHERE issue_type_id = NEW.id;
END;
"""

# FOR SHARE waits for whoever is renaming the person just now: a ticket made meanwhile would keep the old name.
# What changed is looked at inside the functions: a column that a trigger's definition names could not be altered later.
POSTGRES = f"""
CREATE FUNCTION ticket_sorted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' OR {" OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in FOLLOWED)} THEN
    {" ".join(f"NEW.{to} := {sql.format(row='NEW', lock=' FOR SHARE')};" for to, sql in SORTED.items())}
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ticket_sorted BEFORE INSERT OR UPDATE ON ticket FOR EACH ROW EXECUTE FUNCTION ticket_sorted();
CREATE FUNCTION ticket_sorted_by_requester() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.display_name <> OLD.display_name THEN
    UPDATE ticket SET sort_requester = lower(NEW.display_name) WHERE requester_id = NEW.id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ticket_sorted_by_requester AFTER UPDATE ON app_user FOR EACH ROW
EXECUTE FUNCTION ticket_sorted_by_requester();
CREATE FUNCTION ticket_sorted_by_issue_type() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.name <> OLD.name THEN
    UPDATE ticket SET sort_issue_type = lower(NEW.name) WHERE issue_type_id = NEW.id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ticket_sorted_by_issue_type AFTER UPDATE ON issue_type FOR EACH ROW
EXECUTE FUNCTION ticket_sorted_by_issue_type();
"""

UNDO_SQLITE = """
DROP TRIGGER ticket_sorted_when_made;
DROP TRIGGER ticket_sorted_when_changed;
DROP TRIGGER ticket_sorted_by_requester;
DROP TRIGGER ticket_sorted_by_issue_type;
"""
UNDO_POSTGRES = """
DROP FUNCTION ticket_sorted() CASCADE;
DROP FUNCTION ticket_sorted_by_requester() CASCADE;
DROP FUNCTION ticket_sorted_by_issue_type() CASCADE;
"""


async def keep(apps, schema_editor) -> None:
    await schema_editor.client.execute_query(update_of("ticket", ""))
    await run(schema_editor, SQLITE, POSTGRES)


async def keep_no_more(apps, schema_editor) -> None:
    await run(schema_editor, UNDO_SQLITE, UNDO_POSTGRES)


async def run(schema_editor, sqlite: str, postgres: str) -> None:
    if schema_editor.DIALECT == "postgres":
        await schema_editor.client.execute_script(postgres)
        return
    for statement in statements(sqlite):
        await schema_editor.client.execute_query(statement)


class Migration(migrations.Migration):
    dependencies = [("casewire", "0003_requests")]

    operations = [ops.RunPython(keep, keep_no_more)]
