"""The log that streams are read from, and two small tables of bookkeeping. `realtime` reads and writes the log."""

from datetime import datetime

from tortoise import Model, fields
from tortoise.migrations.constraints import CheckConstraint

from models.base import Instant


class FeedStream(Model):
    """Where a stream stands: numbers `floor + 1 .. head` are in the log."""

    topic = fields.CharField(120, primary_key=True)
    epoch = fields.CharField(8)
    head = fields.BigIntField(default=0)
    floor = fields.BigIntField(default=0)

    class Meta:
        app = "casewire"
        table = "feed_stream"
        constraints = [CheckConstraint(check="floor >= 0 AND head >= floor", name="feed_stream_floor_below_head")]


class FeedEvent(Model):
    """One event. `data` holds references and facts, at most 1 kB, never the text of a message."""

    id = fields.BigIntField(primary_key=True, generated=True)
    topic = fields.CharField(120)
    seq = fields.BigIntField()
    key = fields.CharField(80)
    kind = fields.CharField(40)
    data = fields.TextField()
    at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "feed_event"
        unique_together = (("topic", "seq"), ("topic", "key"))


class Counter(Model):
    """The last number given out of a series: ticket and escalation references."""

    name = fields.CharField(40, primary_key=True)
    value = fields.BigIntField()

    class Meta:
        app = "casewire"
        table = "counter"


class Lease(Model):
    """Who does what happens by itself, and until when: one process at a time."""

    name = fields.CharField(60, primary_key=True)
    holder = fields.CharField(60)
    until: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "lease"
