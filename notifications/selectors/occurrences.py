"""Reading occurrences."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from notifications import catalog
from notifications.models import Occurrence
from notifications.selectors.history import shown_occurrences
from projects.models import Project, Workspace


def occurrences_of(
    workspace: Workspace,
    *,
    project: Project | None = None,
    event: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[Occurrence]:
    """The occurrences of a workspace or one of its projects, newest first, each with its project.

    Only those that the plan's history still shows.

    `event` (of the catalogue) keeps those that fired it. `since` is inclusive, `until` exclusive, on `received_at`.
    """
    rows = _within(workspace, project)
    if event is not None:
        # There are few distinct lists, so the index on `fired` serves; a search inside the text would read every row.
        rows = rows.filter(fired__in=[",".join(fired) for fired in catalog.fired_lists_with(event)])
    if since is not None:
        rows = rows.filter(received_at__gte=since)
    if until is not None:
        rows = rows.filter(received_at__lt=until)
    return rows.defer("facts").order_by("-received_at", "-pk")


def find_occurrence(workspace: Workspace, event_id: UUID, *, project: Project | None = None) -> Occurrence | None:
    """The occurrence with this id, if the workspace (or its project, where one is given) has it and still shows it."""
    return _within(workspace, project).filter(pk=event_id).first()


def look_of(occurrence: Occurrence, event_name: str = "") -> tuple[str, str]:
    """The tile and the icon of an occurrence: those of the event that is named or else the first that it fired, or of
    its kind where it fired none."""
    fired = event_name or next(iter(occurrence.fired_events), "")
    event = catalog.find(fired) if fired else None
    return (event.name, event.icon) if event else (occurrence.kind, catalog.OccurrenceKind(occurrence.kind).icon)


def _within(workspace: Workspace, project: Project | None) -> QuerySet[Occurrence]:
    rows = shown_occurrences(workspace).select_related("project")
    return rows.filter(project=project) if project is not None else rows
