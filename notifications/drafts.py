"""Drafts of filters: changes that somebody staged, beside the settings they would change. Pure.

Settings and changes are flat: a path names one setting, a value says what it is.

    flag:<event>                    the workspace's flag           true, false
    inherits:<project>              follows the workspace's flags  true, false
    flag:<project>:<event>          the project's own flag         true, false; missing while it inherits
    cell:<project>:<channel>:<event>  the channel's override       true, false; missing or None inherits

Projects and channels are named by id. A scope is what is saved (and versioned) as one: the workspace's flags, or a
project's filters.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from notifications import catalog
from notifications.insight.replay import with_filters
from notifications.routing import Settings

WORKSPACE = "workspace"
Value = bool | None
Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class ProjectState:
    """One project's filters as saved; `settings` hold the flags that apply and the channels' overrides."""

    id: str
    inherits: bool
    settings: Settings


@dataclass(frozen=True, slots=True)
class State:
    """The filters of a whole workspace as saved."""

    flags: Mapping[str, bool]
    projects: tuple[ProjectState, ...]


@dataclass(frozen=True, slots=True)
class Base:
    """What somebody saw of a scope when they began to change it."""

    version: str
    at: str
    values: Values


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that was changed by others since: before, now, and what the draft says (if it says anything)."""

    path: str
    before: Value
    now: Value
    mine: Value
    in_draft: bool

    @property
    def contested(self) -> bool:
        return self.in_draft and self.mine != self.now


def workspace_flag(event: str) -> str:
    return f"flag:{event}"


def own_flag(project_id: str, event: str) -> str:
    return f"flag:{project_id}:{event}"


def inherits(project_id: str) -> str:
    return f"inherits:{project_id}"


def cell(project_id: str, channel_id: str, event: str) -> str:
    return f"cell:{project_id}:{channel_id}:{event}"


def scope_of(path: str) -> str:
    """`workspace`, or the id of the project whose filters the setting belongs to."""
    kind, *rest = path.split(":")
    return WORKSPACE if kind == "flag" and len(rest) == 1 else rest[0]


def values_of(state: State, scope: str) -> dict[str, Value]:
    """The settings of a scope. A project that inherits has the workspace's flags among them: they decide there too."""
    flags: dict[str, Value] = {workspace_flag(event): on for event, on in state.flags.items()}
    if scope == WORKSPACE:
        return flags
    project = next((project for project in state.projects if project.id == scope), None)
    if project is None:
        return {}
    return {
        inherits(project.id): project.inherits,
        **(flags if project.inherits else _own_flags(project)),
        **{
            cell(project.id, channel.id, event): on
            for channel in project.settings.channels
            for event, on in channel.overrides.items()
        },
    }


def all_values(state: State) -> dict[str, Value]:
    values = values_of(state, WORKSPACE)
    for project in state.projects:
        values |= values_of(state, project.id)
    return values


def stage(changes: Values, saved: Values, new: Values) -> dict[str, Value]:
    """`changes` with `new` ones; what comes down to the saved value is no change."""
    merged = {**changes, **new}
    return {path: value for path, value in merged.items() if saved.get(path) != value}


def stage_inheritance(changes: Values, state: State, project_id: str, follow: bool) -> dict[str, Value]:
    """Let a project follow the workspace's flags, or have its own, which start as what holds for it in the draft."""
    flags = effective_flags(state, changes, project_id)
    # Whatever the draft said of the project's own flags is over: either they go, or they start from what holds.
    rest = {path: value for path, value in changes.items() if not path.startswith(f"flag:{project_id}:")}
    own: Values = {} if follow else {own_flag(project_id, event): on for event, on in flags.items()}
    return stage(rest, all_values(state), {inherits(project_id): follow, **own})


def prune(changes: Values, state: State) -> dict[str, Value]:
    """The changes that still mean something.

    Those are of projects and channels that are there, of flags that are the project's own, to another value than the
    saved one.
    """
    saved = all_values(state)
    projects = {project.id for project in state.projects}
    channels = {(project.id, channel.id) for project in state.projects for channel in project.settings.channels}
    kept: dict[str, Value] = {}
    for path, value in changes.items():
        kind, *rest = path.split(":")
        scope = scope_of(path)
        if saved.get(path) == value or (scope != WORKSPACE and scope not in projects):
            continue
        if kind == "cell" and (rest[0], rest[1]) not in channels:
            continue
        if kind == "flag" and scope != WORKSPACE and follows_workspace(state, changes, scope):
            continue
        kept[path] = value
    return kept


def effective_flags(state: State, changes: Values, project_id: str | None = None) -> dict[str, bool]:
    """The flags that would hold for a project, or the workspace's."""
    own = project_id is not None and not follows_workspace(state, changes, project_id)
    saved = values_of(state, project_id if own and project_id else WORKSPACE)
    return _flags_with(saved, changes, project_id if own else None)


def follows_workspace(state: State, changes: Values, project_id: str) -> bool:
    project = next(project for project in state.projects if project.id == project_id)
    return bool(changes.get(inherits(project_id), project.inherits))


def proposed(state: State, changes: Values) -> dict[str, Settings]:
    """Each project's settings with the changes, by its id; the same object where nothing changes."""
    if not changes:
        return {project.id: project.settings for project in state.projects}
    cells: defaultdict[str, dict[str, dict[str, Value]]] = defaultdict(dict)
    for path, value in changes.items():
        kind, *rest = path.split(":")
        if kind == "cell":
            project_id, channel_id, event = rest
            cells[project_id].setdefault(channel_id, {})[event] = value
    return {
        project.id: with_filters(
            project.settings,
            flags=effective_flags(state, changes, project.id),
            overrides={
                channel.id: _with(channel.overrides, cells[project.id][channel.id])
                for channel in project.settings.channels
                if channel.id in cells[project.id]
            },
        )
        for project in state.projects
    }


def requests(state: State, changes: Values) -> dict[str, dict[str, Any]]:
    """What to ask the services for, by scope: changes of filters in the shape of the API."""
    keys = {channel.id: channel.key for project in state.projects for channel in project.settings.channels}
    asked: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for path, value in changes.items():
        kind, *rest = path.split(":")
        new = asked[scope_of(path)]
        if kind == "inherits":
            new["inherits_workspace_flags"] = value
        elif kind == "flag":
            new.setdefault("events", {})[rest[-1]] = value
        else:
            _, channel_id, event = rest
            new.setdefault("channel_filters", {}).setdefault(keys[channel_id], {})[event] = value
    return dict(asked)


def differences(bases: Mapping[str, Base], state: State, changes: Values) -> list[Difference]:
    """What others changed, since it was seen, in the scopes that the draft touches."""
    found: dict[str, Difference] = {}
    for scope, base in bases.items():
        current = values_of(state, scope)
        for path in sorted({*base.values, *current}):
            before, now = base.values.get(path), current.get(path)
            if before != now:
                found[path] = Difference(path, before, now, changes.get(path), path in changes)
    return list(found.values())


def scopes_of(changes: Iterable[str]) -> list[str]:
    return sorted({scope_of(path) for path in changes})


def _own_flags(project: ProjectState) -> dict[str, Value]:
    return {own_flag(project.id, event): on for event, on in project.settings.flags.items()}


def _flags_with(saved: Values, changes: Values, project_id: str | None) -> dict[str, bool]:
    """The workspace's flags, or a project's own."""
    paths = {event: own_flag(project_id, event) if project_id else workspace_flag(event) for event in catalog.names()}
    return {event: bool(changes.get(path, saved.get(path))) for event, path in paths.items()}


def _with(overrides: Mapping[str, bool], changes: Mapping[str, Value]) -> dict[str, bool]:
    merged: dict[str, Value] = {**overrides, **changes}
    return {event: value for event, value in merged.items() if value is not None}
