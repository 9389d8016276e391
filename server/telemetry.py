"""What is measured of operations and of the process, and the spans of a trace, on the short way and the ordinary.

Metrics are in Prometheus' text format at `/metrics`, where the settings switch it on. Spans are made where the process
has an OpenTelemetry tracer provider; without one nothing is made and nothing is paid.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from graphql import OperationDefinitionNode, OperationType, get_operation_ast
from opentelemetry import trace
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import Response
from strawberry.extensions import SchemaExtension

SHORT, ORDINARY = "short", "ordinary"
"""The ways of an operation: by a plan, or by graphql-core."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

LONGEST_NAME = 60
"""Characters of an operation's name in a span's: clients choose them."""

Numbers = Callable[[], Mapping[str, float]]


class Telemetry:
    """One a process. `counters` and `gauges` are asked when somebody looks, not while the process works."""

    def __init__(self, counters: Numbers, gauges: Numbers) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "casewire_operation_seconds",
            "How long operations took, by their type and by the way they went; subscriptions until they are open.",
            ("type", "way"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._by_kind = {
            (kind, way): self._seconds.labels(kind.value, way) for kind in OperationType for way in (SHORT, ORDINARY)
        }
        self.registry.register(Process(counters, gauges))
        self._tracer = trace.get_tracer("casewire")

    @contextmanager
    def operation(self, node: OperationDefinitionNode | None, way: str) -> Iterator[Callable[[], None]]:
        """Around an operation; what it gives is to be called once it has been answered on this way."""
        done = partial(self._observe, node, way, time.perf_counter())
        if node is None or not is_traced():
            yield done
            return
        kind = node.operation.value
        with self._tracer.start_as_current_span(
            f"{kind} {node.name.value[:LONGEST_NAME]}" if node.name else kind,
            kind=trace.SpanKind.SERVER,
            attributes={"graphql.operation.type": kind, "casewire.way": way},
        ):
            yield done

    def _observe(self, node: OperationDefinitionNode | None, way: str, began: float) -> None:
        if node is not None:
            self._by_kind[node.operation, way].observe(time.perf_counter() - began)

    async def metrics(self, request: Request) -> Response:
        return Response(generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class Process:
    """What the parts of the process count by themselves."""

    def __init__(self, counters: Numbers, gauges: Numbers) -> None:
        self._counters, self._gauges = counters, gauges

    def collect(self) -> Iterable[Metric]:
        for name, value in self._counters().items():
            yield CounterMetricFamily(
                f"casewire_{name}", f"{name.replace('_', ' ')} since the process began", value=value
            )
        for name, value in self._gauges().items():
            yield GaugeMetricFamily(f"casewire_{name}", f"{name.replace('_', ' ')} now", value=value)


class Measured(SchemaExtension):
    """The ordinary way's end of it; it stands first, so that it sees the whole."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def on_execute(self) -> Iterator[None]:
        context: Any = self.execution_context
        node = get_operation_ast(context.graphql_document, context.operation_name)
        with self._telemetry.operation(node, ORDINARY) as done:
            yield
            done()


def is_traced() -> bool:
    """Whether somebody has set a tracer provider; OpenTelemetry's stand-in for one makes spans that go nowhere."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider)
