"""The quickstart's demo workspace: two projects whose channels of all kinds lead to the sandbox.

It is made once and then belongs to whoever plays with it: later starts change nothing but what they must, the sandbox's
port in the URLs, the owner's password and the API token.
"""

import logging
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django_q.tasks import async_task

from aegisnotify.clock import now
from notifications import catalog
from notifications.models import Channel
from notifications.sandbox import webhook_secrets
from notifications.services.channels import create_channel, update_channel
from notifications.services.filters import change_project_filters
from projects.access import Role
from projects.actors import Actor, Source
from projects.models import Plan, User, Workspace
from projects.scopes import Scope
from projects.services import audit
from projects.services.projects import create_project
from projects.services.tokens import create_token, revoke_token
from projects.services.workspaces import create_workspace
from projects.slugs import free_slug

ACTOR = Actor("quickstart", Source.COMMAND)
OWNER = "owner@acme.example"
PLAN = "business"
TOKEN_NAME = "quickstart"  # noqa: S105 - the name of a token, not a token
PROJECTS = (("Acme Web", "acme-web", "https://www.acme.example"), ("Checkout API", "checkout-api", ""))

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a start hands out. `sign_of_life`: what the worker will write to its file; empty when it can't be asked."""

    password: str
    token: str
    sign_of_life: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def seed() -> Seeded:
    """Make or freshen the demo workspace, for the sandbox at `AEGIS_SANDBOX_TARGET`. The tables must be there."""
    with transaction.atomic():
        owner, password = _owner()
        workspace = Workspace.objects.filter(memberships__user=owner, memberships__role=Role.OWNER).first()
        if workspace is None:
            workspace = _create(owner)
        _follow_the_sandbox(workspace)
        token = _new_token(workspace)
    return Seeded(password, token, _ask_for_sign_of_life())


def _owner() -> tuple[User, str]:
    """The owner, with a new password: it is shown on the terminal, so it is worth one start only."""
    password = secrets.token_urlsafe(12)
    owner = User.objects.filter(email=OWNER).first()
    if owner is None:
        # On a database server the accounts of staff are none of a demo's business.
        owner = User(
            email=OWNER,
            name="Olivia Owner",
            email_verified_at=now(),
            is_staff=settings.EMBEDDED,
            is_superuser=settings.EMBEDDED,
        )
    owner.set_password(password)
    owner.save()
    audit.record(ACTOR, "user.password_changed", owner, workspace=None)
    return owner, password


def _create(owner: User) -> Workspace:
    # Somebody else may have the slug, where the database is not the demo's own.
    slug = free_slug("acme", lambda taken: Workspace.objects.filter(slug=taken).exists())
    plan = Plan.objects.get(code=PLAN)
    workspace = create_workspace(ACTOR, name="Acme QA", owner=owner, plan=plan, slug=slug)
    for name, project_slug, base_url in PROJECTS:
        project = create_project(ACTOR, workspace, name=name, slug=project_slug, base_url=base_url)
        for kind, url in _urls(project_slug).items():
            create_channel(ACTOR, project, kind=kind, url=url)
        # A machine wants to hear of everything, whatever people want to read.
        everything = {"webhook": dict.fromkeys(catalog.names(), True)}
        change_project_filters(ACTOR, project, {"channel_filters": everything})
    return workspace


def _urls(project_slug: str) -> dict[str, str]:
    """URLs of the form that each provider's have. Email needs none: a new project has that channel already."""
    base = f"http://{settings.AEGIS_SANDBOX_TARGET}"
    secret = secrets.token_hex(12)
    return {
        "slack": f"{base}/slack/services/T0SANDBOX/B{secret[:8].upper()}/{secret}",
        "discord": f"{base}/discord/api/v10/webhooks/{10**17 + secrets.randbelow(10**17)}/{secret}",
        "teams": f"{base}/teams/workflows/{secret}/triggers/manual/paths/invoke"
        f"?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={secret}",
        "webhook": f"{base}/webhook/{project_slug}",
    }


def _follow_the_sandbox(workspace: Workspace) -> None:
    """Lead the channels that point at an earlier sandbox to this one, and tell it the webhooks' secrets."""
    known: dict[str, list[str]] = {}
    for channel in Channel.objects.filter(project__workspace=workspace).exclude(kind="email"):
        parts = urlsplit(channel.config["url"])
        if parts.hostname != urlsplit(f"//{settings.AEGIS_SANDBOX_TARGET}").hostname:
            continue
        if parts.netloc != settings.AEGIS_SANDBOX_TARGET:
            url = parts._replace(netloc=settings.AEGIS_SANDBOX_TARGET).geturl()
            channel = update_channel(ACTOR, channel, url=url).channel
        if channel.kind == "webhook":
            held = [channel.config["secret"], channel.config.get("next_secret")]
            known.setdefault(parts.path.removeprefix("/webhook/"), []).extend(secret for secret in held if secret)
    webhook_secrets.write(known)


def _new_token(workspace: Workspace) -> str:
    for old in workspace.api_tokens.filter(name=TOKEN_NAME, revoked_at=None):
        revoke_token(ACTOR, old)
    _token, text = create_token(ACTOR, workspace, name=TOKEN_NAME, scopes=list(Scope))
    return text


# --- Whether the worker works ---------------------------------------------------------------------------------------


def sign_of_life_file() -> Path:
    return Path(settings.AEGIS_SANDBOX_DIR) / "sign-of-life"


def give_sign_of_life(text: str) -> None:
    """Called by the background worker."""
    sign_of_life_file().write_text(text, encoding="utf-8")


def _ask_for_sign_of_life() -> str:
    """Have the first free worker leave this text in the file."""
    text = secrets.token_hex(8)
    try:
        async_task("notifications.sandbox.demo.give_sign_of_life", text)
    except Exception as error:
        # The broker is away; the worker delivers without it, only later.
        logger.warning("The broker took no task: %s", type(error).__name__)
        return ""
    return text
