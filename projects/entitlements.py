"""What a plan allows: pure functions of the plan's limits and what is there.

Used when a channel is switched on (is there room for one more?) and again for every event (which of the enabled
channels does the plan carry?), so a downgrade takes effect at once and loses nothing.
"""

import enum
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from aegisnotify.text import counted


class Category(enum.StrEnum):
    """How a kind of channel counts."""

    EMAIL = "email"
    CHAT = "chat"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a plan; `None` is unlimited."""

    plan: str
    plan_name: str
    chat_channels: int | None
    chat_channels_per_kind: int | None
    webhooks: int | None
    per_channel_filters: bool
    projects: int | None
    members: int | None
    audit_log: bool
    history_days: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """An enabled channel as the limits see it. Places are given in their order: position, then creation."""

    id: Hashable
    kind: str
    category: Category


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The limit that has no room: its name, what it allows and how much of it is used."""

    limit: str
    allowed: int
    used: int
    plan: str
    plan_name: str

    @property
    def sentence(self) -> str:
        return _SENTENCES[self.limit](self)

    @property
    def room(self) -> str:
        """What the plan has instead, beside the name of a channel: `Pro has 3 webhooks per project`."""
        what = _CHANNELS[self.limit]
        return f"{self.plan_name} has {counted(self.allowed, what) if self.allowed else f'no {what}s'} per project"

    @property
    def details(self) -> dict[str, str | int]:
        return {"limit": self.limit, "allowed": self.allowed, "used": self.used, "plan": self.plan}


def _counted(what: str, place: str = "", hint: str = "") -> Callable[[Exceeded], str]:
    def sentence(exceeded: Exceeded) -> str:
        if not exceeded.allowed:
            return f"The {exceeded.plan_name} plan has no {what}s{place}. Choose a larger plan."
        used = f"{exceeded.used:,} {'is' if exceeded.used == 1 else 'are'} in use"
        return f"The {exceeded.plan_name} plan has {counted(exceeded.allowed, what)}{place}; {used}. {hint}"

    return sentence


# What the limits of channels count.
_CHANNELS = {
    "chat_channels": "chat channel",
    "chat_channels_per_kind": "channel of one chat kind",
    "webhooks": "webhook",
}


def _missing(what: str) -> Callable[[Exceeded], str]:
    return lambda exceeded: what.format(plan=exceeded.plan_name)


_OFF, _LARGER = "Switch one off or choose a larger plan.", "Choose a larger plan to add one."
_SENTENCES: dict[str, Callable[[Exceeded], str]] = {
    "chat_channels": _counted("chat channel", " per project (Slack, Discord and Teams together)", _OFF),
    "chat_channels_per_kind": _counted("channel", " of one chat kind per project", _OFF),
    "webhooks": _counted("webhook", " per project", _OFF),
    "projects": _counted("project", hint=_LARGER),
    "members": _counted("member", hint=_LARGER),
    "per_channel_filters": _missing("Per-channel filters are not part of the {plan} plan. They come with Pro."),
    "audit_log": _missing("The audit log page is not part of the {plan} plan. It comes with Pro."),
}


def admitted(limits: Limits, places: Iterable[Place]) -> frozenset[Hashable]:
    """The ids of the enabled channels that the plan carries: walk the list, admit each while the limits allow."""
    given = list(places)
    beyond = refused(limits, given)
    return frozenset(place.id for place in given if place.id not in beyond)


def refused(limits: Limits, places: Iterable[Place]) -> dict[Hashable, Exceeded]:
    """The others, each with the limit that has no room for it."""
    beyond: dict[Hashable, Exceeded] = {}
    used = _Used()
    for place in places:
        exceeded = used.exceeded_by(limits, place.kind, place.category)
        if exceeded is None:
            used.add(place)
        else:
            beyond[place.id] = exceeded
    return beyond


def room_for(limits: Limits, places: Iterable[Place], kind: str, category: Category) -> Exceeded | None:
    """None when one more enabled channel of this kind fits beside `places`, else the limit that has no room."""
    used = _Used()
    for place in places:
        used.add(place)
    return used.exceeded_by(limits, kind, category)


class _Used:
    """How many places are taken. Counted once each, since a project may have hundreds."""

    def __init__(self) -> None:
        self._categories: Counter[Category] = Counter()
        self._kinds: Counter[str] = Counter()

    def add(self, place: Place) -> None:
        self._categories[place.category] += 1
        self._kinds[place.kind] += 1

    def exceeded_by(self, limits: Limits, kind: str, category: Category) -> Exceeded | None:
        """The limit that has no room for one more of this kind."""
        if category is Category.CHAT:
            return _room(limits, "chat_channels", limits.chat_channels, self._categories[category]) or _room(
                limits, "chat_channels_per_kind", limits.chat_channels_per_kind, self._kinds[kind]
            )
        if category is Category.WEBHOOK:
            return _room(limits, "webhooks", limits.webhooks, self._categories[category])
        return None


def room_for_project(limits: Limits, used: int) -> Exceeded | None:
    return _room(limits, "projects", limits.projects, used)


def room_for_member(limits: Limits, used: int) -> Exceeded | None:
    return _room(limits, "members", limits.members, used)


def is_shorter(history_days: int | None, than: int | None) -> bool:
    """Whether one plan keeps history for fewer days than another; None keeps all."""
    return history_days is not None and (than is None or history_days < than)


def filters_allowed(limits: Limits) -> Exceeded | None:
    return None if limits.per_channel_filters else _room(limits, "per_channel_filters", 0, 0)


def audit_log_allowed(limits: Limits) -> Exceeded | None:
    return None if limits.audit_log else _room(limits, "audit_log", 0, 0)


def _room(limits: Limits, name: str, allowed: int | None, used: int) -> Exceeded | None:
    if allowed is None or used < allowed:
        return None
    return Exceeded(name, allowed, used, limits.plan, limits.plan_name)
