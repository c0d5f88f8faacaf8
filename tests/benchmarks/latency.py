"""From accepted to received: gunicorn and `manage.py worker`, 20 events a second, the moments of both ends."""

import contextlib
import statistics
import sys
import time

import requests

from tests.benchmarks.harness import (
    TOKEN,
    Database,
    Options,
    Table,
    free_port,
    postgresql,
    progress,
    sqlite,
    start,
    stop,
    wait_until,
)
from tests.benchmarks.receiver import Receiver, receiver

PER_SECOND = 20


def run(options: Options) -> list[Table]:
    table = Table(
        f"From accepted to received at {PER_SECOND} events/s, in ms",
        ["database and broker", "p50", "p90", "p99", "worst"],
    )
    with receiver(1) as to:
        for opened, name in ((postgresql, "PostgreSQL, Redis"), (sqlite, "SQLite, its own broker")):
            with opened() as database:
                waits = _measure(to, database, options.size(60 * PER_SECOND))
            parts = statistics.quantiles(waits, n=100, method="inclusive")
            table.add(name, *(f"{value * 1000:,.0f}" for value in (parts[49], parts[89], parts[98], max(waits))))
    return [table]


def _measure(to: Receiver, database: Database, count: int) -> list[float]:
    database.remote.call("rows:project", slug="shop", ports=to.ports)
    address = f"http://127.0.0.1:{free_port()}"
    web = [sys.executable, "-m", "gunicorn", "aegisnotify.wsgi", "--bind", address.removeprefix("http://")]
    processes = [start([*web, "--workers=2", "--threads=2"], database.environment), database.manage("worker")]
    try:
        return _waits(to, address, count, database.name)
    finally:
        for process in processes:
            stop(process)


def _waits(to: Receiver, address: str, count: int, name: str) -> list[float]:
    """How long each delivery took, in seconds, from the answer in the caller's hands to its arrival."""
    accepted: dict[str, float] = {}
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        wait_until(lambda: _is_up(session, address), "the web server")

        def report(number: int) -> None:
            run = {"id": f"run-{number}", "status": "failed", "failed": 1}
            answer = session.post(
                f"{address}/api/v1/events", json={"event": "run_failed", "project": "shop", "run": run}, timeout=10
            )
            answer.raise_for_status()
            moment = time.time()
            for decision in answer.json()["decisions"]:
                accepted.update((delivery, moment) for delivery in decision["deliveries"])

        to.reset()
        for number in range(-40, 0):  # until everything is loaded and connected
            report(number)
            time.sleep(0.1)
        wait_until(lambda: to.count() >= len(accepted), "the first deliveries")
        accepted.clear()
        to.reset()
        progress(f"latency, {name}: {count} events at {PER_SECOND}/s")
        begin = time.monotonic()
        for number in range(count):
            time.sleep(max(begin + number / PER_SECOND - time.monotonic(), 0))
            report(number)
        wait_until(lambda: to.count() >= len(accepted), "the last deliveries")
    arrived: dict[str, float] = {}
    for delivery, moment in to.arrivals():
        arrived.setdefault(delivery, moment)
    # Now and then a delivery is there before its answer is.
    return [max(arrived[delivery] - moment, 0.0) for delivery, moment in accepted.items()]


def _is_up(session: requests.Session, address: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return session.get(f"{address}/api/v1/usage", timeout=5).ok
    return False
