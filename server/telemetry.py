"""What is measured of operations and of the process, and the spans of a trace, on the short way and the ordinary.

Metrics are in Prometheus' text format at `/metrics`, where the settings switch it on. Spans are made where the process
has an OpenTelemetry tracer provider; without one nothing is made and nothing is paid.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import accumulate
from typing import Any, Self

from graphql import OperationDefinitionNode, OperationType, get_operation_ast
from opentelemetry import trace
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
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
        self.durations = {(kind.value, way): Durations() for kind in OperationType for way in (SHORT, ORDINARY)}
        self.registry.register(Operations(self.durations))
        self.registry.register(Process(counters, gauges))
        self._tracer = trace.get_tracer("casewire")

    def operation(self, node: OperationDefinitionNode | None, way: str) -> "Measured":
        """To be entered around an operation; its `done` is to be called once it has been answered on this way."""
        return Measured(self, node, way)

    def span(self, node: OperationDefinitionNode, way: str) -> AbstractContextManager[Any]:
        kind = node.operation.value
        return self._tracer.start_as_current_span(
            f"{kind} {node.name.value[:LONGEST_NAME]}" if node.name else kind,
            kind=trace.SpanKind.SERVER,
            attributes={"graphql.operation.type": kind, "casewire.way": way},
        )

    async def metrics(self, request: Request) -> Response:
        return Response(generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class Measured:
    """One operation. By hand, since a generator around each would cost more than all of the measuring."""

    __slots__ = ("_began", "_node", "_span", "_telemetry", "_way")

    def __init__(self, telemetry: Telemetry, node: OperationDefinitionNode | None, way: str) -> None:
        self._telemetry, self._node, self._way = telemetry, node, way
        self._span: AbstractContextManager[Any] | None = None
        self._began = time.perf_counter()

    def __enter__(self) -> Self:
        if self._node is not None and is_traced():
            self._span = self._telemetry.span(self._node, self._way)
            self._span.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._span is not None:
            self._span.__exit__(*error)

    def done(self) -> None:
        if self._node is not None:
            took = time.perf_counter() - self._began
            self._telemetry.durations[self._node.operation.value, self._way].observe(took)


class Durations:
    """How many took how long, of one type and way: counted in the loop's thread alone, so without a lock."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """As Prometheus has them: each with all that took no longer."""
        bounds = [*map(str, SECONDS), "+Inf"]
        return [(bound, float(count)) for bound, count in zip(bounds, accumulate(self.counts), strict=True)]


class Operations:
    """The durations of operations as a histogram."""

    def __init__(self, durations: Mapping[tuple[str, str], Durations]) -> None:
        self._durations = durations

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(
            "casewire_operation_seconds",
            "How long operations took, by their type and by the way they went; subscriptions until they are open.",
            labels=("type", "way"),
        )
        for labels, each in self._durations.items():
            family.add_metric(labels, buckets=each.buckets(), sum_value=each.total)
        yield family


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


class MeasuredSchema(SchemaExtension):
    """The ordinary way's end of it; it stands first, so that it sees the whole."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def on_execute(self) -> Iterator[None]:
        context: Any = self.execution_context
        node = get_operation_ast(context.graphql_document, context.operation_name)
        with self._telemetry.operation(node, ORDINARY) as measured:
            yield
            measured.done()


def is_traced() -> bool:
    """Whether somebody has set a tracer provider; OpenTelemetry's stand-in for one makes spans that go nowhere.

    Asked for every operation. `get_tracer_provider` looks into the environment each time, where one can be named;
    that one is set already when a `Telemetry` takes its tracer.
    """
    provider = trace._TRACER_PROVIDER
    return provider is not None and not isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider)
