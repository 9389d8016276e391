from tortoise import migrations
from tortoise.migrations import operations as ops
from domain.enums import JobKind, JobStatus
from models.base import InstantField
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from uuid_utils.compat import uuid7
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

class Migration(migrations.Migration):
    dependencies = [('casewire', '0007_calls_and_resources')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Job',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('requester', fields.ForeignKeyField('casewire.User', source_field='requester_id', db_constraint=True, to_field='id', related_name='jobs', on_delete=OnDelete.CASCADE)),
                ('ticket', fields.ForeignKeyField('casewire.Ticket', source_field='ticket_id', null=True, db_constraint=True, to_field='id', related_name='jobs', on_delete=OnDelete.CASCADE)),
                ('kind', fields.CharEnumField(description='', enum_type=JobKind, max_length=24)),
                ('given', fields.JSONField(description='what is asked for', encoder=JSON_DUMPS, decoder=loads)),
                ('status', fields.CharEnumField(default=JobStatus.QUEUED, description='', enum_type=JobStatus, max_length=24)),
                ('done', fields.IntField(default=0)),
                ('total', fields.IntField(default=0)),
                ('failures', fields.JSONField(default=list, description='object, code, message', encoder=JSON_DUMPS, decoder=loads)),
                ('attempts', fields.SmallIntField(default=0)),
                ('holder', fields.CharField(null=True, max_length=60)),
                ('held_until', InstantField(null=True, auto_now=False, auto_now_add=False)),
                ('client_mutation_id', fields.CharField(null=True, max_length=100)),
                ('created_at', InstantField(auto_now=False, auto_now_add=False)),
                ('finished_at', InstantField(null=True, auto_now=False, auto_now_add=False)),
                ('expires_at', InstantField(null=True, description='when its result is let go of', auto_now=False, auto_now_add=False)),
                ('blob_key', fields.CharField(null=True, description='where its result is in the store', max_length=120)),
                ('file_name', fields.CharField(null=True, max_length=255)),
                ('media_type', fields.CharField(null=True, max_length=120)),
                ('size_bytes', fields.BigIntField(null=True)),
            ],
            options={'table': 'job', 'app': 'casewire', 'unique_together': (('requester', 'client_mutation_id'),), 'constraints': [CheckConstraint(check='done BETWEEN 0 AND total', name='job_done_within_total'), CheckConstraint(check="status <> 'SUCCEEDED' OR blob_key IS NOT NULL", name='job_success_has_result')], 'indexes': [Index(fields=['status', 'created_at', 'id'], name='job_by_status'), Index(fields=['requester_id', 'created_at'], name='job_requester'), Index(fields=['ticket_id'], name='job_ticket'), Index(fields=['expires_at'], name='job_expires'), Index(fields=['finished_at'], name='job_finished')], 'pk_attr': 'id'},
            bases=['BaseModel'],
        ),
    ]
