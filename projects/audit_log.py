"""Reading the audit log: filters, pages, changes in words, rows for a spreadsheet."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from aegisnotify.pages.days import day_of, midnight
from aegisnotify.text import shorten
from projects.models import AuditEntry, Project, Workspace
from projects.selectors import find_project

PAGE_SIZE = 50
LAST_PAGE = 200
"""Far back, filters and the CSV are the way: what a page skips has to be read."""
LATEST = 2000
"""How many entries the choices of the filters are taken from."""
_VALUE = 300
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = ("at", "actor", "source", "address", "action", "project", "target", "field", "old", "new")


@dataclass(frozen=True, slots=True)
class Filters:
    """As in the page's address; empty means all. `until` is the last day, both in the reader's zone."""

    actor: str = ""
    action: str = ""
    project: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        """What can't be read counts as not given: the page shows what it understood."""
        return cls(
            actor=query.get("actor", "").strip()[:200],
            action=query.get("action", "").strip()[:60],
            project=query.get("project", "").strip()[:100],
            since=day_of(query.get("since", "")),
            until=day_of(query.get("until", "")),
        )

    @property
    def parameters(self) -> dict[str, str]:
        given = {
            "actor": self.actor,
            "action": self.action,
            "project": self.project,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Choices:
    actors: tuple[str, ...]
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    field: str
    old: str
    new: str


def entries(workspace: Workspace, filters: Filters, zone: ZoneInfo) -> QuerySet[AuditEntry]:
    """The newest first."""
    found = all_entries(workspace)
    if filters.actor:
        found = found.filter(actor_label=filters.actor)
    if filters.action:
        found = found.filter(action=filters.action)
    if filters.project:
        project = find_project(workspace.projects.all(), filters.project)
        found = found.filter(project_id=project.pk) if project else found.none()
    if filters.since:
        found = found.filter(at__gte=midnight(filters.since, zone))
    if filters.until and filters.until < date.max:
        found = found.filter(at__lt=midnight(filters.until + timedelta(days=1), zone))
    return found


def all_entries(workspace: Workspace) -> QuerySet[AuditEntry]:
    """The newest first."""
    return AuditEntry.objects.filter(workspace=workspace).order_by("-at", "-id")


def page_of(found: QuerySet[AuditEntry], number: int) -> tuple[list[AuditEntry], bool]:
    """The entries of a page, and whether there is an older one. Nothing is counted."""
    start = (number - 1) * PAGE_SIZE
    rows = list(found[start : start + PAGE_SIZE + 1])
    return rows[:PAGE_SIZE], len(rows) > PAGE_SIZE and number < LAST_PAGE


def choices(workspace: Workspace, filters: Filters) -> Choices:
    """What the latest entries offer to filter by, and what is filtered by now."""
    latest = AuditEntry.objects.filter(workspace=workspace).order_by("-at", "-id")[:LATEST]
    pairs = list(latest.values_list("actor_label", "action"))
    return Choices(
        tuple(sorted({actor for actor, _ in pairs} | ({filters.actor} if filters.actor else set()))),
        tuple(sorted({action for _, action in pairs} | ({filters.action} if filters.action else set()))),
    )


def project_names(workspace: Workspace, ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Deleted projects have no name any more and are left out."""
    return dict(Project.objects.filter(workspace=workspace, pk__in=ids).values_list("pk", "name"))


def changes_of(entry: AuditEntry) -> list[Change]:
    return [Change(field, words(old), words(new)) for field, (old, new) in _pairs(entry.changes)]


def words(value: Any) -> str:
    """A stored value for reading: on and off, nothing as a dash, lists of words with commas, all else as JSON."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = ", ".join(value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return shorten(text, _VALUE)


def spreadsheet(found: QuerySet[AuditEntry], names: Mapping[uuid.UUID, str]) -> Iterator[list[str]]:
    """A heading, then a row for each changed field; entries without any have one row. Moments are UTC."""
    yield list(COLUMNS)
    for entry in found.iterator(chunk_size=1000):
        project = names.get(entry.project_id, str(entry.project_id)) if entry.project_id else ""
        shared = [
            entry.at.astimezone(UTC).isoformat(timespec="seconds"),
            entry.actor_label,
            entry.source,
            entry.address or "",
            entry.action,
            project,
            entry.target_label,
        ]
        for field, (old, new) in _pairs(entry.changes) or [("", (None, None))]:
            yield [harmless(cell) for cell in (*shared, field, _plain(old), _plain(new))]


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: names in the log are typed by people who may want it to be one.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _pairs(changes: Any) -> list[tuple[str, tuple[Any, Any]]]:
    return [(field, (pair[0], pair[1])) for field, pair in changes.items()]
