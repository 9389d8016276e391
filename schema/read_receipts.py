"""How far somebody has read."""

from datetime import datetime

import strawberry

from schema.people import Actor


@strawberry.type(description="How far somebody has read a ticket.")
class ReadReceipt:
    reader: Actor = strawberry.field(description="Who.")
    last_read_sequence: int = strawberry.field(
        description="The last item read, in the numbering that you see; 0: none."
    )
    read_at: datetime = strawberry.field(description="When that item was reached.")
