"""Ten minutes at half of the measured capacity: whether memory and the queue stay flat and no error is logged.

gunicorn and `manage.py worker` on PostgreSQL and Redis, and on SQLite; events of four deliveries each, in batches.
"""

import contextlib
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.benchmarks.harness import (
    RUN,
    TOKEN,
    Database,
    Options,
    Table,
    family,
    free_port,
    postgresql,
    progress,
    pss,
    sqlite,
    start,
    stop,
    wait_until,
)
from tests.benchmarks.receiver import Receiver, receiver

HOSTS = 4
BATCH = 20
SAMPLE_EVERY = 5.0
# What stands in a line of the log that is worth a look.
SERIOUS = ("WARNING", "ERROR", "CRITICAL", "Traceback")


@dataclass
class Samples:
    """What was seen, by process or once a sample: megabytes, and the age of the longest due delivery in seconds."""

    memory: dict[str, list[float]] = field(default_factory=dict)
    ages: list[float] = field(default_factory=list)


def run(options: Options) -> list[Table]:
    seconds = options.size(600)
    table = Table(
        f"{seconds} seconds at half of the capacity: MB of the web server and of the worker, age of the queue",
        ["database", "capacity, deliveries/s", "delivered", "web MB", "worker MB", "queue s, p50 and worst", "logged"],
    )
    each = Table("Memory by process, in thirds of the time (PSS, MB)", ["database", "process", "1st", "2nd", "3rd"])
    for opened in (postgresql, sqlite):
        with receiver(HOSTS) as to, opened() as database, _installation(database, to) as place:
            capacity = _capacity(place, to, options.size(20))
            before = to.count()
            samples = _half(place, capacity / 2, seconds)
            wait_until(lambda database=database: database.remote.call("rows:left") == 0, "the last deliveries")
            web, worker = _total(samples, "web"), _total(samples, "worker")
            table.add(
                database.name,
                f"{capacity:,.0f}",
                to.count() - before,
                " → ".join(f"{value:.0f}" for value in web),
                " → ".join(f"{value:.0f}" for value in worker),
                f"{statistics.median(samples.ages):.2f}, {max(samples.ages):.2f}",
                len(place.complaints()),
            )
            for name, values in samples.memory.items():
                each.add(database.name, name, *(f"{value:.1f}" for value in _thirds(values)))
            for line in place.complaints()[:5]:
                progress(f"logged: {line}")
    return [table, each]


@dataclass
class Installation:
    database: Database
    address: str
    commands: dict[str, int]
    log: Path

    def complaints(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if any(word in line for word in SERIOUS)]

    def report(self, session: requests.Session, first: int) -> None:
        """One batch of events, with runs from this number on."""
        events = [
            {"event": "run_failed", "project": "shop", "run": RUN | {"id": f"run-{number}"}}
            for number in range(first, first + BATCH)
        ]
        headers = {"Authorization": f"Bearer {TOKEN}"}
        session.post(
            f"{self.address}/api/v1/events/batch", json={"events": events}, headers=headers, timeout=30
        ).raise_for_status()


@contextlib.contextmanager
def _installation(database: Database, to: Receiver) -> Iterator[Installation]:
    database.remote.call("rows:project", slug="shop", ports=to.ports)
    address = f"127.0.0.1:{free_port()}"
    web = [sys.executable, "-m", "gunicorn", "aegisnotify.wsgi", "--bind", address, "--workers=2", "--threads=2"]
    with tempfile.NamedTemporaryFile(prefix="aegisnotify-bench-", suffix=".log") as log:
        processes = {
            "web": start(web, database.environment, log=Path(log.name)),
            "worker": start([sys.executable, "manage.py", "worker"], database.environment, log=Path(log.name)),
        }
        commands = {name: process.pid for name, process in processes.items()}
        place = Installation(database, f"http://{address}", commands, Path(log.name))
        try:
            wait_until(lambda: _is_up(place), "the web server")
            yield place
        finally:
            for process in processes.values():
                stop(process)


def _is_up(place: Installation) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{place.address}/healthz", timeout=5).ok
    return False


def _capacity(place: Installation, to: Receiver, seconds: int) -> float:
    """Deliveries a second, from the first event to the last arrival, with as many reported as are accepted."""
    ends, reported = time.monotonic() + seconds, [0, 0]

    def report(caller: int) -> None:
        with requests.Session() as session:
            while time.monotonic() < ends:
                place.report(session, (caller + 1) * 1_000_000 + reported[caller])
                reported[caller] += BATCH

    callers = [threading.Thread(target=report, args=[caller]) for caller in range(len(reported))]
    began = time.time()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    expected = sum(reported) * HOSTS
    wait_until(lambda: to.count() >= expected, "what was reported at full speed", 300)
    rate = expected / (to.span()[1] - began)
    progress(f"soak, {place.database.name}: {rate:,.0f} deliveries/s at full speed")
    return rate


def _half(place: Installation, rate: float, seconds: int) -> Samples:
    samples, began, number = Samples(), time.monotonic(), 0
    every = BATCH * HOSTS / rate
    looking = threading.Thread(target=_look, args=[place, samples, began + seconds])
    looking.start()
    with requests.Session() as session:
        while (due := began + number * every) < began + seconds:
            time.sleep(max(due - time.monotonic(), 0))
            place.report(session, 10_000_000 + number * BATCH)
            number += 1
    looking.join()
    return samples


def _look(place: Installation, samples: Samples, ends: float) -> None:
    while time.monotonic() < ends:
        for command, pid in place.commands.items():
            for member, each in enumerate(family(pid)):
                samples.memory.setdefault(f"{command} {member}", []).append(pss(each))
        samples.ages.append(place.database.remote.call("rows:oldest_due"))
        if len(samples.ages) % 12 == 1:
            progress(
                f"soak, {place.database.name}: web {_last(samples, 'web'):.0f} MB, worker "
                f"{_last(samples, 'worker'):.0f} MB, queue {samples.ages[-1]:.2f} s"
            )
        time.sleep(SAMPLE_EVERY)


def _last(samples: Samples, command: str) -> float:
    return sum(values[-1] for name, values in samples.memory.items() if name.startswith(command))


def _total(samples: Samples, command: str) -> list[float]:
    parts = [_thirds(values) for name, values in samples.memory.items() if name.startswith(command)]
    return [sum(part) for part in zip(*parts, strict=True)]


def _thirds(values: list[float]) -> list[float]:
    size = max(len(values) // 3, 1)
    return [statistics.median(values[place : place + size]) for place in (0, size, max(len(values) - size, 0))]
