"""Projects: the list, their activity, and their general settings."""

import uuid
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from aegisnotify.clock import now
from aegisnotify.errors import status_of
from aegisnotify.etags import etag
from aegisnotify.pages.once import AGAIN, SentAgain, once
from notifications import catalog
from notifications.forms import ProjectFlagsForm, ProjectForm
from notifications.models import Channel, Occurrence
from notifications.selectors.activity import activity
from notifications.selectors.filters import project_filters
from notifications.selectors.health import ChannelHealth, checkups
from notifications.selectors.routing import flags_of, workspace_flags
from notifications.services.filters import change_project_filters
from notifications.views.project_parts import frame, project_of
from projects.access import Right, can, refusal
from projects.entitlements import room_for_project
from projects.errors import ServiceError, Stale
from projects.models import Project
from projects.pages import WorkspaceRequest, actor_of, to_page, workspace_page
from projects.selectors import limits_of
from projects.services.projects import create_project, update_project
from projects.versions import version_of

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class ProjectLine:
    project: Project
    channels: int
    troubled: int
    """Channels that fail or are suspended."""
    last_event_at: datetime | None


@dataclass(frozen=True, slots=True)
class FlagLine:
    """An event, whether it is on for the project, and whether the workspace has it on."""

    event: type[catalog.Event]
    on: bool
    shared: bool


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page()
def projects_page(request: WorkspaceRequest) -> HttpResponse:
    """The workspace's projects, with a form for another one."""
    if request.method != "POST":
        return _list(request, ProjectForm(), 200)
    if not can(request.membership.role, Right.CONFIGURE):
        raise PermissionDenied(refusal(Right.CONFIGURE))
    form, status = ProjectForm(request.POST), 400
    if form.is_valid():
        try:
            with once(request):
                project = create_project(actor_of(request), request.workspace, **form.cleaned_data)
        except SentAgain:
            messages.info(request, AGAIN)
            return to_page(request, "projects")
        except ServiceError as error:
            form.refuse(error)
            status = status_of(error)
        else:
            messages.success(request, f"{project.name} is ready. Its events go to the workspace owner's address.")
            return to_page(request, "project_integrations", project.slug)
    return _list(request, form, status)


@require_safe
@workspace_page()
def project_activity(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The latest events, and who was told."""
    project = project_of(request, slug)
    before = None
    with suppress(ValueError):
        before = uuid.UUID(request.GET.get("before", ""))
    return render(
        request,
        "pages/project_activity.html",
        {
            **frame(request, project, "activity"),
            "title": project.name,
            "crumbs": frame(request, project)["crumbs"][:1],
            "activity": activity(project, before),
            "now": now(),
            "paged": before is not None,
        },
    )


@require_safe
@workspace_page()
def project_config(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The tab's own address leads to its first part."""
    return to_page(request, "project_general", project_of(request, slug).slug)


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page()
def project_general(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """Name, slug and address of the project; its own flags or the workspace's."""
    project = project_of(request, slug)
    general: ProjectForm | None = None
    flags: ProjectFlagsForm | None = None
    status = 200
    if request.method == "POST":
        if not can(request.membership.role, Right.CONFIGURE):
            raise PermissionDenied(refusal(Right.CONFIGURE))
        form: ProjectForm | ProjectFlagsForm
        if request.POST.get("part") == "flags":
            form = flags = ProjectFlagsForm(request.POST)
        else:
            form = general = ProjectForm(request.POST, existing=True)
        status = 400
        if form.is_valid():
            try:
                changed = _save(request, project, form)
            except Stale as overtaken:
                project = project_of(request, slug)
                if isinstance(form, ProjectFlagsForm):
                    form.add_error(None, _flags_overtaken(project))
                else:
                    form.overtaken(project.name, _stored(project))
                status = status_of(overtaken)
            except ServiceError as error:
                form.refuse(error)
                status = status_of(error)
            else:
                return to_page(request, "project_general", changed.slug)
    return render(
        request,
        "pages/project_general.html",
        {
            **frame(request, project, "config", "general"),
            "title": "General",
            "general": general or ProjectForm(initial=_stored(project), existing=True),
            "flags": flags or ProjectFlagsForm(initial=_flags(project)),
            "events": _flag_lines(project),
            "general_version": version_of(project),
            "flags_version": etag(project_filters(project)),
        },
        status=status,
    )


def _save(request: WorkspaceRequest, project: Project, form: ProjectForm | ProjectFlagsForm) -> Project:
    # Two people on this page: the second to save is told, and what the first chose is not overwritten silently.
    actor, version = actor_of(request), request.POST.get("version")
    if isinstance(form, ProjectFlagsForm):
        own = form.cleaned_data["flags"] == ProjectFlagsForm.OWN
        new: dict[str, Any] = {"inherits_workspace_flags": not own}
        if own:
            chosen = set(form.cleaned_data["events"])
            new["events"] = {event: event in chosen for event in catalog.names()}
        change_project_filters(actor, project, new, if_match=version)
        messages.success(
            request,
            f"{project.name} has its own event flags." if own else f"{project.name} follows the workspace's flags.",
        )
        return project
    changed = update_project(actor, project, form.cleaned_data, if_match=version)
    messages.success(request, "The project's settings are saved.")
    return changed


def _flags_overtaken(project: Project) -> str:
    """What somebody is told who saves over the flags that another saved meanwhile."""
    whose = "The workspace's flags hold now" if project.inherits_workspace_flags else "It has its own flags now"
    flags = ", ".join(f"{event} {'on' if on else 'off'}" for event, on in flags_of(project).items())
    return (
        f"Somebody changed {project.name}'s filters since you opened this page, so nothing was saved. "
        f"{whose}: {flags}. Check your choice, then save it again."
    )


def _flag_lines(project: Project) -> list[FlagLine]:
    on, shared = flags_of(project), workspace_flags(project.workspace_id)
    return [FlagLine(event, on[event.name], shared[event.name]) for event in catalog.events()]


def _stored(project: Project) -> dict[str, Any]:
    return {"name": project.name, "slug": project.slug, "base_url": project.base_url}


def _flags(project: Project) -> dict[str, Any]:
    return {
        "flags": ProjectFlagsForm.INHERIT if project.inherits_workspace_flags else ProjectFlagsForm.OWN,
        "events": [event for event, on in flags_of(project).items() if on],
    }


def _list(request: WorkspaceRequest, form: ProjectForm, status: int) -> HttpResponse:
    latest = Occurrence.objects.filter(project=OuterRef("pk")).order_by("-received_at", "-pk").values("received_at")
    rows = request.workspace.projects.annotate(last_event_at=Subquery(latest[:1])).order_by("name", "pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    limits = limits_of(request.workspace.plan)
    used = page.paginator.count
    return render(
        request,
        "pages/projects.html",
        {
            "title": "Projects",
            "now": now(),
            "page": page,
            "lines": _lines(request, list(page.object_list)),
            "form": form,
            "used": used,
            "allowed": limits.projects,
            "exceeded": room_for_project(limits, used),
            "can_configure": can(request.membership.role, Right.CONFIGURE),
        },
        status=status,
    )


def _lines(request: WorkspaceRequest, projects: list[Any]) -> list[ProjectLine]:
    channels = (
        Channel.objects.filter(project__in=projects).defer("config").order_by("project", "position", "created_at", "pk")
    )
    counts: Counter[Any] = Counter()
    troubled: defaultdict[Any, int] = defaultdict(int)
    for checkup in checkups(channels, limits_of(request.workspace.plan), now()):
        counts[checkup.channel.project_id] += 1
        if checkup.health in (ChannelHealth.FAILING, ChannelHealth.SUSPENDED):
            troubled[checkup.channel.project_id] += 1
    return [
        ProjectLine(project, counts[project.pk], troubled[project.pk], project.last_event_at) for project in projects
    ]
