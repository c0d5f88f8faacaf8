"""Where claimed deliveries wait for a sender thread: one queue per host, with a bound on what is in flight to each.

Threads take work themselves, in turn from the hosts that have room, so a host that hangs can occupy only its own
share. (A dispatcher handing out items stalled at 830 deliveries a second.)
"""

import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class HostQueues(Generic[Item]):
    """Thread-safe. `bound`: how many items of one host may be in flight at once.

    `most`: how many may have been taken and not yet been `stored`, in flight or with a result that nobody has stored:
    what a process that is killed would leave to be sent again. `most_seconds`: nothing is taken while the oldest result
    waits for longer than this to be stored. On a starved machine that is the bound that holds: a few results wait for
    long there, and the time of the senders is better spent on storing them.
    """

    def __init__(
        self,
        bound: int,
        most: float = math.inf,
        most_seconds: float = math.inf,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bound = bound
        self._most = most
        self._most_seconds = most_seconds
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: dict[Hashable, deque[Item]] = {}
        self._in_flight: defaultdict[Hashable, int] = defaultdict(int)
        # Hosts that have something waiting and room for it, in the order in which they take turns.
        self._ready: deque[Hashable] = deque()
        self._closed = False
        self._count = 0
        self._flying = 0
        self._taken = 0
        # When the items were done whose results nobody has stored, the oldest first.
        self._unstored: deque[float] = deque()

    def put(self, host: Hashable, item: Item, *, first: bool = False) -> None:
        """`first`: to be taken before all that waits, as soon as its host has room."""
        with self._changed:
            queue = self._waiting.setdefault(host, deque())
            queue.appendleft(item) if first else queue.append(item)
            self._count += 1
            if len(queue) == 1 and self._in_flight[host] < self._bound:
                self._ready.append(host)
            if first and host in self._ready:
                self._ready.remove(host)
                self._ready.appendleft(host)
            self._changed.notify()

    def has_room(self, host: Hashable) -> bool:
        with self._changed:
            return self._in_flight.get(host, 0) < self._bound

    def take(self) -> tuple[Hashable, Item] | None:
        """The next item, waiting for one; None once closed. Call `done` with its host afterwards."""
        with self._changed:
            while not self._ready or self._taken >= self._most or self._is_behind():
                if self._closed:
                    return None
                self._changed.wait()
            host = self._ready.popleft()
            item = self._waiting[host].popleft()
            self._count -= 1
            self._flying += 1
            self._taken += 1
            self._in_flight[host] += 1
            if not self._waiting[host]:
                del self._waiting[host]
            elif self._in_flight[host] < self._bound:
                self._ready.append(host)
                self._changed.notify()
            return host, item

    def done(self, host: Hashable) -> None:
        with self._changed:
            was_full = self._in_flight[host] >= self._bound
            self._in_flight[host] -= 1
            self._flying -= 1
            self._unstored.append(self._clock())
            if not self._in_flight[host]:
                del self._in_flight[host]
            if was_full and host in self._waiting:
                self._ready.append(host)
                self._changed.notify()

    def stored(self, count: int) -> None:
        """The results of `count` items have been stored."""
        with self._changed:
            was_behind = self._is_behind()
            self._taken -= count
            for _ in range(min(count, len(self._unstored))):
                self._unstored.popleft()
            self._changed.notify_all() if was_behind else self._changed.notify(count)

    def _is_behind(self) -> bool:
        return bool(self._unstored) and self._clock() - self._unstored[0] > self._most_seconds

    def crowded(self, limit: int) -> list[Item]:
        """What waits for hosts that have more than `limit` items waiting."""
        with self._changed:
            return [item for queue in self._waiting.values() if len(queue) > limit for item in queue]

    def snapshot(self) -> list[Item]:
        """Everything that waits, without taking it."""
        with self._changed:
            return [item for queue in self._waiting.values() for item in queue]

    def take_all(self) -> list[Item]:
        """Everything that waits; nothing waits afterwards."""
        with self._changed:
            items = [item for queue in self._waiting.values() for item in queue]
            self._waiting.clear()
            self._ready.clear()
            self._count = 0
            return items

    def close(self) -> None:
        """Let every waiting `take` return None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        return self._count

    @property
    def in_flight(self) -> int:
        return self._flying

    @property
    def unstored(self) -> int:
        """What was taken and has not been `stored`."""
        return self._taken
