"""Counting the deliveries of each hour, for the overview. Counting an hour again changes nothing that was right, so any
number of workers may do it at once.

Intake and settle know nothing of it. An hour is counted when it is over and once more ten minutes later, for what was
committed late; then again, ever more seldom, while some of it are not finished. Starting finished ones anew says so
(`recount_soon`). Hours that are not counted yet are counted by the page itself (`notifications.selectors.overview`).
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, QuerySet

from aegisnotify.clock import now
from aegisnotify.ids import uuid7_floor
from notifications.history import history
from notifications.models import ChannelHour, Delivery, DeliveryHour, DeliveryStatus
from notifications.models.deliveries import FINISHED
from notifications.windows import HOURS, LONGEST_DAYS, hour_number, hour_start
from projects.models import Workspace

COUNT_EVERY = 60
# The worker's periodic functions take turns: what is left waits for the next one.
TURN = 5.0
AT_ONCE = 1000
STEP = 1000
# A delivery has its id and its moment before it is committed, and machines' clocks are some seconds apart.
LAG = timedelta(minutes=2)
SLACK = timedelta(minutes=10)
SECOND_LOOK = timedelta(minutes=10)
SOON, SELDOM = timedelta(minutes=1), timedelta(hours=1)
# What is compared with the longest range, and a day for those whose day begins earlier.
KEPT = (2 * LONGEST_DAYS + 1) * HOURS
CHANNELS_KEPT = (LONGEST_DAYS + 1) * HOURS


@dataclass(slots=True)
class _Counts:
    delivered: int = 0
    failed: int = 0
    unfinished: int = 0

    def add(self, status: str, count: int) -> None:
        self.delivered += count if status == DeliveryStatus.DELIVERED else 0
        self.failed += count if status == DeliveryStatus.FAILED else 0
        self.unfinished += count if status not in FINISHED else 0


@dataclass(slots=True)
class _Hour:
    """What was found of an hour, by workspace and by channel."""

    workspaces: defaultdict[int, _Counts] = field(default_factory=lambda: defaultdict(_Counts))
    channels: defaultdict[UUID, _Counts] = field(default_factory=lambda: defaultdict(_Counts))


def count_hours(*, seconds: float = TURN) -> int:
    """Count the hours that are over, the oldest first, and those that have to be counted again; how many were."""
    deadline, moment = time.monotonic() + seconds, now()
    counted = _count_new(moment, deadline) + _count_again(moment, deadline)
    _forget_old(hour_number(moment))
    return counted


def recount_soon(workspace_id: int, made: Iterable[datetime]) -> None:
    """Say that finished deliveries of this workspace, made at these moments, have been started anew."""
    hours = {hour_number(each) for each in made}
    DeliveryHour.objects.filter(workspace=workspace_id, hour__in=hours).update(recount_at=now() + SOON)


def _count_new(moment: datetime, deadline: float) -> int:
    end = hour_number(moment - LAG)
    last = DeliveryHour.objects.aggregate(last=Max("hour"))["last"]
    hour, counted = max(end - KEPT, last + 1 if last is not None else 0), 0
    while time.monotonic() < deadline:
        # Ids are in the order of time: this jumps over what is empty, and reads one end of the primary key.
        later = _since(hour)
        first = later.values_list("created_at", flat=True).first()
        hour = max(hour, hour_number(first)) if first is not None else end
        if hour >= end:
            break
        try:
            _insert(hour, _found(_before(later, hour + 1), hour), moment)
        except IntegrityError:
            # A channel was deleted after its deliveries were counted. They belong to none by now.
            continue
        hour, counted = hour + 1, counted + 1
    return counted


def _since(hour: int) -> QuerySet[Delivery]:
    later = Delivery.objects.filter(pk__gte=uuid7_floor(hour_start(hour) - SLACK)).order_by("pk")
    return later.filter(created_at__gte=hour_start(hour))


def _before(deliveries: QuerySet[Delivery], hour: int) -> QuerySet[Delivery]:
    earlier = deliveries.filter(pk__lt=uuid7_floor(hour_start(hour) + SLACK))
    return earlier.filter(created_at__lt=hour_start(hour))


def _count_again(moment: datetime, deadline: float) -> int:
    last, counted, rows = hour_number(moment) - 1, 0, _due(moment)
    if any(row.hour == last for row in rows) and _add_late(last, moment):
        rows = _due(moment)
    for row in rows:
        if time.monotonic() >= deadline:
            break
        try:
            _update(row, moment)
        except IntegrityError:
            # As above; the hour stays due.
            continue
        counted += 1
    return counted


def _due(moment: datetime) -> list[DeliveryHour]:
    """The newest first: they are looked at most, and a history that was just counted has many old ones."""
    due = DeliveryHour.objects.filter(recount_at__lte=moment, workspace__closed_at=None)
    return list(due.select_related("workspace__plan").order_by("-hour", "recount_at")[:AT_ONCE])


def _add_late(hour: int, moment: datetime) -> bool:
    """Where all that a workspace has of the hour was committed late, there is nothing yet to count again."""
    made = set(_before(_since(hour), hour + 1).order_by().values_list("workspace", flat=True).distinct())
    missing = made - set(DeliveryHour.objects.filter(hour=hour).values_list("workspace", flat=True))
    DeliveryHour.objects.bulk_create(
        [
            DeliveryHour(workspace_id=workspace, hour=hour, delivered=0, failed=0, recount_at=moment)
            for workspace in sorted(missing)
        ],
        ignore_conflicts=True,
        batch_size=STEP,
    )
    return bool(missing)


def _found(deliveries: QuerySet[Delivery], hour: int) -> _Hour:
    rows = (
        deliveries.filter(created_at__gte=hour_start(hour), created_at__lt=hour_start(hour + 1))
        .order_by()
        .values_list("workspace", "channel", "status")
        .annotate(count=Count("*"))
    )
    found = _Hour()
    for workspace, channel, status, count in rows:
        found.workspaces[workspace].add(status, count)
        if channel is not None:
            found.channels[channel].add(status, count)
    return found


@transaction.atomic
def _insert(hour: int, found: _Hour, moment: datetime) -> None:
    # Whoever counted the same hour a moment ago has found the same, or its second look will.
    DeliveryHour.objects.bulk_create(
        [
            DeliveryHour(
                workspace_id=workspace,
                hour=hour,
                delivered=counts.delivered,
                failed=counts.failed,
                recount_at=moment + SECOND_LOOK,
            )
            for workspace, counts in sorted(found.workspaces.items())
        ],
        ignore_conflicts=True,
        batch_size=STEP,
    )
    _store_channels(hour, found)


def _update(row: DeliveryHour, moment: datetime) -> None:
    found = _Hour()
    if not _is_swept(row.workspace, row.hour, moment):
        found = _found(Delivery.objects.filter(workspace=row.workspace_id), row.hour)
    # Unless somebody started one anew meanwhile: then the next turn finds it.
    unchanged = DeliveryHour.objects.filter(pk=row.pk, recount_at=row.recount_at)
    if row.workspace_id not in found.workspaces:
        # Beyond the plan's history, or its project is gone: what was counted stands.
        unchanged.update(recount_at=None)
        return
    counts = found.workspaces[row.workspace_id]
    again = moment + _wait(row.hour, moment) if counts.unfinished else None
    with transaction.atomic():
        if unchanged.update(delivered=counts.delivered, failed=counts.failed, recount_at=again):
            _store_channels(row.hour, found)


def _is_swept(workspace: Workspace, hour: int, moment: datetime) -> bool:
    kept_since = history(workspace.plan.history_days, moment).kept_since
    return kept_since is not None and hour_start(hour) < kept_since


def _wait(hour: int, moment: datetime) -> timedelta:
    """What is young changes soon."""
    return min(max((moment - hour_start(hour)) / 8, SOON), SELDOM)


def _store_channels(hour: int, found: _Hour) -> None:
    rows: list[Any] = [
        ChannelHour(channel_id=channel, hour=hour, delivered=counts.delivered, failed=counts.failed)
        for channel, counts in sorted(found.channels.items())
    ]
    ChannelHour.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["channel", "hour"],
        update_fields=["delivered", "failed"],
        batch_size=STEP,
    )


def _forget_old(current: int) -> None:
    """A few each time, in statements that are soon over."""
    for model, kept in ((DeliveryHour, KEPT), (ChannelHour, CHANNELS_KEPT)):
        old = model._default_manager.filter(hour__lt=current - kept).order_by("hour").values("pk")[:STEP]
        model._default_manager.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
