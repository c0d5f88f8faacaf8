"""The published description of the API: parts that operations share, the document, and the page that shows it."""

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from drf_spectacular.views import SpectacularAPIView
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.pagination import COUNT_LIMIT, MAX_PAGE_SIZE, PAGE_SIZE
from aegisnotify.api.routing import TRAILING
from aegisnotify.errors import STATUS_OF

Endpoint = tuple[str, str, str, Callable[..., Any]]


class ErrorBodySerializer(serializers.Serializer):
    code = serializers.ChoiceField(choices=list(STATUS_OF))
    message = serializers.CharField(help_text="A sentence for people.")
    details = serializers.DictField(
        help_text="`invalid`: `fields` maps the path of each bad field to its sentences; `body` stands for the body as "
        "a whole. `plan_limit`: `limit`, `allowed`, `used`, `plan`."
    )


class ErrorSerializer(serializers.Serializer):
    """Every refusal has this shape."""

    error = ErrorBodySerializer()


_MEANING = {
    400: "`invalid`: the details name each bad field.",
    401: "`unauthenticated`: no token, or one that is unknown or revoked.",
    402: "`plan_limit`: the workspace's plan has no room for this.",
    403: "`forbidden`: the token lacks the scope, or the person's role the right.",
    404: "`not_found`: it does not exist, or belongs to another workspace.",
    409: "`conflict`: it is taken, or already under way.",
    412: "`stale`: it was changed since it was read.",
    413: "`too_large`: the body is larger than the operation takes.",
    415: "`invalid`: the body was not sent as `application/json`.",
    429: "`rate_limited`: try again after `Retry-After` seconds.",
}
_ALWAYS = (401, 403, 429)


def errors(*statuses: int) -> dict[int, OpenApiResponse]:
    """The responses an operation can refuse with: those given, and those that every operation has."""
    with_body = (415,) if 400 in statuses and 413 in statuses else ()
    return {
        status: OpenApiResponse(ErrorSerializer, description=_MEANING[status])
        for status in sorted({*statuses, *with_body, *_ALWAYS})
    }


PAGE_PARAMETERS = [
    OpenApiParameter("page", int, description="From 1. A page past the end is empty."),
    OpenApiParameter("page_size", int, description=f"At most {MAX_PAGE_SIZE}; default {PAGE_SIZE}."),
]
PERIOD_PARAMETERS = [
    OpenApiParameter(
        "since", str, description="Received at or after this moment: ISO 8601 with its offset, `2026-04-28T10:42:11Z`."
    ),
    OpenApiParameter("until", str, description="Received before this moment."),
]


def page_of(item: type[serializers.Serializer]) -> serializers.Serializer:
    """The shape of a list of `item`."""
    return inline_serializer(
        f"{item.__name__.removesuffix('Serializer')}Page",
        {
            "total": serializers.IntegerField(help_text=f"Exact up to {COUNT_LIMIT:,}."),
            "total_capped": serializers.BooleanField(required=False, help_text="true when there are more."),
            "page": serializers.IntegerField(),
            "page_size": serializers.IntegerField(),
            "results": item(many=True),
        },
    )


def without_trailing_slashes(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Each address once: the spelling with the slash is the same operation."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith(TRAILING)]


@functools.cache
def document() -> dict[str, Any]:
    """The schema. It depends on the code only, and making it takes a tenth of a second, which anybody may ask for."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


class SchemaView(SpectacularAPIView):
    """OpenAPI 3: JSON, or YAML where Accept or `?format=yaml` asks for it."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer2, OpenApiYamlRenderer]
    throttle_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(document())


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The browsable description. "Try it out" works for those who are signed in, or with a token.

    Swagger UI sets styles through the DOM only, so with its start-up script in a file it needs no exception from the
    content security policy.
    """
    return render(request, "api/docs.html")
