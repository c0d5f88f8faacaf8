"""The parts of Microsoft Teams, put together."""

from typing import ClassVar

from notifications.channels.base import Answer, Context, Reading
from notifications.channels.chat import ChatKind
from notifications.channels.teams import answers, config, rendering
from notifications.messages import Message


class Teams(ChatKind):
    name: ClassVar[str] = "teams"
    label: ClassVar[str] = "Microsoft Teams"
    icon: ClassVar[str] = "brand-teams"
    setup_steps: ClassVar[tuple[str, ...]] = (
        "In Teams open the channel's menu (…) → Workflows and pick the template that posts to a channel "
        "when a webhook request is received.",
        "In the workflow's trigger set “Who can trigger the flow?” to Anyone: "
        "any other choice asks for a sign-in, and our messages are refused.",
        "Save the workflow, copy its URL whole, paste it here and send a test. "
        "Teams only says that it queued the message, so look for it in the channel.",
        "Add a co-owner to the workflow: it belongs to a person and stops when that person leaves.",
        "A workflow that nothing triggers for 90 days is switched off by Microsoft. Send a test from time to time.",
    )

    def check_url(self, url: str) -> tuple[str, tuple[str, ...]]:
        return config.check_url(url)

    def render(self, message: Message, context: Context, *, compact: bool = False) -> str:
        return rendering.render(message, context, compact=compact)

    def read(self, answer: Answer) -> Reading:
        return answers.read(answer)
