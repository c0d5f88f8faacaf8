"""The worker's second child: sends the cluster heartbeats through the broker, delivers what is overdue, and does what
is periodic. Each in a thread of its own, so that none holds up another."""

import logging
import threading
import time

from django_q.brokers import get_broker
from django_q.tasks import async_task

from notifications.delivery import backstop, brokers, periodic, stopping
from notifications.delivery.children import Link

logger = logging.getLogger(__name__)

HEARTBEAT_EVERY = 15.0
# A try in flight takes 15 seconds at the most.
GRACE = 16.0
ACCEPTED, REFUSED = b"a", b"r"


def run(link: Link, name: str) -> None:
    """Work until told to stop, then finish what is in flight. `name`: what the cluster listens as."""
    stop = stopping.on_signals()
    threads = [
        threading.Thread(target=_send_heartbeats, args=[stop, link, name], name="heartbeats", daemon=True),
        threading.Thread(target=backstop.run, args=[stop], name="backstop", daemon=True),
        threading.Thread(target=periodic.run, args=[stop, periodic.registered()], name="periodic", daemon=True),
    ]
    for thread in threads:
        thread.start()
    while not stop.is_set():
        if link.told_to_stop(wait=0.25):
            stop.set()
    ends = time.monotonic() + GRACE
    for thread in threads:
        thread.join(max(ends - time.monotonic(), 0))


def _send_heartbeats(stop: threading.Event, link: Link, name: str) -> None:
    heartbeats = Heartbeats(link, name)
    while not stop.wait(HEARTBEAT_EVERY):
        heartbeats.send()


class Heartbeats:
    """Tasks for the one cluster that listens as `name`; notes whether the broker took them."""

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
        self._queue = brokers.own_queue(name)
        self._is_away = False

    def send(self) -> None:
        """Never raises."""
        try:
            broker = get_broker(self._queue)
            broker.hurry()
            async_task("notifications.delivery.tasks.heartbeat", broker=broker)
        except Exception as error:
            self._link.note(REFUSED)
            if not self._is_away:
                logger.warning(
                    "The broker takes no heartbeat (%s). Meanwhile the worker delivers by itself.", type(error).__name__
                )
            self._is_away = True
            return
        self._link.note(ACCEPTED)
        if self._is_away:
            logger.info("The broker takes heartbeats again.")
        self._is_away = False
