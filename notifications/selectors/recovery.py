"""What can be recovered, and how it is going: for the cards of a project's channels."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q

from notifications.models import Channel, Occurrence, RecoveryJob
from notifications.selectors.channels import is_paused
from projects.models import AuditEntry, Project

OFFERED_FOR = timedelta(days=7)
SHOWN_FOR = timedelta(hours=1)
_STOPS = ("channel.paused", "channel.suspended")
_ACTIONS = (*_STOPS, "channel.resumed", "channel.tested", "channel.recovery_started")
# The newest are what counts, and nobody pauses and resumes more often than this without a reason to look again.
_ENTRIES = 2000


@dataclass(frozen=True, slots=True)
class Offer:
    """A stretch in which a channel was paused or suspended, that nobody has recovered yet."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a channel: what, and when."""

    action: str
    at: datetime
    lifted: bool = False
    """A test that lifted a suspension."""


def offer(steps: Sequence[Step], paused_until: datetime | None, moment: datetime) -> Offer | None:
    """The last stretch that ended and was not recovered since. `steps`: the newest first. Pure.

    `paused_until` is the channel's own: the end of a pause that ran out by itself stands nowhere else.
    """
    end: datetime | None = None
    if paused_until is not None and paused_until <= moment:
        end = paused_until
    start: datetime | None = None
    for step in steps:
        if step.action == "channel.recovery_started":
            break
        if step.action == "channel.resumed" or step.lifted:
            if start is not None:
                break
            end = step.at if end is None else max(end, step.at)
        elif step.action in _STOPS and end is not None:
            start = step.at
    if start is None or end is None or start >= end or end < moment - OFFERED_FOR:
        return None
    return Offer(start, end)


def offers(project: Project, channels: Iterable[Channel], moment: datetime) -> dict[Any, Offer]:
    """The offers of those channels that work now. Two queries."""
    working = {
        str(channel.pk): channel
        for channel in channels
        if channel.enabled and channel.suspended_at is None and not is_paused(channel, moment)
    }
    steps: defaultdict[str, list[Step]] = defaultdict(list)
    entries = (
        AuditEntry.objects.filter(
            target_type="channel",
            target_id__in=list(working),
            action__in=_ACTIONS,
            # A pause may have begun long before it ended.
            at__gte=moment - OFFERED_FOR - timedelta(days=366),
        )
        .order_by("-at", "-id")
        .values_list("target_id", "action", "at", "changes")[:_ENTRIES]
    )
    for target, action, at, changes in entries:
        if target in working:
            steps[target].append(Step(action, at, lifted=action == "channel.tested" and "suspended" in changes))
    found = {
        channel.pk: made
        for target, channel in working.items()
        if (made := offer(steps.get(target, ()), channel.paused_until, moment)) is not None
    }
    if not found:
        return {}
    latest = Occurrence.objects.filter(project=project).aggregate(latest=Max("received_at"))["latest"]
    return {pk: made for pk, made in found.items() if latest is not None and latest >= made.since}


def jobs(channels: Iterable[Channel], moment: datetime) -> dict[Any, RecoveryJob]:
    """The newest job of each channel that is under way, or was finished within the last hour."""
    rows = RecoveryJob.objects.filter(channel__in=[channel.pk for channel in channels]).filter(
        Q(finished_at=None) | Q(finished_at__gte=moment - SHOWN_FOR)
    )
    newest: dict[Any, RecoveryJob] = {}
    for job in rows.order_by("created_at", "pk"):
        newest[job.channel_id] = job
    return newest
