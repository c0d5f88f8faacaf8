"""Counting usage."""

from datetime import datetime

from django.db.models import F

from projects.models import UsageCounter
from projects.usage import Meter, period_of


def count_usage(workspace_id: int, meter: Meter, moment: datetime, amount: int = 1) -> None:
    """Add to the month's counter, atomically. Call it last in a transaction: it is the workspace's busiest row."""
    key = {"workspace_id": workspace_id, "period": period_of(moment), "meter": meter}
    if not UsageCounter.objects.filter(**key).update(used=F("used") + amount):
        # Two first events of a month: one insert wins, the other finds the row.
        UsageCounter.objects.bulk_create([UsageCounter(**key)], ignore_conflicts=True)
        UsageCounter.objects.filter(**key).update(used=F("used") + amount)
