"""What requests say, in types: the body, and the query parameters that several lists share."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import QueryDict
from rest_framework.request import Request

from aegisnotify.api.pagination import text_of
from notifications import catalog
from projects.errors import Invalid
from projects.models import Project
from projects.principal import Principal


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object: the parser takes nothing else."""
    assert isinstance(request.data, dict)
    return request.data


def project_in(principal: Principal, parameters: QueryDict) -> Project | None:
    """The project that `project` names, else the one that the token is limited to, else None: all.

    Raises `NotFound` for a project that the principal does not have.
    """
    named = text_of(parameters, "project")
    return principal.project(named) if named is not None else principal.limited_to


def event_in(parameters: QueryDict) -> str | None:
    return choice_in(parameters, "event", catalog.names())


def choice_in(parameters: QueryDict, name: str, known: Iterable[str]) -> str | None:
    """The parameter, None where it is not given. Raises `Invalid` when it is none of `known`."""
    value = parameters.get(name)
    known = list(known)
    if value is not None and value not in known:
        raise Invalid({name: [f"Name one of {', '.join(known)}."]})
    return value


def id_in(parameters: QueryDict, name: str) -> UUID | None:
    """The parameter as an id, None where it is not given. Raises `Invalid` for what can't be one."""
    value = parameters.get(name)
    try:
        return UUID(value) if value is not None else None
    except ValueError:
        raise Invalid({name: ["An id (UUID) is expected."]}) from None
