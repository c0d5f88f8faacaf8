"""Who is told: settings and an occurrence in, one decision per channel out.

Pure, and the only place that decides: real routing, the trace, previews, what-if and tests call the same `decide`.
Every gate is always evaluated, also behind one that stopped, so that a trace can show all of them; the first that stops
is the reason.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from projects.entitlements import Category


class Reason(enum.StrEnum):
    OVERRIDE_ON = "override_on"
    FLAG_ON = "flag_on"
    OVERRIDE_OFF = "override_off"
    FLAG_OFF = "flag_off"
    CHANNEL_OFF = "channel_off"
    PAUSED = "paused"
    OVER_PLAN_LIMIT = "over_plan_limit"
    SUSPENDED = "suspended"
    NO_RECIPIENTS = "no_recipients"
    UNCONFIRMED = "unconfirmed"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    RUN_CANCELLED = "run_cancelled"


class GateName(enum.StrEnum):
    CHANNEL_ENABLED = "channel_enabled"
    NOT_PAUSED = "not_paused"
    IN_PLAN = "in_plan"
    CHANNEL_HEALTHY = "channel_healthy"
    FILTER = "filter"
    RECIPIENT = "recipient"


class Outcome(enum.StrEnum):
    SENT = "sent"
    HELD = "held"
    NOT_SENT = "not_sent"


class RecipientState(enum.StrEnum):
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    BOUNCED = "bounced"
    UNSUBSCRIBED = "unsubscribed"


RECOVERABLE_GATES = frozenset({GateName.NOT_PAUSED, GateName.CHANNEL_HEALTHY})
# Where no recipient can be told and they differ in why, the reason that somebody here can do most about comes first.
_RECIPIENT_REASONS = (
    (RecipientState.UNCONFIRMED, Reason.UNCONFIRMED),
    (RecipientState.BOUNCED, Reason.BOUNCED),
    (RecipientState.UNSUBSCRIBED, Reason.UNSUBSCRIBED),
)


@dataclass(frozen=True, slots=True)
class Recipient:
    email: str
    state: RecipientState


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A channel as routing sees it at one moment."""

    id: str
    key: str
    name: str
    kind: str
    category: Category
    enabled: bool = True
    paused: bool = False
    in_plan: bool = True
    suspended: bool = False
    overrides: Mapping[str, bool] = field(default_factory=dict)
    recipients: tuple[Recipient, ...] = ()
    holds: bool = False
    """Whether the channel collects messages for a digest instead of sending at once."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides for one project at one moment."""

    flags: Mapping[str, bool]
    filters_in_plan: bool
    channels: tuple[ChannelState, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    gate: GateName
    passed: bool
    event: str | None = None
    reason: Reason | None = None

    def as_json(self) -> dict[str, Any]:
        return {"gate": self.gate.value, "event": self.event, "passed": self.passed, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens for one channel, and why.

    `events` are those to deliver: at most one for a people's channel, one per fired event that is on for a webhook.
    `recipients` are the addresses to deliver to (email only).
    """

    channel: ChannelState
    outcome: Outcome
    reason: Reason
    event: str | None
    recoverable: bool
    gates: tuple[Gate, ...]
    events: tuple[str, ...] = ()
    recipients: tuple[Recipient, ...] = ()

    @property
    def delivery_count(self) -> int:
        """How many deliveries it asks for: one for each event, and of a mail one for each recipient."""
        return len(self.events) * max(len(self.recipients), 1)


def decide(fired: Sequence[str], settings: Settings) -> tuple[Decision, ...]:
    """One decision for every channel, in the channels' order. `fired`: the fired events, most specific first."""
    return tuple(decide_channel(fired, settings, channel) for channel in settings.channels)


def decide_channel(fired: Sequence[str], settings: Settings, channel: ChannelState) -> Decision:
    filters = [filter_gate(event, settings, channel) for event in fired]
    gates = [*_channel_gates(channel), *filters]
    if channel.category is Category.EMAIL:
        gates.append(_recipient_gate(channel))

    on = [gate for gate in filters if gate.passed]
    # The filter as a whole lets through what has any fired event on; the most specific one speaks for it.
    deciding = on[0] if on else filters[0] if filters else None
    stopped = [gate for gate in gates if not gate.passed and (gate.gate is not GateName.FILTER or not on)]
    event = deciding.event if deciding else None

    if not fired:
        # Nothing fired, so there is nothing that a setting could have let through.
        return Decision(channel, Outcome.NOT_SENT, Reason.RUN_CANCELLED, None, False, tuple(gates))
    if stopped:
        first = deciding if deciding and stopped[0].gate is GateName.FILTER else stopped[0]
        assert first.reason is not None
        recoverable = all(gate.gate in RECOVERABLE_GATES for gate in stopped)
        return Decision(channel, Outcome.NOT_SENT, first.reason, event, recoverable, tuple(gates))

    assert deciding is not None
    assert deciding.reason is not None
    events = tuple(gate.event for gate in on if gate.event)
    if channel.category is not Category.WEBHOOK:
        events = events[:1]
    return Decision(
        channel,
        Outcome.HELD if channel.holds else Outcome.SENT,
        deciding.reason,
        event,
        False,
        tuple(gates),
        events,
        tuple(recipient for recipient in channel.recipients if recipient.state is RecipientState.CONFIRMED),
    )


def filter_gate(event: str, settings: Settings, channel: ChannelState) -> Gate:
    """Layer two over layer one: an override wins over the flag in both directions, where the plan has overrides."""
    override = channel.overrides.get(event) if settings.filters_in_plan else None
    if override is not None:
        return Gate(GateName.FILTER, override, event, Reason.OVERRIDE_ON if override else Reason.OVERRIDE_OFF)
    flag = settings.flags.get(event, False)
    return Gate(GateName.FILTER, flag, event, Reason.FLAG_ON if flag else Reason.FLAG_OFF)


def _channel_gates(channel: ChannelState) -> tuple[Gate, ...]:
    return (
        _gate(GateName.CHANNEL_ENABLED, channel.enabled, Reason.CHANNEL_OFF),
        _gate(GateName.NOT_PAUSED, not channel.paused, Reason.PAUSED),
        _gate(GateName.IN_PLAN, channel.in_plan, Reason.OVER_PLAN_LIMIT),
        _gate(GateName.CHANNEL_HEALTHY, not channel.suspended, Reason.SUSPENDED),
    )


def _recipient_gate(channel: ChannelState) -> Gate:
    states = {recipient.state for recipient in channel.recipients}
    if RecipientState.CONFIRMED in states:
        return Gate(GateName.RECIPIENT, True)
    reason = next((reason for state, reason in _RECIPIENT_REASONS if state in states), Reason.NO_RECIPIENTS)
    return Gate(GateName.RECIPIENT, False, reason=reason)


def _gate(name: GateName, passed: bool, reason: Reason) -> Gate:
    return Gate(name, passed, reason=None if passed else reason)
