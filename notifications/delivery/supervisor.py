"""`manage.py worker`: keeps a django-q cluster and its standby running, and starts anew what is gone or frozen.

This process does nothing else: no threads, no connections, so it can fork at any time, and all processes share what it
has loaded. (A cluster started as a program of its own cost 60 MB more.)
"""

import contextlib
import gc
import logging
import os
import signal
import time
import uuid
from collections.abc import Callable
from typing import Protocol

from django.db import connections

from notifications.delivery import background, cluster, standby
from notifications.delivery.children import Child
from notifications.delivery.liveness import Liveness
from notifications.delivery.stopping import SIGNALS

logger = logging.getLogger(__name__)

WATCH_EVERY = 0.5
# A second more than the children give themselves. Whoever stops us should have 20 seconds of patience.
GRACE = 17.0
# A child that ends earlier than this is not started again at once, but after 1, 2, 4, … 30 seconds.
EARLY = 10.0
MOST_WAIT = 30.0


class Process(Protocol):
    """What is supervised; see `Child`."""

    pid: int

    def has_ended(self) -> bool: ...
    def notes(self) -> bytes: ...
    def ask_to_stop(self) -> None: ...
    def kill(self) -> None: ...


class Kept:
    """A process that is started anew when it ends, after a pause when it ends early again and again."""

    def __init__(self, name: str, start: Callable[[], Process], clock: Callable[[], float]) -> None:
        self.name = name
        self.process: Process | None = None
        self._start = start
        self._clock = clock
        self._started = 0.0
        self._start_at = clock()
        self._early_ends = 0

    def watch(self) -> bytes:
        """Start it if it is time to, and see that it has not ended. What it noted since the last look."""
        if self.process is None:
            if self._clock() >= self._start_at:
                self._started = self._clock()
                self.process = self._start()
            return b""
        notes = self.process.notes()
        if self.process.has_ended():
            self.restart("has ended by itself")
        return notes

    def restart(self, why: str) -> None:
        process, self.process = self.process, None
        assert process is not None
        process.kill()
        ended = self._clock()
        self._early_ends = self._early_ends + 1 if ended - self._started < EARLY else 0
        wait = min(2.0 ** (self._early_ends - 1), MOST_WAIT) if self._early_ends else 0.0
        self._start_at = ended + wait
        logger.warning("The %s %s. It is started anew%s.", self.name, why, f" in {wait:g} s" if wait else "")


class Supervisor:
    """The cluster, the standby, and what they say of each other."""

    def __init__(
        self,
        start_cluster: Callable[[], Process],
        start_standby: Callable[[], Process],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._cluster = Kept("cluster", start_cluster, clock)
        self._standby = Kept("standby", start_standby, clock)
        self._liveness = Liveness(clock())

    @property
    def pids(self) -> set[int]:
        return {kept.process.pid for kept in (self._cluster, self._standby) if kept.process is not None}

    def watch(self) -> None:
        """Look at everything once, and do what is to be done."""
        at, watched = self._clock(), self._cluster.process
        for note in self._standby.watch():
            if note == ord(standby.ACCEPTED):
                self._liveness.heartbeat_accepted(at)
            else:
                self._liveness.heartbeat_refused()
        notes = self._cluster.watch()
        if cluster.FINISHED in notes:
            self._liveness.task_finished()
        if cluster.ROUND in notes:
            self._liveness.round_made(at)
        if self._cluster.process is not watched:
            self._liveness = Liveness(at)
        elif watched is not None and self._liveness.is_frozen(at):
            self._cluster.restart("is frozen")

    def stop(self, patience: float = GRACE) -> None:
        """Let both finish what is in flight, then end what is left of them."""
        processes = [kept.process for kept in (self._cluster, self._standby) if kept.process is not None]
        for process in processes:
            process.ask_to_stop()
        ends = self._clock() + patience
        while not all(process.has_ended() for process in processes) and self._clock() < ends:
            time.sleep(0.05)
        for process in processes:
            process.kill()


def run() -> None:
    """Run until SIGTERM or SIGINT, then let the children finish what is in flight, and return within 20 seconds."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    _load()
    # A queue of the cluster's own, for heartbeats. Whichever cluster of ours takes one, it is a sign of life.
    name = uuid.uuid4().hex
    supervisor = Supervisor(
        lambda: Child(lambda link: cluster.run(link, name)), lambda: Child(lambda link: standby.run(link, name))
    )
    logger.info("The worker is up.")
    while True:
        try:
            supervisor.watch()
        except Exception:
            logger.exception("The worker's processes could not be looked after. It is tried again.")
        if os.getpid() == 1:
            _reap_orphans(supervisor.pids)
        if signal.sigtimedwait(SIGNALS, WATCH_EVERY) is not None:
            break
    logger.info("The worker stops. It finishes what is in flight and gives back the rest.")
    supervisor.stop()


def _load() -> None:
    """Load what the children will need: from here on they share it for as long as nobody writes to it, and the garbage
    collector writes to all that it looks at."""
    background.load()
    connections.close_all()
    gc.collect()
    gc.freeze()


def _reap_orphans(ours: set[int]) -> None:
    """As PID 1 of a container we inherit what killed clusters leave, and nobody else takes their exit codes. The exits
    of `ours` are left for those who look after them."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if ended.si_pid in ours:
                return
            os.waitpid(ended.si_pid, 0)
