"""Made-up reports pass the checks of real ones."""

import pytest

from notifications import catalog
from notifications.insight.questions import Result, imagine
from projects.errors import Invalid


@pytest.mark.parametrize(
    ("event", "result", "fired"),
    [
        ("run_failed", "failed", ("run_failed", "run_completed")),
        ("scheduled_runs", "passed", ("scheduled_runs", "run_completed")),
        ("scheduled_runs", "failed", ("run_failed", "scheduled_runs", "run_completed")),
        ("run_completed", "passed", ("run_completed",)),
        ("run_completed", "cancelled", ()),
        ("crawl_completed", "passed", ("crawl_completed",)),
        ("crawl_completed", "failed", ("crawl_completed",)),
        ("ai_generated", "passed", ("ai_generated",)),
        ("ai_generated", "failed", ("ai_generated",)),
    ],
)
def test_what_fires_follows_from_the_facts(event, result, fired):
    assert imagine("acme-web", event, Result(result)).fired == fired


@pytest.mark.parametrize(
    ("event", "result"), [("run_failed", "passed"), ("run_failed", "cancelled"), ("crawl_completed", "cancelled")]
)
def test_a_result_that_contradicts_the_event_is_named(event, result):
    with pytest.raises(Invalid) as refused:
        imagine("acme-web", event, Result(result))
    assert refused.value.fields == {"result": [f"{event} does not fire when the result is “{result}”."]}


def test_every_event_can_be_asked_about():
    for event in catalog.names():
        assert any(_fires(event, result) for result in Result)


def _fires(event, result):
    try:
        return event in imagine("acme-web", event, result).fired
    except Invalid:
        return False
