from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notifications.channels import text


@pytest.mark.parametrize(
    ("value", "limit", "clipped"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("ab cd", 4, "ab…"),
        ("😀😀", 4, "😀😀"),
        ("😀😀", 3, "😀…"),
        ("😀😀", 2, "…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_text_is_cut_by_utf_16_units(value, limit, clipped):
    assert text.clip(value, limit) == clipped


@hypothesis_settings(deadline=None)
@given(st.text(), st.integers(min_value=0, max_value=30))
def test_cut_text_never_exceeds_the_limit(value, limit):
    assert text.length(text.clip(value, limit)) <= limit


def test_an_escape_is_never_cut_in_half():
    assert text.fit("&&&&", 12, lambda value: value.replace("&", "&amp;")) == "&amp;&amp;…"
    assert text.fit("a&b", 12, lambda value: value.replace("&", "&amp;")) == "a&amp;b"


@hypothesis_settings(deadline=None)
@given(st.text(st.sampled_from("a&😀")), st.integers(min_value=0, max_value=40))
def test_escaped_text_fits_and_uses_the_room(value, limit):
    fitted = text.fit(value, limit, lambda value: value.replace("&", "&amp;"))
    assert text.length(fitted) <= limit
    whole = value.replace("&", "&amp;")
    # The ellipsis takes the place of a character, so up to two escaped ones are missing.
    assert fitted == whole or text.length(fitted) > limit - 2 * len("&amp;")


@pytest.mark.parametrize("value", ["", " \t\n", "\u200b", "\ufeff", "\u200d\u0301", "\x00\x1f", "\ud800", "\u202e"])
def test_text_that_shows_nothing_becomes_a_dash(value):
    assert text.tidy(value, 10) == "–"


@pytest.mark.parametrize(
    ("value", "tidied"),
    [(" a\nb\t c ", "a b c"), ("a\x00b\u202ec", "abc"), ("דף", "דף"), ("0123456789ab", "012345678…")],
)
def test_text_is_one_clean_line(value, tidied):
    assert text.tidy(value, 10) == tidied


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("UTC", "28 Apr 2026, 22:42 (UTC)"),
        ("Asia/Kolkata", "29 Apr 2026, 04:12 (Asia/Kolkata)"),
        ("America/New_York", "28 Apr 2026, 18:42 (America/New_York)"),
    ],
)
def test_times_name_their_zone(zone, told):
    assert text.local_time(datetime(2026, 4, 28, 22, 42, tzinfo=UTC), ZoneInfo(zone)) == told


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_ends_of_the_calendar_have_a_time_too(moment, zone):
    assert "(" in text.local_time(moment, ZoneInfo(zone))
