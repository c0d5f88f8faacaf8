"""Counting usage."""

from datetime import date, datetime

from django.db import connection

from projects.models import UsageCounter
from projects.usage import Meter, period_of

_ADD = f"""
    UPDATE "{UsageCounter._meta.db_table}" SET "used" = "used" + %s
    WHERE "workspace_id" = %s AND "period" = %s AND "meter" = %s
"""  # noqa: S608


def count_usage(workspace_id: int, meter: Meter, moment: datetime, amount: int = 1) -> None:
    """Add to the month's counter, atomically. Call it last in a transaction: it is the workspace's busiest row."""
    period = period_of(moment)
    if not _add(workspace_id, meter, period, amount):
        # Two first events of a month: one insert wins, the other finds the row.
        counter = UsageCounter(workspace_id=workspace_id, period=period, meter=meter)
        UsageCounter.objects.bulk_create([counter], ignore_conflicts=True)
        _add(workspace_id, meter, period, amount)


def _add(workspace_id: int, meter: Meter, period: date, amount: int) -> int:
    """Plain SQL: every event passes here, and the ORM needs longer to say it than the database to do it."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [amount, workspace_id, connection.ops.adapt_datefield_value(period), meter.value])
        return cursor.rowcount
