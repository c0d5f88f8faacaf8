"""Who last changed the setting that decided, and when: read from the audit log, in at most five queries."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Q

from notifications.routing import Reason
from projects.models import AuditEntry, Project

_BY_OVERRIDE = frozenset({Reason.OVERRIDE_ON, Reason.OVERRIDE_OFF})
_BY_FLAG = frozenset({Reason.FLAG_ON, Reason.FLAG_OFF})
# The field of a channel, as the audit log names it, that stands behind a reason, and what changing it means in words.
_BY_CHANNEL: dict[Reason, str] = {
    Reason.CHANNEL_OFF: "enabled",
    Reason.PAUSED: "paused_until",
    Reason.SUSPENDED: "suspended",
    Reason.NO_RECIPIENTS: "recipients",
    Reason.UNCONFIRMED: "recipients",
    Reason.UNSUBSCRIBED: "recipients",
    Reason.BOUNCED: "recipients",
}
_CHANNEL_WORDS: dict[str, Callable[[Any], str]] = {
    "enabled": lambda new: f"switched this channel {'on' if new else 'off'}",
    "paused_until": lambda new: f"{'paused' if new else 'resumed'} this channel",
    "suspended": lambda new: "suspended this channel" if new else "lifted this channel's suspension",
    "recipients": lambda new: "changed this channel's recipients",
}
_OWN_FLAGS = "inherits_workspace_flags"
# How far back changes of filters are looked through. Behind so many later ones the last change is not named.
_FILTER_CHANGES = 200


@dataclass(frozen=True, slots=True)
class Decided:
    """What decided for a channel: the reason, and the event it is about."""

    channel_id: str
    channel_key: str
    reason: Reason
    event: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """`<who> last <what> on <at>`."""

    who: str
    what: str
    at: datetime


def last_changes(project: Project, decided: Iterable[Decided]) -> dict[str, Change]:
    """By channel id: the last change of the setting that decided. Missing where nobody ever changed it."""
    decided = list(decided)
    return {
        **_of_filters(project, [item for item in decided if item.reason in _BY_OVERRIDE | _BY_FLAG]),
        **_of_channels([item for item in decided if item.reason in _BY_CHANNEL]),
        **_of_plan(project, [item for item in decided if item.reason is Reason.OVER_PLAN_LIMIT]),
    }


def _of_filters(project: Project, decided: list[Decided]) -> dict[str, Change]:
    if not decided:
        return {}
    overrides = {f"channel_filters.{item.channel_key}.{item.event}" for item in decided if item.reason in _BY_OVERRIDE}
    flags = {f"events.{item.event}" for item in decided if item.reason in _BY_FLAG}
    of_project = overrides if project.inherits_workspace_flags else overrides | flags | {_OWN_FLAGS}
    of_workspace = flags if project.inherits_workspace_flags else set()
    # An empty list of keys is a syntax error on SQLite.
    where = Q(pk__in=[])
    for target_type, target_id, keys in (
        ("project", project.pk, of_project),
        ("workspace", project.workspace_id, of_workspace),
    ):
        if keys:
            where |= Q(target_type=target_type, target_id=str(target_id), changes__has_any_keys=sorted(keys))
    last: dict[str, AuditEntry] = {}
    for entry in AuditEntry.objects.filter(where).select_related("actor").order_by("-at", "-pk")[:_FILTER_CHANGES]:
        for field in entry.changes:
            # A workspace's flags and a project's own are called alike; only one of them holds.
            if entry.target_type == "workspace" or field in of_project:
                last.setdefault(field, entry)
    found: dict[str, Change] = {}
    for item in decided:
        own = item.reason in _BY_OVERRIDE
        field = f"channel_filters.{item.channel_key}.{item.event}" if own else f"events.{item.event}"
        if field in last:
            what = _filter_words(item.event, last[field].changes[field][1], own=own, project=project)
            found[item.channel_id] = _change(last[field], what)
        elif not own and _OWN_FLAGS in last:
            found[item.channel_id] = _change(last[_OWN_FLAGS], "gave this project its own flags")
    return found


def _filter_words(event: str | None, new: Any, *, own: bool, project: Project) -> str:
    if own:
        return f"set {event} to {_on(new)} for this channel" if new is not None else f"reset {event} for this channel"
    whose = "the workspace's" if project.inherits_workspace_flags else "this project's"
    return f"set {whose} flag {event} to {_on(new)}"


def _on(value: Any) -> str:
    return "on" if value else "off"


def _of_channels(decided: list[Decided]) -> dict[str, Change]:
    by_field: defaultdict[str, set[str]] = defaultdict(set)
    for item in decided:
        by_field[_BY_CHANNEL[item.reason]].add(item.channel_id)
    found: dict[str, Change] = {}
    for field, channel_ids in by_field.items():
        last = (
            AuditEntry.objects.filter(target_type="channel", target_id__in=channel_ids, changes__has_key=field)
            .order_by()
            .values("target_id")
            .annotate(last=Max("pk"))
            .values("last")
        )
        for entry in AuditEntry.objects.filter(pk__in=last).select_related("actor"):
            created = entry.action == "channel.created"
            what = "created this channel" if created else _CHANNEL_WORDS[field](entry.changes[field][1])
            found[entry.target_id] = _change(entry, what)
    return found


def _of_plan(project: Project, decided: list[Decided]) -> Mapping[str, Change]:
    if not decided:
        return {}
    entry = (
        AuditEntry.objects.filter(workspace=project.workspace_id, action="workspace.plan_changed")
        .select_related("actor")
        .order_by("-at", "-pk")
        .first()
    )
    return {item.channel_id: _change(entry, "changed the plan") for item in decided} if entry else {}


def _change(entry: AuditEntry, what: str) -> Change:
    return Change(str(entry.actor) if entry.actor else entry.actor_label, what, entry.at)
