"""Gaps in who hears of what, and the changes that close them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications import catalog
from notifications.insight.coverage import Action, Code, Subject, applied, check
from notifications.insight.replay import hears
from notifications.routing import ChannelState, Recipient, RecipientState, Settings
from projects.entitlements import Category

FAILED = ("run_failed", "run_completed")


def channel(id="c1", category=Category.CHAT, **fields):
    return ChannelState(id=id, key=id, name=f"#{id}", kind="slack", category=category, **fields)


def subject(*channels, id="p1", name="Shop", inherits=True, in_plan=True, targets=(), **flags):
    chosen = {**catalog.default_flags(), **flags}
    return Subject(id, name, inherits, Settings(chosen, in_plan, channels), dict(targets))


def one(*subjects):
    (warning,) = check(subjects)
    return warning


def test_where_somebody_hears_of_everything_there_is_nothing_to_say():
    assert check([subject(channel())]) == ()
    assert check([subject(channel("a", paused=True), channel("b"))]) == ()


def test_a_project_without_a_channel():
    warning = one(subject())
    assert (warning.code, warning.fix) == (Code.NO_CHANNEL, None)
    assert warning.sentence == "Shop has no channel, so nobody hears about it."


def test_failures_that_no_channel_lets_through():
    warning = one(subject(channel(), run_failed=False, scheduled_runs=False))
    assert warning.code is Code.FAILED_RUNS_UNHEARD
    assert warning.sentence == "No channel hears about failed scheduled runs in Shop, nor about other failed runs."
    assert (warning.fix.action, warning.fix.project_id, warning.fix.event) == (Action.SET_FLAG, "", "run_failed")
    assert warning.fix.label == "Switch run_failed on for the workspace"


def test_failures_that_are_heard_of_only_when_a_schedule_started_the_run():
    warning = one(subject(channel(), run_failed=False))
    assert warning.sentence == "No channel hears about failed runs in Shop unless a schedule started them."


def test_a_project_with_its_own_flags_gets_its_own_flag_fixed():
    fix = one(subject(channel(), inherits=False, run_failed=False)).fix
    assert (fix.action, fix.project_id, fix.label) == (Action.SET_FLAG, "p1", "Switch run_failed on for Shop")


def test_an_override_that_is_off_is_reset_before_a_flag_is_touched():
    fix = one(subject(channel(overrides={"run_failed": False, "scheduled_runs": False}))).fix
    assert (fix.action, fix.channel_id, fix.value) == (Action.SET_OVERRIDE, "c1", None)
    assert fix.label == "Let #c1 follow the flag run_failed"


def test_where_resetting_and_the_flag_do_not_help_the_override_is_set():
    fix = one(subject(channel(overrides={"run_failed": False}), run_failed=False)).fix
    assert (fix.action, fix.channel_id, fix.value) == (Action.SET_OVERRIDE, "c1", True)


def test_without_filters_in_the_plan_only_a_flag_helps():
    fix = one(subject(channel(overrides={"run_failed": False}), in_plan=False, run_failed=False)).fix
    assert fix.action is Action.SET_FLAG


@pytest.mark.parametrize(
    ("fields", "what", "action"),
    [
        ({"enabled": False}, "is switched off", Action.ENABLE),
        ({"paused": True}, "is paused", Action.RESUME),
        ({"suspended": True}, "is suspended, because its target no longer takes messages", None),
        ({"in_plan": False}, "is over the plan's limit", None),
        ({"paused": True, "suspended": True}, "is paused", None),
    ],
)
def test_the_only_channel_for_failures_is_stopped(fields, what, action):
    other = channel("c2", overrides=dict.fromkeys(["run_failed", "scheduled_runs"], False))
    warning = one(subject(channel(**fields), other))
    assert warning.code is Code.ONLY_CHANNEL_STOPPED
    assert warning.sentence == f"#c1 is the only channel for failed runs in Shop, and it {what}."
    assert (warning.fix.action if warning.fix else None) is action


def test_a_mail_that_nobody_confirmed():
    recipients = (Recipient("new@example.com", RecipientState.UNCONFIRMED),)
    warning = one(subject(channel(category=Category.EMAIL, recipients=recipients)))
    assert "waits for its recipients to confirm" in warning.sentence
    assert warning.fix is None


def test_several_stopped_channels_are_one_warning_with_the_first_change_that_helps():
    members = [channel("a", suspended=True), channel("b", paused=True), channel("c", enabled=False), channel("d")]
    members[3] = channel("d", in_plan=False)
    warning = one(subject(*members))
    assert warning.sentence == (
        "Every channel for failed runs in Shop is stopped: #a is suspended, because its target no longer takes "
        "messages, #b is paused, #c is switched off and 1 more."
    )
    assert warning.fix.channel_id == "b"


def test_a_flag_that_closes_the_gap_of_several_projects_is_one_warning():
    projects = [
        subject(channel(f"c{number}"), id=f"p{number}", name=name, run_failed=False)
        for number, name in enumerate(["No channel", "Acme", "Shop", "Docs"])
    ]
    warning = one(*projects)
    assert warning.sentence == (
        "No channel hears about failed runs in No channel, Acme, Shop and 1 more unless a schedule started them."
    )
    assert warning.subjects == ("p0", "p1", "p2", "p3")


class TestTwoChannelsWithOneUrl:
    both = {"a": "same", "b": "same"}

    def test_what_both_let_through_arrives_twice(self):
        warning = one(subject(channel("a"), channel("b"), targets=self.both))
        assert warning.code is Code.SAME_TARGET
        assert warning.sentence == (
            "Two channels of Shop post to the same URL: #a and #b. What both let through arrives twice."
        )
        assert (warning.fix.action, warning.fix.channel_id) == (Action.DISABLE, "b")

    def test_another_url_or_none_is_no_repetition(self):
        assert check([subject(channel("a"), channel("b"), targets={"a": "1", "b": "2"})]) == ()
        assert check([subject(channel("a"), channel("b"), targets={"a": "", "b": ""})]) == ()

    def test_a_channel_that_is_off_repeats_nothing(self):
        assert check([subject(channel("a"), channel("b", enabled=False), targets=self.both)]) == ()

    def test_filters_that_never_meet_repeat_nothing(self):
        runs = dict.fromkeys(["crawl_completed", "ai_generated"], False)
        rest = dict.fromkeys(["run_completed", "run_failed", "scheduled_runs"], False)
        assert check([subject(channel("a", overrides=runs), channel("b", overrides=rest), targets=self.both)]) == ()

    def test_webhooks_meet_event_by_event_and_people_by_what_happened(self):
        only_failed = {**dict.fromkeys(catalog.names(), False), "run_failed": True}
        only_completed = {**dict.fromkeys(catalog.names(), False), "run_completed": True}
        for category, codes in ((Category.WEBHOOK, set()), (Category.CHAT, {Code.SAME_TARGET})):
            found = check([
                subject(
                    channel("a", category, overrides=only_failed),
                    channel("b", category, overrides=only_completed),
                    targets=self.both,
                )
            ])  # fmt: skip
            assert {warning.code for warning in found} - {Code.COMPLETED_COVERS_FAILURES} == codes


class TestCompletedCoversFailures:
    def test_by_overrides_it_is_said_of_the_channel(self):
        warning = one(subject(channel(overrides={"run_completed": True, "run_failed": False})))
        assert warning.code is Code.COMPLETED_COVERS_FAILURES
        assert warning.sentence == (
            "#c1 in Shop hears about failures although run_failed is off for it: "
            "run_completed is on, and it covers pass or fail."
        )
        assert (warning.fix.action, warning.fix.value) == (Action.SET_OVERRIDE, None)

    def test_by_flags_it_is_said_once(self):
        warning = one(subject(channel("a"), channel("b"), run_completed=True, run_failed=False))
        assert warning.sentence == (
            "Channels of Shop hear about failures although the flag run_failed is off: "
            "run_completed is on, and it covers pass or fail."
        )
        assert warning.fix.action is Action.SET_FLAG

    def test_a_channel_that_is_off_is_not_spoken_of(self):
        off = channel("b", enabled=False, overrides={"run_completed": True, "run_failed": False})
        assert check([subject(channel("a"), off)]) == ()


channels = st.builds(
    channel,
    id=st.uuids().map(str),
    category=st.sampled_from([Category.CHAT, Category.WEBHOOK]),
    enabled=st.booleans(),
    paused=st.booleans(),
    in_plan=st.booleans(),
    suspended=st.booleans(),
    overrides=st.dictionaries(st.sampled_from(["run_failed", "run_completed", "scheduled_runs"]), st.booleans()),
)
flags = st.fixed_dictionaries({name: st.booleans() for name in ("run_failed", "run_completed", "scheduled_runs")})


@settings(max_examples=100, deadline=None)
@given(st.lists(channels, max_size=4), flags, st.booleans(), st.booleans())
def test_failures_go_unheard_exactly_where_a_grave_warning_says_so_and_its_change_helps(
    members, flags, in_plan, inherits
):
    item = subject(*members, in_plan=in_plan, inherits=inherits, **flags)
    grave = [warning for warning in check([item]) if warning.grave]
    assert bool(grave) == (not hears(FAILED, item.settings))
    for warning in grave:
        assert warning.fix is None or hears(FAILED, applied(item.settings, warning.fix))


@settings(max_examples=50, deadline=None)
@given(st.lists(channels, max_size=4), flags)
def test_a_change_that_a_warning_offers_ends_the_warning(members, flags):
    item = subject(*members, **flags, targets={member.id: "same" for member in members})
    for warning in check([item]):
        if warning.fix is not None:
            after = Subject(item.id, item.name, item.inherits, applied(item.settings, warning.fix), item.targets)
            assert warning.id not in {left.id for left in check([after])}
