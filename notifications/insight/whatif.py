"""What-if: the occurrences of the last days, replayed through other filters. Two queries, however many there were.

One aggregate yields the groups; the ids of failures that nobody would hear of any more are read only where there are
any, and at most a hundred.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import Count, Q

from notifications import catalog
from notifications.filter_checks import check_events, check_filters, merged, unknown_parts
from notifications.insight.replay import Case, Group, Replay, replay, with_filters
from notifications.models import Occurrence
from notifications.routing import Settings
from notifications.selectors.routing import routing_settings
from projects.errors import Invalid
from projects.models import Project, Workspace
from projects.selectors import limits_of

DEFAULT_DAYS, LONGEST_DAYS = 7, 30
IDS_SHOWN = 100
RECENT_SECONDS = 60
_PARTS = ("events", "channel_filters", "days")


@dataclass(frozen=True, slots=True)
class WhatIf:
    replay: Replay
    unheard: tuple[UUID, ...]
    """Failures nobody would hear of any more, the newest first, at most `IDS_SHOWN`."""
    days: int


def what_if_for_project(project: Project, body: Mapping[str, Any], moment: datetime) -> WhatIf:
    """What-if for a project (with its workspace and plan loaded) from what the API takes.

    `events` and `channel_filters` merge like a PATCH of the settings, `days` is 1 to 30. Raises `Invalid`.
    """
    now = routing_settings(project, moment)
    errors = unknown_parts(body, _PARTS)
    events = check_events(body.get("events", {}), errors)
    ids = {channel.key: channel.id for channel in now.channels}
    filters = check_filters(body.get("channel_filters", {}), ids, errors)
    days = body.get("days", DEFAULT_DAYS)
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= LONGEST_DAYS:
        errors["days"] = [f"Must be a whole number from 1 to {LONGEST_DAYS}."]
    if errors:
        raise Invalid(errors)
    proposed = _proposed(now, events, filters)
    return what_if(project.workspace, {str(project.pk): Case(now, proposed)}, days=days, moment=moment)


def what_if(
    workspace: Workspace,
    cases: Mapping[str, Case],
    *,
    moment: datetime,
    days: int = DEFAULT_DAYS,
    groups: Iterable[Group] | None = None,
) -> WhatIf:
    """Replay the last `days`, at most what the plan keeps, of the projects that `cases` names by id.

    `groups` are those days' where they were counted already.
    """
    days = within_history(workspace, days)
    since = moment - timedelta(days=days)
    if groups is None:
        groups = fired_groups(workspace, since, project_id=next(iter(cases)) if len(cases) == 1 else None)
    replayed = replay(groups, cases)
    return WhatIf(replayed, _ids(workspace, replayed.silenced, since), days)


def within_history(workspace: Workspace, days: int) -> int:
    kept = limits_of(workspace.plan).history_days
    return days if kept is None else min(days, kept)


def periods(workspace: Workspace) -> tuple[int, ...]:
    """The numbers of days to choose from: a week and a month, as far as the plan keeps them."""
    return tuple(dict.fromkeys(within_history(workspace, days) for days in (DEFAULT_DAYS, LONGEST_DAYS)))


def fired_groups(workspace: Workspace, since: datetime, *, project_id: str | None = None) -> list[Group]:
    """How many occurrences of the workspace, or of one project, since `since` fired which events."""
    projects = workspace.projects.filter(pk=project_id) if project_id else workspace.projects.all()
    # With project and every list of events that can fire named, one index answers, in the order of the groups: 50,000
    # occurrences take SQLite 10 ms. By the workspace it reads and sorts all that it ever had: 0.15 s.
    rows = Occurrence.objects.filter(project__in=projects.order_by(), fired__in=_FIRED_LISTS, received_at__gte=since)
    counted = rows.order_by().values_list("project", "fired").annotate(count=Count("*"))
    return [Group(str(project), _split(fired), count) for project, fired, count in counted]


def recent_groups(workspace: Workspace, moment: datetime, days: int = DEFAULT_DAYS) -> list[Group]:
    """Those of the last days, up to a minute old: a page that is clicked through asks again with every click."""
    days = within_history(workspace, days)
    key = f"fired-groups:{workspace.pk}:{days}"
    groups: list[Group] | None = None
    # A broken cache costs time, not the page.
    with contextlib.suppress(Exception):
        groups = cache.get(key)
    if groups is None:
        groups = fired_groups(workspace, moment - timedelta(days=days))
        with contextlib.suppress(Exception):
            cache.set(key, groups, RECENT_SECONDS)
    return groups


def _proposed(now: Settings, events: Mapping[str, bool], filters: Mapping[str, Mapping[str, bool | None]]) -> Settings:
    current = {channel.key: channel.overrides for channel in now.channels}
    wanted = merged(current, filters)
    return with_filters(
        now,
        flags={**now.flags, **events},
        overrides={channel.id: wanted.get(channel.key, {}) for channel in now.channels if channel.key in filters},
    )


def _ids(workspace: Workspace, groups: Iterable[Group], since: datetime) -> tuple[UUID, ...]:
    by_fired: defaultdict[str, list[str]] = defaultdict(list)
    for group in groups:
        by_fired[",".join(group.fired)].append(group.project_id)
    if not by_fired:
        return ()
    where = Q()
    for fired, project_ids in by_fired.items():
        where |= Q(fired=fired, project__in=project_ids)
    rows = Occurrence.objects.filter(where, workspace=workspace, received_at__gte=since)
    return tuple(rows.order_by("-received_at", "-pk").values_list("pk", flat=True)[:IDS_SHOWN])


def _split(fired: str) -> tuple[str, ...]:
    return tuple(fired.split(",")) if fired else ()


# A cancelled run fires nothing, and is an occurrence all the same.
_FIRED_LISTS = sorted({"", *(",".join(fired) for name in catalog.names() for fired in catalog.fired_lists_with(name))})
