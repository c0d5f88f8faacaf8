"""Counting usage and its thresholds."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.models import UsageCounter
from projects.selectors import usage_of
from projects.services.usage import count_usage
from projects.usage import Meter, at_months_end, cap_reached_on, crossed, percent, period_of, reached, resets_on
from tests.factories import WorkspaceFactory

MOMENT = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("used", "cap", "threshold"),
    [
        (39, 50, None),
        (40, 50, 80),
        (49, 50, 80),
        (50, 50, 100),
        (51, 50, 100),
        (5, None, None),
        (5, 0, None),
        (2, 3, None),
        (3, 3, 100),
    ],
)
def test_a_threshold_is_reached_in_whole_numbers(used, cap, threshold):
    assert reached(used, cap) == threshold


@pytest.mark.parametrize(
    ("before", "after", "threshold"), [(39, 40, 80), (40, 41, None), (10, 60, 100), (49, 50, 100), (50, 51, None)]
)
def test_a_jump_past_both_thresholds_crosses_only_the_upper_one(before, after, threshold):
    assert crossed(before, after, 50) == threshold


@given(st.integers(1, 300), st.lists(st.integers(1, 40), max_size=30))
def test_each_threshold_is_crossed_at_most_once_in_a_month(cap, steps):
    used, seen = 0, []
    for step in steps:
        threshold = crossed(used, used + step, cap)
        used += step
        if threshold:
            seen.append(threshold)
    assert seen in ([], [80], [100], [80, 100])


def test_percent_is_rounded_down():
    assert percent(99, 100) == 99
    assert percent(999, 1000) == 99
    assert percent(3, None) is None


def test_a_month_is_utc():
    assert period_of(MOMENT) == date(2026, 11, 1)


@pytest.mark.django_db
def test_usage_is_counted_per_meter_and_month():
    workspace = WorkspaceFactory()
    count_usage(workspace.pk, Meter.RUNS, MOMENT)
    count_usage(workspace.pk, Meter.RUNS, MOMENT, 4)
    count_usage(workspace.pk, Meter.SCANS, MOMENT)
    assert UsageCounter.objects.count() == 2
    usage = usage_of(workspace, MOMENT)
    assert usage[Meter.RUNS] == {"used": 5, "cap": 2500, "percent": 0}
    assert usage[Meter.SCANS] == {"used": 1, "cap": 100, "percent": 1}


NOON_OF_THE_15TH = datetime(2026, 11, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("used", "cap", "moment", "day"),
    [
        # Half of the cap in 14.5 days: the other half takes as long.
        (1250, 2500, NOON_OF_THE_15TH, date(2026, 11, 30)),
        (1500, 2500, NOON_OF_THE_15TH, date(2026, 11, 25)),
        (2499, 2500, NOON_OF_THE_15TH, date(2026, 11, 15)),
        # Too slow for this month, by a little and by a lot.
        (1208, 2500, NOON_OF_THE_15TH, None),
        (3, 2500, NOON_OF_THE_15TH, None),
        # Reached already, nothing to reach, nothing used.
        (2500, 2500, NOON_OF_THE_15TH, None),
        (9000, 2500, NOON_OF_THE_15TH, None),
        (100, None, NOON_OF_THE_15TH, None),
        (0, 0, NOON_OF_THE_15TH, None),
        (0, 2500, NOON_OF_THE_15TH, None),
        # The first 24 hours say nothing, the moment after them does.
        (2000, 2500, datetime(2026, 11, 1, 23, 59, 59, tzinfo=UTC), None),
        (2000, 2500, datetime(2026, 11, 2, tzinfo=UTC), date(2026, 11, 2)),
        # The month ends in UTC, and December has a January after it.
        (2499, 2500, datetime(2026, 12, 31, 12, tzinfo=UTC), date(2026, 12, 31)),
        (2499, 2500, datetime(2026, 12, 31, 23, 59, tzinfo=UTC), None),
        (2000, 2500, datetime(2026, 2, 20, tzinfo=UTC), date(2026, 2, 24)),
    ],
)
def test_the_day_on_which_the_cap_is_reached(used, cap, moment, day):
    assert cap_reached_on(used, cap, moment) == day


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(24 * 60, 30 * 24 * 60 - 1))
def test_a_faster_pace_never_reaches_the_cap_later(used, cap, minutes):
    moment = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    slower, faster = cap_reached_on(used, cap, moment), cap_reached_on(used + 1, cap, moment)
    if slower is not None:
        assert moment.date() <= slower <= date(2026, 11, 30)
        if used + 1 < cap:
            assert faster <= slower


@pytest.mark.parametrize(
    ("used", "moment", "month"),
    [
        (100, datetime(2026, 11, 1, 23, tzinfo=UTC), None),
        (100, datetime(2026, 11, 16, tzinfo=UTC), 200),
        (0, datetime(2026, 11, 16, tzinfo=UTC), 0),
        (28, datetime(2026, 2, 2, tzinfo=UTC), 784),
    ],
)
def test_what_the_month_will_have_used(used, moment, month):
    assert at_months_end(used, moment) == month


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (MOMENT, date(2026, 12, 1)),
        (datetime(2026, 12, 31, tzinfo=UTC), date(2027, 1, 1)),
        (datetime(2026, 1, 31, tzinfo=UTC), date(2026, 2, 1)),
    ],
)
def test_the_counters_start_anew_with_the_next_month(moment, day):
    assert resets_on(moment) == day
