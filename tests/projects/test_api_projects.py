"""`/projects` and `/usage`."""

from datetime import UTC, datetime

import pytest
import time_machine

from projects.models import AuditEntry, Project
from projects.services.usage import count_usage
from projects.usage import Meter
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(client, workspace):
    """The client with a token of all scopes, sending JSON."""
    token = factories.TokenFactory(workspace=workspace)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token.text}"
    return client


def post(api, body, path="/api/v1/projects"):
    return api.post(path, body, "application/json")


def patch(api, body, path="/api/v1/projects/acme-web"):
    return api.patch(path, body, "application/json")


def fields_of(response):
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid")
    return response.json()["error"]["details"]["fields"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_addresses_work_with_and_without_a_trailing_slash(api, project, slash):
    assert api.get(f"/api/v1/projects{slash}").status_code == 200
    assert api.get(f"/api/v1/projects/acme-web{slash}").status_code == 200
    assert api.get(f"/api/v1/usage{slash}").status_code == 200
    assert post(api, {"name": "Shop"}, f"/api/v1/projects{slash}").status_code == 201
    assert patch(api, {"name": "New"}, f"/api/v1/projects/acme-web{slash}").status_code == 200


def test_a_project_is_read_by_its_slug_and_by_its_id(api, project):
    by_slug = api.get("/api/v1/projects/acme-web").json()
    assert by_slug == {
        "id": str(project.pk),
        "name": "Acme Web",
        "slug": "acme-web",
        "base_url": "https://shop.example.com",
        "inherits_workspace_flags": True,
        "created_at": project.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert api.get(f"/api/v1/projects/{project.pk}").json() == by_slug


@pytest.mark.parametrize(
    "name", ["none", "01890000-0000-7000-8000-000000000000", "a" * 300, "%00", "a%00b", "ü", "a.b"]
)
def test_an_unknown_project_is_not_there(api, name):
    response = api.get(f"/api/v1/projects/{name}")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


def test_a_project_of_another_workspace_is_not_there(api):
    other = factories.ProjectFactory(slug="other")
    for path in ("/api/v1/projects/other", f"/api/v1/projects/{other.pk}"):
        assert api.get(path).status_code == 404
        assert patch(api, {"name": "Mine"}, path).status_code == 404
    other.refresh_from_db()
    assert other.name != "Mine"


def test_projects_are_listed_by_name_in_pages(api, project):
    for name in ("Zoo", "Bar"):
        factories.ProjectFactory(workspace=project.workspace, name=name)
    factories.ProjectFactory(name="Foreign")
    first = api.get("/api/v1/projects?page_size=2").json()
    assert (first["total"], first["page"], first["page_size"]) == (3, 1, 2)
    assert [row["name"] for row in first["results"]] == ["Acme Web", "Bar"]
    assert [row["name"] for row in api.get("/api/v1/projects?page_size=2&page=2").json()["results"]] == ["Zoo"]
    past = api.get("/api/v1/projects?page=9")
    assert (past.status_code, past.json()["results"], past.json()["total"]) == (200, [], 3)


@pytest.mark.parametrize("query", ["page_size=201", "page_size=0", "page_size=x"])
def test_a_bad_page_is_named(api, query):
    assert list(fields_of(api.get(f"/api/v1/projects?{query}"))) == ["page_size"]


def test_a_project_is_created(api, workspace):
    response = post(api, {"name": "Shop Süd", "base_url": "https://shop.example.com"})
    assert response.status_code == 201
    project = Project.objects.get(slug="shop-sud")
    assert response.json() == api.get("/api/v1/projects/shop-sud").json()
    assert (project.workspace, project.name, project.base_url) == (workspace, "Shop Süd", "https://shop.example.com")
    assert AuditEntry.objects.get(action="project.created").project_id == project.pk


def test_a_slug_may_be_chosen(api):
    assert post(api, {"name": "Shop", "slug": "my-shop"}).json()["slug"] == "my-shop"


def test_a_taken_slug_is_a_conflict(api, project):
    response = post(api, {"name": "Other", "slug": "acme-web"})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "conflict")
    assert response.json()["error"]["details"] == {"field": "slug"}


def test_a_slug_taken_in_another_workspace_is_free_here(api):
    factories.ProjectFactory(slug="shop")
    assert post(api, {"name": "Shop", "slug": "shop"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": 12}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "Shop", "slug": "no spaces"}, "slug"),
        ({"name": "Shop", "slug": ""}, "slug"),
        ({"name": "Shop", "slug": None}, "slug"),
        ({"name": "Shop", "slug": "x" * 61}, "slug"),
        ({"name": "Shop", "base_url": "shop"}, "base_url"),
        ({"name": "Shop", "base_url": "ftp://shop.example.com"}, "base_url"),
        ({"name": "Shop", "base_url": "javascript:alert(1)"}, "base_url"),
        ({"name": "Shop", "base_url": "http://[::1"}, "base_url"),
        ({"name": "Shop", "base_url": ["https://shop.example.com"]}, "base_url"),
        ({"name": "Shop", "baseurl": "https://shop.example.com"}, "baseurl"),
        ({"name": "Shop", "id": "01890000-0000-7000-8000-000000000000"}, "id"),
        ({"name": "Shop", "inherits_workspace_flags": False}, "inherits_workspace_flags"),
    ],
)
def test_a_bad_project_is_refused_with_the_field_named(api, body, path):
    assert list(fields_of(post(api, body))) == [path]
    assert not Project.objects.exclude(slug="acme-web").exists()


def test_the_plan_limits_how_many_there_are(client):
    workspace = factories.WorkspaceFactory(plan_code="free")
    factories.ProjectFactory(workspace=workspace)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {factories.TokenFactory(workspace=workspace).text}"
    response = post(client, {"name": "Second"})
    assert response.status_code == 402
    error = response.json()["error"]
    assert error["code"] == "plan_limit"
    assert error["details"] == {"limit": "projects", "allowed": 1, "used": 1, "plan": "free"}
    assert workspace.projects.count() == 1


def test_a_project_is_changed_where_it_is_named(api, project):
    response = patch(api, {"name": "Acme", "base_url": ""})
    assert response.status_code == 200
    assert {key: response.json()[key] for key in ("name", "slug", "base_url")} == {
        "name": "Acme",
        "slug": "acme-web",
        "base_url": "",
    }
    entry = AuditEntry.objects.get(action="project.updated")
    assert entry.changes == {"name": ["Acme Web", "Acme"], "base_url": ["https://shop.example.com", ""]}


def test_an_empty_change_changes_nothing(api, project):
    assert patch(api, {}).json()["name"] == "Acme Web"
    assert not AuditEntry.objects.exists()


def test_a_change_to_a_taken_slug_is_a_conflict(api, project):
    factories.ProjectFactory(workspace=project.workspace, slug="shop")
    assert patch(api, {"slug": "shop"}).status_code == 409
    assert patch(api, {"slug": "acme-web"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "path"),
    [({"name": None}, "name"), ({"slug": "a b"}, "slug"), ({"nmae": "x"}, "nmae"), ({"name": 1}, "name")],
)
def test_a_bad_change_is_refused_and_changes_nothing(api, project, body, path):
    assert list(fields_of(patch(api, {"base_url": "https://new.example.com", **body}))) == [path]
    project.refresh_from_db()
    assert project.base_url == "https://shop.example.com"


@time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=False)
def test_usage_is_told_against_the_plan(api, workspace):
    count_usage(workspace.pk, Meter.RUNS, datetime(2026, 11, 1, tzinfo=UTC), 2000)
    count_usage(workspace.pk, Meter.RUNS, datetime(2026, 10, 31, 23, 59, tzinfo=UTC), 7)
    assert api.get("/api/v1/usage").json() == {
        "period": "2026-11",
        "plan": "pro",
        "meters": {
            "runs": {"used": 2000, "cap": 2500, "percent": 80},
            "scans": {"used": 0, "cap": 100, "percent": 0},
        },
    }


def test_unlimited_usage_has_no_cap_and_no_percent(client):
    workspace = factories.WorkspaceFactory(plan_code="enterprise")
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {factories.TokenFactory(workspace=workspace).text}"
    assert client.get("/api/v1/usage").json()["meters"]["runs"] == {"used": 0, "cap": None, "percent": None}
