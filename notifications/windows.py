"""The stretch of time that the overview looks at, cut into hours or the reader's days. Pure.

Time is counted in full hours since 1970 (UTC), as the totals are. A day begins with the hour that its midnight is in.
"""

import bisect
import enum
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

HOURS = 24


class Range(enum.StrEnum):
    """What can be chosen, as it stands in the address."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def label(self) -> str:
        return f"{self.value[:-1]} {self.value[-1]}"


_DAYS = {Range.WEEK: 7, Range.MONTH: 30}
LONGEST_DAYS = max(_DAYS.values())


def read_range(text: str) -> Range:
    """The shortest one for whatever is none."""
    return next((each for each in Range if each.value == text), Range.DAY)


@dataclass(frozen=True, slots=True)
class Window:
    """`edges` are where its parts begin, and where the last one ends."""

    range: Range
    dates: tuple[date, ...]
    """The reader's, of each part; none where the parts are hours."""
    cut: bool
    """Whether the plan's history is shorter."""
    edges: tuple[int, ...]
    before: tuple[int, int]
    """Begin and end of what it is compared with."""

    @property
    def days(self) -> int:
        """0 where the parts are hours."""
        return len(self.dates)

    @property
    def start(self) -> int:
        return self.edges[0]

    @property
    def starts(self) -> tuple[int, ...]:
        return self.edges[:-1]

    def place(self, hour: int) -> int | None:
        """Which part the hour belongs to."""
        if not self.start <= hour < self.edges[-1]:
            return None
        return bisect.bisect_right(self.edges, hour) - 1

    def is_before(self, hour: int) -> bool:
        return self.before[0] <= hour < self.before[1]


def window(chosen: Range, moment: datetime, zone: tzinfo, history_days: int | None) -> Window:
    """The current hour and the 23 before it, compared with the 24 before; or today and the days before it, as far as
    the plan's history goes, compared with as many days up to this time of day."""
    end = hour_number(moment) + 1
    if chosen is Range.DAY:
        start = end - HOURS
        return Window(chosen, (), False, tuple(range(start, end + 1)), (start - HOURS, start))
    days = min(_DAYS[chosen], max(history_days, 1)) if history_days is not None else _DAYS[chosen]
    today = moment.astimezone(zone).date()
    dates = tuple(today - timedelta(days=ago) for ago in reversed(range(days)))
    starts = tuple(_midnight(each, zone) for each in dates)
    before = _midnight(today - timedelta(days=2 * days - 1), zone), hour_number(moment - timedelta(days=days)) + 1
    return Window(chosen, dates, days < _DAYS[chosen], (*starts, end), (before[0], min(before[1], starts[0])))


def hour_number(moment: datetime) -> int:
    return int(moment.timestamp()) // 3600


def hour_start(number: int) -> datetime:
    return datetime.fromtimestamp(number * 3600, UTC)


def _midnight(day: date, zone: tzinfo) -> int:
    return hour_number(datetime.combine(day, time.min, zone))
