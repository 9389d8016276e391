"""What a model cannot say: indexes on the tables that link others, and how full PostgreSQL fills a table's pages."""

from tortoise import migrations
from tortoise.migrations import operations as ops


async def leave_room(apps, schema_editor) -> None:
    """The head of a stream changes with every event; an update that finds room on its page touches no index."""
    if schema_editor.DIALECT == "postgres":
        await schema_editor.client.execute_script("ALTER TABLE feed_stream SET (fillfactor = 70)")


async def leave_none(apps, schema_editor) -> None:
    if schema_editor.DIALECT == "postgres":
        await schema_editor.client.execute_script("ALTER TABLE feed_stream RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("casewire", "0001_initial")]

    operations = [
        ops.RunSQL(
            [
                "CREATE INDEX ticket_device_by_device ON ticket_device (device_id, ticket_id);",
                "CREATE INDEX certificate_product_by_product ON certificate_product (product_id, service_certificate_id);",
            ],
            ["DROP INDEX ticket_device_by_device;", "DROP INDEX certificate_product_by_product;"],
        ),
        ops.RunPython(leave_room, leave_none),
    ]
