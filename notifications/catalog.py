"""The events: what they are called and when an occurrence fires them.

Pure: facts in, events out. Adding an event is one class here, decorated with `@register`; flags, matrix, API and docs
follow from it.
"""

import enum
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, ClassVar


class OccurrenceKind(enum.StrEnum):
    """What happened. The value is also the name of the object in payloads that carries its facts."""

    RUN = "run"
    CRAWL = "crawl"
    GENERATION = "generation"

    @property
    def icon(self) -> str:
        """For an occurrence that fired no event; events have their own."""
        return {"run": "activity", "crawl": "radar-2", "generation": "sparkles"}[self]


FAILED_STATUSES = frozenset({"failed", "error", "timed_out"})
SCHEDULE_TRIGGER = "schedule"
Facts = Mapping[str, Any]


class Event:
    """One event. Subclasses are never instantiated; `name` is the identifier used in payloads, filters and storage."""

    name: ClassVar[str]
    label: ClassVar[str]
    fires_when: ClassVar[str]
    kind: ClassVar[OccurrenceKind]
    icon: ClassVar[str]
    default_on: ClassVar[bool] = True

    @classmethod
    def fires(cls, facts: Facts, named: frozenset[str]) -> bool:
        """Whether an occurrence with these facts, reported under these event names, fires this event."""
        raise NotImplementedError


_events: dict[str, type[Event]] = {}


def register(event: type[Event]) -> type[Event]:
    """Add an event to the catalogue. The order of registration is the order of specificity within a kind."""
    _events[event.name] = event
    return event


@register
class RunFailed(Event):
    name = "run_failed"
    label = "Run failed"
    fires_when = "a test run fails (a subset of run_completed)"
    kind = OccurrenceKind.RUN
    icon = "circle-x"

    @classmethod
    def fires(cls, facts: Facts, named: frozenset[str]) -> bool:
        return run_failed(facts)


@register
class ScheduledRuns(Event):
    name = "scheduled_runs"
    label = "Scheduled runs"
    fires_when = "a run that a schedule started finishes (also a subset of run_completed)"
    kind = OccurrenceKind.RUN
    icon = "calendar-time"

    @classmethod
    def fires(cls, facts: Facts, named: frozenset[str]) -> bool:
        return facts.get("trigger") == SCHEDULE_TRIGGER or cls.name in named


@register
class RunCompleted(Event):
    name = "run_completed"
    label = "Run completed"
    fires_when = "any test run finishes, pass or fail"
    kind = OccurrenceKind.RUN
    icon = "circle-check"
    default_on = False

    @classmethod
    def fires(cls, facts: Facts, named: frozenset[str]) -> bool:
        return True


@register
class CrawlCompleted(Event):
    name = "crawl_completed"
    label = "Scan completed"
    fires_when = "a scan finishes, success or failure"
    kind = OccurrenceKind.CRAWL
    icon = "radar-2"

    @classmethod
    def fires(cls, facts: Facts, named: frozenset[str]) -> bool:
        return True


@register
class AIGenerated(Event):
    name = "ai_generated"
    label = "AI tests generated"
    fires_when = "AI test generation for a scan completes"
    kind = OccurrenceKind.GENERATION
    icon = "sparkles"

    @classmethod
    def fires(cls, facts: Facts, named: frozenset[str]) -> bool:
        return True


def events() -> tuple[type[Event], ...]:
    """All events, most specific first within their kind."""
    return tuple(_events.values())


def names() -> tuple[str, ...]:
    return tuple(_events)


def get(name: str) -> type[Event]:
    """The event of this name. Raises `KeyError` for an unknown one."""
    return _events[name]


def find(name: str) -> type[Event] | None:
    return _events.get(name)


def default_flags() -> dict[str, bool]:
    """The global flags of a new workspace."""
    return {event.name: event.default_on for event in events()}


def run_failed(facts: Facts) -> bool:
    """A run failed when its status says so, or when it completed with failed tests."""
    return facts["status"] in FAILED_STATUSES or (facts["status"] == "completed" and (facts.get("failed") or 0) > 0)


def is_cancelled(kind: OccurrenceKind, facts: Facts) -> bool:
    return kind is OccurrenceKind.RUN and facts["status"] == "cancelled"


def fires(kind: OccurrenceKind, facts: Facts, named: Iterable[str] = ()) -> tuple[str, ...]:
    """The events that an occurrence fires, most specific first. A cancelled run fires nothing."""
    if is_cancelled(kind, facts):
        return ()
    named = frozenset(named)
    return tuple(event.name for event in events() if event.kind is kind and event.fires(facts, named))


def fired_lists_with(event: str) -> tuple[tuple[str, ...], ...]:
    """All lists of fired events that contain `event`, each in the catalogue's order.

    What to look for where whole lists are stored. They are few, since an occurrence fires events of one kind only.
    Raises `KeyError` for an unknown event.
    """
    kind = get(event).kind
    same = [other.name for other in events() if other.kind is kind]
    return tuple(fired for size in range(1, len(same) + 1) for fired in combinations(same, size) if event in fired)
