"""What the Overview shows of a workspace's last day, week or month. A fixed number of queries, however much there is.

What is over was counted by the hour (`notifications.services.hours`). Only the hours since then are counted here.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.db.models import Count, QuerySet

from notifications.insight.trace import describe
from notifications.models import Channel, ChannelHour, Delivery, DeliveryHour, DeliveryStatus, Occurrence
from notifications.models.deliveries import UNDELIVERED, UNFINISHED, status_among
from notifications.selectors.health import ChannelHealth, Checkup, checkups
from notifications.selectors.history import shown_occurrences
from notifications.selectors.hours import HourText, SecondsBetween, hour_of
from notifications.selectors.occurrences import look_of
from notifications.windows import Range, Window, hour_number, hour_start, window
from projects.models import Workspace
from projects.selectors import limits_of

CHANNELS_SHOWN = 8
EVENTS_SHOWN = 6
# Enough for a percentile, and sorted in a few milliseconds however busy the time was.
P95_OF = 10_000
# Of each channel that is shown; whatever became of them, so that the search for delivered ones has an end.
CHANNEL_P95_OF = 100
# Waiting messages are counted up to here.
MOST_WAITING = 100


@dataclass(slots=True)
class Part:
    """An hour or a day: the deliveries that were made in it, from its beginning on."""

    start: datetime
    delivered: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class ChannelLine:
    checkup: Checkup
    parts: tuple[int, ...]
    """Delivered per part of the window, oldest first."""
    failed: int
    p95_ms: int | None = None
    """Of the delivered ones among the newest `CHANNEL_P95_OF`; of channels that are well and send at once."""

    @property
    def delivered(self) -> int:
        return sum(self.parts)


@dataclass(frozen=True, slots=True)
class EventLine:
    occurrence: Occurrence
    title: str
    tile: str
    icon: str
    counts: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Overview:
    window: Window
    parts: tuple[Part, ...]
    delivered_before: int
    """Delivered in the time that this one is compared with."""
    p95_ms: int | None
    p95_of: int
    """How many of the newest it is of: `P95_OF` at most, and only what the history still has."""
    lines: tuple[ChannelLine, ...]
    channels: int
    health: dict[ChannelHealth, int]
    events: tuple[EventLine, ...]
    waiting: int
    """How many messages wait for the first of the troubled channels, `MOST_WAITING` + 1 for more than that."""

    @property
    def delivered(self) -> int:
        return sum(part.delivered for part in self.parts)

    @property
    def failed(self) -> int:
        return sum(part.failed for part in self.parts)

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
    def busiest(self) -> Part:
        return max(self.parts, key=lambda part: part.delivered + part.failed)

    @property
    def failed_at(self) -> Channel | None:
        """The one channel that all failures are of, if there is more than one failure."""
        if self.failed < 2:
            return None
        return next((line.checkup.channel for line in self.lines if line.failed == self.failed), None)

    @property
    def difference(self) -> int:
        return self.delivered - self.delivered_before

    @property
    def fewer(self) -> int:
        return -self.difference

    @property
    def failing(self) -> int:
        return self.health.get(ChannelHealth.FAILING, 0) + self.health.get(ChannelHealth.SUSPENDED, 0)

    @property
    def troubled(self) -> tuple[ChannelLine, ...]:
        """The channels that fail or were suspended, among those shown."""
        return _troubled(self.lines)


def overview(workspace: Workspace, moment: datetime, zone: tzinfo, chosen: Range = Range.DAY) -> Overview:
    """`workspace` with its plan loaded. `zone` is the reader's: it says when a day begins."""
    shown = window(chosen, moment, zone, workspace.plan.history_days)
    counted = _counted(workspace, shown)
    uncounted = counted[-1][0] + 1 if counted else shown.before[0]
    parts, before = _parts(workspace, shown, counted, uncounted)
    p95_ms, p95_of = _p95(workspace, hour_start(shown.start)) if any(part.delivered for part in parts) else (None, 0)
    found = list(checkups(_channels(workspace), limits_of(workspace.plan), moment))
    lines = _lines(found, shown, uncounted)
    return Overview(
        window=shown,
        parts=parts,
        delivered_before=before,
        p95_ms=p95_ms,
        p95_of=p95_of,
        lines=lines,
        channels=len(found),
        health=dict(Counter(checkup.health for checkup in found)),
        events=_events(workspace, moment),
        waiting=_waiting(lines),
    )


def _counted(workspace: Workspace, shown: Window) -> Sequence[tuple[int, int, int]]:
    """The totals of the hours (hour, delivered, failed), oldest first."""
    rows = DeliveryHour.objects.filter(workspace=workspace, hour__gte=shown.before[0]).order_by("hour")
    return list(rows.values_list("hour", "delivered", "failed"))


def _parts(
    workspace: Workspace, shown: Window, counted: Sequence[tuple[int, int, int]], uncounted: int
) -> tuple[tuple[Part, ...], int]:
    """The window's parts, and how many were delivered in the time that it is compared with."""
    rows = (
        Delivery.objects.filter(
            workspace=workspace,
            created_at__gte=hour_start(uncounted),
            status__in=(DeliveryStatus.DELIVERED, DeliveryStatus.FAILED),
        )
        .order_by()
        .annotate(hour=HourText("created_at"))
        .values_list("hour", "status")
        .annotate(count=Count("*"))
    )
    fresh = [_of_hour(*row) for row in rows]
    parts = tuple(Part(hour_start(start)) for start in shown.starts)
    before = 0
    for hour, delivered, failed in (*counted, *fresh):
        place = shown.place(hour)
        if place is not None:
            parts[place].delivered += delivered
            parts[place].failed += failed
        elif shown.is_before(hour):
            before += delivered
    return parts, before


def _p95(workspace: Workspace, start: datetime) -> tuple[int | None, int]:
    """The 95th percentile (nearest rank) of created → delivered, in ms, of the newest `P95_OF` at most; and of
    how many it is.

    By ORDER BY and OFFSET, because SQLite has no percentile function.
    """
    newest = Delivery.objects.filter(
        workspace=workspace, created_at__gte=start, status=DeliveryStatus.DELIVERED, delivered_at__isnull=False
    ).order_by("-created_at")[:P95_OF]
    count = newest.count()
    if not count:
        return None, 0
    rank = _rank(count)
    took = (
        Delivery.objects.filter(pk__in=newest.values("pk"))
        .annotate(took=SecondsBetween("delivered_at", "created_at"))
        .order_by("took")
        .values_list("took", flat=True)[rank : rank + 1]
    )
    seconds = next(iter(took), None)
    return (round(seconds * 1000) if seconds is not None else None), count


def _rank(count: int) -> int:
    """Where the 95th percentile stands among so many in order: the nearest rank, from 0."""
    return math.ceil(count * 0.95) - 1


def _channel_p95(channels: Iterable[Channel], start: datetime) -> dict[Any, int]:
    """One query, of `CHANNEL_P95_OF` deliveries a channel at most."""
    parts = [
        Delivery.objects.filter(
            pk__in=Delivery.objects.filter(channel=channel, created_at__gte=start)
            .order_by("-created_at", "-pk")
            .values("pk")[:CHANNEL_P95_OF],
            status=DeliveryStatus.DELIVERED,
            delivered_at__isnull=False,
        )
        .order_by()
        .annotate(took=SecondsBetween("delivered_at", "created_at"))
        .values_list("channel", "took")
        for channel in channels
    ]
    if not parts:
        return {}
    took: defaultdict[Any, list[float]] = defaultdict(list)
    for channel_id, seconds in parts[0].union(*parts[1:], all=True):
        took[channel_id].append(seconds)
    return {key: round(sorted(found)[_rank(len(found))] * 1000) for key, found in took.items()}


def _troubled(lines: Iterable[ChannelLine]) -> tuple[ChannelLine, ...]:
    return tuple(line for line in lines if line.checkup.health in (ChannelHealth.FAILING, ChannelHealth.SUSPENDED))


def _waiting(lines: Iterable[ChannelLine]) -> int:
    first = next(iter(_troubled(lines)), None)
    if first is None:
        return 0
    rows = Delivery.objects.filter(
        status_among(UNDELIVERED), channel=first.checkup.channel, status__in=UNFINISHED
    ).order_by()
    return rows[: MOST_WAITING + 1].count()


def _channels(workspace: Workspace) -> QuerySet[Channel]:
    return (
        Channel.objects.filter(project__workspace=workspace)
        .select_related("project")
        .defer("config")
        .order_by("project__name", "project_id", "position", "created_at", "pk")
    )


def _lines(found: Sequence[Checkup], shown: Window, uncounted: int) -> tuple[ChannelLine, ...]:
    worst_first = list(ChannelHealth)
    named = sorted(found, key=lambda checkup: worst_first.index(checkup.health))[:CHANNELS_SHOWN]
    keys = [checkup.channel.pk for checkup in named]
    counted = ChannelHour.objects.filter(channel__in=keys, hour__gte=shown.start, hour__lt=uncounted)
    rows = (
        Delivery.objects.filter(
            channel__in=keys,
            created_at__gte=hour_start(max(uncounted, shown.start)),
            status__in=(DeliveryStatus.DELIVERED, DeliveryStatus.FAILED),
        )
        .order_by()
        .annotate(hour=HourText("created_at"))
        .values_list("channel", "hour", "status")
        .annotate(count=Count("*"))
    )
    fresh = [(channel, *_of_hour(hour, status, count)) for channel, hour, status, count in rows]
    parts: defaultdict[Any, list[int]] = defaultdict(lambda: [0] * len(shown.starts))
    failures: Counter[Any] = Counter()
    for channel, hour, delivered, failed in (*counted.values_list("channel", "hour", "delivered", "failed"), *fresh):
        place = shown.place(hour)
        if place is not None:
            parts[channel][place] += delivered
            failures[channel] += failed
    at_once = (
        checkup.channel
        for checkup in named
        if checkup.health is ChannelHealth.HEALTHY
        and checkup.channel.mode == Channel.Mode.IMMEDIATE
        and any(parts[checkup.channel.pk])
    )
    p95 = _channel_p95(at_once, hour_start(shown.start))
    return tuple(
        ChannelLine(checkup, tuple(parts[key]), failures[key], p95.get(key))
        for checkup, key in zip(named, keys, strict=True)
    )


def _of_hour(hour: str, status: str, count: int) -> tuple[int, int, int]:
    """As the totals have it: the hour, delivered, failed."""
    is_delivered = status == DeliveryStatus.DELIVERED
    return hour_number(hour_of(hour)), count if is_delivered else 0, 0 if is_delivered else count


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
        *look_of(occurrence),
        tuple((count, word) for count, word in counts if count),
    )
