"""What django-q calls."""

from notifications.delivery.engine import Engine

# Well under the cluster's timeout (60 s), with room for the 15 seconds that a try in flight may take.
BUDGET = 20.0


def deliver_due(budget: float = BUDGET) -> int:
    """Deliver what is due; the number of tries made."""
    return Engine().run(budget=budget).tried


def recover() -> int:
    """Work on recovery jobs; the number of steps done."""
    # Imported here: the service imports the wake-up, whose tasks these are.
    from notifications.services.recovery import work_on_recoveries

    return work_on_recoveries()
