"""An installation under test: its own database and broker, web server, worker and sender as real processes.

`Stack` does for the top-level commands what systemd would: one that ends is started again. Everything else has to heal
by itself.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import requests

from tests.chaos.servers import Postgres, Redis, free_port, wait_until

ROOT = Path(__file__).resolve().parents[2]
WORKER = [sys.executable, "manage.py", "worker"]
QUICK_WORKER = [sys.executable, "-m", "tests.chaos.quick_worker"]
SENDER = [sys.executable, "manage.py", "deliver"]


class Command:
    """A top-level command and its log."""

    def __init__(self, name, argv, env, directory):
        self.name = name
        self._argv, self._env = argv, env
        self.log_path = directory / f"{name}.log"
        self.process = None

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self._argv, cwd=ROOT, env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self):
        return self.process.pid

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def kill(self):
        """`kill -9` of this process alone, and what systemd makes of it."""
        self.process.kill()
        self.process.wait()
        self.start()

    def kill_group(self):
        os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        self.start()

    def stop(self, number=signal.SIGTERM, seconds=25.0):
        """Its exit code after this signal, and how long it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(seconds), time.monotonic() - began

    def end(self):
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop(seconds=20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()


class Stack:
    def __init__(self, kind, directory, urls, worker=WORKER):
        self.servers = {}
        if kind == "postgresql":
            self.servers = {"postgres": Postgres(directory), "redis": Redis(directory)}
        self.port = free_port()
        # Nothing of the test run's own settings, which name its databases.
        inherited = ("PATH", "LANG", "VIRTUAL_ENV", "TMPDIR")
        self.env = {name: os.environ[name] for name in inherited if name in os.environ} | {
            "HOME": str(directory),
            "DJANGO_SETTINGS_MODULE": "aegisnotify.settings",
            "AEGIS_DATA_DIR": str(directory / "data"),
            "DATABASE_URL": self.servers["postgres"].url if self.servers else "",
            "REDIS_URL": self.servers["redis"].url if self.servers else "",
            "SECRET_KEY": "only-for-tests-" + "x" * 50,
            "AEGIS_ENCRYPTION_KEYS": "c2l4dGVlbi1ieXRlcy1zaXh0ZWVuLWJ5dGVzLTEyMzQ=",
            "AEGIS_BASE_URL": f"http://127.0.0.1:{self.port}",
            "AEGIS_ALLOW_PRIVATE_TARGETS": "1",
            "AEGIS_API_RATE": "1000000",
            "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        gunicorn = ["gunicorn", "aegisnotify.wsgi", "--bind", f"127.0.0.1:{self.port}"]
        gunicorn += ["--worker-class", "gthread", "--threads", "8", "--workers", "1"]
        self.web = Command("web", [sys.executable, "-m", *gunicorn], self.env, directory)
        self.worker = Command("worker", worker, self.env, directory)
        self.sender = Command("sender", SENDER, self.env, directory)
        try:
            self._run("manage.py", "migrate", "-v0")
            self.token = self.ask("seed", urls)
        except BaseException:
            self.close()
            raise

    def ask(self, question, argument=None):
        """See `remote`."""
        return json.loads(self._run("-m", "tests.chaos.remote", question, json.dumps(argument)))

    def _run(self, *arguments):
        return subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.env, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def wait_for_web(self):
        def answers():
            with contextlib.suppress(requests.RequestException):
                return requests.get(f"{self.env['AEGIS_BASE_URL']}/login", timeout=5).status_code < 500
            return False

        wait_until(answers, "the web server answers", 60)

    def close(self):
        for command in (self.web, self.worker, self.sender):
            command.end()
        with contextlib.ExitStack() as closing:
            for server in self.servers.values():
                closing.callback(server.close)


class Poster:
    """Reports events at a rate until stopped. What is not answered is reported again, under its own id, so every event
    is accepted in the end. `accepted` has the moment of each."""

    def __init__(self, stack, rate, threads=4, prefix="scan"):
        self._prefix = prefix
        self._url = f"{stack.env['AEGIS_BASE_URL']}/api/v1/events"
        self._headers = {"Authorization": f"Bearer {stack.token}"}
        self._interval = threads / rate
        self._stop = threading.Event()
        self._paused = threading.Event()
        self.accepted = {}
        self.refused = []
        self._threads = [threading.Thread(target=self._post, args=[number], daemon=True) for number in range(threads)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def pause(self):
        self._paused.set()

    def go_on(self):
        self._paused.clear()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def accepted_since(self, moment):
        return [name for name, at in list(self.accepted.items()) if at >= moment]

    def _post(self, number):
        with requests.Session() as session:
            session.trust_env = False
            session.headers.update(self._headers)
            count = 0
            due = time.monotonic() + number * self._interval / len(self._threads)
            while not self._stop.wait(max(due - time.monotonic(), 0)):
                due = max(due + self._interval, time.monotonic() - 1)
                if self._paused.is_set():
                    continue
                count += 1
                self._report(session, f"{self._prefix}-{number}-{count}")

    def _report(self, session, name):
        payload = {"event": "crawl_completed", "project": "shop", "crawl": {"id": name, "status": "completed"}}
        while True:
            try:
                answer = session.post(self._url, json=payload, timeout=30)
                if answer.status_code in (200, 202):
                    self.accepted[name] = time.monotonic()
                    return
                if answer.status_code < 500:
                    self.refused.append(answer.text)
                    return
            except requests.RequestException:
                pass
            if self._stop.is_set() and name not in self.accepted:
                # Whether it was recorded is not known, and nobody was told that it was.
                return
            time.sleep(0.2)


class Family:
    """The processes below a worker command, by what they are."""

    def __init__(self, pid):
        children = _children()
        self.pid = pid
        # The cluster's first process has a child (django-q's sentinel), the standby has none.
        self.master = next((each for each in children.get(pid, []) if children.get(each)), None)
        self.standby = next((each for each in children.get(pid, []) if each != self.master), None)
        self.sentinel = next(iter(children.get(self.master, [])), None)
        # Two workers, the monitor and the pusher, in this order when they were started first.
        self.below = sorted(children.get(self.sentinel, []))

    @property
    def is_complete(self):
        return None not in (self.master, self.standby, self.sentinel) and len(self.below) == 4

    @property
    def all(self):
        return [each for each in (self.pid, self.master, self.standby, self.sentinel, *self.below) if each]

    def left(self):
        """Those that still run, by name, and where in the kernel they wait."""
        names = ("command", "master", "standby", "sentinel", "worker", "other worker", "monitor", "pusher")
        return [f"{name} ({_waits_in(pid)})" for name, pid in zip(names, self.all, strict=False) if alive([pid])]


def _children():
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found.setdefault(int(parent), []).append(int(pid))
    return found


def alive(pids):
    """Those of them that still run."""
    return [pid for pid in pids if _state(pid) not in ("", "Z")]


def _state(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def _waits_in(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/wchan").read_text() or "nowhere"
    return "gone meanwhile"


def memory(pids):
    """What the processes occupy together, shared pages counted once, in MB (PSS)."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024
