"""Whether a cluster is alive, by what it finishes. Pure.

A frozen cluster looks healthy from outside: its processes run, its queue is read. So it is judged by results only: a
heartbeat that the broker took must come out at the other end. While the broker takes none, nothing can arrive, and
silence means nothing.
"""

# A heartbeat may wait behind tasks that run for 35 seconds: a drain's budget and the try in flight at its end.
LIMIT = 45.0


class Liveness:
    """Moments are seconds of one clock."""

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit = limit
        self._waiting_since: float | None = None

    def heartbeat_accepted(self, at: float) -> None:
        if self._waiting_since is None:
            self._waiting_since = at

    def heartbeat_refused(self) -> None:
        """The broker is away. What waited there may be gone."""
        self._waiting_since = None

    def sign(self) -> None:
        """The cluster finished something."""
        self._waiting_since = None

    def is_frozen(self, at: float) -> bool:
        return self._waiting_since is not None and at - self._waiting_since > self._limit
