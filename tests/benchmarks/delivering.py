"""How many deliveries a second: the engine beside bare posts, django-q2 and Celery, with receivers of 0 and 50 ms."""

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.benchmarks import bare, engines
from tests.benchmarks.harness import (
    Database,
    Options,
    Remote,
    Table,
    median,
    postgresql,
    progress,
    ratio,
    sqlite,
    start,
    stop,
    wait_until,
)
from tests.benchmarks.receiver import Receiver, receiver

THREADS = 16
SLOW, SLOW_THREADS = 0.05, 64
HOSTS = 8


def run(options: Options) -> list[Table]:
    with contextlib.ExitStack() as stack:
        to = stack.enter_context(receiver(HOSTS))
        served, embedded = stack.enter_context(postgresql()), stack.enter_context(sqlite())
        for database in (served, embedded):
            database.remote.call("rows:project", slug="shop", ports=to.ports)
        second = {database.name: database.another() for database in (served, embedded)}
        for remote in second.values():
            stack.callback(remote.close)
        return [
            _fast(options, to, served, embedded, second),
            _slow(options, to, served, embedded, second),
        ]


def _fast(options: Options, to: Receiver, served: Database, embedded: Database, second: dict[str, Remote]) -> Table:
    count = options.size(4000)
    one, two = [served.remote], [served.remote, second["PostgreSQL"]]
    contenders: dict[str, Callable[[], tuple[float, float]]] = {
        "bare posts, 1 process": lambda: _bare(to, one, count, THREADS),
        "engine, PostgreSQL, 1 process": lambda: _engine(to, served, one, count, THREADS),
        "engine, SQLite, 1 process": lambda: _engine(to, embedded, [embedded.remote], count, THREADS),
        "bare posts, 2 processes": lambda: _bare(to, two, count, THREADS),
        "engine, PostgreSQL, 2 processes": lambda: _engine(to, served, two, count, THREADS),
        "engine, SQLite, 2 processes": lambda: _engine(
            to, embedded, [embedded.remote, second["SQLite"]], count, THREADS
        ),
        "a django-q2 task each, 2 workers": lambda: _q2(to, served, options.size(800)),
        "a Celery task each, 2 workers": lambda: _celery(to, served, options.size(1500)),
    }
    rates, costs = _rounds("delivering", contenders, options.rounds)
    table = Table(
        "Delivering to a receiver that answers at once: deliveries per second",
        ["", "deliveries/s", "CPU ms each", "compared with", "ratio"],
    )
    compared = {
        "engine, PostgreSQL, 1 process": "bare posts, 1 process",
        "engine, SQLite, 1 process": "engine, PostgreSQL, 1 process",
        "engine, PostgreSQL, 2 processes": "bare posts, 2 processes",
        "engine, SQLite, 2 processes": "engine, PostgreSQL, 2 processes",
        "a django-q2 task each, 2 workers": "engine, PostgreSQL, 2 processes",
        "a Celery task each, 2 workers": "engine, PostgreSQL, 2 processes",
    }
    for name in contenders:
        other = compared.get(name)
        cost = f"{median(costs[name]):.2f}" if costs[name][0] else ""
        if other is None:
            table.add(name, f"{median(rates[name]):,.0f}", cost, "", "")
        elif name.startswith("a "):
            table.add(
                name, f"{median(rates[name]):,.0f}", cost, f"{other} ÷ this", f"{ratio(rates[other], rates[name]):.1f}"
            )
        else:
            table.add(name, f"{median(rates[name]):,.0f}", cost, other, f"{ratio(rates[name], rates[other]):.2f}")
    return table


def _slow(options: Options, to: Receiver, served: Database, embedded: Database, second: dict[str, Remote]) -> Table:
    count = options.size(4000)
    one, two = [served.remote], [served.remote, second["PostgreSQL"]]
    contenders: dict[str, Callable[[], tuple[float, float]]] = {
        "bare posts, 1 process": lambda: _bare(to, one, count, SLOW_THREADS, SLOW),
        "engine, PostgreSQL, 1 process": lambda: _engine(to, served, one, count, SLOW_THREADS, SLOW),
        "engine, SQLite, 1 process": lambda: _engine(to, embedded, [embedded.remote], count, SLOW_THREADS, SLOW),
        "bare posts, 2 processes": lambda: _bare(to, two, count, SLOW_THREADS, SLOW),
        "engine, PostgreSQL, 2 processes": lambda: _engine(to, served, two, count, SLOW_THREADS, SLOW),
        "engine, SQLite, 2 processes": lambda: _engine(
            to, embedded, [embedded.remote, second["SQLite"]], count, SLOW_THREADS, SLOW
        ),
    }
    rates, costs = _rounds("delivering at 50 ms", contenders, max(options.rounds // 2, 1))
    table = Table(
        f"Delivering to receivers that take 50 ms, {SLOW_THREADS} threads: deliveries per second",
        ["", "deliveries/s", "CPU ms each", "÷ bare posts"],
    )
    for name in contenders:
        bare_name = f"bare posts, {name.rpartition(', ')[2]}"
        compared = "" if name == bare_name else f"{ratio(rates[name], rates[bare_name]):.2f}"
        table.add(name, f"{median(rates[name]):,.0f}", f"{median(costs[name]):.2f}", compared)
    return table


def _rounds(
    what: str, contenders: dict[str, Callable[[], tuple[float, float]]], rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Everybody in turn, so that what disturbs the machine disturbs all; the first round only warms up."""
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    costs: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, measure in contenders.items():
            rate, cost = measure()
            progress(f"{what}, round {number}: {name}: {rate:,.0f}/s, {cost:.2f} ms")
            if number:
                rates[name].append(rate)
                costs[name].append(cost)
    return rates, costs


def _bare(to: Receiver, remotes: list[Remote], count: int, threads: int, delay: float = 0.0) -> tuple[float, float]:
    to.reset(delay)
    for remote in remotes:
        remote.start(bare_posts, ports=to.ports, count=count // len(remotes), threads=threads)
    cpu = sum(remote.result() for remote in remotes)
    return _rate(to), cpu / count * 1000


def bare_posts(ports: list[int], count: int, threads: int) -> float:
    before = engines.cpu()
    bare.post(ports, count, threads)
    return engines.cpu() - before


def _engine(
    to: Receiver, database: Database, remotes: list[Remote], count: int, threads: int, delay: float = 0.0
) -> tuple[float, float]:
    database.remote.call("rows:refill", count=count)
    to.reset(delay)
    for remote in remotes:
        remote.start(engines.drain, threads=threads)
    results: list[dict[str, Any]] = [remote.result() for remote in remotes]
    assert sum(result["delivered"] for result in results) == count, results
    return _rate(to), sum(result["cpu"] for result in results) / count * 1000


def _q2(to: Receiver, database: Database, count: int) -> tuple[float, float]:
    remote = database.another(AEGIS_BENCH_PLAIN_CLUSTER="1")
    remote.call("rows:refill", count=count)
    remote.call("rivals:q_enqueue")
    remote.close()
    return _tasks(to, lambda: database.manage("qcluster", AEGIS_BENCH_PLAIN_CLUSTER="1"), count)


def _celery(to: Receiver, database: Database, count: int) -> tuple[float, float]:
    database.remote.call("rows:refill", count=count)
    database.remote.call("rivals:celery_enqueue")
    command = [sys.executable, "-m", "celery", "-A", "tests.benchmarks.celery_app", "worker", "--pool=prefork"]
    options = ["--concurrency=2", "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]
    return _tasks(to, lambda: start([*command, *options], database.environment), count)


def _tasks(to: Receiver, begin: Callable[[], Any], count: int) -> tuple[float, float]:
    """The tasks wait already; from the first arrival to the last, so that starting the workers does not count."""
    to.reset()
    process = begin()
    try:
        wait_until(lambda: to.count() >= count, "the tasks")
        rate = _rate(to)
    finally:
        stop(process)
    time.sleep(0.2)
    return rate, 0.0


def _rate(to: Receiver) -> float:
    first, last = to.span()
    return (to.count() - 1) / (last - first)
