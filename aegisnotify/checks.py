"""System checks of the settings: they say what is misconfigured and how to mend it."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.security)
def encryption_keys_are_fernet_keys(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    for position, key in enumerate(settings.AEGIS_ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            return [
                checks.Error(
                    f"Key {position} of AEGIS_ENCRYPTION_KEYS is not a Fernet key.",
                    hint='Make one with: python -c "from cryptography.fernet import Fernet; '
                    'print(Fernet.generate_key().decode())"',
                    id="aegisnotify.E001",
                )
            ]
    return []


@checks.register(checks.Tags.security)
def trusted_proxies_are_networks(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    for name in settings.AEGIS_TRUSTED_PROXIES:
        try:
            ipaddress.ip_network(name.strip(), strict=False)
        except ValueError:
            found.append(
                checks.Error(
                    f"AEGIS_TRUSTED_PROXIES: “{name}” is neither an address nor a network.",
                    hint="Write 10.0.0.7 or 10.0.0.0/8, comma separated.",
                    id="aegisnotify.E002",
                )
            )
    return found


@checks.register(checks.Tags.security, deploy=True)
def base_url_is_public(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    if urlsplit(settings.AEGIS_BASE_URL).scheme == "https":
        return []
    return [
        checks.Warning(
            "AEGIS_BASE_URL is not https: links in messages and cookies are not protected.",
            hint="Set AEGIS_BASE_URL to the https address people use.",
            id="aegisnotify.W003",
        )
    ]


@checks.register(checks.Tags.security, deploy=True)
def private_targets_are_closed(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    if not settings.AEGIS_ALLOW_PRIVATE_TARGETS:
        return []
    return [
        checks.Warning(
            "AEGIS_ALLOW_PRIVATE_TARGETS is on: webhooks can reach services inside your network.",
            hint="It is meant for development. Unset it in production.",
            id="aegisnotify.W004",
        )
    ]
