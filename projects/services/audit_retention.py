"""How long the audit log is kept: a setting of the installation, whatever the plans keep of history."""

import time
from datetime import timedelta

from django.conf import settings

from aegisnotify.clock import now
from projects.actors import SYSTEM
from projects.models import AuditEntry
from projects.services import audit

BATCH = 1000
TURN = 5.0


def delete_old_entries(*, seconds: float = TURN, batch: int = BATCH) -> int:
    """Delete what is older than `AEGIS_AUDIT_DAYS`, for so many seconds; how many. That is itself recorded, for staff.

    Entries are written as they happen, so the oldest have the smallest keys: a batch looks at those only. Several
    workers at once delete each entry once.
    """
    days = settings.AEGIS_AUDIT_DAYS
    if not days:
        return 0
    since, deadline, deleted = now() - timedelta(days=days), time.monotonic() + seconds, 0
    while True:
        oldest = list(AuditEntry.objects.order_by("pk").values_list("pk", "at")[:batch])
        old = [pk for pk, at in oldest if at < since]
        deleted += AuditEntry.objects.filter(pk__in=old).delete()[0]
        if len(old) < batch or time.monotonic() >= deadline:
            break
    if deleted:
        changes = {"entries": (deleted, 0), "kept_since": (None, since.isoformat(timespec="seconds"))}
        audit.record(
            SYSTEM, "audit.history_deleted", AuditEntry(pk=0), workspace=None, changes=changes, label="Audit log"
        )
    return deleted
