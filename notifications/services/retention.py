"""Deleting history beyond the plan: deliveries with their attempts, and what occurrences were about.

Of an occurrence the bare key stays for 400 days, in its own row: a late repeat is then known by the same unique
constraint as any other, at no cost for those that come in.

Everything goes in batches, each a transaction of its own that locks its rows for milliseconds. A workspace is taken by
moving its `sweep_at` on with a conditional update, and batches skip rows that somebody else has locked, so any number
of workers may run this at once. A process that dies leaves a workspace partly swept; the next day takes the rest.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from aegisnotify.clock import now
from notifications.history import History, history
from notifications.models import Attempt, Delivery, Occurrence
from notifications.models.deliveries import FINISHED
from projects.actors import SYSTEM
from projects.models import Workspace
from projects.services import audit

BATCH = 1000
# Between batches others get at the disk, and at SQLite's one lock.
PAUSE = 0.02
SWEEP_EVERY = timedelta(days=1)
# The worker's periodic functions take turns: what is left waits for the next one.
TURN = 5.0
AT_ONCE = 200


def sweep_histories(*, seconds: float = TURN, batch: int = BATCH) -> int:
    """Delete what is beyond the plans of the workspaces whose turn it is, for so many seconds; the rows dealt with."""
    deadline = time.monotonic() + seconds
    moment, dealt = now(), 0
    due = Workspace.objects.filter(sweep_at__lte=moment, closed_at=None).select_related("plan").order_by("sweep_at")
    for workspace in due[:AT_ONCE]:
        if time.monotonic() >= deadline:
            break
        taken = Workspace.objects.filter(pk=workspace.pk, sweep_at=workspace.sweep_at)
        if taken.update(sweep_at=moment + SWEEP_EVERY):
            dealt += _sweep(workspace, moment, deadline, batch)
    return dealt


def _sweep(workspace: Workspace, moment: datetime, deadline: float, batch: int) -> int:
    kept = history(workspace.plan.history_days, moment)
    if kept.kept_since is None:
        return 0
    steps: tuple[tuple[str, Callable[[Workspace, History, int], int]], ...] = (
        ("deliveries", delete_deliveries),
        ("events", forget_occurrences),
        ("keys", delete_keys),
    )
    counts = dict.fromkeys((name for name, _ in steps), 0)
    for name, step in steps:
        while done := step(workspace, kept, batch):
            counts[name] += done
            if time.monotonic() >= deadline:
                Workspace.objects.filter(pk=workspace.pk).update(sweep_at=moment)
                break
            time.sleep(PAUSE)
        if time.monotonic() >= deadline:
            break
    changes = {name: (count, 0) for name, count in counts.items() if count}
    if changes:
        since = kept.kept_since.isoformat(timespec="seconds")
        audit.record(
            SYSTEM,
            "workspace.history_deleted",
            workspace,
            workspace=workspace,
            changes={**changes, "kept_since": (None, since)},
        )
    return sum(counts.values())


@transaction.atomic
def delete_deliveries(workspace: Workspace, kept: History, batch: int = BATCH) -> int:
    """Up to `batch` finished deliveries with their attempts; how many."""
    old = Delivery.objects.filter(workspace=workspace, created_at__lt=kept.kept_since, status__in=FINISHED)
    ids = list(_unlocked(old.order_by("created_at", "pk"))[:batch].values_list("pk", flat=True))
    Attempt.objects.filter(delivery__in=ids).delete()
    # Without their bodies, which Django would load to delete them.
    Delivery.objects.filter(pk__in=ids).only("pk").delete()
    return len(ids)


@transaction.atomic
def forget_occurrences(workspace: Workspace, kept: History, batch: int = BATCH) -> int:
    """Take facts and decisions out of up to `batch` occurrences that no delivery is left of; how many."""
    old = Occurrence.objects.filter(workspace=workspace, received_at__lt=kept.kept_since)
    alone = old.filter(~Exists(Delivery.objects.filter(occurrence=OuterRef("pk"))))
    ids = list(_unlocked(alone.order_by("received_at", "pk"))[:batch].values_list("pk", flat=True))
    return Occurrence.objects.filter(pk__in=ids).update(forgotten=True, facts={}, decisions=[])


@transaction.atomic
def delete_keys(workspace: Workspace, kept: History, batch: int = BATCH) -> int:
    """Delete up to `batch` bare keys that are older than anybody repeats a report; how many."""
    old = Occurrence.keys.filter(workspace=workspace, forgotten=True, received_at__lt=kept.known_since)
    ids = list(_unlocked(old.order_by("received_at"))[:batch].values_list("pk", flat=True))
    Occurrence.keys.filter(pk__in=ids).only("pk").delete()
    return len(ids)


def _unlocked(rows: QuerySet) -> QuerySet:
    return rows.select_for_update(skip_locked=True) if connection.features.has_select_for_update_skip_locked else rows
