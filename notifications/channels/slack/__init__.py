"""Slack: incoming webhooks, Block Kit."""

from notifications.channels.slack.kind import Slack

__all__ = ["Slack"]
