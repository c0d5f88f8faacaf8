"""Counting usage and its thresholds."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.models import UsageCounter
from projects.selectors import usage_of
from projects.services.usage import count_usage
from projects.usage import Meter, crossed, percent, period_of, reached
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
