"""A workspace goes, and with it what may be a million rows: first nothing of it works any more, then all is deleted."""

import time
from typing import Any

from django.db import connection, transaction

from notifications.models import Attempt, Channel, ChannelHour, Delivery, DeliveryHour, Occurrence
from projects.actors import Actor
from projects.models import AuditEntry, Workspace

STEP = 1000
# As `retention`: so much at a time, and a breath for others between.
TURN = 5.0
PAUSE = 0.02
AT_ONCE = 20


def stop_channels(actor: Actor, workspace: Workspace) -> None:
    """Within the caller's transaction: what is on its way is cancelled by the engine instead of sent."""
    Channel.objects.filter(project__workspace=workspace).update(enabled=False)


def delete_closed_workspaces(*, seconds: float = TURN) -> int:
    """Delete rows of closed workspaces, for so many seconds; how many workspaces are gone altogether.

    Several workers may run this at once: each step is for one that holds the workspace's row.
    """
    deadline, gone = time.monotonic() + seconds, 0
    for pk in (
        Workspace.objects.filter(closed_at__isnull=False).order_by("closed_at").values_list("pk", flat=True)[:AT_ONCE]
    ):
        while (left := _step(pk)) is not None:
            if not left:
                gone += 1
                break
            if time.monotonic() >= deadline:
                return gone
            time.sleep(PAUSE)
    return gone


@transaction.atomic
def _step(pk: int) -> bool | None:
    """Delete up to `STEP` rows, the workspace itself as the last; whether any are left. None: somebody else does it."""
    locking = connection.features.has_select_for_update_skip_locked
    rows = Workspace.objects.select_for_update(skip_locked=True) if locking else Workspace.objects.all()
    workspace = rows.filter(pk=pk, closed_at__isnull=False).first()
    if workspace is None:
        return None
    deliveries: Any = Delivery.objects.filter(workspace=workspace).order_by("created_at")
    if ids := list(deliveries.values_list("pk", flat=True)[:STEP]):
        Attempt.objects.filter(delivery__in=ids).delete()
        Delivery.objects.filter(pk__in=ids).only("pk").delete()
        return True
    others: tuple[Any, ...] = (
        Occurrence.keys.filter(workspace=workspace),
        AuditEntry.objects.filter(workspace=workspace),
        ChannelHour.objects.filter(channel__project__workspace=workspace),
        DeliveryHour.objects.filter(workspace=workspace),
    )
    for found in others:
        if ids := list(found.values_list("pk", flat=True)[:STEP]):
            found.model._base_manager.filter(pk__in=ids).only("pk").delete()
            return True
    workspace.delete()
    return False
