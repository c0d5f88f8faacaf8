"""`kill -9` of a sender in full flight: what is lost, and what arrives twice."""

import os
import random
import signal

from tests.benchmarks.harness import (
    Database,
    Options,
    Table,
    family,
    median,
    postgresql,
    progress,
    sqlite,
    stop,
    wait_until,
)
from tests.benchmarks.receiver import Receiver, receiver


def run(options: Options) -> list[Table]:
    table = Table(
        "kill -9 of `manage.py deliver` while it delivers",
        ["database", "kills", "lost", "arrived twice, per kill: median", "most"],
    )
    with receiver(8) as to:
        for opened in (postgresql, sqlite):
            with opened() as database:
                kills = 4 if options.quick else 10
                lost, twice = _measure(to, database, kills, options.size(1500))
                table.add(database.name, kills, lost, f"{median(twice):.0f}", f"{max(twice):.0f}")
    return [table]


def _measure(to: Receiver, database: Database, kills: int, each: int) -> tuple[int, list[float]]:
    """`each`: about how many deliveries are made between two kills."""
    database.remote.call("rows:project", slug="shop", ports=to.ports)
    total = each * (kills + 2)
    database.remote.call("rows:refill", count=total)
    to.reset()
    twice: list[float] = []
    for number in range(kills):
        before = to.count()
        sender = database.manage("deliver")
        goal = before + each + random.randrange(each // 4)
        wait_until(lambda goal=goal: to.count() >= goal, "deliveries")
        _kill(sender.pid)
        sender.wait()
        # What arrived and is not stored is what will arrive again.
        arrived = {delivery for delivery, _ in to.arrivals()[before:]}
        twice.append(len(arrived - set(database.remote.call("rows:delivered"))))
        progress(f"killing, {database.name}, kill {number + 1}: {twice[-1]:.0f} to come twice")
        database.remote.call("rows:expire_leases")
    sender = database.manage("deliver")
    wait_until(lambda: database.remote.call("rows:left") == 0, "the rest", 300)
    stop(sender)
    arrivals = [delivery for delivery, _ in to.arrivals()]
    assert len(arrivals) - len(set(arrivals)) <= sum(twice), "More arrived twice than was counted."
    return total - len(set(arrivals)), twice


def _kill(pid: int) -> None:
    for each in family(pid):
        os.kill(each, signal.SIGKILL)
