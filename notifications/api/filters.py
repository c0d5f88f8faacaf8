"""`/notification-settings`: the global flags of a workspace, the flags and channel filters of a project."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.schema import errors
from aegisnotify.etags import etag
from notifications.api.parameters import body_of
from notifications.api.schemas import (
    ProjectFiltersPatchSerializer,
    ProjectFiltersSerializer,
    WorkspaceFiltersPatchSerializer,
    WorkspaceFiltersSerializer,
)
from notifications.selectors.filters import project_filters, workspace_filters
from notifications.services.filters import change_project_filters, change_workspace_filters
from projects.api.views import WorkspaceView
from projects.scopes import Scope

_ETAG = OpenApiParameter(
    "ETag", str, OpenApiParameter.HEADER, response=[200], description="The version, for `If-Match`."
)
_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` that was read. Where it is not the current one, the answer is 412 and nothing is changed.",
)
_SCOPES = {"GET": Scope.SETTINGS_READ, "PUT": Scope.SETTINGS_WRITE, "PATCH": Scope.SETTINGS_WRITE}


class ProjectFiltersView(WorkspaceView):
    scopes = _SCOPES

    @extend_schema(
        operation_id="project_notification_settings_read",
        summary="Read a project's notification settings",
        parameters=[_ETAG],
        responses={200: ProjectFiltersSerializer, **errors(404)},
    )
    def get(self, request: Request, slug: str) -> Response:
        return _answer(project_filters(self.project()))

    @extend_schema(
        operation_id="project_notification_settings_replace",
        summary="Replace a project's notification settings",
        description="All three parts are needed. Channels and events that `channel_filters` does not name inherit.",
        parameters=[_IF_MATCH, _ETAG],
        request=ProjectFiltersSerializer,
        responses={200: ProjectFiltersSerializer, **errors(400, 402, 404, 412, 413)},
    )
    def put(self, request: Request, slug: str) -> Response:
        return self._change(request, replace=True)

    @extend_schema(
        operation_id="project_notification_settings_change",
        summary="Change a project's notification settings",
        description="What is not named stays. null removes one override. Changing `events` of a project that inherits "
        "copies the workspace's flags first and sets `inherits_workspace_flags` to false.",
        parameters=[_IF_MATCH, _ETAG],
        request=ProjectFiltersPatchSerializer,
        responses={200: ProjectFiltersSerializer, **errors(400, 402, 404, 412, 413)},
    )
    def patch(self, request: Request, slug: str) -> Response:
        return self._change(request, replace=False)

    def _change(self, request: Request, *, replace: bool) -> Response:
        project = self.project()
        return _answer(
            change_project_filters(
                self.principal.actor,
                project,
                body_of(request),
                replace=replace,
                if_match=request.headers.get("If-Match"),
            )
        )


class WorkspaceFiltersView(WorkspaceView):
    scopes = _SCOPES
    workspace_wide = set(_SCOPES)

    @extend_schema(
        operation_id="notification_settings_read",
        summary="Read the workspace's global flags",
        parameters=[_ETAG],
        responses={200: WorkspaceFiltersSerializer, **errors()},
    )
    def get(self, request: Request) -> Response:
        return _answer(workspace_filters(self.principal.workspace))

    @extend_schema(
        operation_id="notification_settings_replace",
        summary="Replace the workspace's global flags",
        description="All events must be named.",
        parameters=[_IF_MATCH, _ETAG],
        request=WorkspaceFiltersSerializer,
        responses={200: WorkspaceFiltersSerializer, **errors(400, 412, 413)},
    )
    def put(self, request: Request) -> Response:
        return self._change(request, replace=True)

    @extend_schema(
        operation_id="notification_settings_change",
        summary="Change the workspace's global flags",
        description="What is not named stays.",
        parameters=[_IF_MATCH, _ETAG],
        request=WorkspaceFiltersPatchSerializer,
        responses={200: WorkspaceFiltersSerializer, **errors(400, 412, 413)},
    )
    def patch(self, request: Request) -> Response:
        return self._change(request, replace=False)

    def _change(self, request: Request, *, replace: bool) -> Response:
        return _answer(
            change_workspace_filters(
                self.principal.actor,
                self.principal.workspace,
                body_of(request),
                replace=replace,
                if_match=request.headers.get("If-Match"),
            )
        )


def _answer(representation: Mapping[str, Any]) -> Response:
    return Response(representation, headers={"ETag": etag(representation)})
