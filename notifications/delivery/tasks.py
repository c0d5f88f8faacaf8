"""What django-q calls."""

import logging

from django.db.utils import InterfaceError, OperationalError

from notifications.delivery.engine import Engine
from notifications.delivery.stopping import Flag

logger = logging.getLogger(__name__)

# Well under the cluster's timeout (60 s), with room for the 15 seconds that a try in flight may take.
BUDGET = 20.0
# Set when this process is told to stop: a drain ends early then, and the next ones do nothing.
stopping = Flag()


def deliver_due() -> int:
    """Deliver what is due; the number of tries made."""
    if stopping.is_set():
        return 0
    engine = Engine()
    try:
        engine.run(budget=BUDGET, stop=stopping)
    except (OperationalError, InterfaceError) as error:
        logger.warning("The database is away (%s). What is due stays due.", type(error).__name__)
    return engine.summary.tried


def heartbeat() -> None:
    """Nothing: that it came through is what the supervisor wants to know."""


def recover() -> int:
    """Work on recovery jobs; the number of steps done."""
    # Imported here: the service imports the wake-up, whose tasks these are.
    from notifications.services.recovery import work_on_recoveries

    return work_on_recoveries()
