"""The pages for what went wrong."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from tests import factories


def refuse(request):
    raise PermissionDenied("Only the owner of this workspace can do this.")


def fail(request):
    raise RuntimeError("secret detail")


def suspect(request):
    raise SuspiciousOperation("secret detail")


urlpatterns = [
    path("suspect/", suspect),
    path("api/v1/suspect/", suspect),
    path("refuse/", refuse),
    path("fail/", fail),
    path("api/v1/fail/", fail),
    path("post/", lambda request: HttpResponse("done")),
    path("", include("notifications.urls")),
    path("", include("projects.urls")),
]
handler400 = "aegisnotify.pages.errors.bad_request"
handler403 = "aegisnotify.pages.errors.forbidden"
handler404 = "aegisnotify.pages.errors.not_found"
handler500 = "aegisnotify.pages.errors.server_error"

pytestmark = pytest.mark.urls(__name__)


def test_an_unknown_address(client, db):
    response = client.get("/nowhere/")
    assert response.status_code == 404
    html = response.content.decode()
    assert "There is nothing at this address" in html
    assert '<a class="btn" href="/deliveries/">Search deliveries</a>' in html


def test_a_refusal_shows_its_sentence(client, db):
    response = client.get("/refuse/")
    assert response.status_code == 403
    assert "Only the owner of this workspace can do this." in response.content.decode()


def test_what_cannot_be_read_says_that_nothing_was_changed(client):
    # Without the db fixture: it asks for nothing.
    response = client.get("/suspect/")
    assert response.status_code == 400
    assert "nothing was changed" in response.content.decode()
    assert "secret detail" not in response.content.decode()


@pytest.mark.urls("aegisnotify.urls")
def test_a_host_that_is_not_ours_is_refused_in_the_shape_of_the_address(client, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    page = client.get("/login/", headers={"host": "elsewhere.example"})
    assert page.status_code == 400
    assert "can't be read" in page.content.decode()
    answer = client.get("/api/v1/nowhere", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"


def test_a_program_gets_a_request_that_cannot_be_read_as_json(client):
    response = client.get("/api/v1/suspect/")
    assert response.status_code == 400
    assert response.json() == {"error": {"code": "invalid", "message": "The request can't be read.", "details": {}}}


def test_our_own_failure_needs_neither_database_nor_session(settings):
    # Without the db fixture any query fails the test, and a broken session engine cannot even be imported.
    settings.SESSION_ENGINE = "nowhere.at.all"
    settings.MIDDLEWARE = []
    client = Client(raise_request_exception=False)
    client.cookies["theme"] = "dark"
    response = client.get("/fail/")
    assert response.status_code == 500
    html = response.content.decode()
    assert "Something failed on our side" in html
    assert 'data-theme="dark"' in html
    assert "secret detail" not in html


def test_a_program_gets_our_failure_as_json():
    response = Client(raise_request_exception=False).get("/api/v1/fail/")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal"


def test_a_form_without_a_token_says_that_nothing_was_changed(db):
    response = Client(enforce_csrf_checks=True).post("/post/")
    assert response.status_code == 403
    assert "This form is no longer valid, so nothing was changed." in response.content.decode()


def test_the_pages_have_no_inline_style_or_script(client, db):
    client.force_login(factories.WorkspaceFactory().memberships.get().user)
    for address in ("/", "/nowhere/", "/refuse/"):
        html = client.get(address).content.decode()
        assert " style=" not in html
        assert "<style" not in html
        assert html.count("<script") == html.count("<script src=")
        assert " onclick=" not in html


@pytest.mark.parametrize("method", ["get", "head"])
def test_an_address_that_only_takes_a_form_has_a_page_that_browsers_show(client, method):
    response = getattr(client, method)("/logout/")
    assert response.status_code == 405
    page = client.get("/logout/").content
    assert b"This address takes a form" in page
    # With the length of the empty answer that it stands for, a browser would read nothing of it.
    assert int(response["Content-Length"]) == len(page)
