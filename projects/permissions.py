"""What a view asks of the one who calls it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from projects.errors import Forbidden
from projects.principal import Principal
from projects.scopes import Scope

if TYPE_CHECKING:
    # Importing it reads the default permissions, which are these.
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """The scope that the view's `scopes` names for the method; a method that is not named there is not allowed at all.

    Methods in `workspace_wide` are refused to tokens that are limited to one project.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        principal = request.auth
        if not isinstance(principal, Principal):
            raise NotAuthenticated("Send “Authorization: Bearer aegis_…”, or sign in.")
        scopes: Mapping[str, Scope] = getattr(view, "scopes", {})
        method = "GET" if request.method == "HEAD" else request.method or ""
        if method not in scopes:
            raise MethodNotAllowed(method)
        refusal = principal.refusal(scopes[method])
        if refusal is not None:
            raise Forbidden(refusal, {"scope": scopes[method].value})
        if method in getattr(view, "workspace_wide", ()):
            principal.require_whole_workspace()
        return True
