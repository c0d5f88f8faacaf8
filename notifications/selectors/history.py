"""What of the history a workspace's plan shows."""

from datetime import datetime

from django.db.models import QuerySet

from aegisnotify.clock import now
from notifications.history import history
from notifications.models import Delivery, Occurrence
from projects.models import Workspace


def shown_since(workspace: Workspace, moment: datetime | None = None) -> datetime | None:
    """None: everything is shown. `workspace` with its plan loaded, or it costs a query."""
    return history(workspace.plan.history_days, moment or now()).shown_since


def shown_deliveries(workspace: Workspace) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(workspace=workspace)
    since = shown_since(workspace)
    return rows if since is None else rows.filter(created_at__gte=since)


def shown_occurrences(workspace: Workspace, moment: datetime | None = None) -> QuerySet[Occurrence]:
    rows = Occurrence.objects.filter(workspace=workspace)
    since = shown_since(workspace, moment)
    return rows if since is None else rows.filter(received_at__gte=since)
