"""The circuit breaker of a channel: stop trying a receiver that mostly fails, then probe it. Pure.

Its state lives in the channel's row, so all processes share it. The window is a tumbling one: counting starts anew five
minutes after it began, which costs three columns instead of a history of tries.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=5)
LEAST_TRIES = 10
FAILED_PERCENT = 70
HOLD = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Breaker:
    """`open_until` in the future: hold everything. In the past: one probe may go. None: closed."""

    window_at: datetime | None = None
    tries: int = 0
    failures: int = 0
    open_until: datetime | None = None

    def is_open(self, moment: datetime) -> bool:
        return self.open_until is not None and self.open_until > moment

    def wants_probe(self, moment: datetime) -> bool:
        return self.open_until is not None and self.open_until <= moment

    def probing(self, moment: datetime) -> "Breaker":
        """While a probe is out the rest goes on waiting; a probe that never comes back delays the next by `HOLD`."""
        return replace(self, open_until=moment + HOLD)

    def heard(self, successes: int, failures: int, moment: datetime) -> "Breaker":
        """The breaker after some tries. A success closes it, a failure while it is open (the probe's) opens it anew."""
        if self.open_until is not None:
            return Breaker(window_at=moment) if successes else replace(self, open_until=moment + HOLD)
        fresh = self.window_at is None or moment - self.window_at >= WINDOW
        window_at = moment if fresh else self.window_at
        tries = (0 if fresh else self.tries) + successes + failures
        failed = (0 if fresh else self.failures) + failures
        if tries >= LEAST_TRIES and failed * 100 >= tries * FAILED_PERCENT:
            return Breaker(open_until=moment + HOLD)
        return Breaker(window_at, tries, failed)
