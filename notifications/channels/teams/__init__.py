"""Microsoft Teams: Workflows webhooks, Adaptive Cards."""

from notifications.channels.teams.kind import Teams

__all__ = ["Teams"]
