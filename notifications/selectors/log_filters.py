"""What the pages of deliveries are filtered by, and what the filters offer."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from aegisnotify.pages.days import day_of, midnight
from notifications import catalog
from notifications.models import Channel, DeliveryStatus, Occurrence
from projects.models import Project, Workspace
from projects.selectors import find_project

CHOICES = 200
"""How many projects and channels the filters offer."""
_FOUND_EVENTS = 50


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
class Choices:
    """What the filters offer: value and label."""

    projects: tuple[tuple[str, str], ...]
    channels: tuple[tuple[str, str], ...]


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


def project_of(workspace: Workspace, filters: Filters) -> Project | None:
    """The one that is filtered by, if there is such a one."""
    return find_project(workspace.projects.all(), filters.project) if filters.project else None


def events_named(workspace: Workspace, text: str) -> list[uuid.UUID]:
    """The event with this id, and those of the run, scan or generation with this id."""
    kinds = [kind.value for kind in catalog.OccurrenceKind]
    # By project and kind: that is how the index of these ids begins.
    named = Occurrence.objects.filter(project__in=workspace.projects.all(), kind__in=kinds, source_id=text)
    ids = list(named.order_by().values_list("pk", flat=True)[:_FOUND_EVENTS])
    sought = id_of(text)
    return ids if sought is None else [*ids, sought]


def id_of(text: str) -> uuid.UUID | None:
    """The text as an id, if it is one."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
