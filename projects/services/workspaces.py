"""Creating workspaces, changing their plan, and who belongs to them."""

from django.db import transaction
from django.utils.text import slugify

from projects.access import Role
from projects.actors import Actor
from projects.models import Membership, Plan, User, Workspace
from projects.services import audit
from projects.slugs import free_slug


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
    """Another plan. Nothing is deleted by a smaller one: what is beyond its limits is only not used."""
    workspace = Workspace.objects.select_for_update().select_related("plan").get(pk=workspace.pk)
    if workspace.plan_id != plan.pk:
        audit.record(
            actor,
            "workspace.plan_changed",
            workspace,
            workspace=workspace,
            changes={"plan": (workspace.plan.code, plan.code)},
        )
        workspace.plan = plan
        workspace.save(update_fields=["plan"])
    return workspace
