"""API tokens: made, shown once, checked by their hash, revoked."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from aegisnotify.clock import now
from projects.actors import Actor
from projects.errors import Invalid
from projects.models import ApiToken, Project, Workspace
from projects.scopes import Scope
from projects.services import audit

PREFIX = "aegis_"
# last_used_at is for people; writing it on every request would double the cost of one.
LAST_USED_STEP = timedelta(minutes=1)


def digest(token: str) -> str:
    """SHA-256 in hex. A token has 256 random bits: a slow hash would protect nothing and cost every request."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def create_token(
    actor: Actor,
    workspace: Workspace,
    *,
    name: str,
    scopes: Iterable[str],
    project: Project | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its text, which is stored nowhere. Raises `Invalid` for an unknown scope or no name."""
    scopes = sorted(set(scopes))
    unknown = [scope for scope in scopes if scope not in set(Scope)]
    errors: dict[str, list[str]] = {}
    if unknown:
        errors["scopes"] = [f"Unknown: {', '.join(unknown)}. Known: {', '.join(Scope)}."]
    elif not scopes:
        errors["scopes"] = ["Choose at least one."]
    if not name.strip():
        errors["name"] = ["Say what the token is for."]
    if len(name) > 80:
        errors["name"] = ["At most 80 characters."]
    if errors:
        raise Invalid(errors)
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        workspace=workspace,
        project=project,
        name=name.strip(),
        hint=text[: len(PREFIX) + 6],
        digest=digest(text),
        scopes=scopes,
        created_by=actor.user,
    )
    audit.record(
        actor,
        "token.created",
        token,
        workspace=workspace,
        project=project,
        changes={"name": (None, token.name), "scopes": (None, scopes)},
    )
    return token, text


@transaction.atomic
def revoke_token(actor: Actor, token: ApiToken) -> None:
    """From now on the token opens nothing. Revoking again changes nothing."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now()):
        audit.record(
            actor,
            "token.revoked",
            token,
            workspace=token.workspace,
            project=token.project,
            changes={"revoked": (False, True)},
        )


def find_token(text: str) -> ApiToken | None:
    """The token with this text, unless it was revoked. Never cached: a revoked token stops at once."""
    return (
        ApiToken.objects.select_related("workspace__plan", "project")
        .filter(digest=digest(text), revoked_at=None)
        .first()
    )


def touch_token(token: ApiToken) -> None:
    """Remember that the token was used, to the minute."""
    moment = now()
    if token.last_used_at is None or token.last_used_at < moment - LAST_USED_STEP:
        ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=moment - LAST_USED_STEP), pk=token.pk).update(
            last_used_at=moment
        )
