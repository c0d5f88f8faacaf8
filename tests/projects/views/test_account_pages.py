"""Signing up, verifying, resetting the password and the profile, as a browser without JavaScript uses them."""

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from notifications.models import Channel
from projects import links
from projects.models import User, Workspace
from tests import factories
from tests.projects.account_scenes import link_in, mails_to, post_form, soup, text_of

FORM = {
    "name": "Ann Lee",
    "email": "Ann@Example.com",
    "password": factories.PASSWORD,
    "workspace": "Acme QA",
    "project": "Acme Web",
    "base_url": "acme.example",
    "time_zone": "Europe/Berlin",
}


@pytest.fixture(autouse=True)
def no_earlier_tries(db):
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def client(django_capture_on_commit_callbacks):
    """A browser; what its posts leave for after the commit is done."""

    class Browser(Client):
        def post(self, *args, **kwargs):
            with django_capture_on_commit_callbacks(execute=True):
                return super().post(*args, **kwargs)

    return Browser()


class TestSigningUp:
    def test_makes_a_workspace_on_free_with_its_first_project_and_signs_in(self, client):
        response = post_form(client, "/signup/", "/signup/", **FORM)
        assert response.redirect_chain == [("/", 302)]
        page = text_of(response)
        assert "Welcome. A mail to ann@example.com asks you to confirm the address." in page
        assert "Confirm ann@example.com" in page
        workspace = Workspace.objects.get()
        assert (workspace.plan.code, workspace.time_zone) == ("free", "Europe/Berlin")
        assert Channel.objects.get().project.base_url == "https://acme.example"
        assert len(mails_to("ann@example.com")) == 1

    def test_a_new_session_begins(self, client):
        client.get("/signup/")
        before = client.session.session_key
        post_form(client, "/signup/", "/signup/", **FORM)
        assert client.session.session_key != before

    @pytest.mark.parametrize(
        ("values", "field", "sentence"),
        [
            ({"email": "taken@example.com"}, "email", "There is an account with this address. Sign in instead."),
            ({"password": "12345678901"}, "password", "This password is entirely numeric."),
            ({"workspace": ""}, "workspace", "This field is required."),
            ({"base_url": "ftp://x.example"}, "base_url", "Give an address that starts with https:// or http://."),
            ({"time_zone": "Mars/Olympus"}, "time_zone", "“Mars/Olympus” is not an IANA time zone"),
        ],
    )
    def test_what_is_wrong_is_said_beside_the_field(self, client, values, field, sentence):
        factories.UserFactory(email="taken@example.com")
        page = soup(client.post("/signup/", {**FORM, **values}))
        assert sentence in page.find(id=f"id_{field}_error").get_text()
        assert f"id_{field}_error" in page.find(id=f"id_{field}")["aria-describedby"]
        assert page.find(id="id_password").get("value") is None
        assert not Workspace.objects.exists()
        assert User.objects.count() == 1

    def test_who_is_signed_in_goes_to_the_overview(self, client):
        client.force_login(factories.UserFactory())
        assert client.get("/signup/")["Location"] == "/"

    def test_too_many_from_one_place(self, client):
        for number in range(10):
            Client().post("/signup/", {**FORM, "email": f"user{number}@example.com"})
        response = client.post("/signup/", FORM)
        assert response.status_code == 429
        assert "Too many accounts were made from your network." in text_of(response)


class TestVerifying:
    @pytest.fixture
    def user(self):
        return factories.UserFactory(email="ann@example.com", email_verified_at=None)

    def path(self, user):
        return links.verification_url(user).removeprefix("http://testserver")

    def test_looking_changes_nothing_and_the_button_verifies_without_signing_in(self, client, user):
        page = client.get(self.path(user))
        assert "a•••@example.com" in text_of(page)
        user.refresh_from_db()
        assert user.email_verified_at is None
        response = client.post(self.path(user))
        assert "Your address is confirmed" in text_of(response)
        user.refresh_from_db()
        assert user.email_verified_at
        assert "sessionid" not in client.cookies
        assert "Your address is confirmed" in text_of(client.get(self.path(user)))

    def test_links_that_are_not_ours(self, client, user):
        for path in (
            "/verify-email/nonsense/",
            self.path(user)[:-2] + "/",
            self.path(user).replace("verify", "change"),
        ):
            assert client.get(path).status_code == 404
            assert client.post(path).status_code == 404
        user.refresh_from_db()
        assert user.email_verified_at is None

    def test_a_link_for_an_earlier_address(self, client, user):
        path = self.path(user)
        User.objects.update(email="other@example.com")
        assert "no longer applies" in text_of(client.post(path))

    def test_the_mail_again_from_every_page(self, client, user):
        client.force_login(user)
        response = post_form(client, "/profile/", "/profile/verification/")
        assert "Sent to ann@example.com" in text_of(response)
        assert "Is this your address?" in text_of(client.get(link_in(mail.outbox[-1])))
        assert "Not sent: one mail a minute" in text_of(post_form(client, "/profile/", "/profile/verification/"))
        assert len(mail.outbox) == 1


class TestForgottenPasswords:
    def test_from_the_mail_to_a_new_password(self, client):
        user = factories.UserFactory(email="ann@example.com", email_verified_at=None)
        elsewhere = Client()
        elsewhere.force_login(user)
        post_form(client, "/password-reset/", "/password-reset/", email="ann@example.com")
        (message,) = mail.outbox
        response = client.get(link_in(message), follow=True)
        assert response.redirect_chain[-1][0].endswith("/set-password/")
        weak = client.post(response.request["PATH_INFO"], {"password": "short"})
        assert "too short" in soup(weak).find(id="id_password_error").get_text()
        response = client.post(response.request["PATH_INFO"], {"password": "another good password"}, follow=True)
        assert response.redirect_chain == [("/login/", 302)]
        assert "Your new password is set." in text_of(response)
        user.refresh_from_db()
        assert user.check_password("another good password")
        assert user.email_verified_at
        assert elsewhere.get("/profile/").status_code == 302
        assert "no longer works" in text_of(client.get(link_in(message), follow=True))

    def test_unknown_addresses_get_the_same_answer(self, client):
        factories.UserFactory(email="ann@example.com")
        known, unknown = (
            client.post("/password-reset/", {"email": email}, follow=True)
            for email in ("ann@example.com", "nobody@example.com")
        )
        assert known.redirect_chain == unknown.redirect_chain
        assert text_of(known) == text_of(unknown)
        assert len(mail.outbox) == 1

    def test_too_many_from_one_place(self, client):
        for number in range(20):
            client.post("/password-reset/", {"email": f"user{number}@example.com"})
        assert client.post("/password-reset/", {"email": "ann@example.com"}).status_code == 429

    def test_a_link_that_is_not_ours(self, client):
        assert "no longer works" in text_of(client.get("/password-reset/MQ/set-password/"))
        assert "no longer works" in text_of(client.post("/password-reset/MQ/nonsense/", {"password": "x"}))


class TestTheProfile:
    @pytest.fixture
    def user(self, client):
        user = factories.UserFactory(email="ann@example.com", time_zone="US/Eastern")
        client.force_login(user)
        return user

    def test_is_for_those_who_are_signed_in(self):
        assert Client().get("/profile/")["Location"] == "/login/?next=/profile/"

    def test_name_and_zone(self, client, user):
        assert soup(client.get("/profile/")).find(id="id_time_zone").find(selected=True)["value"] == "US/Eastern"
        response = post_form(client, "/profile/", "/profile/", name="Ann Lee", time_zone="Asia/Tokyo")
        assert "Your profile is saved." in text_of(response)
        user.refresh_from_db()
        assert (user.name, user.time_zone) == ("Ann Lee", "Asia/Tokyo")

    def test_an_unknown_zone_is_refused(self, client, user):
        page = soup(client.post("/profile/", {"name": "Ann", "time_zone": "Mars/Olympus"}))
        assert "not an IANA time zone" in page.find(id="id_time_zone_error").get_text()

    def test_a_new_password_keeps_this_session_and_ends_the_others(self, client, user):
        elsewhere = Client()
        elsewhere.force_login(user)
        response = post_form(
            client,
            "/profile/",
            "/profile/password/",
            old_password=factories.PASSWORD,
            password="another good password",
        )
        assert "Your password is changed." in text_of(response)
        assert client.get("/profile/").status_code == 200
        assert elsewhere.get("/profile/").status_code == 302

    @pytest.mark.parametrize("action", ["/profile/email/", "/profile/password/"])
    def test_takes_the_present_password_and_ends_the_tries(self, client, user, action):
        data = {"email": "new@example.com", "password": "wrong", "old_password": "wrong"}
        for _ in range(10):
            assert "This is not your password." in text_of(client.post(action, data))
        assert client.post(action, data).status_code == 429
        assert mail.outbox == []

    def test_another_address_from_asking_to_signing_in_with_it(self, client, user):
        post_form(client, "/profile/", "/profile/email/", email="new@example.com", password=factories.PASSWORD)
        path = link_in(mails_to("new@example.com")[0])
        assert "Use new@example.com from now on?" in text_of(client.get(path))
        user.refresh_from_db()
        assert user.email == "ann@example.com"
        assert "Your address is changed" in text_of(Client().post(path))
        assert "Your address is changed" in text_of(client.get(path))
        user.refresh_from_db()
        assert user.email == "new@example.com"
        assert client.get("/profile/").status_code == 200
        signed_in = Client().post("/login/", {"username": "new@example.com", "password": factories.PASSWORD})
        assert signed_in.status_code == 302

    def test_lists_ones_workspaces_with_the_way_out(self, client, user):
        membership = factories.MembershipFactory(user=user, workspace__name="Elsewhere", workspace__slug="else")
        assert "Elsewhere" in text_of(client.get("/profile/"))
        response = post_form(client, "/settings/workspace/leave/?ws=else", "/settings/workspace/leave/")
        assert "You left Elsewhere." in text_of(response)
        assert not user.memberships.filter(pk=membership.pk).exists()

    def test_the_owner_can_not_leave(self, client, user):
        factories.WorkspaceFactory(owner=user, slug="mine")
        response = client.post("/settings/workspace/leave/?ws=mine", follow=True)
        assert "The owner stays" in text_of(response)
