"""`manage.py quickstart`, for real: one command, one post, and everything arrives."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
import requests

from notifications.sandbox import quickstart

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60
FAILED_SCHEDULED_RUN = {
    "event": "run_failed",
    "project": "acme-web",
    "run": {"id": "77", "suite_name": "Checkout flow", "status": "failed", "passed": 15, "failed": 3}
    | {"trigger": "schedule"},
}


class Running:
    """A quickstart in a process of its own. Use it as a context manager: it leaves nothing behind."""

    def __init__(self, directory, port):
        self.directory = directory
        self.said = ""
        # Everything as for somebody who cloned the repository: nothing of the tests' own settings.
        ours = ("AEGIS_", "DJANGO_", "DATABASE_", "REDIS_", "EMAIL_", "SECRET_", "ALLOWED_", "DEBUG", "PYTEST_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "quickstart", "--port", str(port)],
            env=environment | {"AEGIS_DATA_DIR": str(directory)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.set_blocking(self.process.stdout.fileno(), False)

    def __enter__(self):
        self.read_until("Ctrl-C stops everything")
        return self

    def __exit__(self, *exception):
        for pid in [self.process.pid, *self.pids()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def read_until(self, words):
        end = time.monotonic() + PATIENCE
        while words not in self.said and time.monotonic() < end:
            select.select([self.process.stdout], [], [], 0.2)
            chunk = self.process.stdout.read()
            self.said += (chunk or b"").decode()
            if chunk == b"":
                break
        assert words in self.said, self.said

    def told(self, label):
        return re.search(rf"^ +{label} +(\S+)", self.said, re.MULTILINE)[1]

    def post(self, payload, token=None):
        headers = {"Authorization": f"Bearer {token or self.told('API token')}"}
        return requests.post(f"{self.told('App')}/api/v1/events", json=payload, headers=headers, timeout=10)

    def arrivals(self):
        files = sorted((self.directory / "sandbox" / "arrivals").glob("*.json"))
        return [json.loads(file.read_text()) for file in files]

    def wait_for_arrivals(self, count):
        end = time.monotonic() + 60
        while len(self.arrivals()) < count and time.monotonic() < end:
            time.sleep(0.05)
        return self.arrivals()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def pids(self, word=""):
        """The processes of this quickstart, known by their environment; the first is the oldest."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                mine = f"AEGIS_DATA_DIR={self.directory}\0".encode() in (entry / "environ").read_bytes()
                if mine and word.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
        return sorted(found)


@pytest.fixture
def port():
    """A port of which the next is free too."""
    start = 24000 + os.getpid() % 500 * 4
    return next(
        port
        for port in range(start, 60000, 4)
        if all(quickstart._is_free(f"127.0.0.1:{port + offset}") for offset in range(2))
    )


def test_one_post_arrives_everywhere_and_a_second_start_keeps_the_data(tmp_path, port):
    with Running(tmp_path, port) as first:
        token = first.told("API token")
        answer = first.post(FAILED_SCHEDULED_RUN)
        assert answer.status_code == 202, answer.text
        assert answer.json()["fired"] == ["run_failed", "scheduled_runs", "run_completed"]

        arrived = first.wait_for_arrivals(7)
        assert Counter(each["kind"] for each in arrived) == Counter(email=1, slack=1, discord=1, teams=1, webhook=3)
        webhooks = [each for each in arrived if each["kind"] == "webhook"]
        assert {json.loads(each["body"])["event"] for each in webhooks} == set(answer.json()["fired"])
        assert [[check["ok"] for check in each["checks"]] for each in webhooks] == [[True, True]] * 3
        assert {each["status"] for each in arrived} <= {None, 200, 202}
        waited = latencies(first, answer.json()["id"], arrived)
        print(f"accepted → received: {min(waited):.3f} to {max(waited):.3f} s")  # noqa: T201 - what `pytest -s` shows
        # Generous, for a busy machine: alone it is about half a second.
        assert max(waited) < 15

        assert requests.get(first.told("Sandbox"), timeout=10).text.count("is verified.") == 6
        assert requests.get(f"{first.told('App')}/login/", timeout=10).status_code == 200
        assert first.stop() == 0
        assert first.pids() == []

    with Running(tmp_path, port) as second:
        assert second.told("Sandbox") == first.told("Sandbox")
        assert second.told("Password") != first.told("Password")
        assert second.post(FAILED_SCHEDULED_RUN, token).status_code == 401
        again = second.post(FAILED_SCHEDULED_RUN)
        assert (again.status_code, again.json()["duplicate"]) == (200, True)
        assert len(second.arrivals()) == 7

        os.kill(second.pids("notifications.sandbox.wsgi")[0], signal.SIGKILL)
        second.read_until("The sandbox process ended by itself")
        assert second.process.wait(30) == 1
        assert second.pids() == []


def latencies(running, event_id, arrived):
    """Seconds from the moment the event was accepted to the arrival of each message."""
    headers = {"Authorization": f"Bearer {running.told('API token')}"}
    event = requests.get(f"{running.told('App')}/api/v1/events/{event_id}", headers=headers, timeout=10).json()
    accepted = datetime.fromisoformat(event["received_at"])
    return [(datetime.fromisoformat(each["at"]) - accepted).total_seconds() for each in arrived]
