"""Creating workspaces, renaming them, changing their plan, deleting them."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

from aegisnotify import rates
from aegisnotify.clock import now
from projects import hooks
from projects.access import Role
from projects.actors import Actor
from projects.entitlements import is_shorter
from projects.errors import Forbidden, Invalid, Stale, TooMany
from projects.models import Membership, Plan, User, Workspace
from projects.selectors import owner_of
from projects.services import audit
from projects.services.projects import create_project
from projects.slugs import free_slug
from projects.versions import WORKSPACE_SETTINGS, version_of

FIRST_PLAN = "free"
WORKSPACES_PER_PERSON = (10, timedelta(days=1))
HISTORY_GRACE = timedelta(days=7)


@transaction.atomic
def create_workspace(
    actor: Actor, *, name: str, owner: User, plan: Plan, slug: str = "", time_zone: str = "UTC"
) -> Workspace:
    """A workspace with its one owner."""
    slug = slug or free_slug(slugify(name) or "workspace", lambda taken: Workspace.objects.filter(slug=taken).exists())
    workspace = Workspace(name=name, slug=slug, plan=plan, time_zone=time_zone)
    workspace.full_clean()
    workspace.save()
    Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
    audit.record(actor, "workspace.created", workspace, workspace=workspace, changes={"name": (None, name)})
    return workspace


@transaction.atomic
def change_plan(actor: Actor, workspace: Workspace, plan: Plan) -> Workspace:
    """Another plan. What is beyond a smaller one's limits is kept and not used.

    Only history is deleted in the end: it is not shown at once, and goes a week later, so that a plan that was changed
    by mistake can be changed back.
    """
    workspace = Workspace.objects.select_for_update().select_related("plan").get(pk=workspace.pk)
    if workspace.plan_id != plan.pk:
        if is_shorter(plan.history_days, workspace.plan.history_days):
            workspace.sweep_at = now() + HISTORY_GRACE
        audit.record(
            actor,
            "workspace.plan_changed",
            workspace,
            workspace=workspace,
            changes={"plan": (workspace.plan.code, plan.code)},
        )
        workspace.plan = plan
        workspace.save(update_fields=["plan", "sweep_at"])
    return workspace


@transaction.atomic
def start_workspace(actor: Actor, *, name: str, project: str, base_url: str, owner: User) -> Workspace:
    """A workspace on Free with its first project, in the owner's time zone. Raises `Invalid` for bad values.

    The project's fields are called `project` and `base_url`.
    """
    plan = Plan.objects.get(code=FIRST_PLAN)
    try:
        workspace = create_workspace(actor, name=name.strip(), owner=owner, plan=plan, time_zone=owner.time_zone)
    except ValidationError as error:
        raise Invalid(error.message_dict) from error
    try:
        create_project(actor, workspace, name=project.strip(), base_url=base_url)
    except Invalid as error:
        fields = {"project" if field == "name" else field: sentences for field, sentences in error.fields.items()}
        raise Invalid(fields) from error
    User.objects.filter(pk=owner.pk).update(last_workspace=workspace)
    return workspace


def start_own_workspace(actor: Actor, *, name: str, project: str, base_url: str, owner: User) -> Workspace:
    """Another workspace for somebody who has an account. Raises `TooMany` after ten in a day, and as above."""
    if not rates.allowed("workspace", owner.pk, *WORKSPACES_PER_PERSON):
        raise TooMany("You made enough workspaces today. Try again tomorrow.")
    return start_workspace(actor, name=name, project=project, base_url=base_url, owner=owner)


@transaction.atomic
def update_workspace(
    actor: Actor, workspace: Workspace, new: Mapping[str, Any], *, if_match: str | None = None
) -> Workspace:
    """Change `name` or `time_zone`; links keep working, since the slug stays.

    Raises `Invalid` for bad values, and `Stale` when `if_match` is given and is not the workspace's version any more.
    """
    workspace = Workspace.objects.select_for_update(of=("self",)).select_related("plan").get(pk=workspace.pk)
    if if_match is not None and if_match != version_of(workspace):
        raise Stale("Somebody changed this workspace meanwhile.")
    changes = audit.differences(workspace, new, WORKSPACE_SETTINGS)
    for field, (_old, value) in changes.items():
        setattr(workspace, field, value)
    try:
        workspace.clean_fields()
    except ValidationError as error:
        raise Invalid(error.message_dict) from error
    if changes:
        workspace.save(update_fields=list(changes))
        audit.record(actor, "workspace.updated", workspace, workspace=workspace, changes=changes)
    return workspace


@transaction.atomic
def delete_workspace(actor: Actor, workspace: Workspace, *, typed_name: str) -> None:
    """The workspace is gone for everybody at once and for good: its members, tokens and invitations go here, and its
    channels send no more. The rest, which may be a million rows, goes in the background. People keep their accounts.

    Raises `Workspace.DoesNotExist` when it is deleted already, `Forbidden` unless the owner does it, `Invalid` when the
    name was not typed as it is.
    """
    rows = Workspace.objects.select_for_update(of=("self",)).select_related("plan")
    workspace = rows.get(pk=workspace.pk, closed_at=None)
    owner = owner_of(workspace)
    if owner is None or actor.user is None or owner.pk != actor.user.pk:
        raise Forbidden("Only the owner of this workspace can delete it.")
    if typed_name.strip() != workspace.name:
        raise Invalid({"name": [f"Type the workspace's name as it is: {workspace.name}"]})
    # Its own audit log goes as well: this entry belongs to no workspace, and staff can read it.
    audit.record(actor, "workspace.deleted", workspace, workspace=None, changes={"name": (workspace.name, None)})
    hooks.workspace_closing(actor, workspace)
    for related in (workspace.memberships, workspace.api_tokens, workspace.invitations):
        related.all().delete()
    # Its name in links is free for others from now on.
    workspace.slug, workspace.closed_at = f"closed-{workspace.pk}-{secrets.token_hex(4)}", now()
    workspace.save(update_fields=["slug", "closed_at"])
