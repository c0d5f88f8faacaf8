"""Reading deliveries with their attempts."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from notifications.models import Channel, Delivery
from notifications.models.deliveries import UNDELIVERED, status_among
from notifications.selectors.history import shown_deliveries
from projects.models import Project, Workspace


def deliveries_of(
    workspace: Workspace,
    *,
    project: Project | None = None,
    channel: str | None = None,
    status: str | None = None,
    event: str | None = None,
    event_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[Delivery]:
    """The deliveries of a workspace or one of its projects, newest first, each with project, channel and attempts.

    Only those that the plan's history still shows.

    `channel` is a key: see `_of_channel`. `since` is inclusive, `until` exclusive, both on `created_at`, which for most
    is the moment when the event was received.
    """
    rows = _within(workspace, project)
    if channel is not None:
        rows = _of_channel(rows, workspace, project, channel)
    if status is not None:
        rows = rows.filter(status=status)
        if status in UNDELIVERED:
            rows = rows.filter(status_among(UNDELIVERED))
    if event is not None:
        rows = rows.filter(event=event)
    if event_id is not None:
        rows = rows.filter(occurrence=event_id)
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    if until is not None:
        rows = rows.filter(created_at__lt=until)
    return rows.order_by("-created_at", "-pk")


def find_delivery(workspace: Workspace, delivery_id: UUID, *, project: Project | None = None) -> Delivery | None:
    """The delivery with this id, if the workspace (and the project, where one is given) has it, and still shows it."""
    return _within(workspace, project).filter(pk=delivery_id).first()


def _within(workspace: Workspace, project: Project | None) -> QuerySet[Delivery]:
    rows = (
        shown_deliveries(workspace)
        .select_related("project", "channel")
        .defer("body", "channel__config")
        .prefetch_related("attempts")
    )
    return rows.filter(project=project) if project is not None else rows


def _of_channel(
    rows: QuerySet[Delivery], workspace: Workspace, project: Project | None, key: str
) -> QuerySet[Delivery]:
    """Those of the channels that have this key now, under whichever key they were made; this is what an index serves.

    Where no channel has it any more, those of deleted channels that had it.
    """
    owned = Channel.objects.filter(project=project) if project else Channel.objects.filter(project__workspace=workspace)
    ids = list(owned.filter(key=key).values_list("pk", flat=True))
    return rows.filter(channel__in=ids) if ids else rows.filter(channel=None, channel_key=key)
