"""Scaled out: three worker clusters and two web processes on PostgreSQL and Redis deliver each event to three channels,
while a cluster is killed every few seconds, Redis is emptied once and PostgreSQL restarted once.

Short by default, with shorter leases. `AEGIS_SCALE_EVENTS=20000 pytest -m chaos tests/chaos/test_scale_out.py -s` is
the long form, with the real ones; it shows what it measured.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.chaos import servers
from tests.chaos.receivers import Receiver
from tests.chaos.servers import free_port, wait_until
from tests.chaos.stack import WORKER, Command, Family, Stack, alive

pytestmark = pytest.mark.chaos

EVENTS = int(os.environ.get("AEGIS_SCALE_EVENTS", "300"))
IS_SHORT = EVENTS <= 1000
CHANNELS = ("first", "second", "third")
CLUSTERS, WEBS = 3, 2
SCALED_WORKER = WORKER if not IS_SHORT else [sys.executable, "-m", "tests.chaos.scaled_worker"]
BATCH = 10 if IS_SHORT else 100
# The short form spreads its events, so that they meet the faults; the long one reports as fast as it is answered.
REPORTING_SECONDS = 9.0 if IS_SHORT else 0.0
KILL_EVERY = 2.5 if IS_SHORT else 4.0
ARRIVE_WITHIN = 60.0 if IS_SHORT else 900.0
MOST_REPEATED = 0.01


class Fleet:
    """Several clusters and web processes of one installation."""

    def __init__(self, directory, urls):
        self.stack = Stack("postgresql", directory, urls)
        self.addresses, self.webs = [], []
        for number in range(WEBS):
            port = free_port()
            argv = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "8"]
            environment = {**self.stack.env, "WEB_CONCURRENCY": "1"}
            self.webs.append(Command(f"web-{number}", argv, environment, directory))
            self.addresses.append(f"http://127.0.0.1:{port}")
        self.clusters = [
            Command(f"cluster-{number}", SCALED_WORKER, self.stack.env, directory) for number in range(CLUSTERS)
        ]

    def start(self):
        for command in (*self.webs, *self.clusters):
            command.start()
        wait_until(lambda: all(map(_answers, self.addresses)), "the web processes answer", 60)
        wait_until(lambda: self.readiness()["workers"] == CLUSTERS, "every cluster is seen", 60)

    def readiness(self):
        return requests.get(f"{self.addresses[0]}/readyz", timeout=10).json()

    def kill(self, number):
        """`kill -9` of a whole cluster, of every process of it, and what systemd makes of that."""
        command = self.clusters[number]
        pids = Family(command.pid).all
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        command.process.wait()
        wait_until(lambda: not alive(pids), "the cluster is dead", 5)
        command.start()

    def close(self):
        for command in (*self.webs, *self.clusters):
            command.end()
        self.stack.close()


def _answers(address):
    try:
        return requests.get(f"{address}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


class Reporting:
    """Reports all events in batches, over all web processes. What is not answered is reported again to the next one."""

    def __init__(self, fleet):
        self._fleet = fleet
        self._headers = {"Authorization": f"Bearer {fleet.stack.token}"}
        self.accepted, self.refused = set(), []
        self.names = [f"scan-{number}" for number in range(EVENTS)]

    def run(self):
        batches = [self.names[place : place + BATCH] for place in range(0, EVENTS, BATCH)]
        pause = REPORTING_SECONDS / len(batches)
        with ThreadPoolExecutor(2 * WEBS) as threads:
            for number, batch in enumerate(batches):
                threads.submit(self._report, batch, number)
                time.sleep(pause)

    def _report(self, batch, number):
        events = [
            {"event": "crawl_completed", "project": "shop", "crawl": {"id": name, "status": "completed"}}
            for name in batch
        ]
        with requests.Session() as session:
            session.trust_env = False
            while True:
                number += 1
                address = self._fleet.addresses[number % WEBS]
                try:
                    answer = session.post(
                        f"{address}/api/v1/events/batch", json={"events": events}, headers=self._headers, timeout=60
                    )
                except requests.RequestException:
                    answer = None
                if answer is not None and answer.status_code < 500:
                    results = answer.json()["results"] if answer.ok else [{"status": answer.status_code}] * len(batch)
                    for name, result in zip(batch, results, strict=True):
                        self.accepted.add(name) if result["status"] in (200, 202) else self.refused.append(result)
                    return
                time.sleep(0.2)


@pytest.fixture
def slow_receiver():
    made = Receiver(delay=0.01)
    yield made
    made.close()


@pytest.fixture
def fleet(directory, slow_receiver):
    if reason := servers.missing():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    made = Fleet(directory, {name: f"{slow_receiver.url}/{name}" for name in CHANNELS})
    yield made
    made.close()
    for command in (*made.webs, *made.clusters):
        if command.log_path.exists():
            print(f"--- {command.name}\n{command.log[-3000:]}")


def test_scaled_out_nothing_is_lost_and_hardly_anything_comes_twice(fleet, slow_receiver):
    receiver = slow_receiver
    fleet.start()
    reporting = Reporting(fleet)
    began = time.monotonic()
    thread = threading.Thread(target=reporting.run, daemon=True)
    thread.start()
    kills, faults = 0, [fleet.stack.servers["redis"].flush, lambda: fleet.stack.servers["postgres"].restart("fast")]
    while thread.is_alive() or faults:
        thread.join(KILL_EVERY)
        fleet.kill(kills % CLUSTERS)
        kills += 1
        if faults and kills > 1:
            faults.pop(0)()
    accepted_after = time.monotonic() - began

    def all_arrived():
        return sum(receiver.has_all_of(name, len(CHANNELS)) for name in reporting.names) == EVENTS

    while not IS_SHORT and fleet.readiness()["oldest_due_seconds"] and not all_arrived():
        time.sleep(KILL_EVERY)
        fleet.kill(kills % CLUSTERS)
        kills += 1
    wait_until(all_arrived, "all have arrived", ARRIVE_WITHIN, 0.1)
    arrived_after = time.monotonic() - began
    wait_until(lambda: not fleet.stack.ask("unfinished"), "all is settled", ARRIVE_WITHIN, 0.5)

    sent, repeated = EVENTS * len(CHANNELS), receiver.repeated()
    print(
        f"\n{EVENTS:,} events, {sent:,} deliveries, {kills} clusters killed: accepted after {accepted_after:.0f} s, "
        f"arrived after {arrived_after:.0f} s, {repeated} repeated ({repeated / sent:.2%})"
    )
    assert reporting.refused == []
    assert reporting.accepted == set(reporting.names)
    ledger = fleet.stack.ask("ledger")
    assert ledger["occurrences"] == dict.fromkeys(reporting.names, len(CHANNELS))
    assert [row for row in ledger["deliveries"] if row["status"] != "delivered"] == []
    assert {row["id"] for row in ledger["deliveries"]} == set(receiver.arrivals)
    assert [ids for ids in receiver.messages.values() if len(ids) != 1] == [], "a message came under two ids"
    assert repeated <= sent * MOST_REPEATED
