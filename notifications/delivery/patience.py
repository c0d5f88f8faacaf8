"""Work with a database that is away for a moment: what was sent must not be forgotten for that."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import close_old_connections, connection
from django.db.utils import InterfaceError, OperationalError

from notifications.delivery.stopping import Stop

logger = logging.getLogger(__name__)

AGAIN_EVERY = 0.25
STOPPING = 3.0

_T = TypeVar("_T")


class Patience:
    """Tries again for `seconds` (infinity: as long as it takes), and for a few once `stop` is set. Then the run ends,
    and what it still has to store on its way out gets one chance."""

    def __init__(self, seconds: float, stop: Stop) -> None:
        self._seconds = seconds
        self._stop = stop

    def __call__(self, work: Callable[[], _T]) -> _T:
        """Do it, and again while the database is away. Raises what the database raises when patience is over."""
        began: float | None = None
        while True:
            try:
                result = work()
            except (OperationalError, InterfaceError) as error:
                if connection.in_atomic_block:
                    raise
                if began is None:
                    began = time.monotonic()
                    logger.warning("The database did not answer (%s), trying again.", type(error).__name__)
                if self._stop.is_set():
                    self._seconds = min(self._seconds, STOPPING)
                if time.monotonic() - began > self._seconds:
                    self._seconds = 0
                    raise
                close_old_connections()
                time.sleep(AGAIN_EVERY)
            else:
                if began is not None:
                    logger.info("The database answers again.")
                return result
