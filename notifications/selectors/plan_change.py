"""Which channels another plan would carry, and which no longer."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from notifications.channels import registry
from notifications.models import Channel, Override
from notifications.selectors.channels import over_plan_limit
from projects.hooks import Effect
from projects.models import Plan, Workspace
from projects.selectors import limits_of


def effects_on_channels(workspace: Workspace, plan: Plan) -> Iterable[Effect]:
    """Two queries. `workspace` with its plan loaded."""
    old, new = limits_of(workspace.plan), limits_of(plan)
    rows = (
        Channel.objects.filter(project__workspace=workspace, enabled=True)
        .select_related("project")
        .defer("config")
        .order_by("project__name", "project_id", "position", "created_at", "pk")
    )
    by_project: defaultdict[Any, list[Channel]] = defaultdict(list)
    for channel in rows:
        by_project[channel.project_id].append(channel)
    for channels in by_project.values():
        before, then = over_plan_limit(old, channels), over_plan_limit(new, channels)
        for channel in channels:
            if (channel.pk in before) != (channel.pk in then):
                words = ("gets messages", "over the plan limit: kept, and sent nothing")
                gone = channel.pk in then
                label = f"{registry.get(channel.kind).label} channel {channel.name} ({channel.key})"
                yield Effect(channel.project.name, label, words[not gone], words[gone], gone)
    if old.per_channel_filters != new.per_channel_filters:
        stored = Override.objects.filter(channel__project__workspace=workspace).count()
        words = ("applied", "kept, and not applied")
        lost = old.per_channel_filters
        yield Effect("Workspace", f"Filters per channel ({stored} set)", words[not lost], words[lost], lost)
