"""What the worker does again and again beside delivering: `@every(60)` on a function without arguments.

Several workers may run the same function at the same moment, so it has to claim its work in the database. It should
return within seconds: the functions take turns in one thread.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import close_old_connections

logger = logging.getLogger(__name__)

Function = Callable[[], object]
# The first turn comes soon after the start, so that a worker which is restarted often skips nothing for long.
FIRST_AFTER = 5.0
LOOK_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class Entry:
    seconds: float
    function: Function

    @property
    def name(self) -> str:
        return f"{self.function.__module__}.{self.function.__name__}"


_registered: list[Entry] = []


def every(seconds: float) -> Callable[[Function], Function]:
    """Run the function every so many seconds, counted from its end to its next beginning."""

    def register(function: Function) -> Function:
        _registered.append(Entry(seconds, function))
        return function

    return register


def registered() -> Sequence[Entry]:
    return tuple(_registered)


def run(stop: threading.Event, entries: Sequence[Entry], *, look_every: float = LOOK_EVERY) -> None:
    """Run the functions when their time has come, until told to stop. What one raises is logged, and it gets its next
    turn."""
    begun = time.monotonic()
    due = [begun + min(entry.seconds, FIRST_AFTER) for entry in entries]
    while not stop.wait(look_every):
        for place, entry in enumerate(entries):
            if stop.is_set() or time.monotonic() < due[place]:
                continue
            try:
                close_old_connections()
                entry.function()
            except Exception:
                logger.exception("%s failed. It runs again in %g seconds.", entry.name, entry.seconds)
            due[place] = time.monotonic() + entry.seconds
