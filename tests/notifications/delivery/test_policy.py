"""What becomes of a delivery after a try."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.channels.base import Reading, Verdict
from notifications.delivery.policy import PEOPLE, WEBHOOK, Settlement, asked_pause, settle

NOW = datetime(2026, 4, 28, 10, 42, 11, tzinfo=UTC)
HALF = 0.5  # the random number that leaves a wait as it is
RETRY = Reading(Verdict.RETRY, "The receiver answered 500.")
DAY = timedelta(days=1)


def after(reading, *, ladder=WEBHOOK, step=0, age=timedelta(seconds=1), jitter=HALF):
    return settle(reading, ladder=ladder, step=step, created_at=NOW - age, now=NOW, jitter=jitter)


def wait(settlement):
    return settlement.next_at - NOW


def test_the_ladders_are_the_published_ones():
    minutes = [0, 5 / 60, 5, 30, 2 * 60, 5 * 60, 10 * 60, 14 * 60, 20 * 60, 24 * 60]
    assert [each.total_seconds() / 60 for each in WEBHOOK.waits] == minutes
    assert [each.total_seconds() for each in PEOPLE.waits] == [0, 5, 30, 120, 600, 1800, 7200, 21600]


@pytest.mark.parametrize("verdict", [Verdict.OK, Verdict.ACCEPTED])
def test_success_delivers(verdict):
    assert after(Reading(verdict, "Fine."), step=3) == Settlement("delivered", 3, None, "")


def test_a_final_fault_of_ours_is_not_tried_for_days():
    assert after(Reading(Verdict.FAILED, "Ours.", ours=True)) == Settlement("failed", 0, None, "Ours.")


def test_what_is_final_fails_at_once():
    assert after(Reading(Verdict.FAILED, "Gone.", gone=True), step=3) == Settlement("failed", 3, None, "Gone.")


@pytest.mark.parametrize("ladder", [WEBHOOK, PEOPLE])
def test_each_failure_takes_the_next_step_until_there_is_none(ladder):
    step, waits = 0, []
    while (settled := after(RETRY, ladder=ladder, step=step)).status == "retrying":
        assert (settled.step, settled.reason) == (step + 1, RETRY.sentence)
        waits.append(wait(settled))
        step = settled.step
    assert waits == list(ladder.waits[1:])
    assert settled == Settlement(
        "failed", step, None, f"The receiver answered 500. It was given up after {ladder.tries} tries."
    )


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 240), (0.25, 270), (0.5, 300), (0.75, 330)])
def test_a_wait_is_up_to_a_fifth_shorter_or_longer(jitter, seconds):
    assert wait(after(RETRY, step=1, jitter=jitter)) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        (None, timedelta(minutes=5)),
        (0, timedelta(minutes=5)),
        (-5, timedelta(minutes=5)),
        (float("nan"), timedelta(minutes=5)),
        (1, timedelta(minutes=5)),
        (301.5, timedelta(seconds=301.5)),
        (3600, timedelta(hours=1)),
        (10 * 86400, DAY),
        (float("inf"), DAY),
    ],
)
def test_retry_after_makes_a_wait_longer_and_never_shorter(retry_after, expected):
    assert wait(after(Reading(Verdict.RETRY, "Busy.", retry_after=retry_after), step=1)) == expected


def test_the_pause_asked_for_is_at_most_a_day():
    asked = [asked_pause(Reading(Verdict.RETRY, "", retry_after=seconds)) for seconds in (None, -1, 0.25, 1e9)]
    assert asked == [timedelta(0), timedelta(0), timedelta(milliseconds=250), DAY]


@pytest.mark.parametrize("step", range(WEBHOOK.tries))
def test_a_429_uses_up_no_step_even_at_the_end_of_the_ladder(step):
    settled = after(Reading(Verdict.RETRY, "Too many.", limited=True), step=step)
    assert (settled.status, settled.step) == ("retrying", step)
    assert wait(settled) == WEBHOOK.waits[min(step + 1, WEBHOOK.tries - 1)]


def test_a_429_honours_what_was_asked():
    assert wait(after(Reading(Verdict.RETRY, "Too many.", retry_after=90, limited=True))) == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("age", "status"), [(4 * DAY - timedelta(seconds=1), "retrying"), (4 * DAY, "failed"), (9 * DAY, "failed")]
)
def test_a_429_is_given_up_four_days_after_creation(age, status):
    settled = after(Reading(Verdict.RETRY, "Too many.", limited=True), age=age)
    assert settled.status == status
    if status == "failed":
        assert settled.reason == "Too many. It was given up after 4 days."


@pytest.mark.parametrize("ladder", [WEBHOOK, PEOPLE])
def test_nothing_but_429s_is_tried_a_bounded_number_of_times(ladder):
    moment, tries = NOW, 0
    limited = Reading(Verdict.RETRY, "Too many.", retry_after=0.1, limited=True)
    while True:
        tries += 1
        settled = settle(limited, ladder=ladder, step=0, created_at=NOW, now=moment, jitter=HALF)
        if settled.next_at is None:
            break
        moment = settled.next_at
    assert 100 < tries < 200
    assert 4 * DAY <= moment - NOW < 4 * DAY + timedelta(hours=2)


def test_our_own_faults_use_up_nothing_until_the_news_is_old():
    ours = Reading(Verdict.RETRY, "Our disk is full.", ours=True)
    settled = after(ours, step=WEBHOOK.tries - 1, age=3 * DAY)
    assert settled == Settlement("retrying", WEBHOOK.tries - 1, NOW + timedelta(seconds=30), "Our disk is full.")
    assert after(ours, step=0, age=5 * DAY).status == "failed"


readings = st.builds(
    Reading,
    verdict=st.sampled_from(Verdict),
    sentence=st.just("Something."),
    retry_after=st.none() | st.floats(allow_nan=True),
    limited=st.booleans(),
    ours=st.booleans(),
)


@settings(max_examples=100, deadline=None)
@given(
    reading=readings,
    ladder=st.sampled_from([WEBHOOK, PEOPLE]),
    step=st.integers(0, 9),
    age=st.timedeltas(min_value=timedelta(0), max_value=30 * DAY),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_a_delivery_is_either_due_at_a_later_moment_or_done(reading, ladder, step, age, jitter):
    step = min(step, ladder.tries - 1)
    settled = after(reading, ladder=ladder, step=step, age=age, jitter=jitter)
    assert (settled.next_at is not None) == (settled.status == "retrying")
    assert settled.step in (step, step + 1)
    assert settled.step < ladder.tries
    if settled.next_at is not None:
        assert timedelta(seconds=4) <= wait(settled) <= timedelta(hours=24 * 1.2)
        assert wait(settled) >= asked_pause(reading)
    if reading.verdict in (Verdict.OK, Verdict.ACCEPTED):
        assert settled.status == "delivered"
