"""A filter in memory and the same filter in SQL let the same tickets through (J4, S99).

Filters are drawn by hypothesis, the same ones in every run; the tickets differ in everything a filter asks for, and
lack it.
"""

from dataclasses import fields
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from anyio import from_thread, to_thread
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import models
from domain.enums import (
    Confidentiality,
    EscalationStage,
    ServiceLevel,
    TicketChannel,
    TicketDisplayStatus,
    TicketPriority,
    TicketStatus,
)
from domain.errors import Invalid
from resolvers.ticket_facts import Facts, facts_of, with_facts
from resolvers.ticket_filters import CONDITIONS, Condition, TicketFilter, all_hold, condition, one_holds, question
from tests.factories import (
    LONG_AGO,
    make_escalation,
    make_follower,
    make_member,
    make_organization,
    make_participant,
    make_request_type,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

COMBINED = {"all_of", "any_of", "none_of"}
DRAWN = settings(max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=[*HealthCheck])
NOBODY = UUID(int=7)


def test_every_field_of_the_filter_is_written_in_both_forms() -> None:
    """One that memory cannot decide says so by None, and a live list refuses it by name."""
    assert CONDITIONS.keys() == {field.name for field in fields(TicketFilter)} - COMBINED
    assert {name for name, each in CONDITIONS.items() if each.question is None} == FOR_PAGES_ONLY


FOR_PAGES_ONLY = {"unread_only", "text"}
"""Fields that facts cannot decide."""


def test_a_field_that_memory_cannot_decide_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONDITIONS, "device_ids", Condition(CONDITIONS["device_ids"].sql, None))

    with pytest.raises(Invalid, match="`deviceIds`") as refused:
        question(TicketFilter(none_of=TicketFilter(device_ids=[NOBODY])))

    assert refused.value.extensions == {"code": "INVALID", "field": ["filter", "deviceIds"]}


@pytest.mark.parametrize(
    ("given", "all_of_them", "one_of_them"),
    [
        ([], True, False),
        ([True, True], True, True),
        ([True, False], False, True),
        ([None, True], None, True),
        ([None, False], False, None),
        ([None, None], None, None),
    ],
)
def test_what_is_not_known_is_neither_yes_nor_no(given: list[Any], all_of_them: Any, one_of_them: Any) -> None:
    questions = [lambda facts, answer=answer: answer for answer in given]

    assert (all_hold(questions)({}), one_holds(questions)({})) == (all_of_them, one_of_them)


async def test_in_memory_and_in_sql_a_filter_lets_the_same_tickets_through(db: str) -> None:
    drawn, facts = Drawn(), await make_tickets()
    await drawn.know()
    sizes: list[int] = []

    @DRAWN
    @given(seed=st.integers(0, 2**32))
    def agree(seed: int) -> None:
        from_thread.run(compare, drawn.filter(Random(seed), depth=0), facts, sizes)

    await to_thread.run_sync(agree)

    assert len([size for size in sizes if 0 < size < len(facts)]) > 40, "too many that let through all, or nothing"


async def test_one_of_several_filters_may_be_met_by_everything(db: str) -> None:
    facts = await make_tickets()
    sizes: list[int] = []
    asks_nothing = [TicketFilter(all_of=[]), TicketFilter(all_of=[TicketFilter()]), TicketFilter()]

    for each in asks_nothing:
        await compare(TicketFilter(any_of=[TicketFilter(is_escalated=True), each]), facts, sizes)

    assert sizes == [len(facts)] * 3


async def test_each_field_alone_agrees_and_makes_a_difference(db: str) -> None:
    drawn, facts = Drawn(), await make_tickets()
    await drawn.know()

    for name in sorted(CONDITIONS.keys() - FOR_PAGES_ONLY):
        sizes: list[int] = []
        for seed in range(8):
            alone = TicketFilter(**{name: drawn.value(Random(seed), name)})
            await compare(alone, facts, sizes)
            await compare(TicketFilter(none_of=alone), facts, sizes)
        assert any(0 < size < len(facts) for size in sizes), name


async def compare(wanted: TicketFilter, facts: dict[UUID, Facts], sizes: list[int]) -> None:
    found = set(await models.Ticket.filter(condition(wanted)).values_list("id", flat=True))
    ask = question(wanted)
    answers = {row_id: ask(known) for row_id, known in facts.items()}

    assert set(answers.values()) <= {True, False}, wanted
    assert {row_id for row_id, answer in answers.items() if answer} == found, wanted
    sizes.append(len(found))


class Drawn:
    """Filters at random, of values that some of the tickets have and of others that none has."""

    async def know(self) -> None:
        async def ids(model: type[Any]) -> list[UUID]:
            return [*await model.all().order_by("id").values_list("id", flat=True), NOBODY]

        async def escalations() -> list[str]:
            return [each.reference for each in await models.Escalation.all().order_by("number")]

        people = await ids(models.User)
        hours = [LONG_AGO + timedelta(hours=n) for n in range(-30, 30, 3)]
        references = [row.reference for row in await models.Ticket.all().order_by("number")]
        self.values: dict[str, list[Any]] = {
            "statuses": list(TicketStatus),
            "display_statuses": list(TicketDisplayStatus),
            "channels": list(TicketChannel),
            "priorities": list(TicketPriority),
            "organization_ids": await ids(models.Organization),
            "requester_ids": people,
            "assignee_ids": people,
            "follower_ids": people,
            "on_behalf_of_ids": await ids(models.Organization),
            "space_ids": await ids(models.Space),
            "device_ids": await ids(models.Device),
            "request_type_keys": ["TECHNICAL", " technical ", "COMMERCIAL", "NONE", "\x00"],
            "product_ids": await ids(models.Product),
            "service_levels": list(ServiceLevel),
            "issue_type_ids": await ids(models.IssueType),
            "references": [*references, references[0].lower(), "T-0", ""],
            "escalation_references": [*await escalations(), "CP-0", "\x00"],
            "created_at": hours,
            "last_activity_at": hours,
        }

    def value(self, random: Random, name: str) -> Any:
        if name in ("created_at", "last_activity_at"):
            return tuple(random.choice([None, *self.values[name]]) for _ in range(2))
        if name not in self.values:
            return random.random() < 0.5
        return random.sample(self.values[name], k=min(random.randint(0, 3), len(self.values[name])))

    def filter(self, random: Random, *, depth: int) -> TicketFilter:
        chosen = random.sample(sorted(CONDITIONS.keys() - FOR_PAGES_ONLY), k=random.choice([0, 1, 1, 1, 1, 2]))
        given = {name: self.value(random, name) for name in chosen}
        if depth < 3:
            for name in COMBINED:
                if random.random() < 0.2:
                    inner = [self.filter(random, depth=depth + 1) for _ in range(random.randint(0, 3))]
                    given[name] = inner if name != "none_of" else self.filter(random, depth=depth + 1)
        return TicketFilter(**given)


async def make_tickets() -> dict[UUID, Facts]:
    """Tickets that differ in everything, in no regular way; of each of what may be missing some have none."""
    random = Random(1)
    organizations = [await make_organization(), await make_organization(history_starts_at=LONG_AGO)]
    people = [await make_member(random.choice(organizations)) for _ in range(3)]
    agents = [await make_staff(), await make_staff()]
    kinds = [await make_request_type("TECHNICAL"), await make_request_type("COMMERCIAL")]
    troubles = [await models.IssueType.create(request_type=kinds[0], name=name) for name in ("Sound", "Net")]
    products = [await models.Product.create(name=name) for name in ("Camera", "Panel")]
    spaces = [
        await models.Space.create(organization=organizations[0], kind=kind, name=kind.value)
        for kind in models.SpaceKind
    ]
    devices = [
        await models.Device.create(
            organization=organizations[0], product=products[0], name=f"{n}", serial_number=f"{n}"
        )
        for n in range(3)
    ]

    def some(values: list[Any]) -> Any:
        return random.choice([None, *values])

    def instant() -> datetime:
        return LONG_AGO + timedelta(hours=3 * random.randint(-9, 9), microseconds=random.choice([-1, 0, 1]))

    for _ in range(60):
        row = await make_ticket(
            random.choice(organizations),
            some(people),
            assignee=some(agents),
            on_behalf_of=some(organizations),
            status=random.choice(list(TicketStatus)),
            is_escalated=random.random() < 0.3,
            channel=random.choice(list(TicketChannel)),
            priority=random.choice(list(TicketPriority)),
            confidentiality=random.choice(list(Confidentiality)),
            request_type=some(kinds),
            product=some(products),
            space=some(spaces),
            issue_type=some(troubles),
            service_level=random.choice(list(ServiceLevel)),
            created_at=instant(),
            last_activity_at=instant(),
            resolved_at=LONG_AGO,
            closed_at=LONG_AGO,
        )
        await row.devices.add(*random.sample(devices, k=random.randint(0, 2)))
        for _ in range(random.choice([0, 0, 1, 2])):
            await make_escalation(row, stage=EscalationStage.RESOLVED, resolved_at=LONG_AGO)
        for person in random.sample(people, k=random.randint(0, 2)):
            await make_participant(row, person)
        for person in random.sample(people, k=random.randint(0, 2)):
            await make_follower(row, person)
    return {row.id: facts_of(row) for row in await with_facts(models.Ticket.all())}
