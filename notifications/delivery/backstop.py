"""Delivering without broker and cluster: what they would have delivered seconds ago, the worker delivers itself."""

import logging
import threading
import time
from datetime import timedelta

from django.db import close_old_connections
from django.db.utils import InterfaceError, OperationalError

from aegisnotify.clock import now
from notifications.delivery import outbox, wakeup
from notifications.delivery.engine import Engine

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.5
# Nobody is at work: a drain would have seen it by now. Retries that fall due come to this, too.
IDLE_AFTER = timedelta(seconds=0.3)
# The wake-up led to nothing.
OVERDUE_AFTER = timedelta(seconds=2.5)
BUDGET = 30.0
# Longer than the cluster's: where it had to step in once, it will have to again.
LINGER = 10.0
SAY_EVERY = 60.0


def run(stop: threading.Event) -> None:
    """Look for what is overdue and deliver it, until told to stop."""
    backstop = Backstop(stop)
    while not stop.wait(LOOK_EVERY):
        backstop.look()


class Backstop:
    """Used by one thread."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._database_is_away = False
        self._said = -SAY_EVERY

    def look(self) -> None:
        try:
            self._look()
        except (OperationalError, InterfaceError) as error:
            if not self._database_is_away:
                logger.warning("The database is away (%s). It is asked again and again.", type(error).__name__)
            self._database_is_away = True
            close_old_connections()
        except Exception:
            logger.exception("The worker could not deliver by itself. It looks again.")
            close_old_connections()
            self._stop.wait(5)

    def _look(self) -> None:
        due = outbox.next_due()
        if self._database_is_away:
            logger.info("The database is back.")
            self._database_is_away = False
        if due is None:
            return
        overdue = now() - due
        if overdue >= OVERDUE_AFTER:
            self._say(overdue)
            Engine().run(budget=BUDGET, linger=LINGER, stop=self._stop, wait_for_retries=False)
        elif overdue >= IDLE_AFTER:
            wakeup.wake()

    def _say(self, overdue: timedelta) -> None:
        if time.monotonic() - self._said >= SAY_EVERY:
            self._said = time.monotonic()
            logger.info("A delivery is %.1f s overdue: the worker delivers by itself.", overdue.total_seconds())
