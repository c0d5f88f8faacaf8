"""PostgreSQL and Redis of the tests' own, on free ports, to be killed and restarted."""

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psycopg
import redis


def missing():
    """What is not installed here, in words; empty when everything is."""
    if not _postgresql_binaries():
        return "PostgreSQL's server binaries are missing"
    if not shutil.which("redis-server"):
        return "redis-server is missing"
    return ""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def wait_until(condition, what, seconds=30.0, every=0.05):
    """How long it took until the condition held. `what`: text, or what makes it at the end."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"{what() if callable(what) else what}: not within {seconds:g} s")
        time.sleep(every)
    return time.monotonic() - began


def _postgresql_binaries():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or [shutil.which("initdb") or ""]
    return os.path.dirname(found[-1])


class Postgres:
    def __init__(self, directory: Path):
        self._data = directory / "postgres"
        self._bin = Path(_postgresql_binaries())
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        # The server refuses to run as root.
        self._user = {}
        if os.getuid() == 0:
            account = pwd.getpwnam("postgres")
            self._user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            self._data.mkdir()
            os.chown(self._data, account.pw_uid, account.pw_gid)
            directory.chmod(0o711)
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-o", options, "-l", self._data / "log", "-w", "start")

    def restart(self, mode):
        """`fast` ends all sessions, `immediate` is a crash."""
        self.stop(mode)
        self.start()

    def stop(self, mode="immediate"):
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    def close(self):
        self.stop()

    def answers(self):
        try:
            psycopg.connect(self.url, connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program, *arguments):
        subprocess.run(
            [str(self._bin / program), *map(str, arguments)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **self._user,
        )


class Redis:
    def __init__(self, directory: Path):
        self._directory = directory
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        arguments = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self._directory)]
        self._process = subprocess.Popen(
            ["redis-server", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self.answers, "Redis is up")

    def flush(self):
        redis.Redis.from_url(self.url).flushall()

    def answers(self):
        try:
            return redis.Redis.from_url(self.url).ping()
        except redis.RedisError:
            return False

    def stop(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self):
        self.stop()
