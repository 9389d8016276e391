"""What filters of lists are found by. The indexes with a condition have but the few tickets that it holds for.

`is_escalated` is a column of its index besides: SQLite holds any other index that it has a condition for to be better
than one that it has none for.
"""

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

ESCALATED, ON_BEHALF = "is_escalated = true", "on_behalf_of_id IS NOT NULL"

PARTIAL = {
    "ticket_escalated": ("is_escalated, last_activity_at, id", ESCALATED),
    "ticket_org_escalated": ("organization_id, last_activity_at, id", ESCALATED),
    "ticket_on_behalf": ("last_activity_at, id", ON_BEHALF),
    "ticket_org_on_behalf": ("organization_id, last_activity_at, id", ON_BEHALF),
    "ticket_on_behalf_of": ("on_behalf_of_id, last_activity_at, id", ON_BEHALF),
}
WHOLE = {
    "ticket_request_type_by_activity": ["request_type_id", "last_activity_at", "id"],
    "ticket_issue_type_by_activity": ["issue_type_id", "last_activity_at", "id"],
    "ticket_service_level_by_activity": ["service_level", "last_activity_at", "id"],
}


class Migration(migrations.Migration):
    dependencies = [("casewire", "0011_organization_version")]

    operations = [
        *(ops.AddIndex(model_name="Ticket", index=Index(fields=columns, name=name)) for name, columns in WHOLE.items()),
        ops.RunSQL(
            [f"CREATE INDEX {name} ON ticket ({columns}) WHERE {holds};" for name, (columns, holds) in PARTIAL.items()],
            [f"DROP INDEX {name};" for name in PARTIAL],
        ),
    ]
