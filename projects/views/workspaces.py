"""Making workspaces, their own settings, leaving and deleting them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from aegisnotify.errors import status_of
from aegisnotify.pages.once import AGAIN, ALREADY, SentAgain, once, takes_away
from projects.access import Right, Role
from projects.errors import ServiceError, Stale, TooMany
from projects.forms import DeleteWorkspaceForm, HandOverForm, WorkspaceForm, WorkspaceStart
from projects.models import Workspace
from projects.pages import PersonalRequest, WorkspaceRequest, actor_of, personal_page, to_page, workspace_page
from projects.services import accounts, members, workspaces
from projects.versions import WORKSPACE_SETTINGS, version_of
from projects.views.confirming import Question, ask

PAGE = "settings_workspace"


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page
def new_workspace(request: PersonalRequest) -> HttpResponse:
    """On Free, with a first project."""
    form, status = WorkspaceStart(request.POST or None), 200
    if request.method == "POST" and form.is_valid():
        try:
            with once(request):
                made = workspaces.start_own_workspace(
                    actor_of(request),
                    name=form.cleaned_data["workspace"],
                    project=form.cleaned_data["project"],
                    base_url=form.cleaned_data["base_url"],
                    owner=request.user,
                )
        except SentAgain:
            messages.info(request, AGAIN)
            return redirect("overview")
        except ServiceError as refusal:
            form.refuse(refusal)
            status = 429 if isinstance(refusal, TooMany) else 200
        else:
            messages.success(request, f"{made.name} is ready.")
            return redirect("overview")
    return render(
        request,
        "pages/new_workspace.html",
        {"title": "New workspace", "layout": request.layout, "form": form},
        status=status,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page(Right.CONFIGURE)
def workspace_settings(request: WorkspaceRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    form, status = WorkspaceForm(request.POST, initial=_stored(request)), 200
    if form.is_valid():
        try:
            workspaces.update_workspace(
                actor_of(request), request.workspace, form.cleaned_data, if_match=request.POST.get("version")
            )
        except Stale as refusal:
            request.workspace.refresh_from_db(fields=WORKSPACE_SETTINGS)
            form.overtaken(request.workspace.name, _stored(request))
            status = status_of(refusal)
        except ServiceError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, "The workspace's settings are saved.")
            return to_page(request, PAGE)
    return _page(request, status, general=form)


@sensitive_post_parameters("password")
@require_POST
@workspace_page(Right.OWN)
def hand_over(request: WorkspaceRequest) -> HttpResponse:
    form, status = HandOverForm(request.POST, workspace=request.workspace, owner=request.user), 200
    if form.is_valid():
        heir = form.cleaned_data["heir"]
        try:
            accounts.check_password(request.user, form.cleaned_data["password"])
            members.hand_over(actor_of(request), request.workspace, heir)
        except ServiceError as refusal:
            form.refuse(refusal)
            status = 429 if isinstance(refusal, TooMany) else 200
        else:
            messages.success(request, f"{heir.user.email} is the owner now. You are an admin.")
            return to_page(request, PAGE)
    return _page(request, status, handover=form)


@sensitive_post_parameters("password")
@require_POST
@takes_away
@workspace_page(Right.OWN)
def delete_workspace(request: WorkspaceRequest) -> HttpResponse:
    form, status = DeleteWorkspaceForm(request.POST), 200
    if form.is_valid():
        try:
            accounts.check_password(request.user, form.cleaned_data["password"])
            workspaces.delete_workspace(actor_of(request), request.workspace, typed_name=form.cleaned_data["name"])
        except Workspace.DoesNotExist:
            # The first of two clicks was faster.
            messages.info(request, ALREADY)
            return redirect("overview")
        except ServiceError as refusal:
            form.refuse(refusal)
            status = 429 if isinstance(refusal, TooMany) else 200
        else:
            messages.success(request, f"{request.workspace.name} is deleted.")
            return redirect("overview")
    return _page(request, status, delete=form)


@require_http_methods(["GET", "HEAD", "POST"])
@takes_away
@workspace_page()
def leave_workspace(request: WorkspaceRequest) -> HttpResponse:
    if request.method == "POST":
        try:
            members.leave(actor_of(request), request.membership)
        except ServiceError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, f"You left {request.workspace.name}.")
        return redirect("profile")
    consequence = (
        "You can no longer open it; somebody has to invite you to come back. Where your address is a recipient it "
        "counts as unconfirmed, so mail to it stops. What you made stays."
    )
    return ask(request, Question(f"Leave {request.workspace.name}?", (consequence,), "Leave", "profile"))


def _page(request: WorkspaceRequest, status: int = 200, **forms: object) -> HttpResponse:
    owns = request.membership.role == Role.OWNER
    shown = {
        "general": WorkspaceForm(initial=_stored(request)),
        "handover": HandOverForm(workspace=request.workspace, owner=request.user) if owns else None,
        "delete": DeleteWorkspaceForm() if owns else None,
        **forms,
    }
    return render(
        request,
        "pages/workspace_settings.html",
        {
            "title": "Workspace",
            "forms": shown,
            "version": version_of(request.workspace),
            "owns": owns,
            "others": request.workspace.memberships.exclude(user=request.user).count() if owns else 0,
        },
        status=status,
    )


def _stored(request: WorkspaceRequest) -> dict[str, str]:
    return {"name": request.workspace.name, "time_zone": request.workspace.time_zone}
