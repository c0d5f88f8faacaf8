"""`/notification-settings/coverage`: gaps in who hears of what, each with the request that closes it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.schema import errors
from aegisnotify.clock import now
from notifications.api.schemas import CoverageSerializer
from notifications.insight.coverage import Action, Fix, Warning
from notifications.models import Channel
from notifications.selectors.coverage import warnings_of, warnings_of_project
from notifications.selectors.matrix import load_matrix
from projects.api.views import WorkspaceView
from projects.models import Project
from projects.scopes import Scope

_ABOUT = (
    "Asks the function that routes whether anybody would hear of a failure. `fix` is a request to this API that closes "
    "the gap, null where somebody has to choose. Nothing is changed by asking."
)


class ProjectCoverageView(WorkspaceView):
    scopes = {"GET": Scope.SETTINGS_READ}

    @extend_schema(
        operation_id="project_notification_settings_coverage",
        summary="Check a project's coverage",
        description=_ABOUT,
        responses={200: CoverageSerializer, **errors(404)},
    )
    def get(self, request: Request, slug: str) -> Response:
        project = self.project()
        return _answer(warnings_of_project(project, now()), [project])


class WorkspaceCoverageView(WorkspaceView):
    scopes = {"GET": Scope.SETTINGS_READ}
    workspace_wide = {"GET"}

    @extend_schema(
        operation_id="notification_settings_coverage",
        summary="Check the coverage of all projects",
        description=_ABOUT,
        responses={200: CoverageSerializer, **errors()},
    )
    def get(self, request: Request) -> Response:
        matrix = load_matrix(self.principal.workspace, now())
        return _answer(warnings_of(matrix), [item.project for item in matrix.projects])


@dataclass(frozen=True, slots=True)
class _Names:
    """What addresses call things, by their ids: projects by slug, channels by their project's slug and their key."""

    projects: Mapping[str, str]
    channels: Mapping[str, tuple[str, str]]


def _answer(warnings: Iterable[Warning], projects: Sequence[Project]) -> Response:
    slugs = {str(project.pk): project.slug for project in projects}
    rows = Channel.objects.filter(project__in=list(projects)).values_list("pk", "project", "key")
    names = _Names(slugs, {str(pk): (slugs[str(project)], key) for pk, project, key in rows})
    return Response({"warnings": [_present(warning, names) for warning in warnings]})


def _present(warning: Warning, names: _Names) -> dict[str, Any]:
    return {
        "code": warning.code.value,
        "message": warning.sentence,
        "grave": warning.grave,
        "projects": [names.projects[each] for each in warning.subjects if each in names.projects],
        "channels": [names.channels[each][1] for each in warning.subjects if each in names.channels],
        "fix": _request(warning.fix, names) if warning.fix else None,
    }


def _request(fix: Fix, names: _Names) -> dict[str, Any]:
    method, path, body = _call(fix, names)
    return {"summary": fix.label, "method": method, "path": path, "body": body}


def _call(fix: Fix, names: _Names) -> tuple[str, str, dict[str, Any]]:
    if fix.action is Action.SET_FLAG:
        slug = names.projects[fix.project_id] if fix.project_id else ""
        path = reverse("api-project-filters", args=[slug]) if slug else reverse("api-workspace-filters")
        return "PATCH", path, {"events": {fix.event: fix.value}}
    slug, key = names.channels[fix.channel_id]
    if fix.action is Action.SET_OVERRIDE:
        path = reverse("api-project-filters", args=[slug])
        return "PATCH", path, {"channel_filters": {key: {fix.event: fix.value}}}
    if fix.action is Action.RESUME:
        return "POST", reverse("api-channel-resume", args=[slug, key]), {}
    return "PATCH", reverse("api-channel", args=[slug, key]), {"enabled": fix.action is Action.ENABLE}
