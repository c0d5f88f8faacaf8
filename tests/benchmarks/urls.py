"""The project's addresses, and the views that intake is compared with."""

from django.urls import path
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aegisnotify.clock import now
from aegisnotify.urls import urlpatterns as project_urls
from notifications.models import Occurrence
from projects.api.views import WorkspaceView
from projects.scopes import Scope


class OccurrenceSerializer(serializers.Serializer):
    """The fields' types, and nothing that would ask the database."""

    project = serializers.UUIDField()
    kind = serializers.ChoiceField(["run", "crawl", "generation"])
    source_id = serializers.CharField(max_length=200)
    facts = serializers.JSONField()


def store(request: Request, workspace_id: int) -> Response:
    """Validate, insert one row, answer."""
    serializer = OccurrenceSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    values, moment = dict(serializer.validated_data), now()
    project_id = values.pop("project")
    row = Occurrence.objects.create(
        workspace_id=workspace_id, project_id=project_id, occurred_at=moment, received_at=moment, **values
    )
    return Response({"id": str(row.pk)}, status=status.HTTP_201_CREATED)


class OneInsert(WorkspaceView):
    """One INSERT behind the API's own token, scope, rate limit and strict JSON."""

    scopes = {"POST": Scope.EVENTS_WRITE}

    def post(self, request: Request) -> Response:
        return store(request, self.principal.workspace.pk)


class BareInsert(APIView):
    """One INSERT that anybody may make, as often as they like."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def post(self, request: Request) -> Response:
        return store(request, int(request.headers["X-Workspace"]))


urlpatterns = [
    path("bench/one-insert", OneInsert.as_view()),
    path("bench/bare-insert", BareInsert.as_view()),
    *project_urls,
]
