"""All kinds of channel, in the order in which pages list them."""

from notifications.channels.base import ChannelKind
from notifications.channels.discord import Discord
from notifications.channels.email import Email
from notifications.channels.slack import Slack
from notifications.channels.teams import Teams
from notifications.channels.webhook import Webhook

_kinds: dict[str, ChannelKind] = {kind.name: kind for kind in (Email(), Slack(), Discord(), Teams(), Webhook())}


def kinds() -> tuple[ChannelKind, ...]:
    return tuple(_kinds.values())


def get(name: str) -> ChannelKind:
    """Raises `KeyError` for an unknown kind."""
    return _kinds[name]


def find(name: str) -> ChannelKind | None:
    return _kinds.get(name)
