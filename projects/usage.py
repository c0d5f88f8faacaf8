"""Usage counters and thresholds: pure arithmetic, integers only."""

import enum
from datetime import UTC, date, datetime

THRESHOLDS = (80, 100)


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
