"""Calling the API as a token or as somebody signed in."""

import json

from django.test import Client

from projects.scopes import Scope
from tests import factories


class Caller:
    """Paths are given without /api/v1; bodies as what becomes JSON, or as bytes."""

    def __init__(self, **headers):
        self.client = Client(**headers)

    def get(self, path, **parameters):
        return self.client.get(f"/api/v1{path}", parameters)

    def post(self, path, body=None, **headers):
        return self._send("post", path, body, headers)

    def put(self, path, body=None, **headers):
        return self._send("put", path, body, headers)

    def patch(self, path, body=None, **headers):
        return self._send("patch", path, body, headers)

    def delete(self, path):
        return self.client.delete(f"/api/v1{path}")

    def _send(self, method, path, body, headers):
        data = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        return getattr(self.client, method)(f"/api/v1{path}", data, content_type="application/json", **headers)


def with_token(workspace, *scopes, **fields):
    token = factories.TokenFactory(workspace=workspace, scopes=[scope.value for scope in scopes or Scope], **fields)
    return Caller(HTTP_AUTHORIZATION=f"Bearer {token.text}")


def signed_in(user):
    caller = Caller()
    caller.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return caller


def error_of(response):
    """(status, code), having checked that the error has the documented shape."""
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    assert isinstance(body["error"]["message"], str)
    assert body["error"]["message"]
    assert isinstance(body["error"]["details"], dict)
    return response.status_code, body["error"]["code"]


def fields_of(response):
    """The bad fields of a 400."""
    assert error_of(response) == (400, "invalid")
    fields = response.json()["error"]["details"]["fields"]
    assert all(isinstance(sentence, str) for sentences in fields.values() for sentence in sentences)
    return fields
