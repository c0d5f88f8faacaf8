"""Who was told of an occurrence and why: the stored decisions, read with what became of them and what holds today.

The number of queries does not depend on how many channels there are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from notifications import messages
from notifications.catalog import OccurrenceKind
from notifications.channels import registry
from notifications.insight import sentences
from notifications.insight.changes import Change, Decided, last_changes
from notifications.insight.remedies import Remedy, remedies
from notifications.intake.decisions import as_json
from notifications.messages import Message
from notifications.models import Attempt, Delivery, DeliveryStatus, Occurrence
from notifications.routing import Decision, GateName, Outcome, Reason, RecipientState, Settings, decide
from notifications.selectors.routing import routing_settings
from projects.models import Project

# The worst first: of several deliveries of one channel the first in this list speaks for it.
_WORST_FIRST = (
    DeliveryStatus.FAILED,
    DeliveryStatus.RETRYING,
    DeliveryStatus.SENDING,
    DeliveryStatus.PENDING,
    DeliveryStatus.HELD,
    DeliveryStatus.CANCELLED,
    DeliveryStatus.DELIVERED,
)
_TROUBLED = (DeliveryStatus.FAILED, DeliveryStatus.RETRYING)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What the filter said of one fired event."""

    event: str
    passed: bool
    words: str
    decides: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the signal path. `state`: pass, over (an override let it through), stop (the one that decided),
    blocked (would have stopped it too) or clear (behind the one that decided, would have passed)."""

    label: str
    state: str
    words: str
    filters: tuple[EventFilter, ...] = ()

    @property
    def decides(self) -> bool:
        return self.state == "stop"


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery: to whom (email) or of which event, how it went, how long it took, what the other side said."""

    id: str
    event: str
    recipient: str
    status: str
    attempts: int
    took_ms: int | None
    note: str


@dataclass(frozen=True, slots=True)
class Row:
    """One channel of the project at that time. `today` is empty when the same would happen today.

    `remedies` are for what stands in the way today.
    """

    channel_id: str
    key: str
    name: str
    kind: str
    kind_label: str
    icon: str
    outcome: str
    event: str | None
    why: str
    stages: tuple[Stage, ...]
    told: tuple[Told, ...]
    silent: tuple[Mapping[str, str], ...]
    """Recipients that could not be written to, with the state of their address."""
    status: str
    change: Change | None
    today: str
    exists: bool
    remedies: tuple[Remedy, ...] = ()

    @property
    def delivered(self) -> int:
        return sum(told.status == DeliveryStatus.DELIVERED for told in self.told)

    @property
    def lists_deliveries(self) -> bool:
        """A channel's only delivery needs no list, unless it went to somebody whose name has to be said."""
        return len(self.told) > 1 or any(told.recipient for told in self.told)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A channel that was added since, with what would happen today and what would help."""

    channel_id: str
    name: str
    kind: str
    icon: str
    today: str
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    occurrence: Occurrence
    message: Message
    rows: tuple[Row, ...]
    newcomers: tuple[Newcomer, ...]
    counts: tuple[tuple[str, int], ...]
    """How many channels ended in which state, the best first."""


def describe(occurrence: Occurrence) -> Message:
    """What happened, in words. Needs the occurrence's project loaded."""
    fired = occurrence.fired_events
    return messages.build(
        kind=OccurrenceKind(occurrence.kind),
        facts=occurrence.facts,
        event=fired[0] if fired else "",
        project_name=occurrence.project.name,
        occurred_at=occurrence.occurred_at,
    )


@dataclass(frozen=True, slots=True)
class Supposed:
    """What would happen today, if it happened."""

    fired: tuple[str, ...]
    rows: tuple[Row, ...]
    counts: tuple[tuple[str, int], ...]


def suppose(project: Project, fired: Sequence[str], moment: datetime) -> Supposed:
    """Who would be told of an occurrence that fires these events; nothing is recorded. `project` with its workspace and
    plan loaded."""
    settings = routing_settings(project, moment)
    decisions = decide(fired, settings)
    stored = as_json(decisions, ())
    changes = last_changes(project, _decided(stored))
    helpful = _remedies(decisions, settings, project)
    rows = tuple(
        replace(
            _row(each, (), changes.get(decision.channel.id), {decision.channel.id: decision}, helpful),
            status=f"would_{decision.outcome.value}",
            why=sentences.would(decision.outcome, decision.reason, decision.event),
        )
        for each, decision in zip(stored, decisions, strict=True)
    )
    tally = Counter(row.status for row in rows)
    return Supposed(
        tuple(fired),
        rows,
        tuple((f"would_{outcome}", tally[f"would_{outcome}"]) for outcome in Outcome if tally[f"would_{outcome}"]),
    )


def trace(occurrence: Occurrence, moment: datetime) -> Trace:
    """The trace of an occurrence (with its project, workspace and plan loaded) as it reads at `moment`."""
    stored: list[Mapping[str, Any]] = list(occurrence.decisions)
    settings = routing_settings(occurrence.project, moment)
    today = {decision.channel.id: decision for decision in decide(occurrence.fired_events, settings)}
    told = _told(occurrence)
    changes = last_changes(occurrence.project, _decided(stored))
    helpful = _remedies(today.values(), settings, occurrence.project)
    rows = tuple(
        _row(decision, told.get(decision["channel_id"], ()), changes.get(decision["channel_id"]), today, helpful)
        for decision in stored
    )
    known = {decision["channel_id"] for decision in stored}
    tally = Counter(row.status for row in rows)
    return Trace(
        occurrence,
        describe(occurrence),
        rows,
        tuple(_newcomer(decision, helpful) for decision in today.values() if decision.channel.id not in known),
        tuple(
            (str(status), tally[status]) for status in ("sent", *reversed(_WORST_FIRST), "not_sent") if tally[status]
        ),
    )


def stages_of(gates: Sequence[Mapping[str, Any]], outcome: Outcome, event: str | None) -> tuple[Stage, ...]:
    """The signal path: one step per gate in its order, the filters of all fired events as one."""
    grouped: defaultdict[GateName, list[Mapping[str, Any]]] = defaultdict(list)
    for gate in gates:
        grouped[GateName(gate["gate"])].append(gate)
    stages: list[Stage] = []
    stopped = False
    for name in GateName:
        members = grouped.get(name)
        if not members:
            continue
        # The filter lets through what has any fired event on.
        passed = any(gate["passed"] for gate in members)
        decides = not passed and not stopped and outcome is Outcome.NOT_SENT
        if decides:
            state = "stop"
        elif stopped or not passed:
            state = "clear" if passed else "blocked"
        else:
            speaking = next((gate for gate in members if gate["event"] == event), members[0])
            state = "over" if speaking["reason"] == Reason.OVERRIDE_ON else "pass"
        stopped = stopped or decides
        filters: tuple[EventFilter, ...] = ()
        if name is GateName.FILTER:
            filters = tuple(
                EventFilter(
                    gate["event"],
                    gate["passed"],
                    sentences.gate_words(name, Reason(gate["reason"])),
                    decides=gate["event"] == event and (decides or outcome is not Outcome.NOT_SENT),
                )
                for gate in members
            )
        reason = members[0]["reason"]
        words = "" if filters else sentences.gate_words(name, Reason(reason) if reason else None)
        stages.append(Stage(sentences.GATE_LABELS[name], state, words, filters))
    return tuple(stages)


def state_of_deliveries(statuses: Iterable[str]) -> str | None:
    """The state that speaks for several deliveries: the worst. None without any."""
    there = set(statuses)
    return next((status.value for status in _WORST_FIRST if status in there), None)


def _decided(stored: Iterable[Mapping[str, Any]]) -> list[Decided]:
    return [
        Decided(decision["channel_id"], decision["channel"], Reason(decision["reason"]), decision["event"])
        for decision in stored
    ]


def _remedies(decisions: Iterable[Decision], settings: Settings, project: Project) -> Mapping[str, tuple[Remedy, ...]]:
    """By channel id."""
    inherits = project.inherits_workspace_flags
    return {each.channel.id: remedies(each, settings, str(project.pk), inherits=inherits) for each in decisions}


def _row(
    decision: Mapping[str, Any],
    told: Sequence[Told],
    change: Change | None,
    today: Mapping[str, Decision],
    helpful: Mapping[str, tuple[Remedy, ...]],
) -> Row:
    outcome, reason = Outcome(decision["outcome"]), Reason(decision["reason"])
    kind = registry.find(decision["kind"])
    now = today.get(decision["channel_id"])
    same = now is not None and (now.outcome, now.reason, now.event) == (outcome, reason, decision["event"])
    written = {line.recipient for line in told}
    status = state_of_deliveries(line.status for line in told) or outcome.value
    return Row(
        channel_id=decision["channel_id"],
        key=decision["channel"],
        name=decision["name"],
        kind=decision["kind"],
        kind_label=kind.label if kind else decision["kind"],
        icon=kind.icon if kind else "bell",
        outcome=outcome.value,
        event=decision["event"],
        why=sentences.then(outcome, reason, decision["event"], arrived=status == DeliveryStatus.DELIVERED),
        stages=stages_of(decision["gates"], outcome, decision["event"]),
        told=tuple(told),
        silent=tuple(
            recipient
            for recipient in decision.get("recipients", ())
            if recipient["state"] != RecipientState.CONFIRMED and recipient["email"] not in written
        ),
        status=status,
        change=change,
        today="" if now is None or same else sentences.today(now.outcome, now.reason, now.event),
        exists=now is not None,
        remedies=helpful.get(decision["channel_id"], ()),
    )


def _newcomer(decision: Decision, helpful: Mapping[str, tuple[Remedy, ...]]) -> Newcomer:
    channel = decision.channel
    kind = registry.find(channel.kind)
    return Newcomer(
        channel.id,
        channel.name,
        channel.kind,
        kind.icon if kind else "bell",
        sentences.today(decision.outcome, decision.reason, decision.event),
        helpful.get(channel.id, ()),
    )


def _told(occurrence: Occurrence) -> dict[str, tuple[Told, ...]]:
    """The occurrence's deliveries by channel."""
    deliveries = list(
        Delivery.objects.filter(occurrence=occurrence)
        .order_by()
        .only(
            "channel_id",
            "event",
            "recipient",
            "status",
            "attempt_count",
            "created_at",
            "delivered_at",
            "status_reason",
        )
    )
    # The most specific event first. Ids made within one millisecond have no order of their own.
    specificity = {event: index for index, event in enumerate(occurrence.fired_events)}
    deliveries.sort(key=lambda delivery: (delivery.created_at, specificity.get(delivery.event, 0), delivery.recipient))
    troubled = [delivery.pk for delivery in deliveries if delivery.status in _TROUBLED]
    said: dict[Any, str] = {}
    if troubled:
        # In order, so the last try's words stay.
        said = dict(
            Attempt.objects.filter(delivery__in=troubled).order_by("number", "pk").values_list("delivery_id", "error")
        )
    lines: defaultdict[str, list[Told]] = defaultdict(list)
    for delivery in deliveries:
        took = delivery.delivered_at - delivery.created_at if delivery.delivered_at else None
        lines[str(delivery.channel_id)].append(
            Told(
                id=str(delivery.pk),
                event=delivery.event,
                recipient=delivery.recipient,
                status=delivery.status,
                attempts=delivery.attempt_count,
                took_ms=int(took.total_seconds() * 1000) if took is not None else None,
                note=said.get(delivery.pk) or delivery.status_reason,
            )
        )
    return {channel_id: tuple(members) for channel_id, members in lines.items()}
