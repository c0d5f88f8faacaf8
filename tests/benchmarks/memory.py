"""What the background of an installation needs: `manage.py worker` and its cluster, after some work."""

import time

from tests.benchmarks.harness import (
    Database,
    Options,
    Table,
    family,
    postgresql,
    progress,
    pss,
    sqlite,
    stop,
    wait_until,
)
from tests.benchmarks.receiver import Receiver, receiver


def run(options: Options) -> list[Table]:
    table = Table(
        "Memory of `manage.py worker` with its cluster, after 2,000 deliveries (PSS)",
        ["database and broker", "processes", "MB in all"],
    )
    with receiver(4) as to:
        for opened, name in ((postgresql, "PostgreSQL, Redis"), (sqlite, "SQLite, its own broker")):
            with opened() as database:
                sizes = _measure(to, database, options.size(2000))
            progress(f"memory, {name}: {', '.join(f'{size:.0f}' for size in sizes)} MB")
            table.add(name, len(sizes), f"{sum(sizes):.0f}")
    return [table]


def _measure(to: Receiver, database: Database, count: int) -> list[float]:
    database.remote.call("rows:project", slug="shop", ports=to.ports)
    worker = database.manage("worker")
    try:
        time.sleep(5)
        database.remote.call("rows:refill", count=count)
        wait_until(lambda: database.remote.call("rows:left") == 0, "the deliveries")
        time.sleep(5)
        return [pss(pid) for pid in family(worker.pid)]
    finally:
        stop(worker)
