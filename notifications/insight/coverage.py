"""Gaps in who hears of what: warnings, each with the change that closes it where one does. Pure.

Whether somebody hears is asked of the function that routes; whether a change helps, too: by trying it.
"""

import enum
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from notifications import catalog
from notifications.catalog import OccurrenceKind, RunCompleted, RunFailed, ScheduledRuns
from notifications.insight.replay import hears, with_filters
from notifications.routing import ChannelState, Decision, GateName, Outcome, Reason, Settings, decide, filter_gate
from projects.entitlements import Category


class Code(enum.StrEnum):
    """The worst first."""

    NO_CHANNEL = "no_channel"
    ONLY_CHANNEL_STOPPED = "only_channel_stopped"
    FAILED_RUNS_UNHEARD = "failed_runs_unheard"
    SAME_TARGET = "same_target"
    COMPLETED_COVERS_FAILURES = "completed_covers_failures"


class Action(enum.StrEnum):
    SET_FLAG = "set_flag"
    SET_OVERRIDE = "set_override"
    ENABLE = "enable"
    DISABLE = "disable"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Fix:
    """One change. Without a project a flag is the workspace's; an override of None inherits again."""

    action: Action
    label: str
    project_id: str = ""
    channel_id: str = ""
    event: str = ""
    value: bool | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A project as the check sees it. `targets`: the fingerprint of each channel's URL, by its id."""

    id: str
    name: str
    inherits: bool
    settings: Settings
    targets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Warning:
    code: Code
    sentence: str
    subjects: tuple[str, ...]
    """The ids of what it is about, projects and channels: with the code they name it."""
    fix: Fix | None = None

    @property
    def id(self) -> str:
        named = ":".join((self.code.value, *self.subjects))
        return f"{self.code.value}-{hashlib.sha256(named.encode()).hexdigest()[:16]}"

    @property
    def grave(self) -> bool:
        """Whether a failure can go unheard."""
        return self.code in (Code.NO_CHANNEL, Code.ONLY_CHANNEL_STOPPED, Code.FAILED_RUNS_UNHEARD)


_FAILED = catalog.fires(OccurrenceKind.RUN, {"status": "failed"})
_FAILED_ON_SCHEDULE = catalog.fires(OccurrenceKind.RUN, {"status": "failed"}, [ScheduledRuns.name])
_NAMED = 3
# Stands for the project in sentences that may come to name several; no name can hold this character.
_PROJECT = "\0"
# So many channels are tried for a change that helps; the first that works is enough.
_TRIED = 3
_STOPPED: dict[Reason, str] = {
    Reason.CHANNEL_OFF: "is switched off",
    Reason.PAUSED: "is paused",
    Reason.OVER_PLAN_LIMIT: "is over the plan's limit",
    Reason.SUSPENDED: "is suspended, because its target no longer takes messages",
    Reason.NO_RECIPIENTS: "has nobody to write to",
    Reason.UNCONFIRMED: "waits for its recipients to confirm",
    Reason.UNSUBSCRIBED: "writes only to people who unsubscribed",
    Reason.BOUNCED: "writes only to addresses that send mail back",
}


def check(subjects: Sequence[Subject]) -> tuple[Warning, ...]:
    """The gaps of several projects of one workspace, the worst first.

    What one workspace-wide change closes for several projects is one warning that names them all.
    """
    found = [warning for subject in subjects for warning in _of_project(subject)]
    order = list(Code)
    return tuple(sorted(_joined(found, subjects), key=lambda warning: order.index(warning.code)))


def applied(settings: Settings, fix: Fix) -> Settings:
    """A project's settings after the change, as far as it concerns that project."""
    if fix.action is Action.SET_FLAG:
        return with_filters(settings, flags={**settings.flags, fix.event: bool(fix.value)})
    return replace(
        settings,
        channels=tuple(
            _changed(channel, fix) if channel.id == fix.channel_id else channel for channel in settings.channels
        ),
    )


def _of_project(subject: Subject) -> Iterator[Warning]:
    if not subject.settings.channels:
        sentence = f"{subject.name} has no channel, so nobody hears about it."
        yield Warning(Code.NO_CHANNEL, sentence, (subject.id,))
        return
    if not hears(_FAILED, subject.settings):
        yield _unheard(subject)
    yield from _same_target(subject)
    yield from _covers(subject)


# --- Failures that nobody hears of


def _unheard(subject: Subject) -> Warning:
    wanting = [decision for decision in decide(_FAILED, subject.settings) if _wants(decision)]
    if wanting:
        return _stopped(subject, wanting)
    if hears(_FAILED_ON_SCHEDULE, subject.settings):
        sentence = f"No channel hears about failed runs in {_PROJECT} unless a schedule started them."
    else:
        sentence = f"No channel hears about failed scheduled runs in {_PROJECT}, nor about other failed runs."
    return Warning(Code.FAILED_RUNS_UNHEARD, sentence, (subject.id,), _filter_fix(subject))


def _stopped(subject: Subject, wanting: Sequence[Decision]) -> Warning:
    """Channels that have failures on, none of which gets any."""
    words = [(decision.channel.name, _STOPPED[decision.reason]) for decision in wanting]
    if len(words) == 1:
        name, what = words[0]
        sentence = f"{name} is the only channel for failed runs in {subject.name}, and it {what}."
    else:
        shown = [f"{name} {what}" for name, what in words[:_NAMED]]
        sentence = f"Every channel for failed runs in {subject.name} is stopped: {_list(shown, len(words))}."
    fixes = (_start(decision.channel, decision.reason) for decision in wanting)
    fix = next((fix for fix in fixes if fix and hears(_FAILED, applied(subject.settings, fix))), None)
    ids = (subject.id, *(decision.channel.id for decision in wanting))
    return Warning(Code.ONLY_CHANNEL_STOPPED, sentence, ids, fix)


def _start(channel: ChannelState, reason: Reason) -> Fix | None:
    if reason is Reason.CHANNEL_OFF:
        return Fix(Action.ENABLE, f"Switch {channel.name} on", channel_id=channel.id)
    if reason is Reason.PAUSED:
        return Fix(Action.RESUME, f"Resume {channel.name}", channel_id=channel.id)
    return None


def _filter_fix(subject: Subject) -> Fix | None:
    """The smallest change of a filter after which somebody hears of failures: a channel's override before a flag."""
    event, settings = RunFailed.name, subject.settings
    # A channel that works comes before one that is stopped for another reason as well.
    channels = sorted(settings.channels, key=lambda channel: not _works(channel))
    candidates = [
        *(
            Fix(Action.SET_OVERRIDE, f"Let {channel.name} follow the flag {event}", subject.id, channel.id, event)
            for channel in [channel for channel in channels if channel.overrides.get(event) is False][:_TRIED]
        ),
        _flag_fix(subject),
        *(
            Fix(Action.SET_OVERRIDE, f"Switch {event} on for {channel.name}", subject.id, channel.id, event, True)
            for channel in channels[:_TRIED]
        ),
    ]
    if not settings.filters_in_plan:
        candidates = [_flag_fix(subject)]
    return next((fix for fix in candidates if hears(_FAILED, applied(settings, fix))), None)


def _flag_fix(subject: Subject) -> Fix:
    whose = "the workspace" if subject.inherits else subject.name
    project_id = "" if subject.inherits else subject.id
    label = f"Switch {RunFailed.name} on for {whose}"
    return Fix(Action.SET_FLAG, label, project_id, event=RunFailed.name, value=True)


# --- Two channels, one URL


def _same_target(subject: Subject) -> Iterator[Warning]:
    by_target: defaultdict[str, list[ChannelState]] = defaultdict(list)
    for channel in subject.settings.channels:
        if channel.enabled and subject.targets.get(channel.id):
            by_target[subject.targets[channel.id]].append(channel)
    for channels in by_target.values():
        last = next((channel for channel in reversed(channels) if _repeats(channel, channels, subject.settings)), None)
        if last is None:
            continue
        count = "Two" if len(channels) == 2 else str(len(channels))
        names = _list([channel.name for channel in channels[:_NAMED]], len(channels))
        sentence = (
            f"{count} channels of {subject.name} post to the same URL: {names}. What both let through arrives twice."
        )
        fix = Fix(Action.DISABLE, f"Switch {last.name} off", channel_id=last.id)
        yield Warning(Code.SAME_TARGET, sentence, (subject.id, *(channel.id for channel in channels)), fix)


def _repeats(channel: ChannelState, channels: Sequence[ChannelState], settings: Settings) -> bool:
    """Whether any event that this channel lets through is let through by an earlier one of `channels` too.

    A people's channel tells of an occurrence once, whichever of its events is on; a webhook of each event.
    """
    earlier = channels[: channels.index(channel)]
    if channel.category is Category.WEBHOOK:
        return any(
            filter_gate(event, settings, channel).passed and filter_gate(event, settings, other).passed
            for event in catalog.names()
            for other in earlier
        )
    return any(
        _lets_through(fired, settings, channel) and _lets_through(fired, settings, other)
        for fired in _FIRED_LISTS
        for other in earlier
    )


def _lets_through(fired: Iterable[str], settings: Settings, channel: ChannelState) -> bool:
    return any(filter_gate(event, settings, channel).passed for event in fired)


# --- `run_completed` without `run_failed`


def _covers(subject: Subject) -> Iterator[Warning]:
    completed, failed, settings = RunCompleted.name, RunFailed.name, subject.settings
    followers: list[ChannelState] = []
    for channel in settings.channels:
        on, off = filter_gate(completed, settings, channel), filter_gate(failed, settings, channel)
        if not channel.enabled or not on.passed or off.passed:
            continue
        if (on.reason, off.reason) == (Reason.FLAG_ON, Reason.FLAG_OFF):
            followers.append(channel)
            continue
        sentence = (
            f"{channel.name} in {subject.name} hears about failures although {failed} is off for it: "
            f"{completed} is on, and it covers pass or fail."
        )
        value = None if settings.flags.get(failed) else True
        fix = Fix(Action.SET_OVERRIDE, f"Switch {failed} on for {channel.name}", subject.id, channel.id, failed, value)
        yield Warning(Code.COMPLETED_COVERS_FAILURES, sentence, (subject.id, channel.id), fix)
    if followers:
        sentence = (
            f"Channels of {_PROJECT} hear about failures although the flag {failed} is off: "
            f"{completed} is on, and it covers pass or fail."
        )
        yield Warning(Code.COMPLETED_COVERS_FAILURES, sentence, (subject.id,), _flag_fix(subject))


# --- Shared


def _joined(warnings: Sequence[Warning], subjects: Sequence[Subject]) -> Iterator[Warning]:
    """Warnings of the same fault that the same workspace flag closes become one. Names their projects."""
    names = {subject.id: subject.name for subject in subjects}
    groups: defaultdict[tuple[str, str], list[Warning]] = defaultdict(list)
    for warning in warnings:
        shared = warning.fix is not None and warning.fix.action is Action.SET_FLAG and not warning.fix.project_id
        groups[warning.sentence, "" if shared else warning.id].append(warning)
    for members in groups.values():
        ids = tuple(warning.subjects[0] for warning in members)
        projects = _list([names[project_id] for project_id in ids[:_NAMED]], len(ids))
        yield replace(
            members[0],
            sentence=members[0].sentence.replace(_PROJECT, projects),
            subjects=members[0].subjects if len(members) == 1 else ids,
        )


def _changed(channel: ChannelState, fix: Fix) -> ChannelState:
    if fix.action is Action.SET_OVERRIDE:
        rest = {event: on for event, on in channel.overrides.items() if event != fix.event}
        return replace(channel, overrides=rest if fix.value is None else {**rest, fix.event: fix.value})
    if fix.action is Action.RESUME:
        return replace(channel, paused=False)
    return replace(channel, enabled=fix.action is Action.ENABLE)


def _wants(decision: Decision) -> bool:
    return any(gate.passed for gate in decision.gates if gate.gate is GateName.FILTER)


def _works(channel: ChannelState) -> bool:
    """Whether the channel passes everything but its filter."""
    everything = Settings(flags=dict.fromkeys(catalog.names(), True), filters_in_plan=False, channels=(channel,))
    return decide(_FAILED, everything)[0].outcome is not Outcome.NOT_SENT


def _list(words: Sequence[str], total: int) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 4 more`."""
    rest = [f"{total - len(words)} more"] if total > len(words) else []
    parts = [*words, *rest]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


_FIRED_LISTS = {fired for event in catalog.names() for fired in catalog.fired_lists_with(event)}
