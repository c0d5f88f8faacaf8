"""Until when a channel is paused."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from notifications.pauses import BadChoice, morning_of, until

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 4, 28, 12, tzinfo=UTC)


def test_an_hour_is_an_hour():
    assert until("hour", "", NOON, BERLIN) == NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (NOON, datetime(2026, 4, 29, 7, tzinfo=UTC)),
        (datetime(2026, 4, 28, 22, tzinfo=UTC), datetime(2026, 4, 30, 7, tzinfo=UTC)),
        # The night in which the clock is put forward, and the one in which it is put back.
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 7, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 8, tzinfo=UTC)),
    ],
)
def test_tomorrow_is_nine_o_clock_of_the_zones_next_day(moment, expected):
    assert until("tomorrow", "", moment, BERLIN) == expected


def test_a_day_is_its_morning():
    assert until("day", "2026-12-24", NOON, BERLIN) == morning_of(date(2026, 12, 24), BERLIN)
    assert morning_of(date(2026, 12, 24), BERLIN) == datetime(2026, 12, 24, 8, tzinfo=UTC)


@pytest.mark.parametrize(("choice", "day"), [("day", ""), ("day", "24.12.2026"), ("", ""), ("forever", "")])
def test_what_is_no_choice_is_refused(choice, day):
    with pytest.raises(BadChoice):
        until(choice, day, NOON, BERLIN)
