"""Who is told and why: the table of gates, then the properties that hold for any settings."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import catalog
from notifications.routing import (
    ChannelState,
    GateName,
    Outcome,
    Reason,
    Recipient,
    RecipientState,
    Settings,
    decide,
    decide_channel,
)
from projects.entitlements import Category

FAILED = ("run_failed", "run_completed")
FAILED_SCHEDULED = ("run_failed", "scheduled_runs", "run_completed")
FLAGS = catalog.default_flags()
SLACK = ChannelState("1", "slack", "Slack", "slack", Category.CHAT)
HOOK = ChannelState("2", "webhook", "Webhook", "webhook", Category.WEBHOOK)
ANN = Recipient("ann@example.com", RecipientState.CONFIRMED)
MAIL = ChannelState("3", "email", "Email", "email", Category.EMAIL, recipients=(ANN,))


def told(channel, fired=FAILED, flags=FLAGS, filters_in_plan=True):
    return decide_channel(fired, Settings(flags, filters_in_plan, (channel,)), channel)


def recipients(*states):
    return tuple(Recipient(f"{state}@example.com", RecipientState(state)) for state in states)


@pytest.mark.parametrize(
    ("channel", "reason", "recoverable"),
    [
        (replace(SLACK, enabled=False), Reason.CHANNEL_OFF, False),
        (replace(SLACK, paused=True), Reason.PAUSED, True),
        (replace(SLACK, in_plan=False), Reason.OVER_PLAN_LIMIT, False),
        (replace(SLACK, suspended=True), Reason.SUSPENDED, True),
        (replace(SLACK, paused=True, suspended=True), Reason.PAUSED, True),
        (replace(SLACK, paused=True, in_plan=False), Reason.PAUSED, False),
        (replace(SLACK, enabled=False, paused=True, suspended=True), Reason.CHANNEL_OFF, False),
        (replace(SLACK, overrides={"run_failed": False}), Reason.OVERRIDE_OFF, False),
        (replace(SLACK, paused=True, overrides={"run_failed": False}), Reason.PAUSED, False),
        (replace(MAIL, recipients=()), Reason.NO_RECIPIENTS, False),
        (replace(MAIL, recipients=recipients("unconfirmed")), Reason.UNCONFIRMED, False),
        (replace(MAIL, recipients=recipients("unsubscribed")), Reason.UNSUBSCRIBED, False),
        (replace(MAIL, recipients=recipients("bounced")), Reason.BOUNCED, False),
        (replace(MAIL, recipients=recipients("unsubscribed", "unconfirmed", "bounced")), Reason.UNCONFIRMED, False),
        (replace(MAIL, recipients=recipients("unsubscribed", "bounced")), Reason.BOUNCED, False),
        (replace(MAIL, paused=True, recipients=recipients("bounced")), Reason.PAUSED, False),
    ],
)
def test_the_first_gate_that_stops_is_the_reason(channel, reason, recoverable):
    decision = told(channel)
    assert (decision.outcome, decision.reason, decision.recoverable) == (Outcome.NOT_SENT, reason, recoverable)
    assert decision.events == ()


def test_every_gate_is_evaluated_also_behind_one_that_stopped():
    gates = told(replace(MAIL, enabled=False, paused=True, recipients=())).gates
    assert [gate.gate for gate in gates] == [
        GateName.CHANNEL_ENABLED, GateName.NOT_PAUSED, GateName.IN_PLAN, GateName.CHANNEL_HEALTHY,
        GateName.FILTER, GateName.FILTER, GateName.RECIPIENT,
    ]  # fmt: skip
    assert [gate.passed for gate in gates] == [False, False, True, True, True, False, False]


@pytest.mark.parametrize(
    ("fired", "flags", "overrides", "event", "reason"),
    [
        (FAILED, {"run_failed": True}, {}, "run_failed", Reason.FLAG_ON),
        (FAILED, {"run_failed": False}, {"run_failed": True}, "run_failed", Reason.OVERRIDE_ON),
        (FAILED, {"run_failed": True}, {"run_failed": True}, "run_failed", Reason.OVERRIDE_ON),
        # Pass or fail: run_completed covers failures too.
        (FAILED, {"run_failed": False, "run_completed": True}, {}, "run_completed", Reason.FLAG_ON),
        (FAILED, {}, {"run_failed": False, "run_completed": True}, "run_completed", Reason.OVERRIDE_ON),
        (FAILED_SCHEDULED, {"run_failed": False, "scheduled_runs": True}, {}, "scheduled_runs", Reason.FLAG_ON),
        (FAILED_SCHEDULED, dict.fromkeys(FAILED_SCHEDULED, True), {}, "run_failed", Reason.FLAG_ON),
    ],
)
def test_people_get_one_message_titled_by_the_most_specific_event_that_is_on(fired, flags, overrides, event, reason):
    decision = told(replace(SLACK, overrides=overrides), fired, flags)
    assert (decision.outcome, decision.event, decision.reason) == (Outcome.SENT, event, reason)
    assert decision.events == (event,)


def test_a_webhook_gets_every_fired_event_that_is_on():
    flags = {"run_failed": True, "scheduled_runs": False, "run_completed": True}
    decision = told(HOOK, FAILED_SCHEDULED, flags)
    assert decision.events == ("run_failed", "run_completed")
    assert decision.event == "run_failed"


def test_without_the_plans_right_overrides_are_stored_but_not_applied():
    decision = told(replace(SLACK, overrides={"run_failed": False}), filters_in_plan=False)
    assert (decision.outcome, decision.reason) == (Outcome.SENT, Reason.FLAG_ON)


def test_only_confirmed_recipients_are_written_to():
    channel = replace(MAIL, recipients=(*recipients("unconfirmed", "bounced"), ANN))
    decision = told(channel)
    assert decision.outcome is Outcome.SENT
    assert decision.recipients == (ANN,)


def test_a_channel_in_digest_mode_holds():
    decision = told(replace(MAIL, holds=True))
    assert (decision.outcome, decision.reason, decision.events) == (Outcome.HELD, Reason.FLAG_ON, ("run_failed",))


@pytest.mark.parametrize("channel", [SLACK, HOOK, MAIL, replace(SLACK, enabled=False), replace(MAIL, recipients=())])
def test_a_cancelled_run_tells_nobody(channel):
    decision = told(channel, fired=())
    assert (decision.outcome, decision.reason, decision.event) == (Outcome.NOT_SENT, Reason.RUN_CANCELLED, None)
    assert not decision.recoverable


switch = st.booleans()
flags = st.fixed_dictionaries(dict.fromkeys(catalog.names(), switch))
overrides = st.dictionaries(st.sampled_from(catalog.names()), switch)
channels = st.builds(
    ChannelState,
    id=st.uuids().map(str),
    key=st.just("key"),
    name=st.just("Name"),
    kind=st.just("kind"),
    category=st.sampled_from(Category),
    enabled=switch,
    paused=switch,
    in_plan=switch,
    suspended=switch,
    overrides=overrides,
    recipients=st.lists(st.builds(Recipient, st.emails(), st.sampled_from(RecipientState)), max_size=3).map(tuple),
    holds=switch,
)
settings = st.builds(Settings, flags=flags, filters_in_plan=switch, channels=st.lists(channels, max_size=5).map(tuple))
fired_lists = st.sampled_from(
    [(), ("run_completed",), FAILED, FAILED_SCHEDULED, ("scheduled_runs", "run_completed"), ("crawl_completed",)]
)


@given(fired_lists, settings)
def test_there_is_always_exactly_one_decision_per_channel(fired, settings):
    assert [decision.channel for decision in decide(fired, settings)] == list(settings.channels)


@given(fired_lists, settings)
def test_what_is_sent_passed_every_gate_and_what_is_not_has_its_reason_at_a_gate(fired, settings):
    for decision in decide(fired, settings):
        stopped = [gate for gate in decision.gates if not gate.passed and gate.gate is not GateName.FILTER]
        passed_filters = {gate.event for gate in decision.gates if gate.gate is GateName.FILTER and gate.passed}
        if decision.outcome is Outcome.NOT_SENT:
            assert decision.events == ()
            assert decision.reason is Reason.RUN_CANCELLED or decision.reason in {
                gate.reason for gate in decision.gates if not gate.passed
            }
        else:
            assert not stopped
            assert decision.events
            assert set(decision.events) <= passed_filters


@given(fired_lists, settings)
def test_without_overrides_every_filter_is_the_global_flag(fired, settings):
    bare = replace(settings, channels=tuple(replace(channel, overrides={}) for channel in settings.channels))
    for decision in decide(fired, bare):
        for gate in decision.gates:
            if gate.gate is GateName.FILTER:
                assert gate.passed == settings.flags[gate.event]


@given(fired_lists, settings)
def test_an_override_always_wins_where_the_plan_has_them(fired, settings):
    for decision in decide(fired, replace(settings, filters_in_plan=True)):
        for gate in decision.gates:
            if gate.gate is GateName.FILTER and gate.event in decision.channel.overrides:
                assert gate.passed == decision.channel.overrides[gate.event]


@given(st.permutations(FAILED_SCHEDULED), settings)
def test_which_events_a_webhook_gets_does_not_depend_on_their_order(order, settings):
    usual = decide(FAILED_SCHEDULED, settings)
    for decision, same in zip(decide(order, settings), usual, strict=True):
        assert decision.outcome == same.outcome
        if decision.channel.category is Category.WEBHOOK:
            assert set(decision.events) == set(same.events)


@given(fired_lists, settings)
def test_a_recoverable_decision_would_be_sent_once_pause_and_suspension_are_over(fired, settings):
    for decision in decide(fired, settings):
        cured = replace(decision.channel, paused=False, suspended=False)
        again = decide_channel(fired, settings, cured)
        if decision.outcome is Outcome.NOT_SENT:
            assert decision.recoverable == (again.outcome is not Outcome.NOT_SENT)
