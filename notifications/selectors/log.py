"""The log of deliveries as a page: what was sent, and what was held back and why.

Pages are found by the last row of the page before, never by an offset: what an offset skips has to be read.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, QuerySet, Subquery

from aegisnotify.pages.days import day_of, midnight
from notifications import catalog
from notifications.channels import registry
from notifications.insight import outcomes, sentences
from notifications.insight.trace import describe
from notifications.models import Attempt, Channel, Delivery, DeliveryStatus, Occurrence
from notifications.models.deliveries import UNDELIVERED
from notifications.routing import Outcome, Reason
from notifications.selectors.deliveries import deliveries_of
from notifications.selectors.occurrences import occurrences_of
from notifications.selectors.places import Place, first_that_fit, last_looked_at, newer, older, place_of
from projects.models import Project, Workspace
from projects.selectors import find_project

PAGE = 25
CHOICES = 200
"""How many projects and channels the filters offer."""
EVENTS_READ = 25
"""How many events a page of what was held back looks through."""
CHANNELS_SHOWN = 20
"""How many channels of one event such a page lists."""
_FOUND_EVENTS = 50
_FOUND_DELIVERIES = 1000


@dataclass(frozen=True, slots=True)
class Filters:
    """As in the page's address; empty means all. `until` is the last day, both in the reader's zone."""

    q: str = ""
    project: str = ""
    channel: str = ""
    status: str = ""
    event: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        """What can't be read counts as not given: the page shows what it understood."""

        def text(name: str) -> str:
            return query.get(name, "").replace("\0", "").strip()[:200]

        status, event = text("status"), text("event")
        return cls(
            q=text("q"),
            project=text("project"),
            channel=text("channel"),
            status=status if status in DeliveryStatus.values else "",
            event=event if event in catalog.names() else "",
            since=day_of(query.get("since", "")),
            until=day_of(query.get("until", "")),
        )

    @property
    def parameters(self) -> dict[str, str]:
        given = {
            "q": self.q,
            "project": self.project,
            "channel": self.channel,
            "status": self.status,
            "event": self.event,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: value for name, value in given.items() if value}

    def period(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        return (
            midnight(self.since, zone) if self.since else None,
            midnight(self.until + timedelta(days=1), zone) if self.until and self.until < date.max else None,
        )


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


@dataclass(frozen=True, slots=True)
class Silence:
    """A channel that was not told, and why."""

    name: str
    kind: str
    icon: str
    event: str
    why: str


@dataclass(frozen=True, slots=True)
class HeldBack:
    """An event, and the channels that were not told of it."""

    occurrence: Occurrence
    title: str
    tile: str
    icon: str
    silences: tuple[Silence, ...]
    more: int
    """How many further channels there are."""


@dataclass(frozen=True, slots=True)
class HeldBackPage:
    events: tuple[HeldBack, ...]
    looked_through: int
    older: Place | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: value and label."""

    projects: tuple[tuple[str, str], ...]
    channels: tuple[tuple[str, str], ...]


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


def held_back(workspace: Workspace, filters: Filters, zone: ZoneInfo, before: Place | None = None) -> HeldBackPage:
    """What was decided not to be sent of the latest `EVENTS_READ` events, or of those before `before`.

    Two queries and those of the filters, however many channels there are. The filter by status says nothing here.
    """
    project = _project(workspace, filters)
    if filters.project and project is None:
        return HeldBackPage((), 0, None)
    since, until = filters.period(zone)
    rows = occurrences_of(workspace, project=project, event=filters.event or None, since=since, until=until)
    if filters.q:
        rows = rows.filter(pk__in=_events_named(workspace, filters.q))
    if before is not None:
        rows = older(rows, before, "received_at")
    found = list(rows[: EVENTS_READ + 1])
    read = found[:EVENTS_READ]
    silent = {occurrence.pk: _silences(occurrence, filters) for occurrence in read}
    # The facts make the title; they can be long, so only those are read that are shown.
    facts = dict(
        Occurrence.objects.filter(pk__in=[pk for pk, silences in silent.items() if silences]).values_list("pk", "facts")
    )
    events = []
    for occurrence in read:
        silences = silent[occurrence.pk]
        if occurrence.pk in facts:
            occurrence.facts = facts[occurrence.pk]
            tile, icon = _event_look(occurrence.fired_events[0] if occurrence.fired else "", occurrence)
            title = describe(occurrence).title
            more = max(len(silences) - CHANNELS_SHOWN, 0)
            events.append(HeldBack(occurrence, title, tile, icon, tuple(silences[:CHANNELS_SHOWN]), more))
    further = Place(read[-1].received_at, read[-1].pk) if len(found) > EVENTS_READ else None
    return HeldBackPage(tuple(events), len(read), further)


def choices(workspace: Workspace, filters: Filters) -> Choices:
    """Projects by name and channels by key, with what is filtered by now. Two queries."""
    projects = list(workspace.projects.order_by("name", "pk").values_list("slug", "name")[:CHOICES])
    if filters.project and filters.project not in {slug for slug, _ in projects}:
        projects.append((filters.project, filters.project))
    rows = Channel.objects.filter(project__workspace=workspace)
    if filters.project:
        rows = rows.filter(project__slug=filters.project)
    names: dict[str, list[str]] = {}
    for key, name in rows.order_by("project__name", "position", "pk").values_list("key", "name")[:CHOICES]:
        if name not in names.setdefault(key, []):
            names[key].append(name)
    if filters.channel:
        names.setdefault(filters.channel, [])
    labels = {
        key: f"{named[0]} ({key})" if len(named) == 1 else f"{key}, {len(named)} channels" if named else key
        for key, named in names.items()
    }
    return Choices(tuple(projects), tuple(labels.items()))


def _scope(workspace: Workspace, filters: Filters, zone: ZoneInfo) -> QuerySet[Delivery] | None:
    """What an index finds in its order. None where the filters can't find anything."""
    project = _project(workspace, filters)
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


def _project(workspace: Workspace, filters: Filters) -> Project | None:
    return find_project(workspace.projects.all(), filters.project) if filters.project else None


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _named(rows: QuerySet[Delivery], workspace: Workspace, text: str) -> QuerySet[Delivery]:
    """The delivery with this id, or those of the events that it names. One condition, so that one index serves it."""
    sought = _id(text)
    if sought is not None and Delivery.objects.filter(pk=sought).exists():
        return rows.filter(pk=sought)
    events = _events_named(workspace, text)
    # By the keys of these few, which are found first: beside their workspace SQLite would walk through all of it.
    keys = Delivery.objects.filter(occurrence__in=events).order_by().values_list("pk", flat=True)
    return rows.filter(pk__in=list(keys[:_FOUND_DELIVERIES]))


def _events_named(workspace: Workspace, text: str) -> list[uuid.UUID]:
    """The event with this id, and those of the run, scan or generation with this id."""
    kinds = [kind.value for kind in catalog.OccurrenceKind]
    # By project and kind: that is how the index of these ids begins.
    named = Occurrence.objects.filter(project__in=workspace.projects.all(), kind__in=kinds, source_id=text)
    ids = list(named.order_by().values_list("pk", flat=True)[:_FOUND_EVENTS])
    sought = _id(text)
    return ids if sought is None else [*ids, sought]


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
    tile, icon = _event_look(row.event, occurrence)
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


def _event_look(name: str, occurrence: Occurrence) -> tuple[str, str]:
    event = catalog.find(name) if name else None
    return (event.name, event.icon) if event else (occurrence.kind, "activity")


def _silences(occurrence: Occurrence, filters: Filters) -> list[Silence]:
    found = []
    for decision in occurrence.decisions:
        if decision["outcome"] != Outcome.NOT_SENT.value:
            continue
        if filters.channel and decision["channel"] != filters.channel:
            continue
        kind = registry.find(decision["kind"])
        clause = sentences.because(Reason(decision["reason"]), decision["event"])
        found.append(
            Silence(
                decision["name"],
                decision["kind"],
                kind.icon if kind else "bell",
                decision["event"] or "",
                f"{clause[0].upper()}{clause[1:]}.",
            )
        )
    return found
