"""Whatever refuses, the answer has one shape."""

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.test import Client
from rest_framework import exceptions, serializers

from aegisnotify.api.errors import LengthRequired, exception_handler
from aegisnotify.api.serializers import StrictBooleanField, StrictCharField, StrictIntegerField, StrictSerializer
from aegisnotify.errors import STATUS_OF
from projects import errors
from projects.entitlements import Exceeded

CASES = [
    (errors.Invalid({"run.passed": ["A number."]}), 400, "invalid", {"fields": {"run.passed": ["A number."]}}),
    (errors.PlanLimit(Exceeded("webhooks", 3, 3, "pro", "Pro")), 402, "plan_limit",
     {"limit": "webhooks", "allowed": 3, "used": 3, "plan": "pro"}),
    (errors.Forbidden("No."), 403, "forbidden", {}),
    (errors.NotFound("Nothing."), 404, "not_found", {}),
    (errors.Conflict("Taken.", {"field": "slug"}), 409, "conflict", {"field": "slug"}),
    (errors.Stale("Changed."), 412, "stale", {}),
    (errors.TooLarge("Large."), 413, "too_large", {}),
    (errors.TooMany("Often."), 429, "rate_limited", {}),
    (Http404(), 404, "not_found", {}),
    (PermissionDenied(), 403, "forbidden", {}),
    (RequestDataTooBig(), 413, "too_large", {}),
    (SuspiciousOperation(), 400, "invalid", {"fields": {"body": ["The request can't be read."]}}),
    (exceptions.NotAuthenticated(), 401, "unauthenticated", {}),
    (exceptions.AuthenticationFailed(), 401, "unauthenticated", {}),
    (exceptions.PermissionDenied("No."), 403, "forbidden", {}),
    (exceptions.NotFound(), 404, "not_found", {}),
    (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed", {}),
    (exceptions.UnsupportedMediaType("text/plain"), 415, "invalid", {}),
    (LengthRequired(), 411, "invalid", {}),
    (exceptions.Throttled(wait=11.2), 429, "rate_limited", {"retry_after": 12}),
    (exceptions.ValidationError({"a": ["One.", "Two."]}), 400, "invalid", {"fields": {"a": ["One.", "Two."]}}),
    (exceptions.ValidationError("Wrong."), 400, "invalid", {"fields": {"body": ["Wrong."]}}),
    (exceptions.ValidationError({"run": {"non_field_errors": ["Odd."], "failures": [{}, {"name": ["Long."]}]}}), 400,
     "invalid", {"fields": {"run": ["Odd."], "run.failures.1.name": ["Long."]}}),
    (exceptions.ValidationError({"recipients": {1: ["No address."]}}), 400, "invalid",
     {"fields": {"recipients.1": ["No address."]}}),
]  # fmt: skip


@pytest.mark.parametrize(("error", "status", "code", "details"), CASES)
def test_every_refusal_has_its_status_code_and_details(error, status, code, details):
    response = exception_handler(error, {})
    assert response.status_code == status
    assert list(response.data) == ["error"]
    assert set(response.data["error"]) == {"code", "message", "details"}
    assert (response.data["error"]["code"], response.data["error"]["details"]) == (code, details)
    assert isinstance(response.data["error"]["message"], str)
    assert response.data["error"]["message"]


def test_the_message_of_invalid_input_says_what_is_wrong_where():
    assert exception_handler(CASES[0][0], {}).data["error"]["message"] == "run.passed: A number."


def test_every_code_of_a_service_has_a_status():
    def subclasses(of):
        return {of} | {found for child in of.__subclasses__() for found in subclasses(child)}

    assert {error.code for error in subclasses(errors.ServiceError)} <= set(STATUS_OF)


def test_what_nobody_foresaw_is_left_to_django():
    assert exception_handler(RuntimeError("boom"), {}) is None


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (exceptions.Throttled(wait=2.1), "3"),
        (errors.TooMany("Often.", retry_after=30), "30"),
        (errors.TooMany("x"), None),
    ],
)
def test_retry_after_is_said_where_it_is_known(error, seconds):
    assert exception_handler(error, {}).headers.get("Retry-After") == seconds


def test_unauthenticated_answers_name_the_scheme():
    assert exception_handler(exceptions.NotAuthenticated(), {}).headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["get", "post", "options", "delete"])
@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/events/", "/api/v1/%00"]
)
def test_unknown_addresses_answer_in_json(path, method):
    response = getattr(Client(), method)(path)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


class Inner(StrictSerializer):
    count = StrictIntegerField(min_value=0, required=False)


class Body(StrictSerializer):
    name = StrictCharField(max_length=5)
    on = StrictBooleanField(required=False, allow_null=True)
    inner = Inner(required=False)
    tags = serializers.ListField(child=StrictCharField(), required=False)
    id = serializers.CharField(read_only=True)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"name": 12}, "name"),
        ({"name": True}, "name"),
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "abcdef"}, "name"),
        ({}, "name"),
        ({"name": "a", "on": "true"}, "on"),
        ({"name": "a", "on": 1}, "on"),
        ({"name": "a", "inner": {"count": "3"}}, "inner.count"),
        ({"name": "a", "inner": {"count": True}}, "inner.count"),
        ({"name": "a", "inner": {"count": 3.0}}, "inner.count"),
        ({"name": "a", "inner": {"count": -1}}, "inner.count"),
        ({"name": "a", "inner": []}, "inner"),
        ({"name": "a", "inner": {"cuont": 3}}, "inner.cuont"),
        ({"name": "a", "tags": ["x", 2]}, "tags.1"),
        ({"name": "a", "nmae": "b"}, "nmae"),
        ({"name": "a", "id": "b"}, "id"),
    ],
)
def test_bodies_are_taken_at_their_word(data, path):
    serializer = Body(data=data)
    with pytest.raises(exceptions.ValidationError) as caught:
        serializer.is_valid(raise_exception=True)
    assert list(exception_handler(caught.value, {}).data["error"]["details"]["fields"]) == [path]


def test_a_misspelt_name_is_named_beside_what_is_missing():
    serializer = Body(data={"nmae": "a"})
    assert not serializer.is_valid()
    assert set(serializer.errors) == {"name", "nmae"}


def test_a_right_body_is_taken():
    data = {"name": "a", "on": None, "inner": {"count": 3}, "tags": ["x"]}
    serializer = Body(data=data)
    assert serializer.is_valid()
    assert serializer.validated_data == data
