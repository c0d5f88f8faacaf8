"""`manage.py deliver`: an engine that runs all the time, for more throughput than the cluster gives."""

import logging
import threading

from notifications.delivery import background
from notifications.delivery.engine import Engine
from notifications.delivery.stopping import on_signals

logger = logging.getLogger(__name__)

# After an error that the engine did not expect. What it had claimed comes due again when the lease ends.
PAUSE = 5.0


def run(threads: int | None = None) -> None:
    """Deliver until SIGTERM or SIGINT, then finish what is in flight and return."""
    background.load()
    stop = on_signals()
    logger.info("The sender is up.")
    deliver_until(stop, threads)


def deliver_until(stop: threading.Event, threads: int | None = None) -> None:
    """Deliver until `stop` is set. Survives whatever an engine raises."""
    while not stop.is_set():
        try:
            Engine(threads=threads).run(budget=None, linger=None, stop=stop)
        except Exception:
            logger.exception("The sender had to begin anew.")
            stop.wait(PAUSE)
