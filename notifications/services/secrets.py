"""Showing a webhook's secret to somebody who proves again who they are."""

from dataclasses import dataclass
from typing import Any

from notifications.channels.webhook import signature
from notifications.models import Channel
from notifications.services.channels import activate_due_secret
from projects.actors import Actor, Source
from projects.errors import Conflict, Forbidden, Invalid
from projects.services import audit
from projects.services.accounts import check_password


@dataclass(frozen=True, slots=True)
class Secret:
    """`text` keys `X-AegisRunner-Signature`; `standard` is what the Standard Webhooks libraries take."""

    text: str
    standard: str

    @property
    def differs(self) -> bool:
        return self.text != self.standard


@dataclass(frozen=True, slots=True)
class Revealed:
    """The secret that signs, and the staged one, if there is one."""

    current: Secret
    staged: Secret | None


def in_both_forms(text: str) -> Secret:
    return Secret(text, signature.standard_secret(text))


def reveal_secret(actor: Actor, channel: Channel, password: Any) -> Revealed:
    """The secrets of a webhook, for a person who gives their password on a page. Audited, also when it is wrong.

    Raises `Forbidden` for tokens and everything else that is no person on a page, `Conflict` where there is no secret,
    `Invalid` for a wrong password, `TooMany` after ten of them in a quarter of an hour.
    """
    if actor.user is None or actor.source is not Source.PAGE:
        raise Forbidden("A secret is shown only on its page, to a person who gives their password.")
    channel = activate_due_secret(channel)
    secret = channel.config.get("secret")
    if not secret:
        raise Conflict("Only webhooks have a secret.")
    try:
        check_password(actor.user, password if isinstance(password, str) else "")
    except Invalid:
        _audit(actor, channel, "channel.secret_refused")
        raise
    _audit(actor, channel, "channel.secret_revealed")
    staged = channel.config.get("next_secret")
    return Revealed(in_both_forms(str(secret)), in_both_forms(str(staged)) if staged else None)


def _audit(actor: Actor, channel: Channel, action: str) -> None:
    project = channel.project
    audit.record(actor, action, channel, workspace=project.workspace, project=project)
