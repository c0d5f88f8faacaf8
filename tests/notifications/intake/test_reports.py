"""What may be reported, and what is said about what may not."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.intake.reports import parse
from projects.errors import Invalid


def run(**facts):
    return {"id": "r1", "status": "failed", **facts}


def report(event="run_failed", **parts):
    return {"event": event, "project": "acme-web", **parts}


def problems(payload):
    with pytest.raises(Invalid) as caught:
        parse(payload)
    return caught.value.fields


def test_a_report_keeps_the_facts_as_they_were_given():
    facts = run(suite_name="Checkout", passed=3, failed=1, own={"deep": [1, None]}, schedule={"id": 7, "team": "qa"})
    parsed = parse(report(run=facts, occurred_at="2026-04-28T12:42:11.5+02:00"))
    assert parsed.facts == {**facts, "schedule": {"id": "7", "team": "qa"}}
    assert parsed.occurred_at == datetime(2026, 4, 28, 10, 42, 11, 500000, UTC)
    assert parsed.fired == ("run_failed", "run_completed")


def test_the_number_12_is_the_id_12():
    assert parse(report(run=run(id=12))).source_id == "12"


def test_a_known_field_that_is_null_counts_as_left_out_and_an_unknown_one_is_kept():
    assert parse(report(run=run(browser=None, own=None))).facts == run(own=None)


def test_without_a_moment_the_moment_of_receipt_is_left_to_the_recorder():
    assert parse(report(run=run())).occurred_at is None


@pytest.mark.parametrize("event", ["run_completed", "run_failed", "scheduled_runs"])
def test_any_run_event_may_be_named_where_the_facts_agree(event):
    assert parse(report(event, run=run(trigger="schedule"))).named == event


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        ([], {"body"}),
        ("text", {"body"}),
        ({}, {"event", "project"}),
        (report(run=run(id="")), {"run.id"}),
        (report(run=run(id="x" * 201)), {"run.id"}),
        (report(run=run(id=True)), {"run.id"}),
        (report(run=run(id=1.5)), {"run.id"}),
        (report(run=run(id=None)), {"run.id"}),
        (report(run={"status": "failed"}), {"run.id"}),
        (report(run=run(status="broken")), {"run.status"}),
        (report(run={"id": "1"}), {"run.status"}),
        (report(run=run(passed=-1)), {"run.passed"}),
        (report(run=run(passed="3")), {"run.passed"}),
        (report(run=run(passed=True)), {"run.passed"}),
        (report(run=run(failed=1.5)), {"run.failed"}),
        (report(run=run(duration_ms=2**60)), {"run.duration_ms"}),
        (report(run=run(url="javascript:alert(1)")), {"run.url"}),
        (report(run=run(url="https://")), {"run.url"}),
        (report(run=run(url="https://a b")), {"run.url"}),
        (report(run=run(failures=[{"name": 3}])), {"run.failures.0.name"}),
        (report(run=run(failures={})), {"run.failures"}),
        (report(run=run(schedule="nightly")), {"run.schedule"}),
        (report(run=[run()]), {"run"}),
        (report(run=run(), occurred_at="2026-04-28T10:42:11"), {"occurred_at"}),
        (report(run=run(), occurred_at="2026-04-28"), {"occurred_at"}),
        (report(run=run(), occurred_at="1700000000"), {"occurred_at"}),
        (report(run=run(), occurred_at=1700000000), {"occurred_at"}),
        (report(run=run(), occurred_at="0001-01-01T00:00:00+14:00"), {"occurred_at"}),
        (report(run=run()) | {"project": 7}, {"project"}),
        (report(run=run()) | {"project": ""}, {"project"}),
        (report("run_exploded", run=run()), {"event"}),
        (report(["run_failed"], run=run()), {"event"}),
        # An event whose object is not there.
        (report("run_failed"), {"run"}),
        (report("crawl_completed", run=run()), {"crawl"}),
        (report("ai_generated", run=run(), generation=None), {"generation"}),
        (report("crawl_completed", crawl={"id": "c", "status": "passed"}), {"crawl.status"}),
        (report("ai_generated", generation={}), {"generation.id"}),
        # Contradictions name each of the fields that can't both be true.
        (report("run_failed", run=run(status="passed")), {"event", "run.status"}),
        (report("run_failed", run=run(status="cancelled")), {"event", "run.status"}),
        (report("run_failed", run=run(status="completed", failed=0)), {"event", "run.status"}),
        (report("run_completed", run=run(status="passed", failed=2)), {"run.status", "run.failed"}),
        (report("scheduled_runs", run=run(trigger="manual")), {"event", "run.trigger"}),
    ],
)
def test_a_bad_report_names_every_bad_field(payload, fields):
    found = problems(payload)
    assert set(found) == fields
    assert all(sentence.endswith(".") for sentences in found.values() for sentence in sentences)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(["id", "status", "passed", "failed", "url", "failures", "schedule", "trigger", "suite_name"])


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "event": json_values | st.sampled_from(["run_failed", "run_completed", "scheduled_runs"]),
            "project": json_values,
            "occurred_at": json_values,
            "run": json_values | st.dictionaries(fields, json_values | st.sampled_from(["failed", "passed"])),
        },
    )
)
def test_any_json_is_either_a_report_or_refused_by_field(payload):
    try:
        report = parse(payload)
    except Invalid as refusal:
        refused_fields = refusal.fields
    else:
        refused_fields = {}
        assert report.source_id
    assert refused_fields != {} or isinstance(payload["run"]["id"], str | int)
