"""Finding history by what staff have at hand: an id of anything, a recipient's address, a workspace's slug."""

import uuid
from typing import Any

from django.db.models import QuerySet

from notifications.models import Channel, Occurrence
from projects.models import Project, Workspace

MOST_EVENTS = 50


def as_uuid(term: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(term)
    except ValueError:
        return None


def events_named(term: str) -> list[uuid.UUID]:
    """The events of the run, scan or generation with this id, in whichever project."""
    return list(Occurrence.objects.filter(source_id=term).order_by().values_list("pk", flat=True)[:MOST_EVENTS])


def of_owner(rows: QuerySet[Any], term: str, order: tuple[str, str], *, channels: bool = True) -> QuerySet[Any] | None:
    """The rows of the channel or project with this id, or of the workspace with this slug; None: there is no such.

    `order` is the one that the indexes by these have: there may be a million of them.
    """
    sought = as_uuid(term)
    if sought is None:
        workspace = Workspace.objects.filter(slug=term.lower()).first()
        return None if workspace is None else rows.filter(workspace=workspace).order_by(*order)
    if channels and Channel.objects.filter(pk=sought).exists():
        return rows.filter(channel=sought).order_by(*order)
    if Project.objects.filter(pk=sought).exists():
        return rows.filter(project=sought).order_by(*order)
    return None
