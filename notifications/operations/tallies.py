"""Running totals of events and tries, for `/metrics`.

Attempts and occurrences are only ever added, so they can be counted once, in the order of their keys, by the worker
every few seconds; intake and settle know nothing of it. Keys are given before rows are visible, so a row may appear
behind one that was counted. Therefore each round first notes how far the keys go, and counts up to there when every
statement that was under way then has ended: totals are late by `LAG`, and miss nothing.

Totals are kept as flat JSON by kind: `{"slack": {"count": 16, "outcome_ok": 12, "failed": 1, "sum_duration_ms": 4711,
"duration_50": 10, …}}`. `duration_50` counts the tries that took at most 50 ms, as the buckets of Prometheus do;
latencies (from accepted to delivered) have their sum in microseconds.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Count, DurationField, ExpressionWrapper, F, FloatField, Func, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Extract

from aegisnotify.clock import now
from aegisnotify.ids import uuid7_floor
from notifications.models import Attempt, DeliveryStatus, Occurrence, Tally

# Longer than any statement may take (`statement_timeout` in the settings), and than clocks of machines are apart.
LAG = timedelta(seconds=35)
COUNT_EVERY = 10
# Rows a round, and rounds a call: some 80 ms each on PostgreSQL, so a million tries cost five seconds in all.
CHUNK = 20_000
MOST_ROUNDS = 5

DURATIONS_MS = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 15_000)
LATENCIES_MS = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 7_200_000)
Totals = dict[str, Any]


class Source(Protocol):
    """A table that only grows, and how it is counted. Keys are texts, as `Tally` keeps them."""

    name: str

    def horizon(self, moment: datetime) -> str:
        """How far the keys go at this moment."""

    def between(self, after: str, upto: str) -> QuerySet[Any]:
        """The rows with these keys."""

    def count(self, rows: QuerySet[Any]) -> Totals: ...


def count_what_is_new() -> int:
    """Bring all totals up to date, in bounded steps; the number of rows counted. Several workers may do so at once."""
    return sum(_catch_up(source) for source in (_Occurrences(), _Attempts()))


def totals(name: str) -> Totals:
    """The totals of "attempts" or "occurrences", by kind."""
    return Tally.objects.filter(pk=name).values_list("totals", flat=True).first() or {}


def _catch_up(source: Source) -> int:
    counted = 0
    for _ in range(MOST_ROUNDS):
        step = _step(source)
        counted += step
        if step < CHUNK:
            break
    return counted


def _step(source: Source) -> int:
    """Count a chunk, without a lock, and store it if nobody else has meanwhile. On SQLite a lock would hold up all."""
    moment = now()
    tally, _ = Tally.objects.get_or_create(pk=source.name, defaults={"upto": source.horizon(moment), "upto_at": moment})
    if moment - tally.upto_at < LAG:
        return 0
    rows = source.between(tally.counted, tally.upto)
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[CHUNK - 1 : CHUNK])
    until = str(keys[0]) if keys else tally.upto
    found = source.count(source.between(tally.counted, until))
    unchanged = Tally.objects.filter(pk=source.name, counted=tally.counted, upto=tally.upto, upto_at=tally.upto_at)
    changes: dict[str, Any] = {"totals": _sum(tally.totals, found), "counted": until}
    if not keys:
        changes |= {"upto": source.horizon(moment), "upto_at": moment}
    if not unchanged.update(**changes):
        return 0
    return CHUNK if keys else sum(kind["count"] for kind in found.values())


class _Seconds(Func):
    """The seconds from one moment to another. (Django's own difference is a Python function on SQLite.)"""

    output_field = FloatField()
    arity = 2

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        begin, end = self.get_source_expressions()
        difference = ExpressionWrapper(end - begin, output_field=DurationField())
        return compiler.compile(Extract(difference, "epoch"))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # Both are UTC; julianday is exact to some 40 µs.
        begin, end = self.get_source_expressions()
        difference = Func(end, function="julianday", output_field=FloatField()) - Func(
            begin, function="julianday", output_field=FloatField()
        )
        return compiler.compile(ExpressionWrapper(difference * 86_400.0, output_field=FloatField()))


class _Occurrences:
    name = "occurrences"

    def horizon(self, moment: datetime) -> str:
        return str(uuid7_floor(moment))

    def between(self, after: str, upto: str) -> QuerySet[Occurrence]:
        return Occurrence.objects.filter(pk__gt=after or UUID(int=0), pk__lte=upto)

    def count(self, rows: QuerySet[Occurrence]) -> Totals:
        counted = rows.order_by().values_list("kind").annotate(Count("pk"))
        return {kind: {"count": count} for kind, count in counted}


class _Attempts:
    name = "attempts"

    def horizon(self, moment: datetime) -> str:
        return str(Attempt.objects.aggregate(last=Max("pk"))["last"] or 0)

    def between(self, after: str, upto: str) -> QuerySet[Attempt]:
        return Attempt.objects.filter(pk__gt=int(after or 0), pk__lte=int(upto))

    def count(self, rows: QuerySet[Attempt]) -> Totals:
        made = ~Q(outcome=Attempt.Outcome.INTERRUPTED)
        arrived = Q(outcome__in=[Attempt.Outcome.OK, Attempt.Outcome.ACCEPTED])
        # The last try of a delivery that failed; one that a process left unfinished was counted before the end.
        last = Q(delivery__status=DeliveryStatus.FAILED) & (
            Q(outcome=Attempt.Outcome.RETRY, number=F("delivery__attempt_count"))
            | Q(outcome=Attempt.Outcome.INTERRUPTED, number=F("delivery__attempt_count") - 1)
        )
        columns: dict[str, Any] = {
            "count": Count("pk"),
            **{f"outcome_{outcome}": Count("pk", filter=Q(outcome=outcome)) for outcome in Attempt.Outcome.values},
            "failed": Count("pk", filter=Q(outcome=Attempt.Outcome.FAILED) | last),
            "gave_up": Count("pk", filter=last & Q(outcome=Attempt.Outcome.RETRY)),
            "sum_duration_ms": Sum("duration_ms", filter=made),
            **{f"duration_{ms}": Count("pk", filter=made & Q(duration_ms__lte=ms)) for ms in DURATIONS_MS},
            "sum_latency_us": Sum(F("latency") * 1_000_000, filter=arrived, output_field=FloatField()),
            **{f"latency_{ms}": Count("pk", filter=arrived & Q(latency__lte=ms / 1000)) for ms in LATENCIES_MS},
        }
        begun = Coalesce("delivery__restarted_at", "delivery__created_at")
        latency = _Seconds(begun, F("delivery__delivered_at"))
        counted: Iterable[Any] = rows.order_by().annotate(latency=latency).values("delivery__kind").annotate(**columns)
        return {row["delivery__kind"]: {name: _whole(row[name]) for name in columns} for row in counted}


def _whole(value: Any) -> int:
    """As an integer; nothing is 0."""
    return round(value or 0)


def _sum(old: Totals, new: Totals) -> Totals:
    kinds = {*old, *new}
    return {
        kind: {
            name: old.get(kind, {}).get(name, 0) + new.get(kind, {}).get(name, 0)
            for name in {*old.get(kind, {}), *new.get(kind, {})}
        }
        for kind in kinds
    }
