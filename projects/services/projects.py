"""Creating and changing projects.

Whatever else belongs into a new project (its first email channel, say) is added by hooks that higher rooms register.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from projects import entitlements
from projects.actors import Actor
from projects.errors import Conflict, Invalid, PlanLimit, Stale
from projects.models import Project, Workspace
from projects.selectors import limits_of
from projects.services import audit
from projects.slugs import free_slug
from projects.versions import PROJECT_SETTINGS, version_of

ProjectCreated = Callable[[Actor, Project], None]
_on_created: list[ProjectCreated] = []


def on_project_created(hook: ProjectCreated) -> ProjectCreated:
    """Register what runs, in the same transaction, when a project was created."""
    _on_created.append(hook)
    return hook


@transaction.atomic
def create_project(actor: Actor, workspace: Workspace, *, name: str, slug: str = "", base_url: str = "") -> Project:
    """A project within the plan.

    Raises `PlanLimit` when the plan has no room, `Conflict` for a taken slug, `Invalid` for bad values.
    """
    # The lock makes two requests that both see the last free place take turns.
    workspace = Workspace.objects.select_for_update(of=("self",)).select_related("plan").get(pk=workspace.pk)
    exceeded = entitlements.room_for_project(limits_of(workspace.plan), workspace.projects.count())
    if exceeded:
        raise PlanLimit(exceeded)
    if slug and workspace.projects.filter(slug=slug).exists():
        raise _taken(slug)
    project = Project(
        workspace=workspace,
        name=name,
        slug=slug
        or free_slug(slugify(name) or "project", lambda taken: workspace.projects.filter(slug=taken).exists()),
        base_url=base_url,
    )
    _clean(project)
    project.save()
    audit.record(
        actor,
        "project.created",
        project,
        workspace=workspace,
        project=project,
        changes={"name": (None, name), "slug": (None, project.slug), "base_url": (None, base_url)},
    )
    for hook in _on_created:
        hook(actor, project)
    return project


@transaction.atomic
def update_project(actor: Actor, project: Project, new: Mapping[str, Any], *, if_match: str | None = None) -> Project:
    """Change `name`, `slug` or `base_url`.

    Raises `Conflict` for a taken slug, `Invalid` for bad values, and `Stale` when `if_match` is given and is not the
    project's version any more.
    """
    project = Project.objects.select_for_update(of=("self",)).select_related("workspace__plan").get(pk=project.pk)
    if if_match is not None and if_match != version_of(project):
        raise Stale("Somebody changed this project meanwhile.")
    changes = audit.differences(project, new, PROJECT_SETTINGS)
    if not changes:
        return project
    for field, (_old, value) in changes.items():
        setattr(project, field, value)
    if "slug" in changes and (
        Project.objects.filter(workspace=project.workspace_id, slug=project.slug).exclude(pk=project.pk).exists()
    ):
        raise _taken(project.slug)
    _clean(project)
    try:
        with transaction.atomic():
            project.save(update_fields=list(changes))
    except IntegrityError as error:
        # Somebody took the slug since we looked; the database's constraint decides who was first.
        raise _taken(project.slug) from error
    audit.record(actor, "project.updated", project, workspace=project.workspace, project=project, changes=changes)
    return project


def _taken(slug: str) -> Conflict:
    return Conflict(f"This workspace already has a project “{slug}”. Choose another slug.", {"field": "slug"})


def _clean(project: Project) -> None:
    if project.base_url and not project.base_url.lower().startswith(("https://", "http://")):
        raise Invalid({"base_url": ["Give an address that starts with https:// or http://."]})
    try:
        project.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise Invalid(error.message_dict) from error
