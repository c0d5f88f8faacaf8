"""Which workers are up: each says so in the database, which all of them have to reach anyway."""

import os
import socket
from datetime import timedelta

from aegisnotify.clock import now
from notifications.models import WorkerSeen

SAY_EVERY = 15
# Four times what they promise: a worker that drains as the backstop may be late.
SEEN_WITHIN = timedelta(seconds=60)
FORGET_AFTER = timedelta(hours=1)


def say_worker_is_there() -> None:
    """Note that this process's worker is there, and forget those that are long gone."""
    moment = now()
    name = f"{socket.gethostname()[:100]}:{os.getpid()}"
    WorkerSeen.objects.update_or_create(name=name, defaults={"seen_at": moment})
    WorkerSeen.objects.filter(seen_at__lt=moment - FORGET_AFTER).delete()


def workers_seen() -> int:
    return WorkerSeen.objects.filter(seen_at__gte=now() - SEEN_WITHIN).count()
