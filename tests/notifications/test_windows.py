"""What the overview looks at, and how it is cut."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.windows import Range, hour_number, hour_start, read_range, window

NOW = datetime(2026, 4, 28, 10, 42, tzinfo=UTC)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("24h", Range.DAY), ("7d", Range.WEEK), ("30d", Range.MONTH), ("", Range.DAY), ("8d", Range.DAY)],
)
def test_whatever_is_no_range_is_the_last_day(text, expected):
    assert read_range(text) is expected


def test_a_day_is_the_current_hour_and_the_23_before_it():
    day = window(Range.DAY, NOW, ZoneInfo("Asia/Tokyo"), 7)
    assert len(day.starts) == 24
    assert hour_start(day.starts[-1]) == datetime(2026, 4, 28, 10, tzinfo=UTC)
    assert [hour_start(each) for each in day.before] == [
        datetime(2026, 4, 26, 11, tzinfo=UTC),
        datetime(2026, 4, 27, 11, tzinfo=UTC),
    ]


def test_days_are_the_readers_and_the_time_before_ends_at_the_same_time_of_day():
    berlin = ZoneInfo("Europe/Berlin")
    week = window(Range.WEEK, NOW, berlin, 365)
    starts = [hour_start(each).astimezone(berlin) for each in week.starts]
    assert [(each.day, each.hour) for each in starts] == [(day, 0) for day in range(22, 29)]
    assert [hour_start(each).astimezone(berlin) for each in week.before] == [
        datetime(2026, 4, 15, 0, tzinfo=berlin),
        datetime(2026, 4, 21, 13, tzinfo=berlin),
    ]


def test_a_day_on_which_clocks_change_has_another_length():
    berlin = ZoneInfo("Europe/Berlin")
    week = window(Range.WEEK, datetime(2026, 3, 31, 12, tzinfo=UTC), berlin, None)
    lengths = [end - start for start, end in zip(week.edges, week.edges[1:], strict=False)]
    assert lengths == [24, 24, 24, 24, 23, 24, 15]


@pytest.mark.parametrize(
    ("chosen", "history", "days", "cut"),
    [
        (Range.WEEK, 7, 7, False),
        (Range.MONTH, 7, 7, True),
        (Range.MONTH, 30, 30, False),
        (Range.MONTH, None, 30, False),
        (Range.WEEK, 0, 1, True),
    ],
)
def test_the_plans_history_is_the_limit(chosen, history, days, cut):
    shown = window(chosen, NOW, ZoneInfo("UTC"), history)
    assert (shown.days, len(shown.starts), shown.cut) == (days, days, cut)


@given(
    chosen=st.sampled_from(Range),
    moment=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(ZONES),
    history=st.sampled_from([None, 1, 7, 30]),
)
def test_every_hour_belongs_to_one_part_or_to_the_time_before_or_to_neither(chosen, moment, zone, history):
    shown = window(chosen, moment, ZoneInfo(zone), history)
    assert list(shown.edges) == sorted(set(shown.edges))
    assert shown.before[0] < shown.before[1] <= shown.start
    assert shown.place(hour_number(moment)) == len(shown.starts) - 1
    for place, (start, end) in enumerate(zip(shown.edges, shown.edges[1:], strict=False)):
        assert shown.place(start) == shown.place(end - 1) == place
        assert not shown.is_before(start)
    assert shown.place(shown.edges[-1]) is None
    assert shown.place(shown.start - 1) is None
