"""One shape of errors: `{"error": {"code", "message", "details"}}`, whatever refused."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from aegisnotify.api.parsers import BODY
from aegisnotify.errors import (
    Forbidden,
    Invalid,
    NotFound,
    ServiceError,
    TooLarge,
    TooMany,
    body_of,
    status_of,
)


class LengthRequired(exceptions.APIException):
    """RFC 9110, section 15.5.12. A chunked body has no length, and Django reads none of it."""

    status_code = 411
    default_detail = "Send the body with a Content-Length: chunked bodies are not read."
    default_code = "invalid"


def exception_handler(exception: Exception, context: Mapping[str, Any]) -> Response | None:
    """The answer for what a view or its checks raised. None for what nobody foresaw: Django logs that as a 500."""
    if isinstance(exception, exceptions.APIException):
        return _of_framework(exception)
    if isinstance(exception, ObjectDoesNotExist) and context["request"].method not in ("GET", "HEAD", "OPTIONS"):
        # Somebody deleted it between the look at it and the lock on it.
        exception = Http404()
    error = _as_service_error(exception)
    if error is None:
        return None
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) and error.retry_after else None
    return Response(body_of(error.code, error.message, error.details), status=status_of(error), headers=headers)


def _as_service_error(exception: Exception) -> ServiceError | None:
    match exception:
        case ServiceError():
            return exception
        case Http404():
            return NotFound("There is nothing at this address.")
        case PermissionDenied():
            return Forbidden(str(exception) or "This is not allowed.")
        case RequestDataTooBig():
            return TooLarge("The body is too large.")
        case SuspiciousOperation():
            return Invalid({BODY: ["The request can't be read."]})
    return None


def _of_framework(exception: exceptions.APIException) -> Response:
    headers: dict[str, str] = {}
    status, details = exception.status_code, {}
    message = str(exception.detail) if isinstance(exception.detail, str) else ""
    match exception:
        case exceptions.ValidationError():
            invalid = Invalid(fields_of(exception.detail))
            code, message, details = invalid.code, invalid.message, invalid.details
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            code, status = "unauthenticated", 401
            headers["WWW-Authenticate"] = getattr(exception, "auth_header", "Bearer")
        case exceptions.PermissionDenied():
            code = "forbidden"
        case exceptions.NotFound():
            code = "not_found"
        case exceptions.MethodNotAllowed():
            code = "method_not_allowed"
        case exceptions.UnsupportedMediaType():
            code, message = "invalid", "Send JSON, with Content-Type: application/json."
        case exceptions.Throttled():
            wait = math.ceil(getattr(exception, "wait", None) or 1)
            code, message = "rate_limited", f"Too many requests. Try again in {wait} seconds."
            details = {"retry_after": wait}
            headers["Retry-After"] = str(wait)
        case _:
            code = "invalid" if status < 500 else "internal"
    return Response(body_of(code, message, details), status=status, headers=headers)


def fields_of(detail: Any) -> dict[str, list[str]]:
    """A serializer's nested errors under dotted paths: `{"run.passed": [sentence]}`."""
    fields: dict[str, list[str]] = {}
    for path, sentence in _flat(detail, ()):
        fields.setdefault(".".join(path) or BODY, []).append(sentence)
    return fields


def _flat(detail: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(detail, dict):
        for name, child in detail.items():
            yield from _flat(child, path if name == "non_field_errors" else (*path, str(name)))
    elif isinstance(detail, list):
        for position, child in enumerate(detail):
            yield from _flat(child, path if isinstance(child, str) else (*path, str(position)))
    else:
        yield path, str(detail)
