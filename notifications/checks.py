"""System checks of the notification settings."""

from typing import Any

from django.conf import settings
from django.core import checks

from notifications.channels.urls import parse_extra_hosts


@checks.register(checks.Tags.security)
def extra_provider_hosts_are_readable(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    _, malformed = parse_extra_hosts(settings.AEGIS_EXTRA_PROVIDER_HOSTS)
    return [
        checks.Error(
            f"AEGIS_EXTRA_PROVIDER_HOSTS: “{entry}” does not have the form kind=host[:port].",
            hint="The kind is slack, discord or teams. Write slack=chat.example.com,discord=127.0.0.1:9000.",
            id="notifications.E001",
        )
        for entry in malformed
    ]
