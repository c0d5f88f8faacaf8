"""What would let a channel hear: one remedy per gate in the way, and applying it opens that gate."""

from dataclasses import replace

import pytest

from notifications import catalog
from notifications.insight.coverage import Action, applied
from notifications.insight.remedies import Kind, remedies
from notifications.routing import ChannelState, Outcome, Recipient, RecipientState, Settings, decide
from projects.access import Right
from projects.entitlements import Category

FIRED = ("run_failed", "run_completed")
SLACK = ChannelState(id="1", key="slack", name="#eng", kind="slack", category=Category.CHAT)
MAIL = ChannelState(id="2", key="email", name="Mail", kind="email", category=Category.EMAIL)


def settings(channel, *, flags=True, filters_in_plan=True):
    return Settings(dict.fromkeys(catalog.names(), flags), filters_in_plan, (channel,))


def found(now, fired=FIRED, *, inherits=True):
    (decision,) = decide(fired, now)
    return remedies(decision, now, "p", inherits=inherits)


@pytest.mark.parametrize(
    ("now", "kind", "right", "label"),
    [
        (settings(replace(SLACK, enabled=False)), Kind.ENABLE, Right.CONFIGURE, "Switch #eng on"),
        (settings(replace(SLACK, paused=True)), Kind.RESUME, Right.OPERATE, "Resume #eng"),
        (settings(replace(SLACK, in_plan=False)), Kind.PLAN, Right.VIEW, "See what the plan allows"),
        (
            settings(replace(SLACK, suspended=True)),
            Kind.TEST,
            Right.OPERATE,
            "Test #eng, which lifts the suspension",
        ),
        (
            settings(replace(SLACK, overrides={"run_failed": False, "run_completed": False})),
            Kind.FILTER,
            Right.CONFIGURE,
            "Let #eng follow the flag run_failed",
        ),
        (settings(SLACK, flags=False), Kind.FILTER, Right.CONFIGURE, "Switch run_failed on for #eng"),
        (
            settings(SLACK, flags=False, filters_in_plan=False),
            Kind.FILTER,
            Right.CONFIGURE,
            "Switch run_failed on for the workspace",
        ),
        (
            settings(replace(MAIL, recipients=(Recipient("a@x.example", RecipientState.UNCONFIRMED),))),
            Kind.CONFIRM,
            Right.CONFIGURE,
            "Ask the recipients of Mail to confirm",
        ),
        (
            settings(replace(MAIL, recipients=(Recipient("a@x.example", RecipientState.BOUNCED),))),
            Kind.RECIPIENTS,
            Right.CONFIGURE,
            "Choose other recipients of Mail",
        ),
        (settings(MAIL), Kind.RECIPIENTS, Right.CONFIGURE, "Choose other recipients of Mail"),
    ],
)
def test_each_gate_in_the_way_has_its_remedy(now, kind, right, label):
    (remedy,) = found(now)
    assert (remedy.kind, remedy.right, remedy.label) == (kind, right, label)


def test_all_gates_in_the_way_are_named_in_their_order():
    channel = replace(SLACK, enabled=False, paused=True, suspended=True, overrides={"run_failed": False})
    assert [remedy.kind for remedy in found(settings(channel, flags=False))] == [
        Kind.ENABLE,
        Kind.RESUME,
        Kind.TEST,
        Kind.FILTER,
    ]


@pytest.mark.parametrize("flags", [True, False])
@pytest.mark.parametrize("filters_in_plan", [True, False])
@pytest.mark.parametrize("inherits", [True, False])
@pytest.mark.parametrize("overrides", [{}, {"run_failed": False, "run_completed": False}])
def test_a_filters_remedy_really_opens_the_filter(flags, filters_in_plan, inherits, overrides):
    now = settings(replace(SLACK, overrides=overrides), flags=flags, filters_in_plan=filters_in_plan)
    for remedy in found(now, inherits=inherits):
        assert decide(FIRED, applied(now, remedy.fix))[0].outcome is Outcome.SENT
        if remedy.fix.action is Action.SET_FLAG:
            assert remedy.fix.project_id == ("" if inherits else "p")


def test_what_is_sent_anyway_needs_none_but_for_those_who_are_not_written_to():
    assert found(settings(SLACK)) == ()
    both = (Recipient("a@x.example", RecipientState.CONFIRMED), Recipient("b@x.example", RecipientState.UNCONFIRMED))
    assert [remedy.kind for remedy in found(settings(replace(MAIL, recipients=both)))] == [Kind.CONFIRM]


def test_nothing_helps_where_nothing_fired():
    assert found(settings(replace(SLACK, enabled=False)), fired=()) == ()
