"""The numbers in Prometheus' text format, read from the database at each scrape, so any web process can answer.

Counters and histograms come from the tallies (some tens of seconds late), gauges are of now. No query's cost grows with
the history: the queue is looked at through the index of what is due, and counted up to a limit.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Case, Count, Value, When
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from aegisnotify.clock import now
from notifications.catalog import OccurrenceKind
from notifications.channels import registry
from notifications.models import Attempt, Channel, Delivery
from notifications.models.deliveries import UNFINISHED, status_among
from notifications.operations import tallies
from notifications.operations.readiness import oldest_due_age
from notifications.operations.tallies import DURATIONS_MS, LATENCIES_MS, Totals
from notifications.operations.workers import workers_seen

# Beyond it the exact number tells nothing that the age of the oldest doesn't.
MOST_COUNTED = 10_000


def exposition() -> bytes:
    """The page for Prometheus, version 0.0.4 of its text format."""
    collectors = CollectorRegistry(auto_describe=False)
    collectors.register(_Numbers())
    return generate_latest(collectors)


class _Numbers(Collector):
    def collect(self) -> Iterable[Metric]:
        yield from _events(tallies.totals("occurrences"))
        yield from _deliveries(tallies.totals("attempts"))
        yield from _queue()
        yield _breakers(now())
        yield GaugeMetricFamily("aegis_workers", "Workers that said within a minute that they are up.", workers_seen())


def _events(totals: Totals) -> Iterator[Metric]:
    accepted = CounterMetricFamily("aegis_events_accepted", "Occurrences recorded, by kind.", labels=["kind"])
    for kind in OccurrenceKind:
        accepted.add_metric([kind.value], totals.get(kind.value, {}).get("count", 0))
    yield accepted


def _deliveries(totals: Totals) -> Iterator[Metric]:
    kinds = [(kind.name, totals.get(kind.name, {})) for kind in registry.kinds()]
    for name, text, of in (
        ("delivered", "Deliveries that arrived or were handed over, by kind of channel.", _delivered),
        ("failed", "Deliveries given up, by kind of channel.", lambda row: row.get("failed", 0)),
        ("retried", "Tries that are followed by another, by kind of channel.", _retried),
    ):
        counter = CounterMetricFamily(f"aegis_deliveries_{name}", text, labels=["kind"])
        for kind, row in kinds:
            counter.add_metric([kind], of(row))
        yield counter
    attempts = CounterMetricFamily(
        "aegis_attempts", "Tries, by kind of channel and outcome.", labels=["kind", "outcome"]
    )
    for kind, row in kinds:
        for outcome in Attempt.Outcome.values:
            attempts.add_metric([kind, outcome], row.get(f"outcome_{outcome}", 0))
    yield attempts
    yield _histogram(
        "aegis_attempt_duration_seconds",
        "How long tries took.",
        kinds,
        "duration",
        DURATIONS_MS,
        "sum_duration_ms",
        1e3,
    )
    yield _histogram(
        "aegis_delivery_latency_seconds",
        "From accepted to delivered.",
        kinds,
        "latency",
        LATENCIES_MS,
        "sum_latency_us",
        1e6,
    )


def _delivered(row: dict[str, int]) -> int:
    return row.get("outcome_ok", 0) + row.get("outcome_accepted", 0)


def _retried(row: dict[str, int]) -> int:
    return row.get("outcome_retry", 0) - row.get("gave_up", 0)


def _histogram(
    name: str,
    text: str,
    kinds: Iterable[tuple[str, dict[str, int]]],
    prefix: str,
    bounds_ms: Iterable[int],
    sum_name: str,
    per_second: float,
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, text, labels=["kind"])
    for kind, row in kinds:
        made = row.get("count", 0) - row.get("outcome_interrupted", 0) if prefix == "duration" else _delivered(row)
        buckets = [(f"{ms / 1000:g}", float(row.get(f"{prefix}_{ms}", 0))) for ms in bounds_ms]
        family.add_metric([kind], [*buckets, ("+Inf", float(made))], row.get(sum_name, 0) / per_second)
    return family


def _queue() -> Iterator[Metric]:
    age = oldest_due_age()
    yield GaugeMetricFamily(
        "aegis_queue_oldest_due_seconds",
        "How long the oldest due delivery has been waiting.",
        age.total_seconds() if age else 0,
    )
    due = Delivery.objects.filter(status_among(UNFINISHED), next_at__lte=now()).order_by("next_at")
    yield GaugeMetricFamily(
        "aegis_queue_due", f"Deliveries that are due, counted up to {MOST_COUNTED}.", due[:MOST_COUNTED].count()
    )


def _breakers(moment: datetime) -> Metric:
    family = GaugeMetricFamily("aegis_breakers", "Channels whose circuit breaker holds.", labels=["kind", "state"])
    state = Case(When(breaker_open_until__gt=moment, then=Value("open")), default=Value("half_open"))
    rows = Channel.objects.filter(breaker_open_until__isnull=False).order_by().annotate(state=state)
    counted = {(kind, state): count for kind, state, count in rows.values_list("kind", "state").annotate(Count("pk"))}
    for kind in registry.kinds():
        for name in ("open", "half_open"):
            family.add_metric([kind.name, name], counted.get((kind.name, name), 0))
    return family
