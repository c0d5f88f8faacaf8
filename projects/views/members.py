"""Members and invitations of a workspace."""

import json
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aegisnotify.clock import now
from aegisnotify.pages.once import takes_away
from projects import selectors
from projects.access import Right, Role
from projects.errors import PlanLimit, ServiceError
from projects.forms import InviteForm
from projects.models import Invitation, Membership
from projects.models.invitations import OFFERED_ROLES
from projects.pages import WorkspaceRequest, actor_of, to_page, workspace_page
from projects.services import invitations, members
from projects.views.confirming import Question, ask

PAGE = "settings_members"


def _workspace_of_member(member_id: int) -> int | None:
    return Membership.objects.filter(pk=member_id).values_list("workspace", flat=True).first()


def _workspace_of_invitation(invitation_id: int) -> int | None:
    return Invitation.objects.filter(pk=invitation_id).values_list("workspace", flat=True).first()


@require_safe
@workspace_page(Right.MANAGE)
def members_page(request: WorkspaceRequest) -> HttpResponse:
    return _page(request, InviteForm())


@require_POST
@workspace_page(Right.MANAGE)
def invite(request: WorkspaceRequest) -> HttpResponse:
    form, status, exceeded = InviteForm(request.POST), 200, None
    if form.is_valid():
        try:
            invited = invitations.invite(actor_of(request), request.workspace, **form.cleaned_data)
        except PlanLimit as refusal:
            status, exceeded = 402, refusal.exceeded
        except ServiceError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, f"Invited: {invited.email}. The link in the mail works once, for 7 days.")
            return to_page(request, PAGE)
    return _page(request, form, status, exceeded=exceeded)


@require_POST
@workspace_page(Right.MANAGE, of=_workspace_of_invitation)
def invitation_again(request: WorkspaceRequest, invitation_id: int) -> HttpResponse:
    found = _open_invitation(request, invitation_id)
    if found is None:
        return _closed(request)
    return _done(
        request,
        lambda: invitations.send_again(actor_of(request), found),
        f"Sent again to {found.email}. The earlier link no longer works.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page(Right.MANAGE, of=_workspace_of_invitation)
def invitation_revoke(request: WorkspaceRequest, invitation_id: int) -> HttpResponse:
    found = _open_invitation(request, invitation_id)
    if found is None:
        return _closed(request)
    if request.method == "POST":
        return _done(
            request,
            lambda: invitations.revoke(actor_of(request), found),
            f"The invitation of {found.email} is withdrawn.",
        )
    return ask(
        request,
        Question(
            f"Withdraw the invitation of {found.email}?",
            ("The link in the mail stops working. Nobody is told.",),
            "Withdraw",
            PAGE,
        ),
    )


@require_POST
@workspace_page(Right.MANAGE, of=_workspace_of_member)
def member_role(request: WorkspaceRequest, member_id: int) -> HttpResponse:
    member = _member(request, member_id)
    try:
        member = members.change_role(actor_of(request), member, request.POST.get("role", ""))
    except ServiceError as refusal:
        return _refused(request, refusal)
    sentence = f"{member.user} is now {member.role}."
    if "HX-Request" in request.headers:
        response = render(request, "partials/member_row.html", {"member": member, "roles": OFFERED_ROLES})
        response.headers["HX-Trigger"] = _toast(sentence)
        return response
    messages.success(request, sentence)
    # Whoever gave up their own right to this page can't go back to it.
    return (
        redirect("overview")
        if member.user_id == request.user.pk and member.role != Role.ADMIN
        else to_page(request, PAGE)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@takes_away
@workspace_page(Right.MANAGE, of=_workspace_of_member)
def member_remove(request: WorkspaceRequest, member_id: int) -> HttpResponse:
    member = _member(request, member_id)
    if request.method == "POST":
        try:
            places = members.remove_member(actor_of(request), member)
        except ServiceError as refusal:
            return _refused(request, refusal)
        messages.success(request, f"{member.user.email} is no longer a member.")
        _warn_of_places(request, member.user.email, places)
        return to_page(request, PAGE)
    tokens = selectors.tokens_of(request.workspace).filter(created_by=member.user_id).count()
    consequence = [
        f"{member.user.email} can no longer open this workspace. Where the address is a recipient it counts as "
        "unconfirmed, so mail to it stops."
    ]
    if tokens:
        consequence.append(f"API tokens made by this person keep working: {tokens}. Revoke them on their page.")
    return ask(request, Question(f"Remove {member.user}?", tuple(consequence), "Remove", PAGE))


def _page(request: WorkspaceRequest, form: InviteForm, status: int = 200, **more: object) -> HttpResponse:
    moment = now()
    workspace = request.workspace
    current = list(selectors.members_of(workspace))
    pending = list(selectors.pending_invitations_of(workspace))
    waiting = sum(invitation.expires_at > moment for invitation in pending)
    return render(
        request,
        "pages/members.html",
        {
            "title": "Members",
            "now": moment,
            "form": form,
            "members": current,
            "pending": pending,
            "waiting": waiting,
            "used": len(current) + waiting,
            "allowed": workspace.plan.members,
            "roles": OFFERED_ROLES,
            **more,
        },
        status=status,
    )


def _done(request: WorkspaceRequest, change: Callable[[], object], sentence: str) -> HttpResponse:
    try:
        change()
    except ServiceError as refusal:
        return _refused(request, refusal)
    messages.success(request, sentence)
    return to_page(request, PAGE)


def _refused(request: WorkspaceRequest, refusal: ServiceError) -> HttpResponse:
    if isinstance(refusal, PlanLimit):
        raise refusal
    messages.error(request, refusal.message)
    response = to_page(request, PAGE)
    if "HX-Request" in request.headers:
        # The row that is shown may be of somebody who is gone: the whole page again.
        response = HttpResponse(headers={"HX-Redirect": response["Location"]})
    return response


def _warn_of_places(request: WorkspaceRequest, email: str, places: tuple[str, ...]) -> None:
    if places:
        messages.warning(request, f"{email} is still a recipient, unconfirmed: {', '.join(places)}.")


def _toast(sentence: str) -> str:
    # In a header, so ASCII; `json.dumps` escapes the rest.
    return json.dumps({"toast": sentence})


def _member(request: WorkspaceRequest, member_id: int) -> Membership:
    member = selectors.members_of(request.workspace).filter(pk=member_id).first()
    if member is None:
        raise Http404
    return member


def _closed(request: WorkspaceRequest) -> HttpResponse:
    """For the second of two clicks, and for whoever's page is older."""
    messages.info(request, "That invitation is not open any more.")
    return to_page(request, PAGE)


def _open_invitation(request: WorkspaceRequest, invitation_id: int) -> Invitation | None:
    return selectors.pending_invitations_of(request.workspace).filter(pk=invitation_id).first()
