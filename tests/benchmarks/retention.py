"""Deleting history: rows per second, and the longest statement, which is how long anybody may wait for it."""

import time
from typing import Any

from tests.benchmarks.harness import Options, Table, postgresql, progress, sqlite

SIZE, OLD = 1_000_000, 200_000
BITE = 50_000


def run(options: Options) -> list[Table]:
    table = Table(
        f"Retention: {options.size(OLD):,} of {options.size(SIZE):,} deliveries are beyond the plan",
        [
            "database",
            "deleted",
            "rows/s",
            "with pauses, rows/s",
            "longest statement, ms",
            "indexes",
            "sequential scans",
        ],
    )
    for opened in (postgresql, sqlite):
        with opened() as database:
            progress(f"retention, {database.name}: filling")
            database.remote.call("rows:project", slug="shop", ports=list(range(9001, 9009)))
            database.remote.call("retention:fill", size=options.size(SIZE), old=options.size(OLD))
            progress(f"retention, {database.name}: deleting")
            found = database.remote.call("retention:measure")
        rows = found["deliveries"] + found["attempts"] + found["events"]
        table.add(
            database.name,
            f"{found['deliveries']:,} deliveries, {found['attempts']:,} tries, {found['events']:,} events",
            round(rows / found["busy"]),
            round(rows / found["seconds"]),
            f"{found['longest_ms']:.0f}",
            ", ".join(found["indexes"]),
            ", ".join(found["scans"]) or "none",
        )
    return [table]


# -- in the measured process --


def fill(size: int, old: int) -> None:
    """On Free, the first `old` of them 30 days ago."""
    from projects.models import Plan, Workspace
    from tests.benchmarks import rows

    for start in range(0, size, BITE):
        rows.fill(min(BITE, size - start), status="delivered", start=start, days_ago=30 if start < old else 0)
    Workspace.objects.update(plan=Plan.objects.get(code="free"))


def measure() -> dict[str, Any]:
    from django.db import connection

    from notifications.models import Attempt, Delivery, Occurrence
    from notifications.services import retention
    from tests.benchmarks import plans

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "PRAGMA optimize")
    before = (Delivery.objects.count(), Attempt.objects.count())
    paused = 0.0
    sleep = time.sleep

    def counted(seconds: float) -> None:
        nonlocal paused
        paused += seconds
        sleep(seconds)

    retention.time.sleep = counted  # type: ignore[attr-defined]
    begun = time.perf_counter()
    with plans.watched() as statements:
        while retention.sweep_histories():
            pass
    seconds = time.perf_counter() - begun
    indexes, scans = plans.used(statements)
    return {
        "deliveries": before[0] - Delivery.objects.count(),
        "attempts": before[1] - Attempt.objects.count(),
        "events": Occurrence.keys.filter(forgotten=True).count(),
        "seconds": seconds,
        "busy": seconds - paused,
        "longest_ms": statements.longest_ms,
        "indexes": indexes,
        "scans": scans,
    }
