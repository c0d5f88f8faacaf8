"""`/workspace`: its name and time zone."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.schema import errors
from aegisnotify.api.serializers import StrictCharField, StrictSerializer
from projects.api.views import WorkspaceView
from projects.models import Workspace
from projects.scopes import Scope
from projects.services.workspaces import update_workspace


class WorkspaceSerializer(serializers.Serializer):
    name = serializers.CharField()
    slug = serializers.SlugField()
    time_zone = serializers.CharField()
    plan = serializers.CharField()


class WorkspaceWriteSerializer(StrictSerializer):
    name = StrictCharField(max_length=120, required=False)
    time_zone = StrictCharField(required=False, help_text="An IANA name such as Europe/Berlin.")


class WorkspaceDetailView(WorkspaceView):
    scopes = {"GET": Scope.SETTINGS_READ, "PATCH": Scope.SETTINGS_WRITE}
    workspace_wide = {"GET", "PATCH"}

    @extend_schema(
        operation_id="workspace_read", summary="Read the workspace", responses={200: WorkspaceSerializer, **errors()}
    )
    def get(self, request: Request) -> Response:
        return _answer(self.principal.workspace)

    @extend_schema(
        operation_id="workspace_change",
        summary="Change the workspace",
        description="What is not given keeps its value. The slug stays, so links keep working.",
        request=WorkspaceWriteSerializer,
        responses={200: WorkspaceSerializer, **errors(400, 413)},
    )
    def patch(self, request: Request) -> Response:
        body = WorkspaceWriteSerializer.read(request.data)
        return _answer(update_workspace(self.principal.actor, self.principal.workspace, body))


def _answer(workspace: Workspace) -> Response:
    return Response(
        {
            "name": workspace.name,
            "slug": workspace.slug,
            "time_zone": workspace.time_zone,
            "plan": workspace.plan.code,
        }
    )
