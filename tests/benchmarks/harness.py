"""What the questions share: databases of their own, child processes to measure in, progress and tables."""

import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import redis

ROOT = Path(__file__).resolve().parents[2]
POSTGRES = os.environ.get("AEGIS_BENCH_POSTGRES", "postgres://postgres@127.0.0.1:5432")
REDIS = os.environ.get("AEGIS_BENCH_REDIS", "redis://127.0.0.1:6379/8")
TOKEN = "aegis_benchmark-token"
# A run as it is reported.
RUN = {
    "id": "run-1",
    "suite_name": "Checkout",
    "status": "failed",
    "browser": "chromium",
    "environment": "staging",
    "passed": 41,
    "failed": 2,
    "skipped": 1,
    "duration_ms": 73512,
    "failures": [
        {"name": "pays by card", "message": "Expected the confirmation page, got the login page."},
        {"name": "keeps the basket", "message": "Timed out after 30 s waiting for .basket-count."},
    ],
    "url": "https://app.example.com/runs/run-1",
}


@dataclass(frozen=True)
class Options:
    rounds: int = 5
    quick: bool = False
    keep: bool = False

    def size(self, full: int) -> int:
        """The size of a measurement; a tenth of it in a quick run."""
        return max(full // 10, 20) if self.quick else full


@dataclass
class Table:
    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        self.rows.append([cell if isinstance(cell, str) else f"{cell:,}" for cell in cells])

    def markdown(self) -> str:
        widths = [max(len(row[place]) for row in [self.columns, *self.rows]) for place in range(len(self.columns))]
        lines = [self.columns, ["-" * width for width in widths], *self.rows]
        return "\n".join(
            [
                f"**{self.title}**",
                "",
                *(
                    "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
                    for line in lines
                ),
            ]
        )


def progress(text: str) -> None:
    print(f"  {time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def median(values: list[float]) -> float:
    return statistics.median(values)


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios of rounds that ran next to each other."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


class Remote:
    """A Python process with Django set up, in which functions of the benchmarks are called by name."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.remote"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self, function: str | Callable[..., Any], **arguments: Any) -> None:
        """Begin a call; `result` waits for its end. A module that needs Django is named, as in "rows:refill"."""
        assert self._process.stdin is not None
        if isinstance(function, str):
            name = f"tests.benchmarks.{function}"
        else:
            name = f"{function.__module__}:{function.__name__}"
        print(json.dumps([name, arguments]), file=self._process.stdin, flush=True)

    def result(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("A benchmark's process ended; its error stands above.")
        return json.loads(line)

    def call(self, function: str | Callable[..., Any], **arguments: Any) -> Any:
        self.start(function, **arguments)
        return self.result()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@dataclass
class Database:
    """A database of our own, migrated, with one workspace; `environment` is that of processes that use it."""

    name: str
    environment: dict[str, str]
    remote: Remote

    def another(self, **extra: str) -> Remote:
        """One more process on this database."""
        return Remote(self.environment | extra)

    def manage(self, *arguments: str, **extra: str) -> subprocess.Popen[bytes]:
        """A management command as a process group of its own."""
        return start([sys.executable, "manage.py", *arguments], self.environment | extra)


@contextlib.contextmanager
def postgresql(suffix: str = "", *, kept: str = "") -> Iterator[Database]:
    """A fresh PostgreSQL database with Redis beside it; with a name in `kept`, the one that an earlier run left."""
    name = f"aegis_bench_{kept or os.getpid()}{suffix}"
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as admin:
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            admin.execute(f'CREATE DATABASE "{name}"')
    redis.Redis.from_url(REDIS).flushdb()
    environment = {"DATABASE_URL": f"{POSTGRES}/{name}", "REDIS_URL": REDIS}
    with _prepared("PostgreSQL", environment, kept=kept) as database:
        try:
            yield database
        finally:
            database.remote.close()
            if not kept:
                with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as admin:
                    admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            redis.Redis.from_url(REDIS).flushdb()


@contextlib.contextmanager
def sqlite(suffix: str = "", *, kept: str = "") -> Iterator[Database]:
    """A fresh SQLite database, with django-q's broker in it. (It is a file of its own, whatever the suffix.)"""
    with _prepared("SQLite", {"DATABASE_URL": "", "REDIS_URL": ""}, kept=kept) as database:
        try:
            yield database
        finally:
            database.remote.close()


@contextlib.contextmanager
def _prepared(name: str, extra: dict[str, str], *, kept: str) -> Iterator[Database]:
    if kept:
        directory = str(Path(tempfile.gettempdir()) / f"aegisnotify-bench-{kept}-{name.lower()}")
        Path(directory).mkdir(exist_ok=True)
    else:
        directory = tempfile.mkdtemp(prefix="aegisnotify-bench-")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
        "AEGIS_DATA_DIR": directory,
        "AEGIS_BASE_URL": "http://127.0.0.1",
        "AEGIS_ALLOW_PRIVATE_TARGETS": "1",
        "AEGIS_API_RATE": "100000000",
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
        "LOG_LEVEL": "WARNING",
        "SECRET_KEY": "only-for-benchmarks-" + "x" * 50,
        "AEGIS_ENCRYPTION_KEYS": "c2l4dGVlbi1ieXRlcy1zaXh0ZWVuLWJ5dGVzLTEyMzQ=",
        **extra,
    }
    try:
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
        yield Database(name, environment, Remote(environment))
    finally:
        if not kept:
            shutil.rmtree(directory, ignore_errors=True)


def start(command: list[str], environment: dict[str, str], log: Path = Path(os.devnull)) -> subprocess.Popen[bytes]:
    """A process in a group of its own: Ctrl-C in the terminal is for the benchmark, which then ends it."""
    with open(log, "ab") as output:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, start_new_session=True, stdout=output, stderr=output
        )


def stop(process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """End a command as a service manager would, and whoever of its processes does not listen."""
    members = family(process.pid)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    for pid in members:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def wait_until(true: Callable[[], object], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {seconds:.0f} seconds in vain for {what}.")
        time.sleep(0.02)


def machine() -> str:
    """The machine in a line, for the table's caption."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "unknown processor",
    )
    with psycopg.connect(f"{POSTGRES}/postgres") as connection:
        row = connection.execute("SHOW server_version").fetchone()
    server = redis.Redis.from_url(REDIS).info("server")["redis_version"]
    assert row is not None
    python = ".".join(str(part) for part in sys.version_info[:3])
    return f"{os.cpu_count()} cores of {model}, Python {python}, PostgreSQL {row[0].split()[0]}, Redis {server}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in parentheses, may hold anything; the parent stands after it.
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def pss(pid: int) -> float:
    """Megabytes; pages that processes share count in parts (proc(5), smaps_rollup)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024
