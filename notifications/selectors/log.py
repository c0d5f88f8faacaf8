"""The log of deliveries as a page.

Pages are found by the last row of the page before, never by an offset: what an offset skips has to be read.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, QuerySet, Subquery

from notifications.channels import registry
from notifications.insight import outcomes
from notifications.insight.trace import describe
from notifications.models import Attempt, Delivery, DeliveryStatus, Occurrence
from notifications.models.deliveries import UNDELIVERED
from notifications.selectors.deliveries import deliveries_of
from notifications.selectors.log_filters import Filters, events_named, id_of, project_of
from notifications.selectors.occurrences import look_of
from notifications.selectors.places import Place, first_that_fit, last_looked_at, newer, older, place_of
from projects.models import Workspace

PAGE = 25
_FOUND_DELIVERIES = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """A delivery as the log shows it. `took_ms` is how long its last try took."""

    delivery: Delivery
    title: str
    tile: str
    icon: str
    channel: str
    kind_icon: str
    result: str
    took_ms: int | None

    @property
    def is_open(self) -> bool:
        return self.delivery.status in (DeliveryStatus.PENDING, DeliveryStatus.SENDING, DeliveryStatus.RETRYING)


@dataclass(frozen=True, slots=True)
class Page:
    lines: tuple[Line, ...]
    newer: Place | None
    """The place after which the next newer page begins; None on the newest."""
    older: Place | None
    looked_back_to: datetime | None = None
    """Set where there may be more that fits, and the page is not full."""

    @property
    def newest(self) -> Place | None:
        return place_of(self.lines[0].delivery) if self.lines else None


@dataclass(frozen=True, slots=True)
class News:
    fresh: tuple[Line, ...]
    """The newest first."""
    changed: tuple[Line, ...]
    after: Place | None
    """Where the next look begins: after the newest, or as far as was looked where there may be more."""


def page_of(
    workspace: Workspace,
    filters: Filters,
    zone: ZoneInfo,
    *,
    before: Place | None = None,
    after: Place | None = None,
) -> Page:
    """The newest page, the one that goes on after `before`, or the one that leads up to `after`."""
    scope = _scope(workspace, filters, zone)
    if scope is None:
        return Page((), None, None)
    if after is not None:
        # From the place upwards, so that the page ends where the one that was left begins.
        found, end = _first(newer(scope, after), workspace, filters, PAGE + 1)
        shown = list(reversed(found[:PAGE]))
        if len(found) > PAGE:
            return Page(_lines(shown), place_of(shown[0]), place_of(shown[-1]))
        if end is not None:
            return Page(_lines(shown), end, place_of(shown[-1]) if shown else end, after.at)
        # Less than a page is newer: that is the newest page.
        before = None
    found, end = _first(older(scope, before) if before else scope, workspace, filters, PAGE + 1)
    shown = found[:PAGE]
    return Page(
        _lines(shown),
        (place_of(shown[0]) if shown else before) if before else None,
        place_of(shown[-1]) if len(found) > PAGE else end,
        end.at if end else None,
    )


def news(
    workspace: Workspace, filters: Filters, zone: ZoneInfo, after: Place | None, shown: Iterable[uuid.UUID]
) -> News:
    """What came after `after`, a page of it at most, and how the deliveries `shown` stand now."""
    scope = _scope(workspace, filters, zone)
    fresh: list[Delivery] = []
    end = None
    if scope is not None:
        fresh, end = _first(newer(scope, after) if after else scope, workspace, filters, PAGE)
        if after:
            fresh.reverse()
    ids = list(shown)[: 2 * PAGE]
    changed = list(_with_last_attempt(deliveries_of(workspace).filter(pk__in=ids))) if ids else []
    lines = _lines([*fresh, *changed])
    newest = place_of(fresh[0]) if fresh else after
    return News(lines[: len(fresh)], lines[len(fresh) :], (end or newest) if after else newest)


def _scope(workspace: Workspace, filters: Filters, zone: ZoneInfo) -> QuerySet[Delivery] | None:
    """What an index finds in its order. None where the filters can't find anything."""
    project = project_of(workspace, filters)
    if filters.project and project is None:
        return None
    since, until = filters.period(zone)
    return deliveries_of(
        workspace,
        project=project,
        channel=filters.channel or None,
        status=filters.status if filters.status and _finds_status(filters) else None,
        since=since,
        until=until,
    )


def _first(
    scope: QuerySet[Delivery], workspace: Workspace, filters: Filters, count: int
) -> tuple[list[Delivery], Place | None]:
    """The first of `scope` that fit; and where looking for them stopped, if that was before there were enough."""
    if filters.q:
        # What is searched for is found by its keys, whatever else it has to be.
        rows = _named(scope.filter(**_unserved(filters)), workspace, filters.q)
        return list(_with_last_attempt(rows)[:count]), None
    wanted = _unserved(filters)
    if not wanted:
        return list(_with_last_attempt(scope)[:count]), None
    ids = first_that_fit(scope, wanted, count)
    return list(_with_last_attempt(scope.filter(pk__in=ids))), last_looked_at(scope) if len(ids) < count else None


def _unserved(filters: Filters) -> dict[str, str]:
    """The filters that no index serves."""
    status = {"status": filters.status} if filters.status and not _finds_status(filters) else {}
    return status | ({"event": filters.event} if filters.event else {})


def _finds_status(filters: Filters) -> bool:
    """Whether an index does: within a project or a channel it has what was not delivered."""
    return filters.status in UNDELIVERED or not (filters.project or filters.channel)


def _with_last_attempt(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Of hundreds of tries the log needs the last."""
    last = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-number", "-pk").values("pk")[:1]
    return rows.prefetch_related(None).annotate(last_attempt=Subquery(last))


def _named(rows: QuerySet[Delivery], workspace: Workspace, text: str) -> QuerySet[Delivery]:
    """The delivery with this id, or those of the events that it names. One condition, so that one index serves it."""
    sought = id_of(text)
    if sought is not None and Delivery.objects.filter(pk=sought).exists():
        return rows.filter(pk=sought)
    events = events_named(workspace, text)
    # By the keys of these few, which are found first: beside their workspace SQLite would walk through all of it.
    keys = Delivery.objects.filter(occurrence__in=events).order_by().values_list("pk", flat=True)
    return rows.filter(pk__in=list(keys[:_FOUND_DELIVERIES]))


def _lines(rows: list[Delivery]) -> tuple[Line, ...]:
    """Two queries: the events and the last tries."""
    occurrences = Occurrence.objects.defer("decisions").in_bulk({row.occurrence_id for row in rows})
    numbers = {getattr(row, "last_attempt", None) for row in rows} - {None}
    attempts = Attempt.objects.defer("response").in_bulk(numbers) if numbers else {}
    return tuple(
        _line(row, occurrences[row.occurrence_id], attempts.get(getattr(row, "last_attempt", None))) for row in rows
    )


def _line(row: Delivery, occurrence: Occurrence, attempt: Attempt | None) -> Line:
    occurrence.project = row.project
    kind = registry.find(row.kind)
    tile, icon = look_of(occurrence, row.event)
    return Line(
        row,
        describe(occurrence).title,
        tile,
        icon,
        row.channel.name if row.channel else f"{row.channel_key} (deleted)",
        kind.icon if kind else "bell",
        outcomes.result(
            row.status,
            event=row.event,
            reason=row.status_reason,
            attempts=row.attempt_count,
            code=attempt.status_code if attempt else None,
            reading=attempt.error if attempt else "",
            next_at=row.next_at,
        ),
        attempt.duration_ms if attempt and attempt.outcome != Attempt.Outcome.INTERRUPTED else None,
    )
