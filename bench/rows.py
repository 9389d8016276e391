"""The rows of a `World`, table by table."""

import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from bench.world import BEGIN, World, key

Table = tuple[str, str, Iterable[tuple[Any, ...]]]
"""Name, columns separated by blanks, rows."""

STATUSES = ("OPEN", "OPEN", "NEW", "PENDING_CUSTOMER", "ON_HOLD", "CLOSED", "CLOSED", "OPEN")
"""Nothing here is due to be resolved or closed by itself: the servers' sweeps find no work while they are measured."""
STAGES = ("SUBMITTED", "IN_REVIEW", "ENGINEERING_IN_PROGRESS", "VERIFYING_RESOLUTION", "ENGINEERING_IN_PROGRESS")
TEXT = (
    "the camera in the room turns black after some minutes and the speaker keeps humming until somebody unplugs the "
    "table hub then everything works again for an hour or two we updated the firmware last week could that be it"
)
WORDS = TEXT.split()


def words(dice: random.Random, count: int) -> str:
    start = dice.randrange(len(WORDS))
    return " ".join(WORDS[(start + n * 3) % len(WORDS)] for n in range(count)).capitalize()


def tables(world: World) -> Iterator[Table]:
    """Parents before children."""
    yield from _places(world)
    yield from _people(world)
    yield "ticket", TICKET, (_ticket(world, n) for n in range(world.tickets))
    yield (
        "ticket_device",
        "ticket_id device_id",
        ((key("ticket", n), key("device", _device(world, n))) for n in range(world.tickets)),
    )
    yield (
        "participant",
        "id ticket_id user_id role added_at",
        (
            (key("participant", n), key("ticket", n), world.member(world.organization_of(n), n + 7), "CONTACT", BEGIN)
            for n in range(0, world.tickets, 3)
        ),
    )
    yield "message", MESSAGE, _messages(world)
    yield from _escalations(world)
    yield "feed_stream", "topic epoch head floor", _streams(world)


def _places(world: World) -> Iterator[Table]:
    everyone = range(world.organizations)
    yield (
        "organization",
        "id name domains member_visibility lifecycle_preset history_availability created_at",
        ((key("organization", n), f"Customer {n}", "[]", "OPEN", "WEEK", "AVAILABLE", BEGIN) for n in everyone),
    )
    yield "product", "id name", ((key("product", n), f"Product {n}") for n in range(world.products))
    yield "support_project", "id name", [(key("project", 0), "Meeting rooms")]
    yield (
        "request_type",
        "id key name handler_label default_confidentiality project_id",
        [(key("request_type", 0), "fault", "Fault", "Support desk", "ORGANIZATION", key("project", 0))],
    )
    yield (
        "space_group",
        "id name organization_id",
        ((key("group", n), f"Building {n}", key("organization", n)) for n in everyone),
    )
    spaces = [(n, place) for n in everyone for place in range(world.spaces_each)]
    yield (
        "space",
        "id kind name capacity group_id organization_id",
        (
            (
                key("space", n * world.spaces_each + place),
                "DESK" if place % 3 == 2 else "ROOM",
                f"Room {place}",
                None if place % 3 == 2 else 4 + place,
                key("group", n),
                key("organization", n),
            )
            for n, place in spaces
        ),
    )
    yield (
        "device",
        "id name serial_number firmware_version organization_id product_id space_id",
        (
            (
                key("device", n * world.spaces_each + place),
                f"Device {place}",
                f"SN{n:04}{place:04}",
                "1.4.2",
                key("organization", n),
                key("product", place % world.products),
                key("space", n * world.spaces_each + place),
            )
            for n, place in spaces
        ),
    )


def _people(world: World) -> Iterator[Table]:
    def person(number: int) -> tuple[Any, ...]:
        staff = "AGENT" if number < world.agents else None
        name = f"{'Agent' if staff else 'Person'} {number}"
        avatar = f"https://casewire.example/people/{number}.png" if number % 2 else None
        return key("user", number), f"person{number}@casewire.example", f"p{number}", name, avatar, staff, True, BEGIN

    yield (
        "app_user",
        "id email username display_name avatar_url staff_role is_active created_at",
        (person(n) for n in range(world.people)),
    )
    yield (
        "membership",
        "id role joined_at organization_id user_id",
        (
            (
                key("membership", world.member_number(n, m)),
                "SUPPORT_REQUEST_ADMIN" if m == 0 else "MEMBER",
                BEGIN,
                key("organization", n),
                world.member(n, m),
            )
            for n in range(world.organizations)
            for m in range(world.users_each)
            if not _left(m)
        ),
    )


def _left(member: int) -> bool:
    """Some who opened tickets are members no more: their addresses are hidden even from the organization's manager."""
    return member % 10 == 9


SUBJECTS = [words(random.Random(n), 6) for n in range(97)]
DESCRIPTIONS = [words(random.Random(n), 40) for n in range(101)]

TICKET = (
    "id number reference version subject description language channel status priority severity confidentiality "
    "is_escalated locked created_at updated_at last_activity_at status_changed_at closed_at last_sequence "
    "last_public_sequence is_imported assignee_id organization_id product_id project_id request_type_id requester_id "
    "space_id"
)


def _ticket(world: World, n: int) -> tuple[Any, ...]:
    organization = world.organization_of(n)
    busy = n < world.busy
    watched = world.is_watched(n)
    status = "OPEN" if busy or watched else STATUSES[n * 31 % 97 % len(STATUSES)]
    active = world.active_at(n)
    created = active - timedelta(days=1 + n * 37 % 39, microseconds=1 + n * 41 % 899)
    place = n * 43 % 101 % world.spaces_each
    count = world.conversation if busy else 0
    return (
        key("ticket", n),
        n + 1,
        f"T-{n + 1}",
        1 + n % 4,
        SUBJECTS[n * 31 % len(SUBJECTS)],
        DESCRIPTIONS[n * 29 % len(DESCRIPTIONS)],
        "en",
        ("EMAIL", "PORTAL", "CHAT", "PHONE")[n % 4],
        status,
        ("NORMAL", "NORMAL", "HIGH", "LOW", "URGENT")[n % 5],
        "UNKNOWN",
        "AUTHOR_ONLY" if n % 20 == 11 and not watched else "ORGANIZATION",
        busy,
        False,
        created,
        active,
        active,
        created,
        active if status == "CLOSED" else None,
        count,
        count - count // 10,
        False,
        None if status == "NEW" else world.agent(n),
        key("organization", organization),
        key("product", n % world.products),
        key("project", 0),
        key("request_type", 0),
        world.member(organization, n // 5),
        None if n % 11 == 10 else key("space", organization * world.spaces_each + place),
    )


def _device(world: World, ticket: int) -> int:
    return world.organization_of(ticket) * world.spaces_each + ticket % world.spaces_each


MESSAGE = (
    "id ticket_id sequence public_sequence visibility automatic occurred_at kind source delivery_state body language "
    "actor_id"
)


def _messages(world: World) -> Iterator[tuple[Any, ...]]:
    """The conversations: customer and agent take turns, every tenth message is an internal note."""
    number = 0
    for ticket in range(min(world.busy, world.tickets)):
        dice = random.Random(-1 - ticket)
        public = 0
        for n in range(1, world.conversation + 1):
            internal = n % 10 == 0
            public += not internal
            by = world.agent(ticket + n % 3) if n % 2 == 0 else world.member(world.organization_of(ticket), n % 4)
            yield (
                key("message", number),
                key("ticket", ticket),
                n,
                None if internal else public,
                "INTERNAL" if internal else "PUBLIC",
                False,
                BEGIN + timedelta(days=ticket % 30, minutes=n * 7, microseconds=n),
                "NOTE" if internal else "EMAIL" if n == 1 else "CHAT",
                "PORTAL",
                "SENT",
                words(dice, 12 + dice.randrange(20)),
                None,
                by,
            )
            number += 1


def _escalations(world: World) -> Iterator[Table]:
    busy = range(min(world.busy, world.tickets))
    yield (
        "escalation",
        "id number reference issue_description stage submitted_at estimated_resolution_at updated_at entry_count "
        "submitted_by_id ticket_id",
        (
            (
                key("escalation", n),
                n + 1,
                f"CP-{n + 1}",
                words(random.Random(n), 20),
                STAGES[-1],
                BEGIN + timedelta(hours=n, microseconds=1),
                BEGIN + timedelta(days=100, microseconds=1),
                BEGIN + timedelta(hours=n + 5, microseconds=1),
                len(STAGES),
                world.agent(n),
                key("ticket", n),
            )
            for n in busy
        ),
    )
    yield (
        "escalation_entry",
        "id sequence stage entered_at automatic is_override note internal_note actor_id escalation_id",
        (
            (
                key("entry", n * len(STAGES) + place),
                place + 1,
                stage,
                BEGIN + timedelta(hours=n + place, microseconds=1),
                place == 1,
                False,
                words(random.Random(place), 12),
                words(random.Random(-place), 6) if place % 2 else None,
                None if place == 1 else world.agent(n + place),
                key("escalation", n),
            )
            for n in busy
            for place, stage in enumerate(STAGES)
        ),
    )


def _streams(world: World) -> Iterator[tuple[Any, ...]]:
    """The busy tickets have had events, which were let go since."""
    for n in range(min(world.busy, world.tickets)):
        head = world.conversation
        yield f"ticket:{key('ticket', n)}", f"{n:08x}", head, head
        yield f"ticket:{key('ticket', n)}:pub", f"{n:08x}", head - head // 10, head - head // 10
