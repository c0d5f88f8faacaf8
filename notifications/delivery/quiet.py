"""What an engine leaves alone for a while: channels' URLs and hosts that asked for it, and those behind a breaker.

Sender threads look here before they send. The row of the channel is written and read with the batches, and a burst
would be over by then.
"""

from collections.abc import Hashable, Mapping
from datetime import datetime

from aegisnotify.clock import now
from notifications.delivery.health import Target

# More than this are asked for by nobody at once: those whose time is over are forgotten.
MOST = 1000


class Quiet:
    """Of one run. Sender threads `ask` and look; the rest is for the thread that talks to the database."""

    def __init__(self) -> None:
        self._until: dict[Hashable, datetime] = {}
        # What of it stands in the channel's row too. A row that says otherwise was changed by somebody.
        self._in_row: dict[Hashable, datetime] = {}

    def ask(self, key: Hashable, until: datetime) -> None:
        """Leave the URL of a channel, or a host, alone from now on."""
        self._until[key] = until

    def until(self, *keys: Hashable) -> datetime | None:
        """The end of it, for the first of `keys` that is to be left alone now; None where none is."""
        for key in keys:
            until = self._until.get(key)
            if until is not None and until > now():
                return until
        return None

    def heed(self, held: Mapping[Target, datetime]) -> None:
        """A breaker that opens also holds what this run has claimed already: that may be a whole batch."""
        for target, until in held.items():
            self._until[target] = max(until, self._until.get(target, until))
            self._in_row[target] = until
        if len(self._until) > MOST:
            moment = now()
            for key, until in self._until.copy().items():
                if until <= moment:
                    self._forget(key)

    def was_claimed(self, target: Target) -> None:
        """The channel's row lets a delivery go. Where it said otherwise before, somebody has put it to work again."""
        until, in_row = self._until.get(target), self._in_row.get(target)
        if until is not None and in_row is not None and in_row >= until:
            self._forget(target)

    def _forget(self, key: Hashable) -> None:
        self._until.pop(key, None)
        self._in_row.pop(key, None)
