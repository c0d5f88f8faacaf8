"""Discord: webhooks, embeds."""

from notifications.channels.discord.kind import Discord

__all__ = ["Discord"]
