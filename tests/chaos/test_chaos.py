"""Everything is killed while events are reported and delivered: nothing is lost, little is sent twice, all heals.

Short by default. `AEGIS_CHAOS_ROUNDS=10 pytest -m chaos tests/chaos/test_chaos.py -s` goes on for longer, with the
worker's real heartbeat, and shows what it measured.
"""

import os
import signal
import time

import pytest

from tests.chaos.servers import wait_until
from tests.chaos.stack import QUICK_WORKER, WORKER, Family, Poster, alive, memory

pytestmark = pytest.mark.chaos

ROUNDS = int(os.environ.get("AEGIS_CHAOS_ROUNDS", "0"))
CHANNELS = ("first", "second", "third")
RATE = 20
BACK_WITHIN = 60.0
MOST_REPEATED_PER_FAULT = 40


class Chaos:
    """Applies faults and keeps the score."""

    def __init__(self, stack, receiver):
        self.stack, self.receiver = stack, receiver
        self.poster = Poster(stack, RATE)
        self.faults = []

    def family(self):
        """The worker's processes, once they are all there."""
        found = None

        def is_complete():
            nonlocal found
            found = Family(self.stack.worker.pid)
            return found.is_complete

        wait_until(is_complete, "the worker's processes are there", 90)
        return found

    def apply(self, name, fault):
        """Do it, and wait until an event that was accepted afterwards has reached every channel."""
        before = self.receiver.repeated()
        fault()
        moment = time.monotonic()
        seconds = wait_until(lambda: self._delivers_since(moment), f"{name}: delivery is back", BACK_WITHIN, 0.02)
        self.faults.append((name, seconds))
        print(f"{name}: back after {seconds:.1f} s, {self.receiver.repeated() - before} repeated")

    def _delivers_since(self, moment):
        return any(self.receiver.has_all_of(name, len(CHANNELS)) for name in self.poster.accepted_since(moment))

    def kill(self, name, find):
        """`kill -9` of a process that is not a top-level command."""
        pid = find(self.family())
        self.apply(name, lambda: os.kill(pid, signal.SIGKILL))

    def freeze(self):
        """Kill the cluster's idle workers: one of them holds the queue's lock, which nobody can take any more."""
        before = self.family()
        for pid in before.below[:2]:
            os.kill(pid, signal.SIGKILL)
        return before


def test_everything_is_killed_and_every_accepted_event_is_delivered(kind, receiver, start_stack):
    urls = {name: f"{receiver.url}/{name}" for name in CHANNELS}
    stack = start_stack(kind, urls, WORKER if ROUNDS else QUICK_WORKER)
    stack.web.start()
    stack.worker.start()
    stack.wait_for_web()
    chaos = Chaos(stack, receiver)
    print(f"\nidle memory of the worker: {memory(chaos.family().all):.0f} MB")
    for number in range(max(ROUNDS, 1)):
        _round(chaos, number)

    chaos.poster.stop()
    accepted = set(chaos.poster.accepted)
    complete = wait_until(
        lambda: all(receiver.has_all_of(name, len(CHANNELS)) for name in accepted), "all have arrived", BACK_WITHIN
    )
    wait_until(lambda: not stack.ask("unfinished"), "all is settled", BACK_WITHIN)
    print(
        f"{len(accepted):,} events, {len(receiver.arrivals):,} deliveries, {len(chaos.faults)} faults, slowest "
        f"{max(seconds for _, seconds in chaos.faults):.1f} s, complete {complete:.1f} s after the last, "
        f"{receiver.repeated()} repeated"
    )

    assert chaos.poster.refused == []
    ledger = stack.ask("ledger")
    assert {name: ledger["occurrences"].get(name) for name in accepted} == dict.fromkeys(accepted, len(CHANNELS))
    assert [row for row in ledger["deliveries"] if row["status"] != "delivered"] == []
    assert {row["id"] for row in ledger["deliveries"]} == set(receiver.arrivals)
    assert [ids for ids in receiver.messages.values() if len(ids) != 1] == [], "a message came under two ids"
    assert receiver.repeated() <= MOST_REPEATED_PER_FAULT * len(chaos.faults)
    for command in (stack.worker, stack.sender):
        code, seconds = command.stop()
        print(f"{command.name}: stopped after {seconds:.1f} s")
        assert code == 0


def _round(chaos, number):
    stack, poster = chaos.stack, chaos.poster
    if number:
        # A new one, whose workers come first among its processes: an older one has replaced some.
        chaos.apply("worker command", stack.worker.kill)
        chaos.family()
        poster.pause()
        wait_until(lambda: not stack.ask("unfinished"), "all is settled", BACK_WITHIN)
        # A drain goes on for a second after the last delivery.
        time.sleep(3)
    # Nothing is going on yet (again), so the cluster's workers are idle.
    frozen = chaos.freeze()
    poster.go_on() if number else poster.start()
    chaos.apply("idle workers", lambda: None)
    seconds = wait_until(lambda: not alive([frozen.master]), "the frozen cluster is killed", 100)
    print(f"frozen cluster: killed after {seconds:.1f} s")
    wait_until(lambda: not alive(frozen.all[1:2] + frozen.all[3:]), "all of it", 5)

    for place, name in enumerate(("worker", "another worker", "monitor", "pusher")):
        chaos.kill(name, lambda family, place=place: family.below[place])
    chaos.kill("sentinel", lambda family: family.sentinel)
    chaos.kill("master", lambda family: family.master)
    chaos.kill("standby", lambda family: family.standby)
    orphaned = chaos.family()
    chaos.apply("worker command", stack.worker.kill)
    if "redis" in stack.servers:
        chaos.apply("Redis emptied", stack.servers["redis"].flush)
        stack.servers["redis"].stop()
        chaos.apply("Redis stopped", lambda: None)
        time.sleep(10)
        chaos.apply("Redis started again", stack.servers["redis"].start)
    seconds = wait_until(
        lambda: not alive(orphaned.all), lambda: f"nothing of the killed worker is left but {orphaned.left()}", 25
    )
    print(f"the killed worker command's processes: gone after {seconds:.1f} s")

    if number == 0:
        stack.sender.start()
        time.sleep(2)
    chaos.apply("sender", stack.sender.kill)
    if "postgres" in stack.servers:
        chaos.apply("PostgreSQL restarted", lambda: stack.servers["postgres"].restart("fast"))
        chaos.apply("PostgreSQL crashed", lambda: stack.servers["postgres"].restart("immediate"))
    chaos.apply("web server", stack.web.kill_group)
