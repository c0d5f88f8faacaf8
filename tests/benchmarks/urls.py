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
from projects.models import Project
from projects.scopes import Scope


class OccurrenceSerializer(serializers.ModelSerializer):
    class Meta:
        model = Occurrence
        fields = ["id", "project", "kind", "source_id", "facts"]


def store(request: Request) -> Response:
    """Validate, insert one row, answer."""
    serializer = OccurrenceSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    moment = now()
    serializer.save(workspace_id=serializer.validated_data["project"].workspace_id, occurred_at=moment, received_at=moment)
    return Response(serializer.data, status=status.HTTP_201_CREATED)


class OneInsert(WorkspaceView):
    """One INSERT behind the API's own token, scope, rate limit and strict JSON."""

    scopes = {"POST": Scope.EVENTS_WRITE}

    def post(self, request: Request) -> Response:
        return store(request)


class BareInsert(APIView):
    """One INSERT that anybody may make, as often as they like."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def post(self, request: Request) -> Response:
        return store(request)


urlpatterns = [
    path("bench/one-insert", OneInsert.as_view()),
    path("bench/bare-insert", BareInsert.as_view()),
    *project_urls,
]
