"""Pages of results and the parameters that narrow them."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from aegisnotify.api import pagination
from aegisnotify.api.pagination import moment_of, paginate, period, text_of
from aegisnotify.errors import Invalid
from projects.models import Plan, User


@pytest.fixture
def rows(db):
    User.objects.bulk_create(User(email=f"u{n:02}@example.com", password="!") for n in range(45))
    return User.objects.order_by("email")


def page(query, rows):
    return paginate(QueryDict(query), rows, lambda row: {"n": int(row.email[1:3])})


@pytest.mark.parametrize(
    ("query", "size", "numbers"),
    [
        ("", 20, range(20)),
        ("page=1", 20, range(20)),
        ("page=3", 20, range(40, 45)),
        ("page=2&page_size=7", 7, range(7, 14)),
        ("page_size=200", 200, range(45)),
        ("page=4", 20, range(0)),
        ("page=" + "9" * 100, 20, range(0)),
        ("page_size=1&page=45", 1, [44]),
    ],
)
def test_a_page_holds_its_part(rows, query, size, numbers):
    answer = page(query, rows)
    assert list(answer) == ["total", "page", "page_size", "results"]
    assert (answer["total"], answer["page_size"]) == (45, size)
    assert answer["results"] == [{"n": number} for number in numbers]


@pytest.mark.parametrize("text", ["0", "-1", "1.0", "1e3", "x", "", " 1", "+1", "\u0663", "1_0"])
@pytest.mark.parametrize("name", ["page", "page_size"])
def test_a_number_that_is_none_is_refused(rows, name, text):
    parameters = QueryDict(mutable=True)
    parameters[name] = text
    with pytest.raises(Invalid) as caught:
        paginate(parameters, rows, lambda row: {})
    assert list(caught.value.fields) == [name]


def test_a_page_of_more_than_200_is_refused(rows):
    with pytest.raises(Invalid) as caught:
        page("page_size=201&page=0", rows)
    assert caught.value.fields["page_size"] == ["At most 200."]
    assert "page" in caught.value.fields


@pytest.mark.parametrize(("limit", "total", "capped"), [(45, 45, False), (44, 44, True), (10, 10, True)])
def test_the_total_is_exact_up_to_a_limit(rows, monkeypatch, limit, total, capped):
    monkeypatch.setattr(pagination, "COUNT_LIMIT", limit)
    answer = page("page=3", rows)
    assert (answer["total"], answer.get("total_capped", False)) == (total, capped)
    assert [row["n"] for row in answer["results"]] == list(range(40, 45))


def test_a_far_page_beyond_a_capped_total_is_empty(rows, monkeypatch):
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 10)
    assert page("page=9", rows)["results"] == []
    assert page("page=" + "9" * 30, rows)["results"] == []


def test_counting_stops_at_the_limit_and_a_page_past_the_end_reads_nothing(rows):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page("page=9", rows)
    assert len(queries) == 1
    assert "LIMIT 10001" in queries[0]["sql"]
    assert "ORDER BY" not in queries[0]["sql"]


@pytest.mark.django_db
def test_a_list_of_nothing_has_an_empty_first_page():
    answer = paginate(QueryDict(""), Plan.objects.filter(code="none"), lambda row: {})
    assert answer == {"total": 0, "page": 1, "page_size": 20, "results": []}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-04-28T10:42:11Z", datetime(2026, 4, 28, 10, 42, 11, tzinfo=UTC)),
        ("2026-04-28T12:42:11+02:00", datetime(2026, 4, 28, 10, 42, 11, tzinfo=UTC)),
        ("2026-04-28T12:42:11 02:00", datetime(2026, 4, 28, 10, 42, 11, tzinfo=UTC)),
        ("2026-04-28T12:42:11+0200", datetime(2026, 4, 28, 10, 42, 11, tzinfo=UTC)),
        ("2026-04-28t05:42-05:00", datetime(2026, 4, 28, 10, 42, tzinfo=UTC)),
        ("2026-04-28T10:42:11.5z", datetime(2026, 4, 28, 10, 42, 11, 500_000, tzinfo=UTC)),
    ],
)
def test_a_moment_with_its_offset_is_read(text, moment):
    assert moment_of(text) == moment
    assert moment_of(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "2026-04-28", "2026-04-28T10:42:11", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-04-28T25:00:00Z", "1777372931", "2026-W18-2T00:00:00Z", "20260428T104211Z", "0001-01-01T00:00:00+14:00",
        "2026-04-28T10:42:11+99:00", "2026-04-28T10:42:11Z\n", "２０２６-04-28T10:42:11Z",
    ],
)  # fmt: skip
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match="with its offset"):
        moment_of(text)


@given(st.datetimes(timezones=st.timezones()).filter(lambda moment: 2 < moment.year < 9998))
@settings(max_examples=50, deadline=None)
def test_every_moment_survives_its_text(moment):
    moment = moment.replace(microsecond=0, fold=0)
    text = moment.isoformat()
    if len(text) == 25:  # offsets with seconds belong to local times before 1900
        assert moment_of(text) == datetime.fromisoformat(text)


def test_a_period_names_each_bad_end():
    with pytest.raises(Invalid) as caught:
        period(QueryDict("since=monday&until=2026-01-01"))
    assert set(caught.value.fields) == {"since", "until"}


def test_the_ends_of_a_period_are_optional():
    assert period(QueryDict("")) == (None, None)
    assert period(QueryDict("until=2026-01-01T00:00:00Z")) == (None, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_text_with_nul_is_refused():
    assert text_of(QueryDict("project=acme"), "project") == "acme"
    assert text_of(QueryDict(""), "project") is None
    with pytest.raises(Invalid):
        text_of(QueryDict("project=a%00"), "project")
