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


@checks.register(checks.Tags.security)
def mail_report_secrets_are_strong(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    if all(_is_sign_in(each) for each in _mail_report_secrets()):
        return []
    return [
        checks.Error(
            "ANYMAIL_WEBHOOK_SECRET does not have the form user:password, or the password is short.",
            hint="The password needs at least 16 characters. Write esp:a-long-random-text, several comma separated.",
            id="notifications.E002",
        )
    ]


@checks.register(checks.Tags.security, deploy=True)
def mail_reports_are_taken(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    if not settings.EMAIL_BACKEND.startswith("anymail.") or _mail_report_secrets():
        return []
    return [
        checks.Warning(
            "Bounces and complaints are not learned: without ANYMAIL_WEBHOOK_SECRET reports are refused.",
            hint="Set it, and give the provider https://user:password@…/anymail/<provider>/tracking/ as its webhook.",
            id="notifications.W003",
        )
    ]


def _mail_report_secrets() -> list[str]:
    secrets = settings.ANYMAIL.get("WEBHOOK_SECRET") or []
    return [secrets] if isinstance(secrets, str) else list(secrets)


def _is_sign_in(secret: str) -> bool:
    user, colon, password = secret.partition(":")
    return bool(user and colon) and len(password) >= 16
