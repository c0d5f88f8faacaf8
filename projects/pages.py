"""The conventions of pages that show a workspace: whose it is, who may see it, whose clock it shows.

`?ws=<slug>` names the workspace, so that a link means the same for everyone; without it, it is the one this person
looked at last, else their first.
"""

import functools
from collections.abc import Callable
from typing import Any, cast

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

from aegisnotify.client_address import client_address
from aegisnotify.clock import now
from aegisnotify.pages.errors import refused
from aegisnotify.pages.signing_in import to_sign_in
from projects import hooks, selectors
from projects.access import Right, can, refusal
from projects.actors import Actor, Source, person
from projects.errors import PlanLimit
from projects.models import Membership, User, Workspace
from projects.usage import Meter

Usage = dict[Meter, dict[str, int | None]]
View = Callable[..., HttpResponseBase]
WorkspaceIdOf = Callable[..., int | None]


class WorkspaceRequest(HttpRequest):
    """The request that a `workspace_page` gets. `memberships` are all of this person's, for the switcher."""

    user: User
    workspace: Workspace
    membership: Membership
    memberships: list[Membership]
    usage: Usage


def workspace_page(right: Right = Right.VIEW, *, of: WorkspaceIdOf | None = None) -> Callable[[View], View]:
    """Make a view a page of one workspace, for members that have `right`.

    `of` gets the path's arguments and returns the id of the workspace that the object in the path belongs to (None:
    there is no such object). Then that workspace is shown, whichever this person looked at last.

    Anonymous: to the sign-in page. Outsiders: 404, existence is not leaked. Members without the right: 403 with a
    sentence that says who can do it. A refusal by the plan inside the view: 402.
    """

    def decorate(view: View) -> View:
        @never_cache
        @functools.wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = request.user
            if not isinstance(user, User):
                return to_sign_in(request)
            memberships = list(selectors.memberships_of(user))
            membership = _choose(request, user, memberships, of(*args, **kwargs) if of else None, pinned=of is not None)
            if membership is None:
                return no_workspace(request)
            if not can(membership.role, right):
                raise PermissionDenied(refusal(right))
            inside = cast(WorkspaceRequest, request)
            inside.memberships, inside.membership, inside.workspace = memberships, membership, membership.workspace
            _remember(user, membership.workspace)
            with timezone.override(user.zone):
                try:
                    return view(inside, *args, **kwargs)
                except PlanLimit as error:
                    return plan_limit(inside, error)
                except ObjectDoesNotExist as gone:
                    if request.method in ("GET", "HEAD"):
                        raise
                    # Somebody deleted it between the look at it and the lock on it.
                    raise Http404 from gone

        return page

    return decorate


class PersonalRequest(HttpRequest):
    """The request that a `personal_page` gets. `workspace` is the one looked at last; None: there is none."""

    user: User
    workspace: Workspace | None
    memberships: list[Membership]
    layout: str


def personal_page(view: View) -> View:
    """Make a view a page about the reader themselves, also for those who belong to no workspace.

    Its template extends `layout`: the frame of the workspace looked at last, or one without a workspace.
    """

    @never_cache
    @functools.wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not isinstance(user, User):
            return to_sign_in(request)
        memberships = list(selectors.memberships_of(user))
        membership = _choose(request, user, memberships, None, pinned=False)
        inside: Any = request
        inside.memberships, inside.layout = memberships, "base_account.html"
        hooks.seen(user)
        if membership is not None:
            inside.membership, inside.workspace, inside.layout = membership, membership.workspace, "base.html"
        with timezone.override(user.zone):
            return view(inside, *args, **kwargs)

    return page


def actor_of(request: HttpRequest) -> Actor:
    """Whoever is signed in, acting through a page."""
    assert isinstance(request.user, User)
    return person(request.user, Source.PAGE, client_address(request))


def to_page(request: WorkspaceRequest, name: str, *args: Any) -> HttpResponse:
    """A redirect to another page of the workspace."""
    return redirect(f"{reverse(name, args=args)}?{urlencode({'ws': request.workspace.slug})}")


def usage(request: WorkspaceRequest) -> Usage:
    """This month's usage of the workspace, read once per request: sidebar and page show the same numbers."""
    if not hasattr(request, "usage"):
        request.usage = selectors.usage_of(request.workspace, now())
    return request.usage


def no_workspace(request: HttpRequest) -> HttpResponse:
    """What somebody sees who belongs to no workspace (any more)."""
    return render(request, "pages/no_workspace.html")


def plan_limit(request: HttpRequest, error: PlanLimit) -> HttpResponse:
    """The 402 for a form that cannot show the refusal beside its control."""
    context = {"exceeded": error.exceeded, "sentence": error.message}
    return refused(request, render(request, "errors/403_plan.html", context, status=402), error.message)


def _choose(
    request: HttpRequest, user: User, memberships: list[Membership], workspace_id: int | None, *, pinned: bool
) -> Membership | None:
    slug = request.GET.get("ws")
    candidates = memberships
    if pinned:
        candidates = [membership for membership in candidates if membership.workspace_id == workspace_id]
    if slug:
        candidates = [membership for membership in candidates if membership.workspace.slug == slug]
    if not candidates and (pinned or slug):
        raise Http404
    last = [membership for membership in candidates if membership.workspace_id == user.last_workspace_id]
    return next(iter(last or candidates), None)


def _remember(user: User, workspace: Workspace) -> None:
    hooks.seen(user)
    if user.last_workspace_id != workspace.pk:
        User.objects.filter(pk=user.pk).update(last_workspace=workspace)
