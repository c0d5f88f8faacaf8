"""What other settings would have done with what really happened: the same occurrences, decided twice. Pure.

Occurrences come grouped by project and fired events, since nothing else about them decides; each group is decided once
per set of settings, by the function that real routing uses.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from notifications.catalog import RunFailed
from notifications.routing import ChannelState, Outcome, Settings, decide


@dataclass(frozen=True, slots=True)
class Group:
    """So many occurrences of a project that fired the same events."""

    project_id: str
    fired: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Case:
    """A project's settings as they are, and as they would be. The same object where nothing would change."""

    now: Settings
    proposed: Settings


@dataclass(frozen=True, slots=True)
class ChannelResult:
    """Deliveries of one channel: with today's settings, and with the proposed ones."""

    project_id: str
    channel: ChannelState
    now: int
    proposed: int


@dataclass(frozen=True, slots=True)
class Replay:
    occurrences: int
    channels: tuple[ChannelResult, ...]
    """Every channel of every case, in the order of the cases and of their channels."""
    silenced: tuple[Group, ...]
    """Failures that some channel hears of with today's settings, and none with the proposed ones."""

    @property
    def silenced_count(self) -> int:
        return sum(group.count for group in self.silenced)


def replay(groups: Iterable[Group], cases: Mapping[str, Case]) -> Replay:
    """Replay `groups` through both settings of their project's case. Groups of other projects are left out."""
    now: Counter[tuple[str, str]] = Counter()
    proposed: Counter[tuple[str, str]] = Counter()
    silenced: list[Group] = []
    occurrences = 0
    for group in groups:
        case = cases.get(group.project_id)
        if case is None:
            continue
        occurrences += group.count
        heard_now = _count(now, group, case.now)
        heard = heard_now if case.proposed is case.now else _count(proposed, group, case.proposed)
        if RunFailed.name in group.fired and heard_now and not heard:
            silenced.append(group)
    results = []
    for project_id, case in cases.items():
        after = now if case.proposed is case.now else proposed
        results += [
            ChannelResult(project_id, channel, now[project_id, channel.id], after[project_id, channel.id])
            for channel in case.now.channels
        ]
    return Replay(occurrences, tuple(results), tuple(silenced))


def with_filters(
    settings: Settings,
    *,
    flags: Mapping[str, bool] | None = None,
    overrides: Mapping[str, Mapping[str, bool]] | None = None,
) -> Settings:
    """`settings` with other flags, and with other overrides of the channels that `overrides` names by id."""
    changed: dict[str, Any] = {}
    if flags is not None and dict(flags) != dict(settings.flags):
        changed["flags"] = flags
    if overrides:
        changed["channels"] = tuple(
            replace(channel, overrides=overrides[channel.id]) if channel.id in overrides else channel
            for channel in settings.channels
        )
    return replace(settings, **changed) if changed else settings


def hears(fired: Sequence[str], settings: Settings) -> bool:
    """Whether any channel is told of an occurrence that fired these events; collected for a digest counts."""
    return any(decision.outcome is not Outcome.NOT_SENT for decision in decide(fired, settings))


def _count(counter: Counter[tuple[str, str]], group: Group, settings: Settings) -> bool:
    """Add the group's deliveries to `counter`; whether anybody is told."""
    heard = False
    for decision in decide(group.fired, settings):
        heard = heard or decision.outcome is not Outcome.NOT_SENT
        counter[group.project_id, decision.channel.id] += decision.delivery_count * group.count
    return heard
