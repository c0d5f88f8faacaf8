"""The body of a webhook is the documented one."""

import json
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
import standardwebhooks
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aegisnotify.clock import now
from notifications.catalog import OccurrenceKind
from notifications.channels.webhook import body, signature

PROJECT = {"id": uuid.UUID(int=7), "name": "Acme Web", "slug": "acme-web"}
AT = datetime(2026, 4, 28, 12, 42, 11, 900_000, tzinfo=timezone(timedelta(hours=2)))


def build(facts, kind=OccurrenceKind.RUN, event="run_completed", **more):
    return body.build(kind, facts, event, PROJECT, AT, **more)


def test_a_run_reads_as_documented_byte_for_byte():
    facts = {
        "url": "https://aegisrunner.com/runs/1",
        "skipped": 1,
        "failed": 0,
        "passed": 14,
        "duration_ms": 38400,
        "browser": "chromium",
        "status": "passed",
        "suite_name": "Kasse ✅",
        "id": 12,
    }
    assert build(facts) == (
        '{"event":"run_completed","timestamp":"2026-04-28T10:42:11Z",'
        '"project":{"id":"00000000-0000-0000-0000-000000000007","name":"Acme Web","slug":"acme-web"},'
        '"run":{"id":"12","suite_name":"Kasse ✅","status":"passed","browser":"chromium","passed":14,"failed":0,'
        '"skipped":1,"duration_ms":38400,"url":"https://aegisrunner.com/runs/1"}}'
    )


@pytest.mark.parametrize(
    ("kind", "facts", "names"),
    [
        (
            "run",
            {
                "extra": 1,
                "failures": [],
                "schedule": {},
                "trigger": "",
                "environment": "",
                "status": "failed",
                "id": "1",
            },
            ["id", "status", "environment", "trigger", "schedule", "failures", "extra"],
        ),
        (
            "crawl",
            {
                "url": "",
                "duration_ms": 1,
                "issues": 2,
                "z": 0,
                "pages_total": 3,
                "a": 0,
                "pages": 4,
                "status": "",
                "id": 1,
            },
            ["id", "status", "pages", "pages_total", "issues", "duration_ms", "url", "z", "a"],
        ),
        (
            "generation",
            {"url": "", "duration_ms": 1, "pending_review": 2, "tests": 3, "suites": 4, "crawl_id": 5, "id": 6},
            ["id", "crawl_id", "suites", "tests", "pending_review", "duration_ms", "url"],
        ),
    ],
)
def test_known_facts_come_first_in_the_documented_order(kind, facts, names):
    made = json.loads(build(facts, kind))
    assert list(made) == ["event", "timestamp", "project", kind]
    assert list(made[kind]) == names


def test_what_is_unknown_passes_through_at_every_level():
    facts = {
        "id": "1",
        "status": "failed",
        "schedule": {"cron": "0 3 * * *", "name": "Nightly", "id": 9},
        "failures": [{"trace": [1, {"a": None}], "message": "boom", "name": "pays"}, "odd"],
        "commit": {"sha": "abc", "id": 5},
        "shard": None,
        "browser": None,
    }
    made = build(facts)
    run = json.loads(made)["run"]
    assert run["schedule"] == {"id": "9", "name": "Nightly", "cron": "0 3 * * *"}
    assert list(run["schedule"]) == ["id", "name", "cron"]
    assert list(run["failures"][0]) == ["name", "message", "trace"]
    assert run["failures"][1] == "odd"
    assert run["commit"] == {"sha": "abc", "id": 5}
    assert run["shard"] is None
    assert run["browser"] is None


def test_ids_are_strings_and_a_missing_one_stays_missing():
    assert json.loads(build({"id": 6, "crawl_id": 5}, "generation"))["generation"] == {"id": "6", "crawl_id": "5"}
    assert json.loads(build({"id": "6", "crawl_id": None}, "generation"))["generation"] == {"id": "6", "crawl_id": None}


def test_what_is_not_an_id_in_an_ids_place_stays_as_it_is():
    assert json.loads(build({"id": "6", "crawl_id": [5]}, "generation"))["generation"] == {"id": "6", "crawl_id": [5]}


def test_only_a_test_says_that_it_is_one():
    assert "test" not in json.loads(build({"id": "1"}))
    assert json.loads(build({"id": "1"}, test=True))["test"] is True


def test_facts_cannot_replace_what_stands_around_them():
    made = json.loads(build({"id": "1", "event": "x", "test": True, "project": "y"}))
    assert made["event"] == "run_completed"
    assert "test" not in made


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))), "2025-12-31T18:45:00Z"),
        (datetime(2026, 1, 1, 23, 59, 59, 999_999, tzinfo=UTC), "2026-01-01T23:59:59Z"),
        (datetime(987, 1, 1, tzinfo=UTC), "0987-01-01T00:00:00Z"),
    ],
)
def test_the_timestamp_is_utc_in_whole_seconds(moment, text):
    assert body.timestamp(moment) == text


def test_half_a_surrogate_pair_does_not_stop_the_body():
    build({"id": "1", "suite_name": "a\ud800b"}).encode()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)


def ids_as_text(value):
    """The same facts with every number in an id's place as text: which of them are ids depends on where they stand."""
    if isinstance(value, dict):
        return {
            name: str(each) if name in ("id", "crawl_id") and type(each) is int else ids_as_text(each)
            for name, each in value.items()
        }
    return [ids_as_text(each) for each in value] if isinstance(value, list) else value


@settings(max_examples=100, deadline=None)
@example(facts={"crawl_id": []}, kind=OccurrenceKind.GENERATION)
@example(facts={"crawl_id": 5}, kind=OccurrenceKind.GENERATION)
@example(facts={"schedule": {"id": 5}}, kind=OccurrenceKind.RUN)
@given(facts=st.dictionaries(st.text(max_size=8), values, max_size=5), kind=st.sampled_from(OccurrenceKind))
def test_any_facts_make_a_stable_body_that_loses_nothing_and_verifies(facts, kind):
    facts["id"] = "1"
    made = build(facts, kind)
    assert made == build(facts, kind)
    assert ids_as_text(json.loads(made)[kind.value]) == ids_as_text(facts)
    headers = signature.headers(delivery_id="1", event="x", at=now(), body=made.encode(), secret="s" * 16)
    secret = signature.standard_secret("s" * 16)
    assert standardwebhooks.Webhook(secret).verify(made, headers)["project"]["slug"] == "acme-web"
