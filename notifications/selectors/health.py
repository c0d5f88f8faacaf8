"""How channels are doing, in one word each."""

import enum
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Func, IntegerField, OuterRef, Q, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from notifications.models import Channel
from notifications.selectors.channels import beyond_plan, is_paused
from projects import navigation
from projects.entitlements import Exceeded, Limits


class ChannelHealth(enum.StrEnum):
    """The worst first."""

    SUSPENDED = "suspended"
    FAILING = "failing"
    OVER_PLAN_LIMIT = "over_plan_limit"
    PAUSED = "paused"
    HEALTHY = "healthy"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Checkup:
    channel: Channel
    health: ChannelHealth
    exceeded: Exceeded | None = None
    """The limit of the plan that has no room for it."""


def checkups(channels: Iterable[Channel], limits: Limits, moment: datetime) -> Iterator[Checkup]:
    """The state of each channel. `channels`: all of one or more projects, each project's together and in order."""
    for _project_id, group in itertools.groupby(channels, key=lambda channel: channel.project_id):
        members = list(group)
        over = beyond_plan(limits, members)
        for channel in members:
            health = health_of(channel, over=channel.pk in over, moment=moment)
            yield Checkup(channel, health, over.get(channel.pk))


@navigation.counts("notifications", "failing")
def failing_channels(moment: datetime) -> Combinable:
    """How many channels of a workspace fail or are suspended. The plan's limits are not looked at, which takes rows: a
    channel beyond them that failed before is counted."""
    troubled = Channel.objects.filter(
        Q(suspended_at__isnull=False)
        | Q(failures_in_a_row__gt=0) & (Q(paused_until=None) | Q(paused_until__lte=moment)),
        enabled=True,
        project__workspace=OuterRef("pk"),
    )
    number = troubled.order_by().annotate(number=Func(F("pk"), function="COUNT")).values("number")
    return Coalesce(Subquery(number, output_field=IntegerField()), 0)


def health_of(channel: Channel, *, over: bool, moment: datetime) -> ChannelHealth:
    if not channel.enabled:
        return ChannelHealth.OFF
    if channel.suspended_at is not None:
        return ChannelHealth.SUSPENDED
    if over:
        return ChannelHealth.OVER_PLAN_LIMIT
    if is_paused(channel, moment):
        return ChannelHealth.PAUSED
    return ChannelHealth.FAILING if channel.failures_in_a_row else ChannelHealth.HEALTHY
