"""Usage counters and thresholds: pure arithmetic, integers only."""

import enum
from datetime import UTC, date, datetime, time, timedelta

THRESHOLDS = (80, 100)
_LEAST = timedelta(days=1)
"""What a pace is measured over at the least: the first hours of a month say little about the rest."""
_TICK = timedelta(microseconds=1)


class Meter(enum.StrEnum):
    RUNS = "runs"
    SCANS = "scans"


def period_of(moment: datetime) -> date:
    """The calendar month (UTC) that usage at `moment` belongs to, as its first day."""
    return moment.astimezone(UTC).date().replace(day=1)


def reached(used: int, cap: int | None) -> int | None:
    """The highest threshold that `used` has reached: 100, 80 or None. Unlimited and zero caps never warn."""
    if not cap:
        return None
    return next((threshold for threshold in reversed(THRESHOLDS) if used * 100 >= cap * threshold), None)


def crossed(before: int, after: int, cap: int | None) -> int | None:
    """The threshold that going from `before` to `after` has crossed, the highest one only, or None."""
    now = reached(after, cap)
    return now if now is not None and now != reached(before, cap) and after > before else None


def percent(used: int, cap: int | None) -> int | None:
    """Whole per cent, rounded down so that 100 means reached. None where there is no cap to measure against."""
    return used * 100 // cap if cap else None


def cap_reached_on(used: int, cap: int | None, moment: datetime) -> date | None:
    """The day (UTC) on which the month's cap is reached, if the rest of the month goes on as it has gone so far.

    None where there is no cap, where it is reached already, where this month will not reach it, and within the month's
    first 24 hours.
    """
    start, elapsed, _whole = _month(moment)
    if not cap or not 0 < used < cap or elapsed < _LEAST:
        return None
    # Rounded up to the next microsecond: just before, the cap is not reached.
    needed = -(-(elapsed // _TICK) * cap // used) * _TICK
    reached_at = start + needed
    return reached_at.date() if period_of(reached_at) == period_of(moment) else None


def at_months_end(used: int, moment: datetime) -> int | None:
    """How much the whole month will have used, if it goes on as it has gone so far. None in its first 24 hours."""
    _start, elapsed, whole = _month(moment)
    return used * (whole // _TICK) // (elapsed // _TICK) if elapsed >= _LEAST else None


def resets_on(moment: datetime) -> date:
    """The day (UTC) on which the counters start anew."""
    return (period_of(moment) + timedelta(days=32)).replace(day=1)


def _month(moment: datetime) -> tuple[datetime, timedelta, timedelta]:
    """The month's beginning, how much of it is over, and how long all of it is."""
    start = datetime.combine(period_of(moment), time.min, UTC)
    return start, moment - start, datetime.combine(resets_on(moment), time.min, UTC) - start
