"""Reading channels: their states, places and shape in the API."""

from collections.abc import Hashable, Iterable
from datetime import datetime

from notifications.channels import registry
from notifications.models import Channel
from projects.entitlements import Exceeded, Limits, Place, refused


def is_paused(channel: Channel, moment: datetime) -> bool:
    return channel.paused_until is not None and channel.paused_until > moment


def place_of(channel: Channel) -> Place:
    return Place(channel.pk, channel.kind, registry.get(channel.kind).category)


def places(channels: Iterable[Channel]) -> list[Place]:
    """The places that these channels use, in the given order: enabled ones do, paused and suspended too."""
    return [place_of(channel) for channel in channels if channel.enabled]


def over_plan_limit(limits: Limits, channels: Iterable[Channel]) -> frozenset[object]:
    """The ids of the enabled channels of one project that the plan does not carry. `channels`: all, in order."""
    return frozenset(beyond_plan(limits, channels))


def beyond_plan(limits: Limits, channels: Iterable[Channel]) -> dict[Hashable, Exceeded]:
    """The same, each with the limit that has no room for it."""
    return refused(limits, places(channels))
