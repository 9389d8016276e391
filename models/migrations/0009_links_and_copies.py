"""Links are read from their source to their target; a file may share the bytes of another.

Until now a link led from the ticket that was there to the one opened from it, with `kind` read the other way round.
"""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

TURNED = "UPDATE ticket_link SET source_id = target_id, target_id = source_id"


class Migration(migrations.Migration):
    dependencies = [("casewire", "0008_jobs")]

    initial = False

    operations = [
        ops.RunSQL(TURNED, reverse_sql=TURNED),
        ops.AddField(
            model_name="Attachment",
            name="copy_of",
            field=fields.UUIDField(null=True, description="the file whose bytes it shares: they stay while one is left"),
        ),
        ops.AddIndex(model_name="Attachment", index=Index(fields=["copy_of"], name="attachment_copies")),
    ]
