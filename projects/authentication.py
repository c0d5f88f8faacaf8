"""Who asks the API: a token, or somebody signed in to the pages."""

from typing import Any

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import AuthenticationFailed, NotFound, PermissionDenied
from rest_framework.request import Request

from aegisnotify.client_address import client_address
from projects import hooks
from projects.actors import Actor, Source, person
from projects.models import Membership, User
from projects.principal import Principal
from projects.selectors import memberships_of
from projects.services import tokens

WORKSPACE_HEADER = "X-Aegis-Workspace"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer aegis_…` (RFC 6750, section 2.1). Other schemes are left to others."""

    def authenticate(self, request: Request) -> tuple[None, Principal] | None:
        scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        text = text.strip()
        token = tokens.find_token(text) if text.startswith(tokens.PREFIX) else None
        if token is None:
            raise AuthenticationFailed("This token is unknown or revoked. Tokens look like aegis_….")
        tokens.touch_token(token)
        actor = Actor(f"API token {token.name}", Source.API, address=client_address(request._request))
        return None, Principal(token.workspace, actor, token=token)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class WorkspaceSessionAuthentication(BaseAuthentication):
    """Somebody signed in, in the workspace that `X-Aegis-Workspace` names by its slug.

    Without the header it is the workspace they used last, else the first one of theirs. Requests that change something
    need the CSRF token, as in the pages.
    """

    def authenticate(self, request: Request) -> tuple[User, Principal] | None:
        user = getattr(request._request, "user", None)
        if not isinstance(user, User) or not user.is_active:
            return None
        _enforce_csrf(request._request)
        membership = _membership(user, request.headers.get(WORKSPACE_HEADER))
        hooks.seen(user)
        actor = person(user, Source.API, client_address(request._request))
        return user, Principal(membership.workspace, actor, membership=membership)


def _membership(user: User, slug: str | None) -> Membership:
    memberships = memberships_of(user)
    if slug is not None:
        found = next((membership for membership in memberships if membership.workspace.slug == slug), None)
        if found is None:
            raise NotFound(f"There is no workspace “{slug[:60]}”, or you don't belong to it.")
        return found
    last = next((membership for membership in memberships if membership.workspace_id == user.last_workspace_id), None)
    found = last or next(iter(memberships), None)
    if found is None:
        raise NotFound("You don't belong to a workspace.")
    return found


def _enforce_csrf(request: HttpRequest) -> None:
    """Raises `PermissionDenied`. The plain request is asked: the framework's would parse the body for a form field."""

    def unused(request: HttpRequest) -> Any:
        raise AssertionError("The check never calls the view.")

    check = CSRFCheck(unused)
    check.process_request(request)
    reason = check.process_view(request, unused, (), {})
    if reason:
        raise PermissionDenied(f"CSRF check failed: {reason} Send the cookie's token in X-CSRFToken.")
