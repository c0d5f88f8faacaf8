"""What an occurrence fires."""

import pytest

from notifications import catalog
from notifications.catalog import OccurrenceKind

RUN = OccurrenceKind.RUN


@pytest.mark.parametrize(
    ("facts", "named", "fired"),
    [
        ({"status": "passed"}, "run_completed", ("run_completed",)),
        ({"status": "passed", "failed": 0}, "run_completed", ("run_completed",)),
        ({"status": "failed"}, "run_completed", ("run_failed", "run_completed")),
        ({"status": "error"}, "run_failed", ("run_failed", "run_completed")),
        ({"status": "timed_out"}, "run_failed", ("run_failed", "run_completed")),
        ({"status": "completed", "failed": 0}, "run_completed", ("run_completed",)),
        ({"status": "completed"}, "run_completed", ("run_completed",)),
        ({"status": "completed", "failed": 1}, "run_completed", ("run_failed", "run_completed")),
        ({"status": "passed", "trigger": "schedule"}, "run_completed", ("scheduled_runs", "run_completed")),
        ({"status": "passed"}, "scheduled_runs", ("scheduled_runs", "run_completed")),
        ({"status": "passed", "trigger": "manual"}, "run_completed", ("run_completed",)),
        ({"status": "failed", "trigger": "schedule"}, "run_failed", ("run_failed", "scheduled_runs", "run_completed")),
        ({"status": "cancelled", "trigger": "schedule"}, "scheduled_runs", ()),
        ({"status": "cancelled", "failed": 3}, "run_completed", ()),
    ],
)
def test_a_run_fires_what_its_facts_say(facts, named, fired):
    assert catalog.fires(RUN, facts, [named]) == fired


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_scan_fires_crawl_completed_whatever_came_of_it(status):
    assert catalog.fires(OccurrenceKind.CRAWL, {"status": status}) == ("crawl_completed",)


def test_a_generation_fires_ai_generated():
    assert catalog.fires(OccurrenceKind.GENERATION, {}) == ("ai_generated",)


def test_by_default_everything_is_on_but_run_completed():
    flags = catalog.default_flags()
    assert flags.pop("run_completed") is False
    assert flags == dict.fromkeys(["run_failed", "scheduled_runs", "crawl_completed", "ai_generated"], True)


@pytest.mark.parametrize(
    ("event", "lists"),
    [
        ("crawl_completed", {("crawl_completed",)}),
        (
            "run_completed",
            {
                ("run_completed",),
                ("run_failed", "run_completed"),
                ("scheduled_runs", "run_completed"),
                ("run_failed", "scheduled_runs", "run_completed"),
            },
        ),
    ],
)
def test_the_lists_that_contain_an_event_are_all_that_could_be_stored(event, lists):
    assert set(catalog.fired_lists_with(event)) == lists


def test_whatever_a_run_fires_is_among_the_lists_of_each_of_its_events():
    for facts in (
        {"status": status, "trigger": trigger} for status in ("passed", "failed") for trigger in ("", "schedule")
    ):
        fired = catalog.fires(RUN, facts)
        assert all(fired in catalog.fired_lists_with(event) for event in fired)


def test_an_unknown_event_is_in_no_list():
    with pytest.raises(KeyError):
        catalog.fired_lists_with("coffee_ready")
