"""Signing in and out."""

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.conf import settings
from django.core.cache import cache

from tests import factories


@pytest.fixture(autouse=True)
def no_earlier_attempts():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def user(db):
    workspace = factories.WorkspaceFactory(slug="acme", owner=factories.UserFactory(email="lena@acme.example"))
    return workspace.memberships.get().user


def sign_in(client, password=factories.PASSWORD, email="lena@acme.example", **more):
    return client.post("/login/", {"username": email, "password": password, **more})


def test_the_right_password_opens_the_overview(client, user):
    response = sign_in(client)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("email", ["Lena@Acme.example", "  lena@acme.example "])
def test_the_spelling_of_the_address_does_not_matter(client, user, email):
    assert sign_in(client, email=email).status_code == 302


def test_one_comes_back_to_where_one_was_going(client, user):
    assert sign_in(client, next="/?ws=acme")["Location"] == "/?ws=acme"


def test_but_never_to_another_site(client, user):
    assert sign_in(client, next="https://evil.example/")["Location"] == "/"


@pytest.mark.parametrize(("more", "ends_with_browser"), [({}, True), ({"remember": "on"}, False)])
def test_staying_signed_in_is_a_choice(client, user, more, ends_with_browser):
    cookie = sign_in(client, **more).cookies["sessionid"]
    assert (cookie["max-age"] == "") is ends_with_browser
    if not ends_with_browser:
        assert cookie["max-age"] == 30 * 24 * 3600


def test_a_wrong_password_is_said_beside_the_field(client, user):
    page = BeautifulSoup(sign_in(client, "wrong").content, "html.parser")
    field = page.find("input", {"name": "password"})
    assert field["aria-invalid"] == "true"
    assert page.find(id=field["aria-describedby"]).get_text(strip=True) == "Email and password do not match."
    assert field.get("value") is None


def test_something_that_is_no_address_is_said_beside_the_field(client, user):
    page = BeautifulSoup(sign_in(client, email="lena").content, "html.parser")
    field = page.find("input", {"name": "username"})
    assert field["aria-invalid"] == "true"
    assert page.find(id=field["aria-describedby"]).get_text(strip=True) == "Enter a valid email address."


def test_an_unknown_address_is_refused_in_the_same_words(client, user):
    assert "Email and password do not match." in sign_in(client, email="nobody@acme.example").content.decode()


def test_somebody_switched_off_cannot_sign_in(client, user):
    user.is_active = False
    user.save()
    assert sign_in(client).status_code == 200
    assert client.get("/").status_code == 302


def test_who_is_signed_in_does_not_see_the_sign_in_page(client, user):
    client.force_login(user)
    assert client.get("/login/")["Location"] == "/"


def test_five_wrong_passwords_lock_and_say_until_when(client, user):
    with time_machine.travel("2026-04-28 10:42Z", tick=False):
        for _ in range(4):
            assert sign_in(client, "wrong").status_code == 200
        locked = sign_in(client, "wrong")
        assert locked.status_code == 429
        assert locked["Retry-After"] == "900"
        assert "10:57 UTC" in locked.content.decode()
        assert sign_in(client).status_code == 429
        assert sign_in(client, email="LENA@acme.example").status_code == 429


def test_the_lock_is_for_that_address_only(client, user):
    factories.UserFactory(email="omar@acme.example")
    for _ in range(5):
        sign_in(client, "wrong")
    assert sign_in(client, email="omar@acme.example").status_code == 302


@pytest.mark.skipif(bool(settings.REDIS_URL), reason="Redis goes by its own clock")
def test_the_lock_ends_after_a_quarter_of_an_hour(client, user):
    with time_machine.travel("2026-04-28 10:42Z", tick=False) as clock:
        for _ in range(5):
            sign_in(client, "wrong")
        clock.shift(901)
        assert sign_in(client).status_code == 302


def test_the_administrations_sign_in_is_locked_too(client, user):
    for spelling in (
        "lena@acme.example",
        "Lena@acme.example",
        "LENA@acme.example",
        "lena@ACME.example",
        "leNa@acme.example",
    ):
        response = client.post("/admin/login/", {"username": spelling, "password": "wrong"})
    assert response.status_code == 429
    assert sign_in(client).status_code == 429


def test_signing_out_takes_a_post(client, user):
    client.force_login(user)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/").status_code == 302


def test_an_address_longer_than_any_is_no_failure_of_ours(client, db):
    long = f"{'a' * 240}@{'b' * 60}.example"
    response = client.post("/login/", {"username": long, "password": "x"})
    assert response.status_code == 200
    assert "at most 254 characters" in response.content.decode()


def test_tab_goes_from_address_to_password_before_it_reaches_the_way_out(client, db):
    form = BeautifulSoup(client.get("/login/").content, "html.parser").find("form")
    order = [each.get("name") or each.get("href") for each in form.select("input:not([type=hidden]), a")]
    assert order == ["username", "password", "/password-reset/", "remember"]
