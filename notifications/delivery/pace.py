"""Pacing: moments reserved at a target that takes only so many messages a second.

Slots are reserved in one row per URL, so all channels and processes that post to the URL take turns. A delivery waits
for its slot in the queue, where it costs nothing, and never loses it to a later one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from notifications.models import TargetPace


def slots(next_free: datetime, moment: datetime, count: int, every: timedelta) -> list[datetime]:
    """The next `count` moments at a target that is free from `next_free` on. Pure."""
    start = max(next_free, moment)
    return [start + place * every for place in range(count)]


@transaction.atomic
def reserve(fingerprint: str, count: int, every: timedelta, moment: datetime) -> Sequence[datetime]:
    """Reserve `count` moments, the first ones that are free."""
    TargetPace.objects.bulk_create([TargetPace(fingerprint=fingerprint, next_at=moment)], ignore_conflicts=True)
    target = TargetPace.objects.select_for_update().get(pk=fingerprint)
    reserved = slots(target.next_at, moment, count, every)
    TargetPace.objects.filter(pk=fingerprint).update(next_at=reserved[-1] + every)
    return reserved
