"""Slack's parts, put together."""

from datetime import timedelta
from typing import ClassVar

from notifications.channels.base import Answer, Context, Reading
from notifications.channels.chat import ChatKind
from notifications.channels.slack import answers, config, rendering
from notifications.messages import Message


class Slack(ChatKind):
    name: ClassVar[str] = "slack"
    label: ClassVar[str] = "Slack"
    icon: ClassVar[str] = "brand-slack"
    # One message a second per webhook (https://docs.slack.dev/apis/web-api/rate-limits/).
    pace: ClassVar[timedelta | None] = timedelta(seconds=1)
    setup_steps: ClassVar[tuple[str, ...]] = (
        "Open https://api.slack.com/apps, choose Create New App, then From scratch, and pick your workspace.",
        "Under Incoming Webhooks switch them on and choose Add New Webhook to Workspace.",
        "Pick the channel that gets the messages. Each webhook posts to one channel.",
        "Copy the webhook URL (https://hooks.slack.com/services/…), paste it here and send a test.",
    )

    def check_url(self, url: str) -> tuple[str, tuple[str, ...]]:
        return config.check_url(url)

    def render(self, message: Message, context: Context, *, compact: bool = False) -> str:
        return rendering.render(message, context, compact=compact)

    def read(self, answer: Answer) -> Reading:
        return answers.read(answer)
