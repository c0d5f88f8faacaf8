"""What the Notifications page shows: flags, matrix, what-if and warnings as templates take them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from notifications import catalog, drafts
from notifications.catalog import RunCompleted, RunFailed
from notifications.channels import registry
from notifications.drafts import Difference, State, Value, Values
from notifications.insight.replay import Case, ChannelResult, Group
from notifications.insight.whatif import WhatIf
from notifications.models import Channel
from notifications.routing import ChannelState, Settings, filter_gate
from notifications.selectors.health import ChannelHealth, Checkup
from notifications.selectors.matrix import Matrix, MatrixProject
from projects.models import Project

LINES_SHOWN = 8
_MUTED = (ChannelHealth.OFF, ChannelHealth.PAUSED, ChannelHealth.SUSPENDED, ChannelHealth.OVER_PLAN_LIMIT)
# The general event stands before its subset, whose absence it makes up for; others follow as the catalogue has them.
_FIRST = (RunCompleted.name, RunFailed.name)
COLUMNS = tuple(
    sorted(catalog.events(), key=lambda event: _FIRST.index(event.name) if event.name in _FIRST else len(_FIRST))
)
_WORDS: dict[Value, str] = {True: "On", False: "Off", None: "inherited"}
# State of a cell: whether it inherits, whether it is on; and the glyph for it.
_STATES = {(True, True): "io", (True, False): "if", (False, True): "oo", (False, False): "of"}
_ICONS = {"io": "check", "if": "minus", "oo": "check", "of": "bell-off"}


@dataclass(frozen=True, slots=True)
class Flag:
    event: type[catalog.Event]
    on: bool
    was: str
    """What is saved, in a word, where the draft says something else."""
    count: int
    """How many such events there were lately."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One channel and one event. `value` names the cell, and what a click makes of it."""

    id: str
    event: str
    state: str
    on: bool
    flag: bool
    label: str
    key: str
    was: str
    locked: bool
    stored: str
    """An override that is stored and not applied, in a word."""
    covers: bool
    """Whether it lets failures through although `run_failed` is off for the channel."""
    channel_id: str

    @property
    def word(self) -> str:
        return "On" if self.on else "Off"

    @property
    def icon(self) -> str:
        return _ICONS[self.state]

    @property
    def pinned(self) -> bool:
        return self.state in ("oo", "of")

    @property
    def flipped(self) -> str:
        return f"{self.key}:{'off' if self.on else 'on'}"

    @property
    def description(self) -> str:
        return "Override for this channel" if self.pinned else "Inherited from the flag"


@dataclass(frozen=True, slots=True)
class Row:
    channel: Channel
    kind_label: str
    icon: str
    checkup: Checkup
    muted: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ProjectRows:
    project: Project
    own_flags: bool
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A channel in the what-if: why its number changes, and the two bars as percent of the longest."""

    name: str
    why: str
    now: int
    proposed: int
    now_width: float
    proposed_width: float


@dataclass(frozen=True, slots=True)
class Compared:
    occurrences: int
    days: int
    now: int
    proposed: int
    lines: tuple[Line, ...]
    more: int
    """How many more channels change."""
    silenced: int
    silenced_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """A setting that others changed since the draft began."""

    label: str
    before: str
    now: str
    mine: str
    """Empty where the draft does not touch it."""
    contested: bool


def flags_shown(state: State, changes: Values, counts: Mapping[str, int], project_id: str | None) -> list[Flag]:
    """The workspace's flags, or with a project that has its own in the draft, that project's."""
    own = project_id is not None and not drafts.follows_workspace(state, changes, project_id)
    owner = project_id if own else None
    now = drafts.effective_flags(state, changes, owner)
    shown = []
    for event in COLUMNS:
        path = drafts.own_flag(str(owner), event.name) if owner else drafts.workspace_flag(event.name)
        was = _WORDS[not changes[path]] if path in changes else ""
        shown.append(Flag(event, now[event.name], was, counts.get(event.name, 0)))
    return shown


def counts_of(groups: Iterable[Group], project_id: str | None) -> Counter[str]:
    """How often each event fired, in all projects or one."""
    counts: Counter[str] = Counter()
    for group in groups:
        if project_id is None or group.project_id == project_id:
            for event in group.fired:
                counts[event] += group.count
    return counts


def rows_of(
    item: MatrixProject,
    settings: Settings,
    changes: Values,
    *,
    own_flags: bool,
    several: bool,
    only: Sequence[int],
) -> ProjectRows:
    """A project's part of the matrix, of its channels `only` those with these indexes.

    `settings`: with the draft. `several`: other projects are shown too, so that labels have to name this one.
    """
    shown_in = f" in {item.project.name}" if several else ""
    return ProjectRows(
        item.project,
        own_flags,
        tuple(
            _row(
                item.project,
                item.checkups[index],
                item.settings.channels[index],
                settings.channels[index],
                settings,
                changes,
                shown_in,
            )
            for index in only
        ),
    )


def compared(answer: WhatIf, cases: Mapping[str, Case]) -> Compared:
    """What-if in numbers, sentences and bars: the channels that change, the biggest change first."""
    results = answer.replay.channels
    why = {result.channel.id: _why(result, cases[result.project_id]) for result in results}
    changing = sorted(
        (result for result in results if why[result.channel.id]),
        key=lambda result: abs(result.proposed - result.now),
        reverse=True,
    )
    lines = [
        (result.channel.name, why[result.channel.id], result.now, result.proposed) for result in changing[:LINES_SHOWN]
    ]
    rest = [result.now for result in results if not why[result.channel.id]]
    if rest:
        lines.append(("Everyone else" if changing else "Every channel", "no change", sum(rest), sum(rest)))
    longest = max((max(now, proposed) for _, _, now, proposed in lines), default=0) or 1
    return Compared(
        answer.replay.occurrences,
        answer.days,
        sum(result.now for result in results),
        sum(result.proposed for result in results),
        tuple(
            Line(name, words, now, proposed, round(100 * now / longest, 1), round(100 * proposed / longest, 1))
            for name, words, now, proposed in lines
        ),
        max(len(changing) - LINES_SHOWN, 0),
        answer.replay.silenced_count,
        answer.unheard,
    )


def changed_by_others(matrix: Matrix, differences: Sequence[Difference]) -> list[Changed]:
    return [
        Changed(
            _label(matrix, difference.path),
            _said(difference.path, difference.before),
            _said(difference.path, difference.now),
            _said(difference.path, difference.mine) if difference.in_draft else "",
            difference.contested,
        )
        for difference in differences
    ]


def _row(
    project: Project,
    checkup: Checkup,
    saved: ChannelState,
    channel: ChannelState,
    settings: Settings,
    changes: Values,
    shown_in: str,
) -> Row:
    kind = registry.get(channel.kind)
    on = {event.name: filter_gate(event.name, settings, channel).passed for event in COLUMNS}
    cells = []
    for event in COLUMNS:
        name = event.name
        override = channel.overrides.get(name)
        applied = override if settings.filters_in_plan else None
        path = drafts.cell(str(project.pk), channel.id, name)
        cells.append(
            Cell(
                id=f"{channel.id}-{name}",
                event=name,
                state=_STATES[applied is None, on[name]],
                on=on[name],
                flag=settings.flags[name],
                label=f"{name} to {channel.name}{shown_in}",
                key=f"{channel.id}:{name}",
                was=_WORDS[saved.overrides.get(name)] if path in changes else "",
                locked=not settings.filters_in_plan,
                stored=_WORDS[override] if override is not None and not settings.filters_in_plan else "",
                covers=name == RunCompleted.name and on[name] and not on[RunFailed.name],
                channel_id=channel.id,
            )
        )
    return Row(checkup.channel, kind.label, kind.icon, checkup, checkup.health in _MUTED, tuple(cells))


def _why(result: ChannelResult, case: Case) -> str:
    """`run_completed and scheduled_runs off`: the events that the channel's filter treats otherwise."""
    if case.proposed is case.now:
        return ""
    channel = next(channel for channel in case.proposed.channels if channel.id == result.channel.id)
    turned: dict[bool, list[str]] = {True: [], False: []}
    for event in COLUMNS:
        now = filter_gate(event.name, case.now, result.channel).passed
        then = filter_gate(event.name, case.proposed, channel).passed
        if now != then:
            turned[then].append(event.name)
    return "; ".join(f"{' and '.join(events)} {'on' if on else 'off'}" for on, events in turned.items() if events)


def _label(matrix: Matrix, path: str) -> str:
    kind, *rest = path.split(":")
    projects = {str(item.project.pk): item for item in matrix.projects}
    if kind == "flag" and len(rest) == 1:
        return f"{rest[0]}, the workspace's flag"
    project = projects.get(rest[0])
    name = project.project.name if project else "a deleted project"
    if kind == "inherits":
        return f"{name} follows the workspace's flags"
    if kind == "flag":
        return f"{rest[1]}, the flag of {name}"
    channels = {channel.id: channel.name for channel in project.settings.channels} if project else {}
    return f"{rest[2]} to {channels.get(rest[1], 'a deleted channel')} in {name}"


def _said(path: str, value: Value) -> str:
    if path.startswith("inherits:"):
        return "yes" if value else "no"
    return _WORDS[value].capitalize()
