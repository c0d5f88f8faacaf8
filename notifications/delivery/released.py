"""What waited behind a breaker that has closed, brought forward in bounded batches until nothing of it waits.

The first batch is released where the breaker closes. This finds what is left, and what another process put behind the
breaker at that very moment. The messages to a paced target get their slots when they are claimed.
"""

from uuid import UUID

from aegisnotify.clock import now
from notifications.delivery import outbox, wakeup
from notifications.models import Channel

# In one turn, so that a channel with very many leaves the others of the turn their time.
MOST_BATCHES = 20


def release_what_is_left() -> int:
    """How many deliveries were made due."""
    released = sum(
        _release(channel.pk)
        for channel in Channel.objects.filter(pk__in=list(outbox.behind_breakers()), breaker_open_until=None).only("pk")
    )
    if released:
        wakeup.wake()
    return released


def _release(channel_id: UUID) -> int:
    released = 0
    for _ in range(MOST_BATCHES):
        batch = outbox.release(channel_id, now())
        released += batch
        if batch < outbox.RELEASED:
            break
    return released
