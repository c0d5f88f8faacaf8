"""Breaker, failing clock and pace: pure, by table."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.base import Reading, Verdict
from notifications.delivery.breaker import HOLD, WINDOW, Breaker
from notifications.delivery.health import Health, Heard, Stage, after, stage
from notifications.delivery.pace import slots

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)

GOOD = Reading(Verdict.OK, "Fine.")
BAD = Reading(Verdict.RETRY, "It answered 503.")
LIMITED = Reading(Verdict.RETRY, "Too many.", retry_after=120, limited=True)
OURS = Reading(Verdict.RETRY, "Our disk is full.", ours=True)


def heard(*readings, every=SECOND):
    return [Heard(START + place * every, reading) for place, reading in enumerate(readings)]


class TestBreaker:
    @pytest.mark.parametrize(
        ("successes", "failures", "opens"),
        [(0, 9, False), (0, 10, True), (3, 7, True), (4, 7, False), (99, 9, False)],
    )
    def test_it_opens_when_70_percent_of_at_least_10_tries_failed(self, successes, failures, opens):
        assert Breaker().heard(successes, failures, START).is_open(START) == opens

    def test_it_holds_for_30_seconds_then_wants_one_probe(self):
        breaker = Breaker().heard(0, 10, START)
        assert breaker.is_open(START + HOLD - SECOND)
        assert not breaker.wants_probe(START + HOLD - SECOND)
        assert breaker.wants_probe(START + HOLD)
        assert not breaker.probing(START + HOLD).wants_probe(START + HOLD + SECOND)

    def test_a_good_probe_closes_it_and_a_bad_one_opens_it_anew(self):
        breaker = Breaker().heard(0, 10, START)
        later = START + HOLD
        assert breaker.heard(1, 0, later) == Breaker(window_at=later)
        assert breaker.heard(0, 1, later).open_until == later + HOLD

    def test_failures_of_an_earlier_window_do_not_count(self):
        breaker = Breaker().heard(0, 9, START)
        assert not breaker.heard(0, 9, START + WINDOW).is_open(START + WINDOW)


class TestHealth:
    def test_a_success_resets_everything_that_failures_set(self):
        failing = after(Health(), heard(BAD, BAD))
        assert (failing.failures_in_a_row, failing.first_failure_at, failing.last_error) == (2, START, BAD.sentence)
        fine = after(failing, [Heard(START + DAY, GOOD)])
        assert fine.is_spotless
        assert fine.last_success_at == START + DAY

    @pytest.mark.parametrize("reading", [OURS, LIMITED, Reading(Verdict.FAILED, "No such address.", bounced=True)])
    def test_what_says_nothing_of_the_channel_is_no_failure(self, reading):
        assert after(Health(), heard(reading)).failures_in_a_row == 0

    @pytest.mark.parametrize(
        ("reading", "wait"),
        [
            (LIMITED, 120),
            (Reading(Verdict.RETRY, "Busy.", retry_after=10**9), 24 * 3600),
            (Reading(Verdict.OK, "Fine, and that was the last one.", retry_after=2), 2),
            (Reading(Verdict.FAILED, "No.", retry_after=60), None),
            (BAD, None),
        ],
    )
    def test_a_wish_to_be_left_alone_holds_the_whole_channel(self, reading, wait):
        expected = START + timedelta(seconds=wait) if wait else None
        assert after(Health(), heard(reading)).not_before == expected

    def test_the_clock_starts_after_two_failures_half_a_day_apart(self):
        early = after(Health(), heard(BAD, BAD, every=11 * HOUR))
        assert early.failing_since is None
        late = after(early, [Heard(START + 12 * HOUR, BAD)])
        assert late.failing_since == START + 12 * HOUR

    @pytest.mark.parametrize(
        ("failing_for", "expected"),
        [(2.4, Stage.FINE), (2.5, Stage.WARNED), (4.9, Stage.WARNED), (5, Stage.SUSPENDED)],
    )
    def test_a_webhook_is_warned_of_half_way_and_suspended_after_five_days(self, failing_for, expected):
        health = Health(failing_since=START)
        assert stage(health, is_webhook=True, moment=START + failing_for * DAY) is expected

    def test_nothing_else_is_suspended_for_failing(self):
        assert stage(Health(failing_since=START), is_webhook=False, moment=START + 30 * DAY) is Stage.FINE

    def test_order_of_arrival_does_not_matter(self):
        tries = heard(BAD, GOOD, BAD)
        assert after(Health(), tries) == after(Health(), reversed(tries))


@given(st.integers(1, 50), st.integers(-100, 100))
def test_slots_are_a_pace_apart_and_never_in_the_past(count, ahead):
    reserved = slots(START + ahead * SECOND, START, count, SECOND)
    assert reserved[0] == max(START, START + ahead * SECOND)
    assert all(later - earlier == SECOND for earlier, later in itertools.pairwise(reserved))
