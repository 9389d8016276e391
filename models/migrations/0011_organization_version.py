from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("casewire", "0010_preferences_and_mentions")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Organization",
            name="version",
            field=fields.IntField(default=1, db_default=1),
        ),
    ]
