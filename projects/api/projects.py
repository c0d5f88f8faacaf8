"""`/projects`: list, create, read, change."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.pagination import paginate
from aegisnotify.api.schema import PAGE_PARAMETERS, errors, page_of
from aegisnotify.api.serializers import StrictCharField, StrictSerializer
from projects.api.views import WorkspaceView
from projects.models import Project
from projects.scopes import Scope
from projects.services.projects import create_project, update_project


class ProjectSerializer(serializers.Serializer):
    """A project as it is read."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.SlugField()
    base_url = serializers.CharField(help_text="Empty when it was not given.")
    inherits_workspace_flags = serializers.BooleanField(
        help_text="Written by the project's notification-settings, not here."
    )
    created_at = serializers.DateTimeField()


class ProjectWriteSerializer(StrictSerializer):
    """A project as it is written. On creation a slug that is not given is made from the name."""

    name = StrictCharField(max_length=120)
    slug = StrictCharField(max_length=60, required=False)
    base_url = StrictCharField(max_length=500, allow_blank=True, required=False)


def present(project: Project) -> dict[str, Any]:
    return {
        "id": str(project.pk),
        "name": project.name,
        "slug": project.slug,
        "base_url": project.base_url,
        "inherits_workspace_flags": project.inherits_workspace_flags,
        "created_at": project.created_at,
    }


class ProjectsView(WorkspaceView):
    scopes = {"GET": Scope.SETTINGS_READ, "POST": Scope.SETTINGS_WRITE}
    workspace_wide = {"POST"}

    @extend_schema(
        operation_id="projects_list",
        summary="List the projects",
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(ProjectSerializer), **errors(400)},
    )
    def get(self, request: Request) -> Response:
        return Response(paginate(request.query_params, self.principal.projects(), present))

    @extend_schema(
        operation_id="projects_create",
        summary="Create a project",
        request=ProjectWriteSerializer,
        responses={201: ProjectSerializer, **errors(400, 402, 409, 413)},
    )
    def post(self, request: Request) -> Response:
        body = ProjectWriteSerializer.read(request.data)
        project = create_project(self.principal.actor, self.principal.workspace, **body)
        return Response(present(project), status=201)


class ProjectView(WorkspaceView):
    scopes = {"GET": Scope.SETTINGS_READ, "PATCH": Scope.SETTINGS_WRITE}

    @extend_schema(
        operation_id="projects_read",
        summary="Read a project",
        description="The address takes the project's slug or its id.",
        responses={200: ProjectSerializer, **errors(404)},
    )
    def get(self, request: Request, slug: str) -> Response:
        return Response(present(self.project()))

    @extend_schema(
        operation_id="projects_change",
        summary="Change a project",
        description="What is not given keeps its value.",
        request=ProjectWriteSerializer(partial=True),
        responses={200: ProjectSerializer, **errors(400, 404, 409, 413)},
    )
    def patch(self, request: Request, slug: str) -> Response:
        project = self.project()
        body = ProjectWriteSerializer.read(request.data, partial=True)
        return Response(present(update_project(self.principal.actor, project, body)))
