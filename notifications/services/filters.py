"""Changing the two layers of filters: global flags (of a workspace or a project) and per-channel overrides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from aegisnotify.etags import etag
from notifications.filter_checks import check_events, check_filters, merged, unknown_parts
from notifications.models import Channel, EventFlag, Override
from notifications.selectors.filters import project_filters, workspace_filters
from notifications.selectors.routing import workspace_flags
from projects.actors import Actor
from projects.entitlements import filters_allowed
from projects.errors import Invalid, NotFound, PlanLimit, Stale
from projects.models import Project, Workspace
from projects.selectors import limits_of
from projects.services import audit

PARTS = ("events", "inherits_workspace_flags", "channel_filters")
Changes = dict[str, tuple[Any, Any]]


@transaction.atomic
def change_workspace_filters(
    actor: Actor, workspace: Workspace, new: Mapping[str, Any], *, replace: bool = False, if_match: str | None = None
) -> dict[str, Any]:
    """Change the workspace's flags; the new representation.

    `replace`: all events must be named. Raises `Invalid` with the bad fields (nothing is changed then), `Stale` when
    `if_match` is not the current version.
    """
    workspace = Workspace.objects.select_for_update(of=("self",)).get(pk=workspace.pk)
    current = workspace_filters(workspace)
    _require_match(current, if_match)
    errors = unknown_parts(new, ("events",))
    if replace and "events" not in new:
        errors["events"] = ["This field is required."]
    events = check_events(new.get("events", {}), errors, complete=replace)
    if errors:
        raise Invalid(errors)
    changes = _set_flags(actor, workspace, None, current["events"], events)
    if changes:
        audit.record(actor, "workspace.flags_changed", workspace, workspace=workspace, changes=changes)
    return workspace_filters(workspace)


@transaction.atomic
def change_project_filters(
    actor: Actor, project: Project, new: Mapping[str, Any], *, replace: bool = False, if_match: str | None = None
) -> dict[str, Any]:
    """Change a project's flags and its channels' overrides; the new representation.

    Without `replace` it merges: an override of null is removed, and naming `events` on a project that inherits gives
    it its own set (a copy of the workspace's flags first). With `replace` all three parts are needed and nothing else
    stays. Raises `Invalid` with the bad fields, `PlanLimit` when overrides would change and the plan has none,
    `Stale` like above. Nothing is changed then.
    """
    project = Project.objects.select_for_update(of=("self",)).select_related("workspace__plan").get(pk=project.pk)
    current = project_filters(project)
    _require_match(current, if_match)

    errors = unknown_parts(new, PARTS)
    if replace:
        errors |= {part: ["This field is required."] for part in PARTS if part not in new}
    events = check_events(new.get("events", {}), errors, complete=replace)
    inherits = _check_inherits(project, new, events, errors, replace=replace)
    channels = {channel.key: channel for channel in project.channels.all()}
    filters = check_filters(new.get("channel_filters", {}), channels, errors)
    if errors:
        raise Invalid(errors)

    wanted = merged({} if replace else current["channel_filters"], filters)
    if wanted != current["channel_filters"]:
        exceeded = filters_allowed(limits_of(project.workspace.plan))
        if exceeded:
            raise PlanLimit(exceeded)

    changes = _change_inheritance(project, inherits)
    if not inherits:
        if "inherits_workspace_flags" in changes:
            _set_flags(actor, project.workspace, project, {}, current["events"])
        changes |= _set_flags(actor, project.workspace, project, current["events"], events)
    changes |= _set_overrides(actor, channels, current["channel_filters"], wanted)
    if changes:
        audit.record(
            actor, "project.filters_changed", project, workspace=project.workspace, project=project, changes=changes
        )
    return project_filters(project)


@dataclass(frozen=True, slots=True)
class FilterChange:
    """What to change of a workspace's flags or of one project's filters, and the version that it was made for."""

    new: Mapping[str, Any]
    if_match: str | None = None


@transaction.atomic
def change_filters(
    actor: Actor,
    workspace: Workspace,
    *,
    flags: FilterChange | None = None,
    projects: Mapping[UUID, FilterChange],
) -> None:
    """Change the filters of several projects and the workspace's flags: all of it or nothing.

    Raises like the two above, and `NotFound` for a project that is not (any more) in the workspace.
    """
    # Projects first: a project's version covers the flags it inherits, which the workspace's part may change. In the
    # order of their ids, so that two who save at once can't wait for each other in a circle.
    for pk in sorted(projects):
        project = Project.objects.filter(workspace=workspace, pk=pk).first()
        if project is None:
            raise NotFound("One of these projects was deleted meanwhile.")
        change_project_filters(actor, project, projects[pk].new, if_match=projects[pk].if_match)
    if flags is not None:
        change_workspace_filters(actor, workspace, flags.new, if_match=flags.if_match)


def _require_match(current: Mapping[str, Any], if_match: str | None) -> None:
    if if_match is None or if_match.strip() == "*":
        return
    if etag(current) not in [tag.strip() for tag in if_match.split(",")]:
        raise Stale("These settings were changed meanwhile. Read them again, then repeat your change.")


def _check_inherits(
    project: Project,
    new: Mapping[str, Any],
    events: Mapping[str, bool],
    errors: dict[str, list[str]],
    *,
    replace: bool,
) -> bool:
    name = "inherits_workspace_flags"
    inherits = new.get(name, project.inherits_workspace_flags and not events)
    if not isinstance(inherits, bool):
        errors[name] = ["Must be true or false."]
        return False
    # Reading and putting back what was read must be allowed, so equal flags are no contradiction.
    if inherits and "events" in new and not errors:
        flags = workspace_flags(project.workspace_id)
        if any(flags[event] != value for event, value in events.items()):
            errors["events"] = [
                "These differ from the workspace's flags. Set inherits_workspace_flags to false as well."
            ]
    return inherits


def _change_inheritance(project: Project, inherits: bool) -> Changes:
    if inherits == project.inherits_workspace_flags:
        return {}
    project.inherits_workspace_flags = inherits
    project.save(update_fields=["inherits_workspace_flags"])
    if inherits:
        project.event_flags.all().delete()
    return {"inherits_workspace_flags": (not inherits, inherits)}


def _set_flags(
    actor: Actor,
    workspace: Workspace,
    project: Project | None,
    current: Mapping[str, bool],
    new: Mapping[str, bool],
) -> Changes:
    changes: Changes = {}
    for event, enabled in new.items():
        if current.get(event) == enabled:
            continue
        EventFlag.objects.update_or_create(
            workspace=workspace,
            project=project,
            event=event,
            defaults={"enabled": enabled, "changed_by": actor.user},
        )
        changes[f"events.{event}"] = (current.get(event), enabled)
    return changes


def _set_overrides(
    actor: Actor,
    channels: Mapping[str, Channel],
    current: Mapping[str, Mapping[str, bool]],
    wanted: Mapping[str, Mapping[str, bool]],
) -> Changes:
    changes: Changes = {}
    for key, channel in channels.items():
        old, new = current.get(key, {}), wanted.get(key, {})
        for event in sorted(set(old) | set(new)):
            if old.get(event) == new.get(event):
                continue
            if event in new:
                Override.objects.update_or_create(
                    channel=channel, event=event, defaults={"enabled": new[event], "changed_by": actor.user}
                )
            else:
                Override.objects.filter(channel=channel, event=event).delete()
            changes[f"channel_filters.{key}.{event}"] = (old.get(event), new.get(event))
    return changes
