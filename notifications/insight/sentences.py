"""Sentences made from the codes of decisions. Pure.

Each reason has a clause for what was and one for what is, so the same code can tell of an event and of today.
"""

from notifications.routing import GateName, Outcome, Reason

# What was, and what is. "{event}" is the event's id, as the API and the filters call it.
_CLAUSES: dict[Reason, tuple[str, str]] = {
    Reason.OVERRIDE_ON: (
        "this channel's own filter had {event} on, whatever the global flag said",
        "this channel's own filter has {event} on, whatever the global flag says",
    ),
    Reason.FLAG_ON: (
        "the global flag had {event} on and this channel had no filter of its own for it",
        "the global flag has {event} on and this channel has no filter of its own for it",
    ),
    Reason.OVERRIDE_OFF: (
        "this channel's own filter had {event} off",
        "this channel's own filter has {event} off",
    ),
    Reason.FLAG_OFF: (
        "the global flag had {event} off and this channel had no filter of its own for it",
        "the global flag has {event} off and this channel has no filter of its own for it",
    ),
    Reason.CHANNEL_OFF: ("the channel was switched off", "the channel is switched off"),
    Reason.PAUSED: ("the channel was paused", "the channel is paused"),
    Reason.OVER_PLAN_LIMIT: (
        "the channel was over the limit of the workspace's plan",
        "the channel is over the limit of the workspace's plan",
    ),
    Reason.SUSPENDED: (
        "we had suspended the channel, because its target no longer took messages",
        "we have suspended the channel, because its target no longer takes messages",
    ),
    Reason.NO_RECIPIENTS: ("there was nobody to write to", "there is nobody to write to"),
    Reason.UNCONFIRMED: (
        "no recipient had confirmed that they want this mail",
        "no recipient has confirmed that they want this mail",
    ),
    Reason.UNSUBSCRIBED: (
        "the recipients had unsubscribed from this project's mail",
        "the recipients have unsubscribed from this project's mail",
    ),
    Reason.BOUNCED: (
        "earlier mail to the recipients had come back as undeliverable",
        "earlier mail to the recipients came back as undeliverable",
    ),
    Reason.RUN_CANCELLED: (
        "the run was cancelled, and a cancelled run fires no event",
        "a cancelled run fires no event",
    ),
}

_THEN = {Outcome.SENT: "Sent", Outcome.HELD: "Held for the daily digest", Outcome.NOT_SENT: "Not sent"}
_TODAY = {
    Outcome.SENT: "it would be sent",
    Outcome.HELD: "it would be held for the daily digest",
    Outcome.NOT_SENT: "it would not be sent",
}

GATE_LABELS: dict[GateName, str] = {
    GateName.CHANNEL_ENABLED: "Channel",
    GateName.NOT_PAUSED: "Pause",
    GateName.IN_PLAN: "Plan",
    GateName.CHANNEL_HEALTHY: "Health",
    GateName.FILTER: "Filter",
    GateName.RECIPIENT: "Recipients",
}
# What a gate found that passed. A filter always has a reason, also when it passes.
_PASSED: dict[GateName, str] = {
    GateName.CHANNEL_ENABLED: "switched on",
    GateName.NOT_PAUSED: "not paused",
    GateName.IN_PLAN: "within the plan",
    GateName.CHANNEL_HEALTHY: "not suspended",
    GateName.FILTER: "on",
    GateName.RECIPIENT: "confirmed",
}
_FOUND: dict[Reason, str] = {
    Reason.OVERRIDE_ON: "on by override",
    Reason.FLAG_ON: "on by the flag",
    Reason.OVERRIDE_OFF: "off by override",
    Reason.FLAG_OFF: "off by the flag",
    Reason.CHANNEL_OFF: "switched off",
    Reason.PAUSED: "paused",
    Reason.OVER_PLAN_LIMIT: "over the limit",
    Reason.SUSPENDED: "suspended",
    Reason.NO_RECIPIENTS: "none",
    Reason.UNCONFIRMED: "not confirmed",
    Reason.UNSUBSCRIBED: "unsubscribed",
    Reason.BOUNCED: "mail came back",
    Reason.RUN_CANCELLED: "cancelled",
}


def because(reason: Reason, event: str | None) -> str:
    """The clause for what was, to stand after "because" or a colon."""
    return _CLAUSES[reason][0].format(event=event or "the event")


def then(outcome: Outcome, reason: Reason, event: str | None, *, arrived: bool = True) -> str:
    """`Not sent: this channel's own filter had run_failed off.` What did not arrive (yet) was let through, not sent."""
    what = "Let through" if outcome is Outcome.SENT and not arrived else _THEN[outcome]
    return f"{what}: {because(reason, event)}."


def today(outcome: Outcome, reason: Reason, event: str | None) -> str:
    """`Today it would be sent: the global flag has run_failed on and …`"""
    return f"Today {_would(outcome, reason, event)}"


def would(outcome: Outcome, reason: Reason, event: str | None) -> str:
    """`It would be sent: the global flag has run_failed on and …`"""
    words = _would(outcome, reason, event)
    return f"{words[0].upper()}{words[1:]}"


def _would(outcome: Outcome, reason: Reason, event: str | None) -> str:
    return f"{_TODAY[outcome]}: {_CLAUSES[reason][1].format(event=event or 'the event')}."


def gate_words(gate: GateName, reason: Reason | None) -> str:
    """What the gate found, in a few words: `not paused`, `off by override`."""
    return _FOUND[reason] if reason is not None else _PASSED[gate]


def why_told(event: str, project: str, label: str, reason: Reason | None) -> str:
    """For somebody who reads the message: `You get run_failed for Acme Web by email because the global flag has …`"""
    start = f"You get {event} for {project} by {label}"
    return f"{start} because {_CLAUSES[reason][1].format(event=event)}." if reason is not None else f"{start}."
