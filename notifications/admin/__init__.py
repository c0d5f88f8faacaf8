"""The admin of channels, events and deliveries: one module per concern."""

from notifications.admin import addresses, channels, deliveries, filters, occurrences, operations, recovery

__all__ = ["addresses", "channels", "deliveries", "filters", "occurrences", "operations", "recovery"]
