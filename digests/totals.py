"""Counting each day's occurrences per project. Counting a day again changes nothing, so any worker may do it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Count, Max, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from digests.models import DailyTotal
from notifications.catalog import OccurrenceKind, RunFailed, fired_lists_with
from notifications.models import Occurrence

DAY = timedelta(days=1)
STEP = 500
# Of the days before there may be no details any more.
DETAIL_KEPT = timedelta(days=14)
# Longer than any plan's history that has an end.
KEPT = timedelta(days=800)
_FAILED = frozenset(",".join(fired) for fired in fired_lists_with(RunFailed.name))
# An occurrence gets its id when it is received, give or take what a transaction waits.
_SLACK = timedelta(minutes=10)


def count_days(moment: datetime) -> int:
    """Count today and the days since the last one that was counted, at the least yesterday (UTC): what was received
    just before midnight may have been committed after it. How many totals were stored."""
    today = moment.astimezone(UTC).date()
    last = DailyTotal.objects.aggregate(last=Max("day"))["last"] or date.min
    day = max(min(last, today - DAY), today - DETAIL_KEPT)
    stored = 0
    while day <= today:
        stored += count_day(day)
        day += DAY
    return stored


def count_day(day: date) -> int:
    """Store the totals of a day (UTC). How many projects had something."""
    start = datetime.combine(day, time.min, UTC)
    received = Occurrence.objects.filter(
        # Ids are in the order of time: this reads one end of the primary key, not the table.
        pk__gte=_id_at(start - _SLACK),
        pk__lt=_id_at(start + DAY + _SLACK),
        received_at__gte=start,
        received_at__lt=start + DAY,
    )
    totals: defaultdict[UUID, dict[str, Any]] = defaultdict(_empty)
    rows = received.order_by().values_list("project", "kind", "fired").annotate(n=Count("pk"), last=Max("received_at"))
    for project, kind, fired, count, last in rows:
        total = totals[project]
        counted = kind != OccurrenceKind.GENERATION
        if kind == OccurrenceKind.RUN and fired:
            total["runs"] += count
            total["failed"] += count if fired in _FAILED else 0
        elif kind == OccurrenceKind.CRAWL:
            total["scans"] += count
        _later(total, last, counted)
    for project, tests in _tests(received):
        totals[project]["ai_tests"] = tests
    _store(day, totals)
    return len(totals)


def forget_old(moment: datetime) -> int:
    return DailyTotal.objects.filter(day__lt=(moment - KEPT).date()).delete()[0]


def _empty() -> dict[str, Any]:
    return {"runs": 0, "failed": 0, "scans": 0, "ai_tests": 0, "last_at": None, "counted": False}


def _later(total: dict[str, Any], last: datetime, counted: bool) -> None:
    """The last run or scan; the last occurrence of any kind where there was neither."""
    if total["last_at"] is None or (counted, last) > (total["counted"], total["last_at"]):
        total["last_at"], total["counted"] = last, counted


def _tests(received: Any) -> Iterable[tuple[UUID, int]]:
    number = Cast(KeyTextTransform("tests", "facts"), BigIntegerField())
    generated = received.filter(kind=OccurrenceKind.GENERATION).order_by()
    return generated.values_list("project").annotate(tests=Coalesce(Sum(number), 0))


def _store(day: date, totals: dict[UUID, dict[str, Any]]) -> None:
    rows = [
        DailyTotal(
            project_id=project,
            day=day,
            **{name: total[name] for name in ("runs", "failed", "scans", "ai_tests", "last_at")},
        )
        for project, total in sorted(totals.items())
    ]
    for begin in range(0, len(rows), STEP):
        DailyTotal.objects.bulk_create(
            rows[begin : begin + STEP],
            update_conflicts=True,
            unique_fields=["project", "day"],
            update_fields=["runs", "failed", "scans", "ai_tests", "last_at"],
        )


def _id_at(moment: datetime) -> UUID:
    """The smallest UUIDv7 of a millisecond."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
