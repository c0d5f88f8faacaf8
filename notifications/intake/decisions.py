"""From decisions to what is stored: the JSON of the trace, and the deliveries. Pure but for the ids it draws."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aegisnotify import bulk
from notifications import catalog
from notifications.channels import registry
from notifications.channels.webhook import body as webhook_body
from notifications.models import Delivery, DeliveryStatus, Occurrence
from notifications.routing import Decision, GateName, Outcome
from projects.entitlements import Category
from projects.models import Project

_GATES = tuple(GateName)


def project_json(project: Project) -> dict[str, str]:
    """The project as webhook bodies show it."""
    return {"id": str(project.pk), "name": project.name, "slug": project.slug}


def deliveries_for(occurrence: Occurrence, decisions: Iterable[Decision], project: Mapping[str, str]) -> list[Delivery]:
    """The deliveries that these decisions ask for, unsaved, in the decisions' order."""
    bodies: dict[str, str] = {}
    rows = []
    for decision in decisions:
        channel = decision.channel
        held = decision.outcome is Outcome.HELD
        recipients = [recipient.email for recipient in decision.recipients] or [""]
        for event in decision.events:
            if channel.category is Category.WEBHOOK and event not in bodies:
                # Made once and shared by the project's webhooks: the same bytes on every retry.
                bodies[event] = webhook_body.build(
                    occurrence.kind, occurrence.facts, event, project, occurrence.occurred_at
                )
            rows += [
                bulk.new(
                    Delivery,
                    workspace_id=occurrence.workspace_id,
                    project_id=occurrence.project_id,
                    occurrence_id=occurrence.pk,
                    channel_id=channel.id,
                    channel_key=channel.key,
                    kind=channel.kind,
                    event=event,
                    recipient=recipient,
                    status=DeliveryStatus.HELD if held else DeliveryStatus.PENDING,
                    next_at=None if held else occurrence.received_at,
                    body=bodies.get(event, "") if channel.category is Category.WEBHOOK else "",
                    created_at=occurrence.received_at,
                )
                for recipient in recipients
            ]
    return rows


def as_json(decisions: Iterable[Decision], deliveries: Iterable[Delivery]) -> list[dict[str, Any]]:
    """Decisions as they are stored and as the API shows them: codes and ids, no secrets."""
    made: dict[str, list[str]] = {}
    for delivery in deliveries:
        made.setdefault(str(delivery.channel_id), []).append(str(delivery.pk))
    return [_decision_json(decision, made.get(decision.channel.id, [])) for decision in decisions]


def _decision_json(decision: Decision, deliveries: list[str]) -> dict[str, Any]:
    channel = decision.channel
    result: dict[str, Any] = {
        "channel": channel.key,
        "channel_id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "outcome": decision.outcome.value,
        "reason": decision.reason.value,
        "event": decision.event,
        "recoverable": decision.recoverable,
        "gates": [gate.as_json() for gate in decision.gates],
        "deliveries": deliveries,
    }
    if channel.category is Category.EMAIL:
        result["recipients"] = [
            {"email": recipient.email, "state": recipient.state.value} for recipient in channel.recipients
        ]
    return result


def with_late_event(
    stored: Sequence[Mapping[str, Any]], late: Sequence[Mapping[str, Any]], event: str
) -> list[dict[str, Any]]:
    """The stored decisions after a late event: what it told is added, what it did not tell leaves the first answer,
    unless only a pause or a suspension kept it back.

    The late event's filter gate joins the others of its channel, so the trace shows that it was asked too. A webhook
    that got some of the events and not others, because it was stopped at one of the two moments, has those in `missed`
    and stays recoverable.
    """
    by_id = {decision["channel_id"]: decision for decision in late}
    merged = []
    for decision in stored:
        extra = by_id.pop(decision["channel_id"], None)
        result = dict(decision)
        if extra is not None:
            added = [gate for gate in extra["gates"] if gate["event"] == event]
            result["gates"] = sorted([*decision["gates"], *added], key=_place)
            told_before = decision["outcome"] != Outcome.NOT_SENT
            # Held back by a pause alone is the better answer than "off": it says that the event can be recovered.
            held_back = extra["recoverable"] and not decision["recoverable"]
            if not told_before and (extra["deliveries"] or held_back):
                result |= {key: extra[key] for key in ("outcome", "reason", "event", "recoverable")}
            if extra["deliveries"]:
                result["deliveries"] = [*decision["deliveries"], *extra["deliveries"]]
            missed = [*_missed(decision), *_missed(extra)] if _is_webhook(decision) else []
            if missed and result["deliveries"]:
                result |= {"recoverable": True, "missed": missed}
        merged.append(result)
    return merged + [dict(decision) for decision in by_id.values()]


def _is_webhook(decision: Mapping[str, Any]) -> bool:
    kind = registry.find(decision["kind"])
    return kind is not None and kind.category is Category.WEBHOOK


def _missed(decision: Mapping[str, Any]) -> list[str]:
    """The events that only a pause or a suspension kept back."""
    if not decision["recoverable"]:
        return []
    return decision.get("missed") or let_through(decision)


def let_through(decision: Mapping[str, Any]) -> list[str]:
    """The events that the filter of a stored decision let through."""
    return [gate["event"] for gate in decision["gates"] if gate["gate"] == GateName.FILTER and gate["passed"]]


def _place(gate: Mapping[str, Any]) -> tuple[int, int]:
    """Where a stored gate stands: in the order of the gates, those of the filter by event, the most specific first."""
    event = gate["event"]
    return (_GATES.index(gate["gate"]), catalog.names().index(event) if event else 0)
