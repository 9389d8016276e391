"""The times after which a ticket is resolved or closed by itself: of a request type, and fixed when one is resolved.

What is resolved already goes on with what its organization has chosen by now.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from domain.enums import LifecyclePreset

FIXED = """UPDATE ticket SET resolved_under = (SELECT lifecycle_preset FROM organization WHERE id = ticket.organization_id)
WHERE status = 'RESOLVED'"""


class Migration(migrations.Migration):
    dependencies = [("casewire", "0005_search")]

    initial = False

    operations = [
        ops.AddField(
            model_name="RequestType",
            name="lifecycle_preset",
            field=fields.CharEnumField(
                null=True, description="null: the organization's", enum_type=LifecyclePreset, max_length=16
            ),
        ),
        ops.AddField(
            model_name="Ticket",
            name="resolved_under",
            field=fields.CharEnumField(
                null=True,
                description="the times that were chosen then; null: those of now",
                enum_type=LifecyclePreset,
                max_length=16,
            ),
        ),
        ops.RunSQL(FIXED, reverse_sql="SELECT 1"),
    ]
