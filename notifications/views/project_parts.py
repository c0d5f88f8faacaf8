"""What the pages of a project share: finding it and its channels, its frame, and answers to forms and to htmx."""

import json
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.urls import reverse

from notifications.models import Channel
from projects import hooks
from projects.access import Right, can
from projects.errors import PlanLimit, ServiceError
from projects.models import Project
from projects.navigation import Link
from projects.pages import WorkspaceRequest


def project_of(request: WorkspaceRequest, slug: str) -> Project:
    project = request.workspace.projects.filter(slug=slug).first()
    if project is None:
        raise Http404
    # Loaded with its plan already; the project's own copy would be asked for again.
    project.workspace = request.workspace
    hooks.seen(request.user, project)
    return project


def channel_of(project: Project, channel_id: Any) -> Channel:
    channel = project.channels.filter(pk=channel_id).first()
    if channel is None:
        raise Http404
    channel.project = project
    return channel


def address(request: WorkspaceRequest, name: str, *args: Any) -> str:
    return f"{reverse(name, args=args)}?{urlencode({'ws': request.workspace.slug})}"


def frame(request: WorkspaceRequest, project: Project, tab: str = "", part: str = "") -> dict[str, Any]:
    """The context of a page of the project: its tabs, its place, and what this person may do."""
    crumbs = [
        Link("Projects", "", address(request, "projects"), False),
        Link(project.name, "", address(request, "project_activity", project.slug), False),
    ]
    if tab == "config" and part not in ("general", "integrations"):
        crumbs.append(Link("Channels", "", address(request, "project_integrations", project.slug), False))
    role = request.membership.role
    return {
        "project": project,
        "tab": tab,
        "part": part,
        "crumbs": crumbs,
        "ws": f"?{urlencode({'ws': request.workspace.slug})}",
        "can_operate": can(role, Right.OPERATE),
        "can_configure": can(role, Right.CONFIGURE),
    }


def is_htmx(request: WorkspaceRequest) -> bool:
    return "HX-Request" in request.headers


def tell(response: HttpResponse, sentence: str, *, undo: str = "", close: bool = False) -> HttpResponse:
    """Let htmx show a toast. `undo` is the id of the control that takes it back, `close` closes the open dialog.

    After the swap, so that the control is there. In a header, so ASCII: `json.dumps` escapes the rest.
    """
    events: dict[str, Any] = {"toast": {"text": sentence, "undo": undo}}
    if close:
        events["closeDialog"] = True
    response["HX-Trigger-After-Settle"] = json.dumps(events)
    return response


def refusal_context(refusal: ServiceError) -> dict[str, Any]:
    """A refusal as templates show it: its sentences, and whether a larger plan would help."""
    fields = getattr(refusal, "fields", None)
    sentences = [sentence for each in fields.values() for sentence in each] if fields else [refusal.message]
    return {"sentences": sentences, "plan_limit": isinstance(refusal, PlanLimit)}
