"""Email: Django mail (SMTP, or a provider by django-anymail), text and HTML, one mail per recipient."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from notifications.channels.base import Answer, ChannelKind, Checked, Context, Outgoing, Reading
from notifications.channels.email import answers, config, rendering, sending
from notifications.messages import Message
from projects.entitlements import Category

if TYPE_CHECKING:
    from notifications.delivery.transport import Transport

__all__ = ["Email"]


class Email(ChannelKind):
    name = "email"
    label = "Email"
    icon = "mail"
    category = Category.EMAIL
    settings = frozenset({"recipients", "mode", "digest_time"})
    setup_steps = (
        "Nothing to set up: without recipients, messages go to the workspace owner's address.",
        f"Add up to {config.MAX_RECIPIENTS} addresses to tell others.",
        "An address that is not a verified member's is asked by mail to confirm it, and gets nothing else before.",
    )

    def check(self, submitted: Mapping[str, Any], current: Mapping[str, Any] | None) -> Checked:
        return config.check(submitted, current)

    def render(self, message: Message, context: Context, *, compact: bool = False) -> str:
        return rendering.render(message, context, compact=compact)

    def send(self, outgoing: Outgoing, transport: "Transport") -> Answer:
        return sending.send(outgoing, transport.mail)

    def read(self, answer: Answer) -> Reading:
        return answers.read(answer)
