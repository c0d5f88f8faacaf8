"""Who gets into the API: tokens with their scopes, signed-in people with their role's rights, nobody else."""

import logging

import pytest
from django.core.cache import cache
from django.test import Client

from projects.access import Role
from projects.actors import SYSTEM, Source
from projects.models import AuditEntry, Project
from projects.scopes import Scope
from projects.services.tokens import revoke_token
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


def bearer(token):
    return {"HTTP_AUTHORIZATION": f"Bearer {token.text}"}


def token_for(workspace, *scopes, **fields):
    return factories.TokenFactory(workspace=workspace, scopes=[scope.value for scope in scopes or Scope], **fields)


def signed_in(user, **options):
    client = Client(**options)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def code_of(response):
    return response.json()["error"]["code"]


# --- Tokens


def test_a_token_opens_its_workspace(client, project):
    token = token_for(project.workspace)
    response = client.get("/api/v1/projects", **bearer(token))
    assert response.status_code == 200
    assert [row["slug"] for row in response.json()["results"]] == ["acme-web"]


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Bearer", "Bearer ", "Bearer aegis_unknown", "Bearer other_abc", "Bearer aegis_a b", "Basic YTpi",
        "aegis_unknown", "Bearer aegis_\xff",
    ],
)  # fmt: skip
def test_without_a_known_token_nothing_opens(client, project, header):
    response = client.get("/api/v1/projects", **({} if header is None else {"HTTP_AUTHORIZATION": header}))
    assert response.status_code == 401
    assert code_of(response) == "unauthenticated"
    assert response["WWW-Authenticate"] == "Bearer"
    assert "X-RateLimit-Limit" not in response


def test_the_scheme_is_read_in_any_case(client, workspace):
    token = token_for(workspace)
    assert client.get("/api/v1/projects", HTTP_AUTHORIZATION=f"bearer  {token.text}").status_code == 200


def test_a_revoked_token_stops_at_once(client, workspace):
    token = token_for(workspace)
    assert client.get("/api/v1/projects", **bearer(token)).status_code == 200
    revoke_token(SYSTEM, token)
    response = client.get("/api/v1/projects", **bearer(token))
    assert (response.status_code, code_of(response)) == (401, "unauthenticated")


def test_a_bad_token_is_refused_even_beside_a_session(people):
    response = signed_in(people.owner).get("/api/v1/projects", HTTP_AUTHORIZATION="Bearer aegis_unknown")
    assert response.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("get", "/api/v1/projects", Scope.SETTINGS_READ),
        ("head", "/api/v1/projects", Scope.SETTINGS_READ),
        ("post", "/api/v1/projects", Scope.SETTINGS_WRITE),
        ("get", "/api/v1/projects/acme-web", Scope.SETTINGS_READ),
        ("patch", "/api/v1/projects/acme-web", Scope.SETTINGS_WRITE),
        ("get", "/api/v1/usage", Scope.SETTINGS_READ),
    ],
)
def test_each_operation_asks_for_its_scope(client, project, method, path, scope):
    others = [other for other in Scope if other is not scope]
    options = {"content_type": "application/json"}
    response = getattr(client, method)(path, **options, **bearer(token_for(project.workspace, *others)))
    assert response.status_code == 403
    if method != "head":
        assert response.json()["error"]["code"] == "forbidden"
        assert response.json()["error"]["details"] == {"scope": scope.value}
        assert scope.value in response.json()["error"]["message"]
    response = getattr(client, method)(path, **options, **bearer(token_for(project.workspace, scope)))
    assert response.status_code in (200, 400)


def test_the_use_of_a_token_is_remembered(client, workspace):
    token = token_for(workspace)
    client.get("/api/v1/projects", **bearer(token))
    token.refresh_from_db()
    assert token.last_used_at is not None


def test_a_change_by_a_token_is_audited_with_its_name_and_address(client, workspace):
    token = token_for(workspace, name="nightly")
    client.post("/api/v1/projects", {"name": "Shop"}, "application/json", REMOTE_ADDR="203.0.113.9", **bearer(token))
    entry = AuditEntry.objects.get(action="project.created")
    assert (entry.source, entry.address, entry.actor) == (Source.API, "203.0.113.9", None)
    assert "nightly" in entry.actor_label


def test_a_token_of_one_project_knows_no_other(client, project):
    factories.ProjectFactory(workspace=project.workspace, slug="shop")
    token = token_for(project.workspace, project=project)
    listed = client.get("/api/v1/projects", **bearer(token)).json()
    assert [row["slug"] for row in listed["results"]] == ["acme-web"]
    assert client.get("/api/v1/projects/acme-web", **bearer(token)).status_code == 200
    assert client.get("/api/v1/projects/shop", **bearer(token)).status_code == 404


def test_a_token_of_one_project_has_no_say_in_the_workspace(client, project):
    token = token_for(project.workspace, project=project)
    for response in (
        client.get("/api/v1/usage", **bearer(token)),
        client.post("/api/v1/projects", {"name": "Shop"}, "application/json", **bearer(token)),
    ):
        assert (response.status_code, code_of(response)) == (403, "forbidden")
        assert "acme-web" in response.json()["error"]["message"]
    assert Project.objects.count() == 1


# --- People


def test_somebody_signed_in_reads_their_workspace(people):
    response = signed_in(people.viewer).get("/api/v1/projects")
    assert [row["slug"] for row in response.json()["results"]] == ["acme-web"]


@pytest.mark.parametrize(("role", "status"), [("owner", 201), ("admin", 201), ("member", 403), ("viewer", 403)])
def test_the_role_decides_what_somebody_may_change(people, role, status):
    user = getattr(people, role)
    response = signed_in(user).post("/api/v1/projects", {"name": "Shop"}, "application/json")
    assert response.status_code == status
    if status == 403:
        assert response.json()["error"]["message"].startswith("Only the owner and admins of this workspace can")
    else:
        assert AuditEntry.objects.get(action="project.created").actor == user


def test_no_role_reports_events(people, workspace):
    from projects.actors import person
    from projects.principal import Principal

    membership = workspace.memberships.get(user=people.owner)
    principal = Principal(workspace, person(people.owner, Source.API), membership=membership)
    assert not principal.allows(Scope.EVENTS_WRITE)
    assert principal.allows(Scope.SETTINGS_WRITE)


def test_a_change_from_the_browser_needs_the_csrf_token(people):
    client = signed_in(people.owner, enforce_csrf_checks=True)
    assert client.get("/api/v1/projects").status_code == 200
    response = client.post("/api/v1/projects", {"name": "Shop"}, "application/json")
    assert (response.status_code, code_of(response)) == (403, "forbidden")
    assert "CSRF" in response.json()["error"]["message"]
    assert not Project.objects.filter(name="Shop").exists()
    client.cookies["csrftoken"] = "a" * 32
    response = client.post("/api/v1/projects", {"name": "Shop"}, "application/json", HTTP_X_CSRFTOKEN="a" * 32)
    assert response.status_code == 201


def test_a_token_needs_no_csrf_token(workspace):
    client = Client(enforce_csrf_checks=True)
    response = client.post("/api/v1/projects", {"name": "Shop"}, "application/json", **bearer(token_for(workspace)))
    assert response.status_code == 201


@pytest.fixture
def twofold(people, workspace):
    """The outsider also belongs to the workspace, as a viewer, besides owning another."""
    other = people.outsider.memberships.get().workspace
    other.name, other.slug = "Zeta", "zeta"
    other.save()
    factories.ProjectFactory(workspace=other, slug="zeta-web")
    factories.MembershipFactory(workspace=workspace, user=people.outsider, role=Role.VIEWER)
    return people.outsider


def slugs(response):
    return [row["slug"] for row in response.json()["results"]]


def test_the_header_names_the_workspace(twofold):
    client = signed_in(twofold)
    assert slugs(client.get("/api/v1/projects", HTTP_X_AEGIS_WORKSPACE="acme")) == ["acme-web"]
    assert slugs(client.get("/api/v1/projects", HTTP_X_AEGIS_WORKSPACE="zeta")) == ["zeta-web"]


def test_without_the_header_it_is_the_last_workspace_else_the_first(twofold, workspace):
    assert slugs(signed_in(twofold).get("/api/v1/projects")) == ["acme-web"]
    twofold.last_workspace = twofold.memberships.get(workspace__slug="zeta").workspace
    twofold.save()
    assert slugs(signed_in(twofold).get("/api/v1/projects")) == ["zeta-web"]
    twofold.memberships.get(workspace__slug="zeta").delete()
    assert slugs(signed_in(twofold).get("/api/v1/projects")) == ["acme-web"]


@pytest.mark.parametrize("slug", ["acme", "no-such", "", "\xff"])
def test_a_workspace_of_others_is_not_there(people, slug):
    response = signed_in(people.outsider).get("/api/v1/projects", HTTP_X_AEGIS_WORKSPACE=slug)
    assert (response.status_code, code_of(response)) == (404, "not_found")


def test_somebody_without_a_workspace_finds_nothing():
    response = signed_in(factories.UserFactory()).get("/api/v1/projects")
    assert (response.status_code, code_of(response)) == (404, "not_found")


def test_somebody_switched_off_is_not_signed_in(people):
    client = signed_in(people.owner)
    people.owner.is_active = False
    people.owner.save()
    assert client.get("/api/v1/projects").status_code == 401


# --- The conventions, seen from outside


def test_every_answer_to_somebody_known_tells_the_rate(client, workspace, settings):
    settings.AEGIS_API_RATE = 10
    reader = token_for(workspace, Scope.SETTINGS_READ)
    ok = client.get("/api/v1/projects", **bearer(reader))
    missing = client.get("/api/v1/projects/none", **bearer(reader))
    forbidden = client.post("/api/v1/projects", {}, "application/json", **bearer(reader))
    wrong_method = client.delete("/api/v1/projects", **bearer(reader))
    answers = [ok, missing, forbidden, wrong_method]
    assert [answer.status_code for answer in answers] == [200, 404, 403, 405]
    assert [answer["X-RateLimit-Limit"] for answer in answers] == ["10"] * 4
    assert all(1 <= int(answer["X-RateLimit-Reset"]) <= 60 for answer in answers)
    assert int(ok["X-RateLimit-Remaining"]) in (9, 10)


def test_too_many_requests_are_refused_until_the_minute_is_over(client, workspace, settings):
    settings.AEGIS_API_RATE = 0
    response = client.get("/api/v1/projects", **bearer(token_for(workspace)))
    assert (response.status_code, code_of(response)) == (429, "rate_limited")
    assert response["Retry-After"] == response["X-RateLimit-Reset"]
    assert response["X-RateLimit-Remaining"] == "0"
    assert response.json()["error"]["details"] == {"retry_after": int(response["Retry-After"])}


def test_a_person_is_counted_in_each_workspace(people, settings):
    settings.AEGIS_API_RATE = 1000
    response = signed_in(people.viewer).get("/api/v1/projects")
    assert response["X-RateLimit-Remaining"] == "999"


def test_a_method_that_an_address_has_not_is_refused(client, workspace):
    response = client.put("/api/v1/projects", {}, "application/json", **bearer(token_for(workspace)))
    assert (response.status_code, code_of(response)) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", ""])
def test_answers_are_json_whatever_is_accepted(client, workspace, accept):
    response = client.get("/api/v1/projects?format=xml", HTTP_ACCEPT=accept, **bearer(token_for(workspace)))
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_a_body_that_is_not_json_is_refused(client, workspace, content_type):
    response = client.generic(
        "POST", "/api/v1/projects", b'{"name": "Shop"}', content_type, **bearer(token_for(workspace))
    )
    assert (response.status_code, code_of(response)) == (415, "invalid")
    assert "application/json" in response.json()["error"]["message"]


def test_a_charset_is_no_obstacle(client, workspace):
    response = client.generic(
        "POST",
        "/api/v1/projects",
        '{"name": "Läden"}'.encode(),
        "application/json; charset=utf-8",
        **bearer(token_for(workspace)),
    )
    assert (response.status_code, response.json()["name"]) == (201, "Läden")


@pytest.mark.parametrize(
    ("data", "status", "path"),
    [
        (b'{"name": "a", "name": "b"}', 400, "name"),
        (b'{"name": "a\\u0000"}', 400, "name"),
        (b'{"name": NaN}', 400, "name"),
        (b'{"name": "\\ud800"}', 400, "name"),
        (b'{"name": ', 400, "body"),
        (b'["name"]', 400, "body"),
        (b"\xff", 400, "body"),
        (b"[" * 5000, 400, "body"),
        (b"", 400, "name"),
        (b'{"name": "' + b"x" * 70_000 + b'"}', 413, None),
    ],
)
def test_a_bad_body_is_refused_and_nothing_is_stored(client, workspace, data, status, path):
    before = Project.objects.count()
    response = client.generic("POST", "/api/v1/projects", data, "application/json", **bearer(token_for(workspace)))
    assert response.status_code == status
    if path:
        assert code_of(response) == "invalid"
        assert list(response.json()["error"]["details"]["fields"]) == [path]
    else:
        assert code_of(response) == "too_large"
    assert Project.objects.count() == before


def test_a_chunked_body_is_refused_instead_of_being_taken_for_empty(client, project):
    response = client.patch(
        "/api/v1/projects/acme-web",
        content_type="application/json",
        HTTP_TRANSFER_ENCODING="chunked",
        **bearer(token_for(project.workspace)),
    )
    assert (response.status_code, code_of(response)) == (411, "invalid")


def test_a_failure_of_ours_is_logged_and_tells_nothing(workspace, monkeypatch, caplog):
    def broken(*args):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("projects.api.usage.usage_of", broken)
    client = Client(raise_request_exception=False)
    with caplog.at_level(logging.ERROR):
        response = client.get("/api/v1/usage", **bearer(token_for(workspace)))
    assert (response.status_code, code_of(response)) == (500, "internal")
    assert "secret" not in response.content.decode()
    assert "the secret of the house" in caplog.text
