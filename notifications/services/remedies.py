"""Doing what lets a channel hear again, through the services that own what is changed."""

from notifications.addresses.services import request_confirmations
from notifications.insight.remedies import Kind, Remedy
from notifications.models import Channel
from notifications.routing import RecipientState
from notifications.selectors.routing import recipients_of
from notifications.services.coverage import apply_fix
from notifications.services.testing import TestResult, send_test
from projects.actors import Actor
from projects.models import User


def apply_remedy(actor: Actor, user: User, channel: Channel, remedy: Remedy) -> str | TestResult:
    """What was done, as a sentence, or what came of the test. For remedies that are no links.

    `channel` with its project and workspace loaded. Raises what the service behind the remedy raises.
    """
    if remedy.kind is Kind.TEST:
        return send_test(actor, channel, remedy.event)
    if remedy.kind is Kind.CONFIRM:
        return _ask(actor, channel)
    assert remedy.fix is not None
    apply_fix(actor, user, channel.project.workspace, remedy.fix)
    return f"Done: {remedy.label[0].lower()}{remedy.label[1:]}."


def ask_recipients(actor: Actor, channel: Channel, email: str | None = None) -> list[str]:
    """Ask the unconfirmed recipients, or one of them, to confirm. Returns whom a mail went to.

    `channel` with its project and workspace loaded.
    """
    recipients = recipients_of(channel.project, [channel]).get(channel.pk, ())
    waiting = [
        recipient.email
        for recipient in recipients
        if recipient.state is RecipientState.UNCONFIRMED and email in (None, recipient.email)
    ]
    return list(request_confirmations(actor, channel.project.workspace, waiting))


def _ask(actor: Actor, channel: Channel) -> str:
    asked = ask_recipients(actor, channel)
    if not asked:
        return "They were asked a moment ago, or often enough today. Nothing was sent."
    return f"A mail to confirm the address went to {', '.join(asked)}."
