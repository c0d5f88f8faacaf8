"""The published description: valid, complete, public, and shown without anything from elsewhere."""

import re
from urllib.parse import urlsplit

import pytest
import yaml
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver

from aegisnotify.api.schema import document

REFERENCE = re.compile(r"""(?:src|href|data-schema)="([^"]+)\"""")


def test_the_schema_is_made_without_warnings_and_is_valid(tmp_path):
    call_command("spectacular", "--fail-on-warn", "--validate", file=str(tmp_path / "schema.yaml"))


def test_no_address_is_described_twice():
    paths = list(document()["paths"])
    assert "/api/v1/projects/{slug}" in paths
    assert not [path for path in paths if path.endswith("/")]


def operations():
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_every_operation_says_how_it_refuses_and_what_it_asks_for():
    for name, operation in operations():
        assert {"401", "403", "429"} <= set(operation["responses"]), name
        assert "Scope: `" in operation["description"], name
        assert operation["summary"], name


def test_the_security_schemes_are_described():
    schemes = document()["components"]["securitySchemes"]
    assert schemes["token"]["scheme"] == "bearer"
    assert schemes["session"]["in"] == "cookie"


def patterns(resolver, prefix=""):
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern


def test_every_address_of_the_api_has_both_spellings():
    routes = {route for route, _ in patterns(get_resolver()) if route.startswith("api/v1/")}
    assert routes
    assert {route for route in routes if not route.endswith("/")} == {
        route[:-1] for route in routes if route.endswith("/")
    }


@pytest.mark.parametrize("path", ["/api/v1/schema", "/api/v1/schema/"])
def test_anybody_may_read_the_schema(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.json()["openapi"].startswith("3.")
    assert response.json()["info"]["title"] == "AegisNotify API"


@pytest.mark.parametrize("asked", [{"query_params": {"format": "yaml"}}, {"HTTP_ACCEPT": "application/yaml"}])
def test_the_schema_comes_as_yaml_too(client, asked):
    response = client.get("/api/v1/schema", **asked)
    assert "yaml" in response["Content-Type"]
    assert yaml.safe_load(response.content)["paths"] == document()["paths"]


@pytest.mark.parametrize("path", ["/api/v1/docs", "/api/v1/docs/"])
def test_the_docs_page_loads_only_what_we_serve(client, path):
    response = client.get(path)
    assert response.status_code == 200
    references = REFERENCE.findall(response.content.decode())
    assert len(references) >= 5
    for reference in references:
        parts = urlsplit(reference)
        assert not parts.netloc
        if parts.path.startswith("/static/"):
            assert finders.find(parts.path.removeprefix("/static/")), reference
        else:
            assert client.get(parts.path).status_code == 200
    assert "<script>" not in response.content.decode()
    assert "style=" not in response.content.decode()


def test_the_docs_page_needs_no_exception_from_the_policy(client):
    policy = client.get("/api/v1/docs")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
