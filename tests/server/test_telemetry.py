"""What is measured and traced: on the short way, on the ordinary one, and only where somebody has asked for it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client.parser import text_string_to_metric_families

from server.app import create_app
from server.telemetry import is_traced
from tests.databases import fresh_sqlite
from tests.server.running import PATIENCE, Served, serving, settings_for

pytestmark = pytest.mark.anyio

SHORT = "query Short { server { version } }"
ORDINARY = "query Ordinary { __schema { queryType { name } } }"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    settings = settings_for(await fresh_sqlite(tmp_path), tmp_path, metrics=True)
    async with serving(settings) as served:
        yield served


class Kept(SpanExporter):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ReadableSpan]]:
    kept = Kept()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield kept.spans
    provider.shutdown()


async def ask(served: Served, document: str) -> Any:
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        return (await client.post(f"http://{served.address}/graphql", json={"query": document})).json()


async def numbers(served: Served) -> dict[tuple[str, str, str], float]:
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        response = await client.get(f"http://{served.address}/metrics")
    assert (response.status_code, response.headers["content-type"].split(";")[0]) == (200, "text/plain")
    return {
        (sample.name, sample.labels.get("type", ""), sample.labels.get("way", "")): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }


async def test_operations_are_counted_by_the_way_they_went(served: Served) -> None:
    for document in (SHORT, SHORT, ORDINARY):
        assert "errors" not in await ask(served, document)

    found = await numbers(served)
    assert found["casewire_operation_seconds_count", "query", "short"] == 2
    assert found["casewire_operation_seconds_count", "query", "ordinary"] == 1
    assert found["casewire_operation_seconds_count", "mutation", "ordinary"] == 0
    assert found["casewire_engine_planned_total", "", ""] == 2
    assert found["casewire_engine_fallbacks_total", "", ""] == 1
    assert found["casewire_sockets", "", ""] == 0


async def test_what_is_not_executed_is_not_counted(served: Served) -> None:
    assert (await ask(served, "{ nothing }"))["errors"]

    found = await numbers(served)
    assert found["casewire_operation_seconds_count", "query", "short"] == 0
    assert found["casewire_operation_seconds_count", "query", "ordinary"] == 0


async def test_without_the_setting_there_are_no_metrics(tmp_path: Path) -> None:
    casewire = create_app(settings_for(await fresh_sqlite(tmp_path), tmp_path))

    assert "/metrics" not in [getattr(route, "path", None) for route in casewire.app.routes]


async def test_an_operation_is_a_span_of_a_trace_on_either_way(served: Served, spans: list[ReadableSpan]) -> None:
    await ask(served, SHORT)
    await ask(served, ORDINARY)

    told = [(span.name, dict(span.attributes or {})["casewire.way"]) for span in spans]
    assert told[0] == ("query Short", "short")
    assert told[-1] == ("query Ordinary", "ordinary")


def test_without_a_tracer_provider_no_span_is_made() -> None:
    assert not is_traced()
