"""The next moment of a weekly or daily mail in a zone. Pure.

A slot is a local date with a local time. At most one slot of a calendar week (ISO 8601: from Monday on) or of a day is
used, by its local date in the zone of its time: so nobody gets two for one week or day, whatever they choose meanwhile,
and whatever their clocks do.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """`moment` is in UTC; `day` is the local date that the slot belongs to."""

    moment: datetime
    day: date


def local_moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which clocks in `zone` show a time on a day.

    A time that the clocks skip in spring: the first moment after the gap. One that they show twice in autumn: the
    first.
    """
    wall = datetime.combine(day, at.replace(fold=0))
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    # In a gap the offset before it (fold 0) leads to a moment after it, the offset after it (fold 1) to one before.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _change(before, first, zone)


def next_weekly(after: datetime, weekday: int, at: time, zone: ZoneInfo, last: date | None = None) -> Slot:
    """The first slot later than `after` on `weekday` (0 is Monday), in a later week than that of `last`."""
    today = after.astimezone(zone).date()
    # A day early: the slot of a day that the zone skips falls on the next one.
    day = today - _DAY + timedelta(days=(weekday - (today - _DAY).weekday()) % 7)
    while True:
        moment = local_moment(day, at, zone)
        if moment > after and (last is None or _week(day) > _week(last)):
            return Slot(moment, day)
        day += timedelta(days=7)


def next_daily(after: datetime, at: time, zone: ZoneInfo, last: date | None = None) -> Slot:
    """The first slot later than `after`, on a later day than `last`."""
    day = after.astimezone(zone).date() - _DAY
    if last is not None and day <= last:
        day = last + _DAY
    while True:
        moment = local_moment(day, at, zone)
        if moment > after:
            return Slot(moment, day)
        day += _DAY


def slot_at(moment: datetime, zone: ZoneInfo) -> date:
    """The local date of a slot that was computed for `moment`."""
    return moment.astimezone(zone).date()


def _week(day: date) -> tuple[int, int]:
    year, week, _ = day.isocalendar()
    return year, week


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between two at which the zone's offset changes. Zones change theirs at whole seconds."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
