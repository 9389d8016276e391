"""A file as a whole: batches, what is bad, going on after an interruption."""

import asyncio
import csv
from pathlib import Path

import pytest

from domain.enums import TicketStatus
from models import Message, Organization, Ticket
from resolvers.context import Services
from server.importers import ImportRefused, ImportSummary, import_csv
from tests.databases import ROOT
from tests.server.importers.files import CLOSED, OPEN, example_map, numbered, write_csv

pytestmark = pytest.mark.anyio

DATA_SET = ROOT.parent / "shared" / "data" / "customer_support_tickets_1000.csv"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tickets.csv"


def report_of(summary: ImportSummary) -> list[list[str]]:
    assert summary.report is not None
    with summary.report.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


async def test_a_file_is_imported_once_however_often_it_is_run(path: Path, services: Services) -> None:
    write_csv(path, [CLOSED, OPEN])

    first = await import_csv(path, organization="Acme", column_map=example_map(), services=services)
    second = await import_csv(path, organization="Acme", column_map=example_map(), services=services)

    assert first == ImportSummary("Acme", True, created=2, unchanged=0, changed=0, bad=0, report=None)
    assert second == ImportSummary("Acme", False, created=0, unchanged=2, changed=0, bad=0, report=None)
    tickets = await Ticket.all().order_by("number").values_list("reference", "import_key", "status")
    assert tickets == [("T-000001", "1", TicketStatus.CLOSED), ("T-000002", "2", TicketStatus.OPEN)]
    assert list(path.parent.glob("*.report.csv")) == []


async def test_bad_records_are_reported_by_line_while_the_good_ones_land(path: Path, services: Services) -> None:
    bad_status = CLOSED | {"Ticket ID": "3", "Ticket Status": "Parked"}
    bad_email = CLOSED | {"Ticket ID": "4", "Customer Email": "ann at home"}
    write_csv(path, [CLOSED, bad_status, bad_email, OPEN])
    with path.open("a", newline="") as file:
        file.write("5,too short\r\n")

    summary = await import_csv(path, organization="Acme", column_map=example_map(), services=services, batch_size=10)

    assert (summary.created, summary.bad) == (2, 3)
    assert report_of(summary) == [
        ["line", "key", "outcome", "reason"],
        ["5", "3", "bad", 'status: "Parked" is not in [values.status]'],
        ["8", "4", "bad", "requesterEmail: Give an e-mail address, like ann@example.com."],
        ["14", "", "bad", "has 2 cells where the header has 17"],
    ]
    assert sorted(await Ticket.all().values_list("import_key", flat=True)) == ["1", "2"]


async def test_a_record_that_says_something_else_than_before_is_reported_and_left(
    path: Path, services: Services
) -> None:
    write_csv(path, [CLOSED])
    await import_csv(path, organization="Acme", column_map=example_map(), services=services)
    write_csv(path, [CLOSED | {"Ticket Subject": "Another subject"}])

    summary = await import_csv(path, organization="Acme", column_map=example_map(), services=services)

    assert summary == ImportSummary("Acme", False, 0, 0, 1, 0, path.with_suffix(".report.csv"))
    assert report_of(summary)[1:] == [
        ["2", "1", "changed", "differs from what was imported before; the ticket was left as is"]
    ]
    assert (await Ticket.get()).subject == "Product setup"


async def test_an_import_that_dies_goes_on_where_it_was(path: Path, services: Services) -> None:
    write_csv(path, numbered(10))

    class Killed(Exception):
        pass

    def die(done: int, total: int) -> None:
        if done == 4:
            raise Killed

    with pytest.raises(Killed):
        await import_csv(
            path, organization="Acme", column_map=example_map(), services=services, batch_size=2, progress=die
        )
    after_death = await Ticket.all().count()
    summary = await import_csv(path, organization="Acme", column_map=example_map(), services=services, batch_size=2)

    assert after_death == 4
    assert (summary.created, summary.unchanged) == (6, 4)
    numbers = await Ticket.all().order_by("number").values_list("reference", "import_key")
    assert numbers == [(f"T-{n:06d}", str(n)) for n in range(1, 11)]


async def test_two_imports_of_one_file_at_once_make_each_ticket_once(path: Path, services: Services) -> None:
    write_csv(path, numbered(9))

    async def run(name: str) -> ImportSummary:
        report = path.with_name(name)
        return await import_csv(
            path,
            organization="Acme",
            column_map=example_map(),
            services=services,
            report_path=report,
            batch_size=2,
        )

    async with asyncio.timeout(20):
        one, two = await asyncio.gather(run("one.csv"), run("two.csv"))

    assert one.created + two.created == 9
    assert one.unchanged + two.unchanged == 9
    assert await Ticket.all().count() == 9


async def test_a_batch_that_fails_half_way_leaves_nothing(
    path: Path, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(path, numbered(5))
    create = Message.bulk_create
    calls: list[int] = []

    def fail_at_the_fourth(messages: list[Message]) -> object:
        calls.append(len(messages))
        if len(calls) == 4:
            raise OSError("the disk is full")
        return create(messages)

    monkeypatch.setattr(Message, "bulk_create", fail_at_the_fourth)

    with pytest.raises(OSError, match="the disk is full"):
        await import_csv(path, organization="Acme", column_map=example_map(), services=services, batch_size=2)

    assert await Ticket.all().count() == 2


async def test_progress_is_told_batch_by_batch(path: Path, services: Services) -> None:
    write_csv(path, numbered(5))
    seen: list[tuple[int, int]] = []

    await import_csv(
        path,
        organization="Acme",
        column_map=example_map(),
        services=services,
        batch_size=2,
        progress=lambda done, total: seen.append((done, total)),
    )

    assert seen == [(0, 5), (2, 5), (4, 5), (5, 5)]


async def test_a_map_that_does_not_fit_is_refused_before_anything_is_written(path: Path, services: Services) -> None:
    write_csv(path, [], columns=["Ticket ID", "Mood"])
    report = path.with_name("elsewhere.csv")

    with pytest.raises(ImportRefused) as refused:
        await import_csv(path, organization="Acme", column_map=example_map(), services=services, report_path=report)

    assert 'columns.subject: the file has no column "Ticket Subject"' in refused.value.problems
    assert await Organization.all().count() == 0
    assert not report.exists()


async def test_the_report_never_overwrites_the_file(path: Path, services: Services) -> None:
    write_csv(path, [CLOSED])

    with pytest.raises(ImportRefused, match="would overwrite"):
        await import_csv(path, organization="Acme", column_map=example_map(), services=services, report_path=path)

    summary = await import_csv(path, organization="Acme", column_map=example_map(), services=services)
    assert (summary.created, summary.organization_created) == (1, True)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
@pytest.mark.skipif(not DATA_SET.exists(), reason="the public data set is not here")
async def test_the_public_data_set_lands_whole_and_once(tmp_path: Path, services: Services) -> None:
    given = {"organization": "Acme", "column_map": example_map(), "services": services}
    report = tmp_path / "report.csv"

    first = await import_csv(DATA_SET, **given, report_path=report)
    second = await import_csv(DATA_SET, **given, report_path=report)

    assert first == ImportSummary("Acme", True, 1000, 0, 0, 0, None)
    assert second == ImportSummary("Acme", False, 0, 1000, 0, 0, None)
    assert await Ticket.filter(status=TicketStatus.CLOSED).count() == 334
    assert await Ticket.filter(status=TicketStatus.PENDING_CUSTOMER).count() == 335
    assert await Ticket.filter(status=TicketStatus.OPEN).count() == 331
    assert await Message.filter(body__contains="{product_purchased}").count() == 0
