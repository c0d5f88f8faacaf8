"""The form of Slack's incoming webhook URLs: https://hooks.slack.com/services/T…/B…/secret."""

from urllib.parse import urlsplit

from notifications.channels.urls import refuse

HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
"""Slack and GovSlack."""


def check_url(url: str) -> tuple[str, tuple[str, ...]]:
    parts = urlsplit(url)
    if parts.hostname not in HOSTS:
        raise refuse(
            "This is not a Slack webhook URL: it must start with https://hooks.slack.com/services/. "
            "Copy it from Incoming Webhooks in your Slack app's settings."
        )
    # Workflow Builder's triggers take flat variables that each workflow defines, not messages.
    if parts.path.startswith(("/workflows/", "/triggers/")):
        raise refuse(
            "This URL starts a workflow of Slack's Workflow Builder, which can't show our messages. "
            "Create an incoming webhook instead: its URL starts with https://hooks.slack.com/services/."
        )
    segments = parts.path.split("/")
    if not parts.path.startswith("/services/") or not segments[2] or ".." in segments:
        raise refuse(
            "The path of a Slack webhook URL starts with /services/, followed by its ids. "
            "Copy the whole URL from Incoming Webhooks in your Slack app's settings."
        )
    if len([segment for segment in segments if segment]) != 4:
        return url, (
            "A Slack webhook URL has three parts after /services/. Send a test to see whether this one works.",
        )
    return url, ()
