"""The process that runs django-q's cluster for `supervisor`, its parent.

django-q (1.11) can't bear a SIGTERM for the whole group, as systemd sends it: its sentinel dies, the rest hangs. And
when its master is killed, the others work on as orphans. So here signals are blocked for all but the workers, where
SIGTERM ends a drain early; and a socket to the supervisor says when to stop, also when the supervisor was killed. What
the cluster finishes is told through the same socket, by the process at the end of its chain.
"""

import os
import signal
import threading
from typing import Any

from django_q.cluster import Cluster
from django_q.signals import post_execute, post_spawn

from notifications.delivery import brokers, tasks
from notifications.delivery.children import Link
from notifications.delivery.stopping import SIGNALS

# A try in flight takes 15 seconds at the most.
GRACE = 16.0
# What the supervisor is told: a task has come through, the sentinel has made its round.
FINISHED, ROUND = b".", b"o"
_link: Link | None = None


def run(link: Link, name: str) -> None:
    """Run a cluster, which listens as `name` too, until told to stop.

    Called in a `Child`. Where the cluster does not stop in time, the whole group is killed.
    """
    global _link
    _link = link
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    brokers.listen_as(name, on_round=lambda: link.note(ROUND))
    post_spawn.connect(_worker_started)
    post_execute.connect(_finished)
    cluster = Cluster()
    cluster.start()
    while not link.told_to_stop(wait=1.0):
        if not cluster.sentinel.is_alive():
            # The others work on without it. The supervisor ends them with the group.
            raise SystemExit(1)
    _stop(cluster)


def _stop(cluster: Any) -> None:
    group = os.getpgrp()
    os.killpg(group, signal.SIGTERM)
    cluster.stop_event.set()
    cluster.sentinel.join(GRACE)
    if cluster.sentinel.is_alive():
        os.killpg(group, signal.SIGKILL)


def _worker_started(**kwargs: Any) -> None:
    """In a worker, before its first task. It may be told to stop: by us, by systemd, by its sentinel when it hangs."""
    signal.signal(signal.SIGTERM, _worker_told_to_stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _worker_told_to_stop(*args: Any) -> None:
    if not tasks.stopping.is_set():
        tasks.stopping.set()
        # The sentinel forgets a worker that it terminated, so nobody else would end one that hangs.
        last = threading.Timer(GRACE + 1, os._exit, [1])
        last.daemon = True
        last.start()


def _finished(**kwargs: Any) -> None:
    """In the monitor, after a task has passed through everything."""
    assert _link is not None
    _link.note(FINISHED)
