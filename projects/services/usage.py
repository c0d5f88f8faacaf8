"""Counting usage, and noticing when it reaches a threshold of the plan's cap."""

from datetime import date, datetime

from django.db import connection

from projects import hooks
from projects.models import Plan, UsageCounter, Workspace
from projects.usage import Meter, crossed, period_of

_TABLE = f'"{UsageCounter._meta.db_table}"'
_CAPS = {Meter.RUNS: "runs_per_month", Meter.SCANS: "scans_per_month"}


def _statement(cap: str) -> str:
    """The new number comes back with the plan's cap: that costs two look-ups by key in a statement that is sent anyway,
    so noticing a threshold costs no query."""
    return f"""
        UPDATE {_TABLE} SET "used" = "used" + %s WHERE "workspace_id" = %s AND "period" = %s AND "meter" = %s
        RETURNING "used", (
            SELECT p."{cap}" FROM "{Workspace._meta.db_table}" w JOIN "{Plan._meta.db_table}" p ON p."id" = w."plan_id"
            WHERE w."id" = {_TABLE}."workspace_id"
        )
    """  # noqa: S608


_ADD = {meter: _statement(cap) for meter, cap in _CAPS.items()}


def count_usage(workspace_id: int, meter: Meter, moment: datetime, amount: int = 1) -> None:
    """Add to the month's counter, atomically. Call it last in a transaction: it is the workspace's busiest row.

    Whoever registered with `hooks.on_usage_crossed` is told of a threshold in the same transaction. The row is locked
    until its end, so exactly one caller crosses each.
    """
    period = period_of(moment)
    found = _add(workspace_id, meter, period, amount)
    if found is None:
        # Two first events of a month: one insert wins, the other finds the row.
        counter = UsageCounter(workspace_id=workspace_id, period=period, meter=meter)
        UsageCounter.objects.bulk_create([counter], ignore_conflicts=True)
        found = _add(workspace_id, meter, period, amount)
    if found is None:
        return
    used, cap = found
    threshold = crossed(used - amount, used, cap)
    if threshold is not None:
        assert cap is not None
        hooks.usage_crossed(hooks.Crossing(workspace_id, meter, period, threshold, cap))


def _add(workspace_id: int, meter: Meter, period: date, amount: int) -> tuple[int, int | None] | None:
    """Plain SQL: every event passes here, and the ORM needs longer to say it than the database to do it."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD[meter], [amount, workspace_id, connection.ops.adapt_datefield_value(period), meter.value])
        return cursor.fetchone()
