"""django-q's brokers as we need them: an outage costs a line in the log, and a cluster can be addressed alone.

django-q's own lose ten seconds, a traceback and a process for every look at a broker that is away, and don't let a
cluster start then. A cluster also takes tasks from a queue of its own, named by `listen_as`: the heartbeats of its
supervisor. On the shared queue any cluster might take them.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import redis
from django import db
from django_q.brokers import orm, redis_broker
from django_q.conf import Conf

from aegisnotify.clock import now

logger = logging.getLogger(__name__)

QUICK_SECONDS = 0.5
# For the cluster's side: well over the second that it waits for a task, and an end to waiting for a server that hangs.
PATIENT_SECONDS = 5.0
ASK_AGAIN_SECONDS = 1.0
# A heartbeat that nobody took by then was meant for a cluster that is gone.
OWN_QUEUE_SECONDS = 300
_AWAY = (redis.RedisError, db.Error, OSError)

_own_queue = ""
_on_round: Callable[[], None] | None = None


def listen_as(cluster: str, on_round: Callable[[], None]) -> None:
    """Let the brokers of this process and its children also take tasks from the cluster's own queue, and call
    `on_round` in django-q's sentinel each time it has looked after its processes, about once a second."""
    global _own_queue, _on_round
    _own_queue, _on_round = own_queue(cluster), on_round


def own_queue(cluster: str) -> str:
    """The name of a cluster's own queue, a `list_key` for `get_broker`."""
    return f"{Conf.CLUSTER_NAME}:{cluster}"


class _Patient:
    """What both have in common: asking again when the broker is away."""

    _is_away = False

    def dequeue(self) -> list[tuple[Any, Any]] | None:
        """Up to a few tasks, as (id to acknowledge, package). None when there are none, or the broker is away."""
        try:
            found = self._take()
        except _AWAY as error:
            if not self._is_away:
                logger.warning("The broker does not answer (%s). It is asked every second.", type(error).__name__)
            self._is_away = True
            time.sleep(ASK_AGAIN_SECONDS)
            return None
        if self._is_away:
            logger.info("The broker answers again.")
        self._is_away = False
        return found

    def _take(self) -> list[tuple[Any, Any]] | None:
        raise NotImplementedError

    def set_stat(self, key: str, value: str, timeout: int) -> Any:
        """What the sentinel tells django-q's own monitor after each round. It may be missing."""
        if _on_round is not None:
            _on_round()
        with contextlib.suppress(*_AWAY):
            return super().set_stat(key, value, timeout)  # type: ignore[misc]

    def ping(self) -> bool:
        """True: the cluster asks this once, when it starts, and would not start without."""
        return True


class RedisBroker(_Patient, redis_broker.Redis):
    def _take(self) -> list[tuple[Any, Any]] | None:
        keys = [f"django_q:{_own_queue}:q", self.list_key] if _own_queue else [self.list_key]
        task = self.connection.blpop(keys, 1)
        return [(None, task[1])] if task else None

    def enqueue(self, task: Any) -> Any:
        place = super().enqueue(task)
        if self.list_key != f"django_q:{Conf.CLUSTER_NAME}:q":
            self.connection.expire(self.list_key, OWN_QUEUE_SECONDS)
        return place

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        return _redis(PATIENT_SECONDS)

    def hurry(self) -> None:
        """Give up on a slow server after half a second: for those who only drop a wake-up or a heartbeat."""
        self.connection = _redis(QUICK_SECONDS)


class OrmBroker(_Patient, orm.ORM):
    def _take(self) -> list[tuple[Any, Any]] | None:
        keys = [_own_queue, self.list_key] if _own_queue else [self.list_key]
        waiting = self.get_connection().filter(key__in=keys, lock__lt=now())
        taken = [
            (row.pk, row.payload)
            for row in waiting.order_by("pk")[: Conf.BULK]
            if self.get_connection().filter(pk=row.pk, lock=row.lock).update(lock=self.timeout(row))
        ]
        if not taken:
            time.sleep(Conf.POLL)
        return taken or None

    def enqueue(self, task: Any) -> Any:
        if self.list_key != Conf.CLUSTER_NAME:
            left_over = now() - timedelta(seconds=OWN_QUEUE_SECONDS)
            self.get_connection().filter(key__startswith=own_queue(""), lock__lt=left_over).delete()
        return super().enqueue(task)

    def hurry(self) -> None:
        """The database is as quick as it is."""


def _redis(seconds: float) -> Any:
    return redis.Redis.from_url(Conf.REDIS, socket_timeout=seconds, socket_connect_timeout=seconds, retry=None)
