"""What would let a channel hear of what it would not hear of today: a remedy for each gate in the way. Pure."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from notifications.insight.coverage import Action, Fix
from notifications.routing import Decision, Gate, GateName, Outcome, Reason, RecipientState, Settings
from projects.access import Right


class Kind(enum.StrEnum):
    """What is done. The last two lead to a page, where somebody has to choose."""

    ENABLE = "enable"
    RESUME = "resume"
    TEST = "test"
    FILTER = "filter"
    CONFIRM = "confirm"
    PLAN = "plan"
    RECIPIENTS = "recipients"

    @property
    def is_link(self) -> bool:
        return self in (Kind.PLAN, Kind.RECIPIENTS)


@dataclass(frozen=True, slots=True)
class Remedy:
    """`fix` is the change of a setting; `event` is what a test sends a sample of."""

    kind: Kind
    label: str
    right: Right
    fix: Fix | None = None
    event: str = ""


def remedies(decision: Decision, settings: Settings, project_id: str, *, inherits: bool) -> tuple[Remedy, ...]:
    """The remedies for what stands in the way of `decision`, made with `settings` of today, in the gates' order.

    `inherits`: whether the workspace's flags hold for the project. None where nothing fired: no setting lets that
    through.
    """
    if decision.reason is Reason.RUN_CANCELLED:
        return ()
    found: list[Remedy] = []
    if decision.outcome is Outcome.NOT_SENT:
        listens = any(gate.passed for gate in decision.gates if gate.gate is GateName.FILTER)
        for gate in decision.gates:
            if gate.passed or (gate.gate is GateName.FILTER and (listens or gate.event != decision.event)):
                continue
            found += _of_gate(gate, decision, settings, project_id, inherits=inherits)
    if any(recipient.state is RecipientState.UNCONFIRMED for recipient in decision.channel.recipients):
        label = f"Ask the recipients of {decision.channel.name} to confirm"
        found.append(Remedy(Kind.CONFIRM, label, Right.CONFIGURE))
    return tuple(found)


def _of_gate(
    gate: Gate, decision: Decision, settings: Settings, project_id: str, *, inherits: bool
) -> Iterator[Remedy]:
    channel, event = decision.channel, decision.event or ""
    if gate.gate is GateName.CHANNEL_ENABLED:
        label = f"Switch {channel.name} on"
        yield Remedy(Kind.ENABLE, label, Right.CONFIGURE, Fix(Action.ENABLE, label, channel_id=channel.id))
    elif gate.gate is GateName.NOT_PAUSED:
        label = f"Resume {channel.name}"
        yield Remedy(Kind.RESUME, label, Right.OPERATE, Fix(Action.RESUME, label, channel_id=channel.id))
    elif gate.gate is GateName.IN_PLAN:
        yield Remedy(Kind.PLAN, "See what the plan allows", Right.VIEW)
    elif gate.gate is GateName.CHANNEL_HEALTHY:
        yield Remedy(Kind.TEST, f"Test {channel.name}, which lifts the suspension", Right.OPERATE, event=event)
    elif gate.gate is GateName.FILTER:
        fix = _filter_fix(gate, decision, settings, project_id, inherits=inherits)
        yield Remedy(Kind.FILTER, fix.label, Right.CONFIGURE, fix)
    elif gate.reason is not Reason.UNCONFIRMED:
        yield Remedy(Kind.RECIPIENTS, f"Choose other recipients of {channel.name}", Right.CONFIGURE)


def _filter_fix(gate: Gate, decision: Decision, settings: Settings, project_id: str, *, inherits: bool) -> Fix:
    """The smallest change: this channel's override, and the flag only where the plan knows no overrides."""
    channel, event = decision.channel, gate.event or ""
    if not settings.filters_in_plan:
        label = f"Switch {event} on for {'the workspace' if inherits else 'the project'}"
        return Fix(Action.SET_FLAG, label, "" if inherits else project_id, event=event, value=True)
    if gate.reason is Reason.OVERRIDE_OFF and settings.flags[event]:
        label = f"Let {channel.name} follow the flag {event}"
        return Fix(Action.SET_OVERRIDE, label, project_id, channel.id, event)
    label = f"Switch {event} on for {channel.name}"
    return Fix(Action.SET_OVERRIDE, label, project_id, channel.id, event, True)
