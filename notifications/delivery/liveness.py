"""Whether a cluster is alive, by what it does. Pure.

A frozen cluster looks healthy from outside: its processes run, its queue is read. (A process that is killed takes the
lock it held with it, and whoever wants it next waits for ever.) So it is judged by results:

- A heartbeat that the broker took must come out at the other end. While the broker takes none, nothing can arrive, and
  silence means nothing.
- The sentinel, which replaces workers that died, must go on making its rounds. A cluster without it works on with the
  workers it has left.
"""

# A heartbeat may wait behind tasks that run for 35 seconds: a drain's budget and the try in flight at its end. A round
# may wait for the database, 30 seconds at the most.
LIMIT = 45.0


class Liveness:
    """Of a cluster that was started at `at`. Moments are seconds of one clock."""

    def __init__(self, at: float) -> None:
        self._round_at = at
        self._waiting_since: float | None = None

    def heartbeat_accepted(self, at: float) -> None:
        if self._waiting_since is None:
            self._waiting_since = at

    def heartbeat_refused(self) -> None:
        """The broker is away. What waited there may be gone."""
        self._waiting_since = None

    def task_finished(self) -> None:
        self._waiting_since = None

    def round_made(self, at: float) -> None:
        self._round_at = at

    def is_frozen(self, at: float) -> bool:
        is_silent = self._waiting_since is not None and at - self._waiting_since > LIMIT
        return is_silent or at - self._round_at > LIMIT
