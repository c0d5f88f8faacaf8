"""Digests sent by real processes on PostgreSQL, some of them killed: never twice, and nothing unrecorded.

Short by default; with `AEGIS_CHAOS_ROUNDS` set every point of a kill has its own test, and 10,000 runs are reported.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter

import pytest
from aiosmtpd.controller import Controller

from tests.chaos import servers
from tests.chaos.stack import ROOT

pytestmark = pytest.mark.chaos
POINTS = ["claimed", "made", "handing over", "handed over", "recording"]
LONG = bool(os.environ.get("AEGIS_CHAOS_ROUNDS"))
PEOPLE = 40 if LONG else 16
RUNS = 10_000 if LONG else 1_600


class Inbox:
    """Takes mail and counts it by address; `refuse` are addresses that are told to try again later."""

    def __init__(self):
        self.mails = Counter()
        self.asked = Counter()
        self.refuse = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.asked[address] += 1
        if address in self.refuse:
            return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.update(envelope.rcpt_tos)
        return "250 OK"


@pytest.fixture
def inbox():
    handler = Inbox()
    controller = Controller(handler, hostname="127.0.0.1", port=servers.free_port())
    controller.start()
    handler.port = controller.port
    yield handler
    controller.stop()


@pytest.fixture
def start(directory, inbox):
    """Starts a process of `digest_process` on a database of the test's own."""
    if reason := servers.missing():
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    database = servers.Postgres(directory)
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ} | {
        "DJANGO_SETTINGS_MODULE": "aegisnotify.settings",
        "AEGIS_DATA_DIR": str(directory / "data"),
        "AEGIS_BASE_URL": "http://127.0.0.1",
        "DATABASE_URL": database.url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "AEGIS_ENCRYPTION_KEYS": "c2l4dGVlbi1ieXRlcy1zaXh0ZWVuLWJ5dGVzLTEyMzQ=",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(inbox.port),
        "LOG_LEVEL": "ERROR",
    }

    def run(*arguments):
        return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE)

    try:
        assert run("manage.py", "migrate", "-v0").wait() == 0
        yield lambda question, argument=None: run("-m", "tests.chaos.digest_process", question, json.dumps(argument))
    finally:
        database.close()


def answer(process):
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return json.loads(out)


def settle(start, turns=4):
    """Turns until nothing waits any more: leases last a second here."""
    for _ in range(turns):
        time.sleep(1.1)
        answer(start("turn"))


def test_racing_and_dying_processes_send_each_digest_once_or_say_why_not(start, inbox):
    answer(start("seed", PEOPLE))
    for point in POINTS:
        # One that dies beside one that lives, both after the same digests.
        processes = [start("turn", point), start("turn")] if point == POINTS[0] else [start("turn", point)]
        for process in processes:
            process.communicate(timeout=120)
        time.sleep(1.1)
    settle(start)
    ledger = answer(start("ledger"))
    assert len(ledger) == PEOPLE
    states = {recipient: (state, reason) for recipient, state, reason, _ in ledger}
    assert set(inbox.mails.values()) == {1}
    # At most one for each of the three kills while a mail was being handed over.
    assert Counter(state for state, _ in states.values())["failed"] <= 3
    for recipient, (state, reason) in states.items():
        if state == "sent":
            assert inbox.mails[recipient] == 1
        else:
            assert (state, reason) == ("failed", "interrupted")


@pytest.mark.parametrize("point", POINTS if LONG else ["handing over"])
def test_a_kill_at_each_point(start, inbox, point):
    answer(start("seed", 5))
    assert start("turn", point).wait() == -9
    settle(start, turns=2)
    outcomes = Counter((state, reason) for _, state, reason, _ in answer(start("ledger")))
    assert max(inbox.mails.values()) == 1
    if point in ("claimed", "made"):
        assert outcomes == {("sent", ""): 5}
        assert sum(inbox.mails.values()) == 5
    else:
        # The one in flight is never sent again; whether it had arrived nobody can know.
        assert outcomes == {("sent", ""): 4, ("failed", "interrupted"): 1}
        assert sum(inbox.mails.values()) == (4 if point == "handing over" else 5)


def test_four_processes_at_once(start, inbox):
    answer(start("seed", PEOPLE))
    for process in [start("turn") for _ in range(4)]:
        answer(process)
    settle(start, turns=1)
    assert inbox.mails == {f"person{number}@example.com": 1 for number in range(PEOPLE)}
    assert all(state == "sent" for _, state, _, _ in answer(start("ledger")))


def test_what_the_server_does_not_take_three_times_has_failed_and_says_so(start, inbox):
    answer(start("seed", 5))
    inbox.refuse = {"person3@example.com"}
    settle(start, turns=5)
    ledger = {recipient: rest for recipient, *rest in answer(start("ledger"))}
    assert ledger["person3@example.com"] == ["failed", "mail_server", 3]
    assert inbox.asked["person3@example.com"] == 3
    assert inbox.mails == {f"person{number}@example.com": 1 for number in (0, 1, 2, 4)}


def test_runs_from_sixteen_callers_at_once_warn_once_at_each_mark(start, inbox):
    answer(start("seed_usage", RUNS))
    each = RUNS // 16
    callers = [start("report_runs", [number * each, (number + 1) * each]) for number in range(16)]
    warned = []
    while any(caller.poll() is None for caller in callers):
        warned.append(answer(start("usage")))
    assert all(caller.returncode == 0 for caller in callers)
    found = answer(start("usage"))
    assert found["used"] == RUNS
    assert found["reached"] == [80, 100]
    assert [state for state, _ in found["mailings"]] == ["sent", "sent"]
    assert sum(inbox.mails.values()) == 2
