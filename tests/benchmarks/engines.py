"""Draining with the engine, in a process to measure."""

import resource
from typing import Any


def drain(threads: int = 16) -> dict[str, Any]:
    """Deliver all that is due; how much that was and the CPU seconds it took."""
    from notifications.delivery.engine import Engine

    before = cpu()
    summary = Engine(threads=threads).run(budget=300, linger=0.1, wait_for_retries=False)
    return {"delivered": summary.delivered, "cpu": cpu() - before}


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
