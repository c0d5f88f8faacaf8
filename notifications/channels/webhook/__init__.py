"""Signed webhooks: one POST per event to an address of the customer's own."""

from notifications.channels.webhook.kind import Webhook

__all__ = ["Webhook"]
