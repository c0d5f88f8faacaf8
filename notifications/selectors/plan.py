"""What a workspace has that its plan does not carry."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from notifications.channels import registry
from notifications.models import Channel, Override
from notifications.selectors.channels import over_plan_limit, places
from projects.entitlements import room_for
from projects.models import Workspace
from projects.selectors import limits_of

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Unserved:
    """An enabled channel that gets nothing, because its project has more channels than the plan carries."""

    channel: Channel
    kind_label: str
    icon: str
    sentence: str


@dataclass(frozen=True, slots=True)
class BeyondPlan:
    channels: tuple[Unserved, ...]
    """At most `SHOWN` of them."""
    channel_count: int
    idle_filters: int
    """Filters of channels that are kept and not applied, because the plan has none."""


def beyond_plan(workspace: Workspace) -> BeyondPlan:
    """`workspace` with its plan loaded. Two queries at most."""
    limits = limits_of(workspace.plan)
    rows = (
        Channel.objects.filter(project__workspace=workspace, enabled=True)
        .select_related("project")
        .defer("config")
        .order_by("project__name", "project_id", "position", "created_at", "pk")
    )
    by_project: defaultdict[Any, list[Channel]] = defaultdict(list)
    for channel in rows:
        by_project[channel.project_id].append(channel)
    found: list[Unserved] = []
    for channels in by_project.values():
        over = over_plan_limit(limits, channels)
        kept = places(channel for channel in channels if channel.pk not in over)
        for channel in channels:
            if channel.pk in over:
                kind = registry.get(channel.kind)
                exceeded = room_for(limits, kept, kind.name, kind.category)
                found.append(Unserved(channel, kind.label, kind.icon, exceeded.sentence if exceeded else ""))
    idle = 0
    if not limits.per_channel_filters:
        idle = Override.objects.filter(channel__project__workspace=workspace).count()
    return BeyondPlan(tuple(found[:SHOWN]), len(found), idle)
