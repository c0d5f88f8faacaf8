"""Discord's parts, put together."""

from typing import ClassVar
from urllib.parse import urlsplit

from aegisnotify import __version__
from notifications.channels.base import Answer, Context, Reading
from notifications.channels.chat import ChatKind
from notifications.channels.discord import answers, config, rendering
from notifications.messages import Message


class Discord(ChatKind):
    name: ClassVar[str] = "discord"
    label: ClassVar[str] = "Discord"
    icon: ClassVar[str] = "brand-discord"
    # Discord asks for this form, and its proxy may block others (https://discord.com/developers/docs/reference).
    user_agent: ClassVar[str] = f"DiscordBot (https://aegisrunner.com, {__version__})"
    setup_steps: ClassVar[tuple[str, ...]] = (
        "In Discord open the channel's settings, then Integrations → Webhooks. "
        "You need the permission Manage Webhooks.",
        "Choose New Webhook and name it AegisRunner.",
        "Choose Copy Webhook URL, paste it here and send a test.",
        "For a forum or media channel add ?thread_id= and the id of the thread to the URL.",
    )

    def check_url(self, url: str) -> tuple[str, tuple[str, ...]]:
        return config.check_url(url)

    def render(self, message: Message, context: Context, *, compact: bool = False) -> str:
        return rendering.render(message, context, compact=compact)

    def request_url(self, url: str) -> str:
        # Without it Discord answers before it stored the message, and says nothing if that fails.
        return f"{url}{'&' if urlsplit(url).query else '?'}wait=true"

    def read(self, answer: Answer) -> Reading:
        return answers.read(answer)
