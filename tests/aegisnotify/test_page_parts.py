"""Template tags and the geometry of charts."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from django import forms
from django.conf import settings
from django.template import Context, Template
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from aegisnotify.pages.charts import HEIGHT, WIDTH, nice_top, short, sparkline, stacked_bars
from aegisnotify.pages.forms import LongSelect, PageForm
from aegisnotify.templatetags import aegis

MOMENT = datetime(2026, 4, 28, 10, 42, 11, tzinfo=UTC)


def rendered(source, **context):
    return Template("{% load aegis %}" + source).render(Context(context))


def test_an_icon_is_decorative_and_comes_from_the_sprite():
    assert rendered('{% icon "bell" "s" %}') == (
        '<svg class="i s" aria-hidden="true"><use href="/static/vendor/icons.svg#bell"/></svg>'
    )


def test_every_icon_that_code_and_templates_name_is_in_the_sprite():
    sprite = set(re.findall(r'id="([^"]+)"', (settings.BASE_DIR / "static/vendor/icons.svg").read_text()))
    named = {glyph for _tone, glyph, _word in aegis.STATES.values()}
    for template in (settings.BASE_DIR / "templates").rglob("*.html"):
        text = template.read_text()
        named |= set(re.findall(r'{% icon "([^"]+)"', text)) | set(re.findall(r'{% tile "[^"]+" "([^"]+)"', text))
    assert named <= sprite


def test_a_state_has_a_tone_a_glyph_and_a_word():
    html = rendered('{% status "failing" %}')
    assert 'class="badge bad"' in html
    assert "#alert-triangle" in html
    assert html.endswith("Failing</span>")


def test_a_counted_state():
    assert rendered('{% status "not_sent" 2 %}').endswith("2 not sent</span>")


def test_an_unknown_state_is_shown_as_it_is():
    assert rendered('{% status "half_done" %}').endswith("Half done</span>")


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, "/login/?next=a%26b"),
        ({"workspace": SimpleNamespace(slug="acme")}, "/login/?ws=acme&amp;next=a%26b"),
    ],
)
def test_links_carry_the_workspace(context, expected):
    assert rendered('{% ws_url "login" next="a&b" %}', **context) == expected


def test_a_moment_is_shown_in_the_readers_zone_and_names_it():
    with timezone.override("Europe/Berlin"):
        assert rendered("{{ m|moment }}", m=MOMENT).endswith(">28 Apr 2026, 12:42</time>")
        assert rendered('{{ m|moment:"s" }}', m=MOMENT).endswith(">28 Apr 2026, 12:42:11 CEST</time>")
        assert 'datetime="2026-04-28T12:42:11+02:00"' in rendered("{{ m|moment }}", m=MOMENT)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "now"), (59, "now"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (47 * 3600, "47 h"), (48 * 3600, "2 d")],
)
def test_how_long_ago(seconds, expected):
    assert aegis.ago(MOMENT - timedelta(seconds=seconds), MOMENT) == expected


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [(0, "0 ms"), (999, "999 ms"), (2400, "2.4 s"), (180_000, "3 min"), (9_000_000, "2.5 h")],
)
def test_how_long_a_delivery_took(milliseconds, expected):
    assert aegis.latency(milliseconds) == expected


@pytest.mark.parametrize(("name", "expected"), [("Acme QA", "AQ"), ("Fresh", "FR"), ("a b c", "AB"), ("", "")])
def test_initials(name, expected):
    assert aegis.initials(name) == expected


@pytest.mark.parametrize(("largest", "top"), [(0, 2), (2, 2), (3, 4), (31, 40), (41, 100), (100, 100), (101, 200)])
def test_the_axis_ends_at_a_round_number(largest, top):
    assert nice_top(largest) == top


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0"), (500, "500"), (1000, "1k"), (20_000, "20k"), (4_000_000, "4M"), (1500, "1500")]
)
def test_round_numbers_beside_an_axis_are_short(number, shown):
    assert short(number) == shown


def test_a_few_bars_all_have_their_label_on_every_width():
    columns = stacked_bars([(1, 0)] * 7, ["Mon 1"] * 7, label_every=1).columns
    assert [(column.label, column.minor) for column in columns] == [("Mon 1", False)] * 7


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=1, max_size=48))
def test_every_bar_stays_in_the_picture(values):
    chart = stacked_bars(values, ["00:00"] * len(values))
    for (good, bad), column in zip(values, chart.columns, strict=True):
        assert (column.good is not None) == bool(good)
        assert (column.bad is not None) == bool(bad)
        for bar in filter(None, (column.good, column.bad)):
            assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
            assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT


@given(st.lists(st.integers(0, 10**7), max_size=48))
def test_a_sparkline_stays_in_its_box(values):
    points = [tuple(map(float, point.split(","))) for point in sparkline(values).split()]
    assert len(points) == len(values)
    assert all(0 <= x <= 96 and 0 <= y <= 28 for x, y in points)


@pytest.mark.parametrize("data", [None, {"place": "d"}, {"place": '"c"'}, {"place": "none of them"}, {}])
def test_a_long_select_is_what_django_draws(data):
    def drawn(widget):
        class Form(PageForm):
            place = forms.ChoiceField(
                choices=[("a", "A & B"), ('"c"', "C"), ("d", "D")],
                widget=widget(attrs={"data-it": ""}),
                help_text="Where",
            )

        return BeautifulSoup(str(Form(data)["place"]), "html.parser").prettify()

    assert drawn(LongSelect) == drawn(forms.Select)
