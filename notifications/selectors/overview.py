"""What the Overview shows of a workspace's last 24 hours. A fixed number of queries, however much there is."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet

from notifications import catalog
from notifications.insight.trace import describe
from notifications.models import Channel, Delivery, DeliveryStatus, Occurrence
from notifications.selectors.health import ChannelHealth, Checkup, checkups
from notifications.selectors.history import shown_occurrences
from notifications.selectors.hours import HourText, SecondsBetween, hour_of
from projects.models import Workspace
from projects.selectors import limits_of

HOURS = 24
CHANNELS_SHOWN = 8
EVENTS_SHOWN = 6
# Enough for a percentile, and sorted in a few milliseconds however busy the day was.
P95_OF = 10_000
_OCCURRENCE_ICONS = {"run": "activity", "crawl": "radar-2", "generation": "sparkles"}


@dataclass(frozen=True, slots=True)
class Hour:
    """`start` is the full hour (UTC) of deliveries that were created in it."""

    start: datetime
    delivered: int
    failed: int


@dataclass(frozen=True, slots=True)
class ChannelLine:
    checkup: Checkup
    hourly: tuple[int, ...]
    """Delivered per hour, oldest first."""

    @property
    def delivered(self) -> int:
        return sum(self.hourly)


@dataclass(frozen=True, slots=True)
class EventLine:
    occurrence: Occurrence
    title: str
    tile: str
    icon: str
    counts: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Overview:
    hours: tuple[Hour, ...]
    delivered_before: int
    """Delivered in the 24 hours before these."""
    p95_ms: int | None
    lines: tuple[ChannelLine, ...]
    channels: int
    health: dict[ChannelHealth, int]
    events: tuple[EventLine, ...]

    @property
    def delivered(self) -> int:
        return sum(hour.delivered for hour in self.hours)

    @property
    def failed(self) -> int:
        return sum(hour.failed for hour in self.hours)

    @property
    def finished(self) -> int:
        return self.delivered + self.failed

    @property
    def success_rate(self) -> str | None:
        """Per cent with one digit, rounded down so that 100 means all. None while nothing has finished."""
        if not self.finished:
            return None
        tenths = self.delivered * 1000 // self.finished
        return "100" if tenths == 1000 else f"{tenths // 10}.{tenths % 10}"

    @property
    def difference(self) -> int:
        return self.delivered - self.delivered_before

    @property
    def failing(self) -> int:
        return self.health.get(ChannelHealth.FAILING, 0) + self.health.get(ChannelHealth.SUSPENDED, 0)

    @property
    def troubled(self) -> tuple[ChannelLine, ...]:
        """The channels that fail or were suspended, among those shown."""
        return tuple(
            line for line in self.lines if line.checkup.health in (ChannelHealth.FAILING, ChannelHealth.SUSPENDED)
        )


def overview(workspace: Workspace, moment: datetime) -> Overview:
    """`workspace` with its plan loaded. The window is the current hour and the 23 before it."""
    start = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    hours, before = _hours(workspace, start)
    delivered = sum(hour.delivered for hour in hours)
    found = list(checkups(_channels(workspace), limits_of(workspace.plan), moment))
    return Overview(
        hours=hours,
        delivered_before=before,
        p95_ms=_p95(workspace, start, delivered),
        lines=_lines(found, start),
        channels=len(found),
        health=dict(Counter(checkup.health for checkup in found)),
        events=_events(workspace, moment),
    )


def _hours(workspace: Workspace, start: datetime) -> tuple[tuple[Hour, ...], int]:
    """The hours since `start`, and how many were delivered in as many hours before it."""
    rows = (
        Delivery.objects.filter(
            workspace=workspace,
            created_at__gte=start - timedelta(hours=HOURS),
            status__in=(DeliveryStatus.DELIVERED, DeliveryStatus.FAILED),
        )
        .order_by()
        .annotate(hour=HourText("created_at"))
        .values_list("hour", "status")
        .annotate(count=Count("*"))
    )
    counts = {(hour_of(hour), status): count for hour, status, count in rows}
    hours = tuple(
        Hour(hour, counts.get((hour, DeliveryStatus.DELIVERED), 0), counts.get((hour, DeliveryStatus.FAILED), 0))
        for hour in (start + timedelta(hours=index) for index in range(HOURS))
    )
    before = sum(
        count for (hour, status), count in counts.items() if status == DeliveryStatus.DELIVERED and hour < start
    )
    return hours, before


def _p95(workspace: Workspace, start: datetime, delivered: int) -> int | None:
    """The 95th percentile (nearest rank) of created → delivered, in ms, of the newest `P95_OF` at most.

    By ORDER BY and OFFSET, because SQLite has no percentile function.
    """
    if not delivered:
        return None
    newest = (
        Delivery.objects.filter(
            workspace=workspace, created_at__gte=start, status=DeliveryStatus.DELIVERED, delivered_at__isnull=False
        )
        .order_by("-created_at")
        .values("pk")[:P95_OF]
    )
    rank = math.ceil(min(delivered, P95_OF) * 0.95) - 1
    took = (
        Delivery.objects.filter(pk__in=newest)
        .annotate(took=SecondsBetween("delivered_at", "created_at"))
        .order_by("took")
        .values_list("took", flat=True)[rank : rank + 1]
    )
    seconds = next(iter(took), None)
    return round(seconds * 1000) if seconds is not None else None


def _channels(workspace: Workspace) -> QuerySet[Channel]:
    return (
        Channel.objects.filter(project__workspace=workspace)
        .select_related("project")
        .defer("config")
        .order_by("project__name", "project_id", "position", "created_at", "pk")
    )


def _lines(found: Sequence[Checkup], start: datetime) -> tuple[ChannelLine, ...]:
    worst_first = list(ChannelHealth)
    shown = sorted(found, key=lambda checkup: worst_first.index(checkup.health))[:CHANNELS_SHOWN]
    hourly: defaultdict[Any, list[int]] = defaultdict(lambda: [0] * HOURS)
    rows = (
        Delivery.objects.filter(
            channel__in=[checkup.channel.pk for checkup in shown],
            created_at__gte=start,
            status=DeliveryStatus.DELIVERED,
        )
        .order_by()
        .annotate(hour=HourText("created_at"))
        .values_list("channel", "hour")
        .annotate(count=Count("*"))
    )
    for channel, hour, count in rows:
        index = int((hour_of(hour) - start).total_seconds() // 3600)
        if index < HOURS:
            hourly[channel][index] = count
    return tuple(ChannelLine(checkup, tuple(hourly[checkup.channel.pk])) for checkup in shown)


def _events(workspace: Workspace, moment: datetime) -> tuple[EventLine, ...]:
    occurrences = list(
        shown_occurrences(workspace, moment).select_related("project").order_by("-received_at", "-pk")[:EVENTS_SHOWN]
    )
    rows = (
        Delivery.objects.filter(occurrence__in=occurrences)
        .order_by()
        .values_list("occurrence", "status")
        .annotate(count=Count("pk"))
    )
    statuses: defaultdict[Any, Counter[str]] = defaultdict(Counter)
    for occurrence, status, count in rows:
        statuses[occurrence][status] += count
    return tuple(_event(occurrence, statuses[occurrence.pk]) for occurrence in occurrences)


def _event(occurrence: Occurrence, statuses: Counter[str]) -> EventLine:
    fired = occurrence.fired_events
    event = catalog.find(fired[0]) if fired else None
    not_sent = sum(decision["outcome"] == "not_sent" for decision in occurrence.decisions)
    waiting = sum(statuses[status] for status in ("pending", "sending", "retrying"))
    counts = (
        (statuses["delivered"], "delivered"),
        (statuses["failed"], "failed"),
        (waiting, "on the way"),
        (statuses["held"], "held"),
        (statuses["cancelled"], "cancelled"),
        (not_sent, "not sent"),
    )
    return EventLine(
        occurrence,
        describe(occurrence).title,
        event.name if event else occurrence.kind,
        event.icon if event else _OCCURRENCE_ICONS[occurrence.kind],
        tuple((count, word) for count, word in counts if count),
    )
