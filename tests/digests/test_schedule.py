"""The next moment of a weekly or daily mail, across clock changes, zones and changes of mind."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.schedule import local_moment, next_daily, next_weekly

ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
]
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
zones = st.sampled_from(ZONES).map(ZoneInfo)
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        # Skipped in spring: the first moment after the gap.
        ("America/New_York", date(2026, 3, 8), time(2, 30), datetime(2026, 3, 8, 7, 0)),
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), datetime(2026, 3, 29, 1, 0)),
        ("Africa/Cairo", date(2026, 4, 24), time(0, 30), datetime(2026, 4, 23, 22, 0)),
        # Half an hour only.
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), datetime(2026, 10, 3, 15, 30)),
        # Shown twice in autumn: the first.
        ("America/New_York", date(2026, 11, 1), time(1, 30), datetime(2026, 11, 1, 5, 30)),
        ("Europe/Berlin", date(2026, 10, 25), time(2, 30), datetime(2026, 10, 25, 0, 30)),
        ("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45), datetime(2026, 4, 4, 14, 45)),
        # No changes, and an offset of 5:45.
        ("Asia/Kathmandu", date(2026, 6, 1), time(8), datetime(2026, 6, 1, 2, 15)),
        ("Pacific/Apia", date(2026, 6, 1), time(8), datetime(2026, 5, 31, 19, 0)),
        # The whole day was skipped: Samoa crossed the date line.
        ("Pacific/Apia", date(2011, 12, 30), time(8), datetime(2011, 12, 30, 10, 0)),
    ],
)
def test_a_local_time_becomes_a_moment(zone, day, at, expected):
    assert local_moment(day, at, ZoneInfo(zone)) == expected.replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [time(0, 0), time(2, 15), time(8, 0), time(23, 59)])
def test_one_weekly_for_each_week_of_three_years_and_on_its_day(zone, at):
    zone, slots, moment, last = ZoneInfo(zone), [], START, None
    while moment < END:
        slot = next_weekly(moment, 2, at, zone, last)
        moment, last = slot.moment, slot.day
        slots.append(slot)
    assert all(slot.day.weekday() == 2 for slot in slots)
    assert all(later.day - earlier.day == timedelta(days=7) for earlier, later in pairwise(slots))
    assert all(slot.moment.astimezone(zone).date() == slot.day for slot in slots)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [time(0, 30), time(2, 15), time(23, 59)])
def test_one_daily_for_each_day_of_three_years(zone, at):
    zone, days, moment, last = ZoneInfo(zone), [], START, None
    while moment < END:
        slot = next_daily(moment, at, zone, last)
        moment, last = slot.moment, slot.day
        days.append(slot.day)
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))


@settings(max_examples=200, deadline=None)
@given(moment=moments, weekday=st.integers(0, 6), at=times, zone=zones)
def test_the_next_weekly_is_the_first_on_its_weekday(moment, weekday, at, zone):
    slot = next_weekly(moment, weekday, at, zone)
    assert moment < slot.moment <= moment + timedelta(days=8)
    assert slot.day.weekday() == weekday
    earlier = local_moment(slot.day - timedelta(days=7), at, zone)
    assert earlier <= moment


@settings(max_examples=200, deadline=None)
@given(
    moment=moments,
    choices=st.lists(
        st.tuples(st.integers(0, 6), times, zones, st.timedeltas(timedelta(0), timedelta(days=9))),
        min_size=2,
        max_size=12,
    ),
)
def test_whatever_somebody_chooses_no_calendar_week_gets_two(moment, choices):
    """Weekday, time and zone change at any moment; the slot that is due by then is used as the worker would."""
    used, last, next_slot = [], None, None
    for weekday, at, zone, wait in choices:
        next_slot = next_weekly(moment, weekday, at, zone, last)
        end = moment + wait
        while next_slot.moment <= end:
            used.append(next_slot)
            last = next_slot.day
            next_slot = next_weekly(next_slot.moment, weekday, at, zone, last)
        moment = end
    weeks = [slot.day.isocalendar()[:2] for slot in used]
    assert weeks == sorted(set(weeks))
    assert all(earlier.moment < later.moment for earlier, later in pairwise(used))


@settings(max_examples=200, deadline=None)
@given(
    moment=moments,
    choices=st.lists(st.tuples(times, zones, st.timedeltas(timedelta(0), timedelta(days=3))), min_size=2, max_size=12),
)
def test_whatever_somebody_chooses_no_day_gets_two(moment, choices):
    used, last = [], None
    for at, zone, wait in choices:
        slot = next_daily(moment, at, zone, last)
        end = moment + wait
        while slot.moment <= end:
            used.append(slot)
            last = slot.day
            slot = next_daily(slot.moment, at, zone, last)
        moment = end
    days = [slot.day for slot in used]
    assert days == sorted(set(days))


def test_a_zone_further_east_does_not_make_a_week_come_twice():
    """Monday 08:00 in Apia is Sunday in New York, where another Monday is still to come."""
    apia, new_york = ZoneInfo("Pacific/Apia"), ZoneInfo("America/New_York")
    first = next_weekly(datetime(2026, 11, 20, tzinfo=UTC), 0, time(8), apia)
    assert first.day == date(2026, 11, 23)
    following = next_weekly(first.moment, 0, time(8), new_york, first.day)
    assert following.day == date(2026, 11, 30)


def test_a_later_weekday_of_the_same_week_is_not_used_again():
    monday = next_weekly(datetime(2026, 11, 20, tzinfo=UTC), 0, time(8), ZoneInfo("UTC"))
    following = next_weekly(monday.moment, 2, time(8), ZoneInfo("UTC"), monday.day)
    assert following.day == date(2026, 12, 2)
