"""Telling the background that there is work.

A wake-up carries nothing: the deliveries table is the queue, and whoever wakes looks there. So it may be lost,
coalesced or skipped, and no trouble of the broker may fail or slow down the request that caused it.
"""

import logging
import threading
import time
from typing import Any

from django_q.brokers import get_broker
from django_q.tasks import async_task

logger = logging.getLogger(__name__)

# A running drain looks for new rows every few milliseconds, so more than ten wake-ups a second tell it nothing.
COALESCE = 0.1
# With the broker down each try costs up to half a second; the backstop of the worker delivers meanwhile.
BACK_OFF = 5.0
# More waiting wake-ups than this are a queue nobody works on, or one where the next drain is certain already.
ENOUGH_WAITING = 3

_lock = threading.Lock()
_quiet_until = 0.0
_broker: Any = None


def wake() -> None:
    """Ask for a drain. Never raises; at most one request per 100 ms and process, none for 5 s after a failure."""
    global _quiet_until
    moment = time.monotonic()
    with _lock:
        if moment < _quiet_until:
            return
        _quiet_until = moment + COALESCE
    _ask_for("notifications.delivery.tasks.deliver_due")


def wake_for_recovery() -> None:
    """Ask for work on recovery jobs. Never raises; people ask for them, so they need no coalescing."""
    _ask_for("notifications.delivery.tasks.recover")


def _ask_for(task: str) -> None:
    global _quiet_until
    try:
        broker = _get_broker()
        if broker.queue_size() < ENOUGH_WAITING:
            async_task(task, broker=broker)
    except Exception as error:
        with _lock:
            _quiet_until = time.monotonic() + BACK_OFF
        logger.warning("No wake-up was sent, the worker finds the work by itself: %s", type(error).__name__)


def _get_broker() -> Any:
    """django-q's broker, on a Redis connection that gives up after half a second."""
    global _broker
    if _broker is None:
        broker = get_broker()
        broker.hurry()
        _broker = broker
    return _broker
