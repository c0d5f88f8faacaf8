"""Bringing everything up on one machine: web server, background worker and sandbox, with demo data.

This process only supervises. What needs the right settings (the demo data too) runs in children, since settings are
read once, from the environment, and this process was started without them.
"""

import errno
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import requests
from django.conf import settings
from django.urls import reverse
from gunicorn.config import KNOWN_SETTINGS

from notifications import catalog, samples
from notifications.delivery.targets import TargetPolicy, TargetRefused, check_url
from notifications.sandbox import demo
from notifications.sandbox.processes import Child

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - asked for by --bind
SANDBOX_PORTS = 20
START_SECONDS = 60.0
# The worker is only waited for as a courtesy: without it messages are late, not lost.
WORKER_SECONDS = 20.0
LOOK_EVERY = 0.1
STOP_WEB_SECONDS = 8.0
# A try in flight may take 15 seconds; the worker itself takes 20 at most.
STOP_WORKER_SECONDS = 25.0
_PROJECT = demo.PROJECTS[0][1]


class QuickstartError(Exception):
    """It can't start, or had to stop. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things listen."""

    bind: str
    port: int
    sandbox_port: int

    @property
    def host(self) -> str:
        """As it stands in URLs."""
        host = LOOPBACK if self.bind == EVERYWHERE else self.bind
        return f"[{host}]" if ":" in host else host

    @property
    def app_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def app_bind(self) -> str:
        return f"{self.bind if self.bind == EVERYWHERE else self.host}:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{self.host}:{self.sandbox_port}"

    @property
    def sandbox_target(self) -> str:
        """Where our own deliveries go: always the loopback, whatever people are let in by."""
        return f"{LOOPBACK}:{self.sandbox_port}"

    @property
    def sandbox_binds(self) -> list[str]:
        if self.bind in (LOOPBACK, EVERYWHERE, "localhost"):
            return [f"{EVERYWHERE if self.bind == EVERYWHERE else LOOPBACK}:{self.sandbox_port}"]
        return [self.sandbox_target, f"{self.host}:{self.sandbox_port}"]


def find_places(bind: str, port: int) -> Places:
    """Check that the port is free, and find the sandbox's: the next free one, so usually the same each time."""
    if bind == "::":
        raise QuickstartError("Give one address to listen on, or 0.0.0.0 for all of this machine's.")
    if not 1 <= port <= 65534:
        raise QuickstartError("Choose a port from 1 to 65534.")
    _require_free(bind, port)
    for candidate in range(port + 1, min(port + 1 + SANDBOX_PORTS, 65536)):
        places = Places(bind, port, candidate)
        if _may_be_sent_to(candidate) and all(_is_free(each) for each in places.sandbox_binds):
            return places
    raise QuickstartError(f"No port after {port} is free for the sandbox. Choose another with --port.")


def _require_free(bind: str, port: int) -> None:
    try:
        _listen(bind, port)
    except PermissionError:
        raise QuickstartError(f"Port {port} needs root. Choose one above 1023, such as --port 8000.") from None
    except (OSError, UnicodeError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise QuickstartError(
                f"Port {port} on {bind} is taken by another program (another quickstart?). "
                f"Stop it, or choose another port: manage.py quickstart --port {min(port + 10, 65000)}"
            ) from None
        raise QuickstartError(f"{bind} is no address of this machine. Leave --bind out for {LOOPBACK}.") from None


def _is_free(place: str) -> bool:
    host, _, port = place.rpartition(":")
    try:
        _listen(host.strip("[]"), int(port))
    except OSError:
        return False
    return True


def _listen(host: str, port: int) -> None:
    with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
        pass


def _may_be_sent_to(port: int) -> bool:
    """Some ports belong to other protocols, and nothing is ever sent there."""
    try:
        check_url(f"http://{LOOPBACK}:{port}/", TargetPolicy(sandbox=(LOOPBACK, port)))
    except TargetRefused:
        return False
    return True


def environment(places: Places) -> dict[str, str]:
    """What makes the children this quickstart's: everything else is as this process was given it."""
    extra = [f"{kind}={places.sandbox_target}" for kind in ("slack", "discord", "teams")]
    hosts = [places.host, LOOPBACK, "localhost", "[::1]"]
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "aegisnotify.settings"),
        # The children may be started from anywhere, as this process may.
        "PYTHONPATH": os.pathsep.join(filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH", "")])),
        "PYTHONUNBUFFERED": "1",
        "AEGIS_BASE_URL": places.app_url,
        "ALLOWED_HOSTS": "*" if places.bind == EVERYWHERE else ",".join(dict.fromkeys(hosts)),
        "AEGIS_SANDBOX_TARGET": places.sandbox_target,
        "AEGIS_SANDBOX_DIR": str(settings.AEGIS_SANDBOX_DIR),
        "AEGIS_EXTRA_PROVIDER_HOSTS": ",".join([*settings.AEGIS_EXTRA_PROVIDER_HOSTS, *extra]),
        "EMAIL_BACKEND": "notifications.sandbox.mail.EmailBackend",
    }


class Quickstart:
    """One run. `say` prints a line."""

    def __init__(self, bind: str, port: int, say: Callable[[str], None]) -> None:
        self._places = find_places(bind, port)
        self._environment = environment(self._places)
        self._logs = Path(settings.AEGIS_SANDBOX_DIR) / "logs"
        self._say = say
        self._stop = threading.Event()
        # In the order in which they are stopped: no new events, then what is on its way, then where it goes.
        self._children: list[Child] = []

    def run(self) -> None:
        """Until a signal comes. Raises `QuickstartError`; whatever happens, no child is left."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._up()
        finally:
            self._down()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def _up(self) -> None:
        self._say("Preparing the database and the demo workspace …")
        seeded = self._seed()
        if self._stop.is_set():
            return
        self._children = [
            self._child("web", _gunicorn("aegisnotify.wsgi", [self._places.app_bind], threads=8)),
            self._child("worker", [sys.executable, "-m", "django", "worker"]),
            self._child("sandbox", _gunicorn("notifications.sandbox.wsgi", self._places.sandbox_binds, threads=16)),
        ]
        self._say("Starting the web server, the worker and the sandbox …")
        self._wait_until_up(seeded.sign_of_life)
        if not self._stop.is_set():
            self._say(self._greeting(seeded))
        while not self._stop.wait(LOOK_EVERY):
            self._require_alive()
        self._say("Stopping …")

    def _down(self) -> None:
        for child in self._children:
            child.stop(STOP_WORKER_SECONDS if child.name == "worker" else STOP_WEB_SECONDS)

    def _child(self, name: str, command: list[str]) -> Child:
        return Child(name, command, self._environment, self._logs / f"{name}.log")

    def _seed(self) -> demo.Seeded:
        done = subprocess.run(
            [sys.executable, "-m", "django", "quickstart", "--seed"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        if done.returncode:
            raise QuickstartError(f"The database could not be prepared:\n{_last_lines(done.stderr)}")
        return demo.Seeded(**json.loads(done.stdout))

    def _wait_until_up(self, sign_of_life: str) -> None:
        begun = time.monotonic()
        waiting = {
            "web server": self._places.app_url + reverse("login"),
            "sandbox": f"http://{self._places.sandbox_target}/",
        }
        with requests.Session() as session:
            session.trust_env = False
            while waiting and not self._stop.wait(LOOK_EVERY):
                self._require_alive()
                waiting = {name: url for name, url in waiting.items() if not _answers(session, url)}
                if waiting and time.monotonic() - begun > START_SECONDS:
                    raise QuickstartError(
                        f"No answer from the {' and the '.join(waiting)} after {START_SECONDS:.0f} s."
                        f"{''.join(self._last_words(child) for child in self._children)}"
                    )
        while sign_of_life and not self._stop.wait(LOOK_EVERY) and not _is_there(sign_of_life):
            self._require_alive()
            if time.monotonic() - begun > WORKER_SECONDS:
                self._say(f"The background worker is not up yet; messages may be late. See {self._logs / 'worker.log'}")
                return

    def _require_alive(self) -> None:
        for child in self._children:
            if child.exit_code is not None and not self._stop.is_set():
                raise QuickstartError(
                    f"The {child.name} process ended by itself (exit code {child.exit_code}). Everything was stopped."
                    f"{self._last_words(child)}"
                )

    def _last_words(self, child: Child) -> str:
        return f"\n\n{child.log}:\n{child.tail() or '(it said nothing)'}"

    def _greeting(self, seeded: demo.Seeded) -> str:
        open_to_all = (
            ""
            if self._places.bind in (LOOPBACK, "localhost", "::1")
            else "\nWhoever reaches this address can read the sandbox: it has no sign-in.\n"
        )
        return f"""
AegisNotify is running.

  App        {self._places.app_url}
  Sign in    {demo.OWNER}
  Password   {seeded.password}
  API token  {seeded.token}
  Sandbox    {self._places.sandbox_url} (shows what Slack, Discord, Teams, the webhook and the mailboxes got)
  Logs       {self._logs}
{open_to_all}
Post a failed scheduled run, then look at the sandbox:

{curl(self._places.app_url, seeded.token)}

Ctrl-C stops everything. The data stays; password and token are new at each start.
"""


def curl(app_url: str, token: str) -> str:
    """A command to paste. Each use posts another run: its id has the time in it."""
    facts = samples.facts(catalog.RunFailed.name, id="RUN-ID") | {"trigger": catalog.SCHEDULE_TRIGGER}
    facts["failures"] = facts["failures"][:1]
    payload = {"event": catalog.RunFailed.name, "project": _PROJECT, catalog.RunFailed.kind.value: facts}
    body = shlex.quote(json.dumps(payload, ensure_ascii=False)).replace("RUN-ID", "run-'$(date +%s)'")
    return f"""curl -sS {app_url}{reverse("api-events")} \\
  -H 'Authorization: Bearer {token}' \\
  -H 'Content-Type: application/json' \\
  -d {body}"""


def _gunicorn(application: str, binds: Iterable[str], threads: int) -> list[str]:
    command = [sys.executable, "-m", "gunicorn", application, "--worker-class", "gthread", "--threads", str(threads)]
    # The sandbox remembers in its process, and so does the embedded installation's cache.
    command += ["--workers", "1", "--log-level", "warning", "--graceful-timeout", "2", "--keep-alive", "30"]
    for bind in binds:
        command += ["--bind", bind]
    # Newer versions listen on a control socket in the home directory, which two servers would fight over.
    if any(each.name == "control_socket_disable" for each in KNOWN_SETTINGS):
        command.append("--no-control-socket")
    return command


def _answers(session: requests.Session, url: str) -> bool:
    try:
        return session.get(url, timeout=5, allow_redirects=False).status_code < 500
    except requests.RequestException:
        return False


def _is_there(sign_of_life: str) -> bool:
    try:
        return demo.sign_of_life_file().read_text(encoding="utf-8") == sign_of_life
    except FileNotFoundError:
        return False


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-20:])
