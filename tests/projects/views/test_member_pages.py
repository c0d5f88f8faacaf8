"""Members, invitations, the workspace's settings, by role and without JavaScript."""

import json

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from projects.models import Invitation, User, Workspace
from projects.services import invitations
from tests import factories
from tests.projects.account_scenes import link_in, mails_to, post_form, soup, text_of

MEMBERS = "/settings/members/?ws=acme"


@pytest.fixture(autouse=True)
def no_earlier_tries(db):
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def browser(django_capture_on_commit_callbacks):
    """A browser for each person; what its posts leave for after the commit is done."""

    class Browser(Client):
        def post(self, *args, **kwargs):
            with django_capture_on_commit_callbacks(execute=True):
                return super().post(*args, **kwargs)

    def browser(user=None):
        client = Browser()
        if user:
            client.force_login(user)
        return client

    return browser


@pytest.fixture
def owner(browser, people):
    return browser(people.owner)


def invite(client, email="ann@example.com", role="member"):
    return post_form(client, MEMBERS, "/settings/members/invite/", email=email, role=role)


class TestByRole:
    @pytest.mark.parametrize(
        ("role", "status"), [("owner", 200), ("admin", 200), ("member", 403), ("viewer", 403), ("outsider", 404)]
    )
    @pytest.mark.parametrize("page", ["members", "audit", "tokens", "workspace"])
    def test_the_pages(self, browser, people, role, status, page):
        assert browser(getattr(people, role)).get(f"/settings/{page}/?ws=acme").status_code == status

    @pytest.mark.parametrize("role", ["member", "viewer", "outsider"])
    def test_nobody_else_changes_anything(self, browser, people, workspace, owner, role):
        invite(owner)
        client, invited = browser(getattr(people, role)), Invitation.objects.get()
        target = workspace.memberships.get(user=people.admin)
        for path, data in (
            ("/settings/members/invite/", {"email": "eve@example.com", "role": "admin"}),
            (f"/settings/members/invitations/{invited.pk}/again/", {}),
            (f"/settings/members/invitations/{invited.pk}/revoke/", {}),
            (f"/settings/members/{target.pk}/role/", {"role": "viewer"}),
            (f"/settings/members/{target.pk}/remove/", {}),
            ("/settings/workspace/", {"name": "Mine", "time_zone": "UTC"}),
            ("/settings/workspace/hand-over/", {"heir": target.pk, "password": factories.PASSWORD}),
            ("/settings/workspace/delete/", {"name": "Acme QA", "password": factories.PASSWORD}),
            ("/settings/tokens/", {"name": "x", "scopes": ["events:write"]}),
        ):
            assert client.post(f"{path}?ws=acme", data).status_code == (404 if role == "outsider" else 403), path
        workspace.refresh_from_db()
        assert (workspace.name, workspace.memberships.count(), Invitation.objects.count()) == ("Acme QA", 4, 1)
        assert not workspace.api_tokens.exists()

    def test_an_admin_can_neither_hand_over_nor_delete(self, browser, people, workspace):
        client = browser(people.admin)
        assert "Delete the workspace" not in text_of(client.get("/settings/workspace/?ws=acme"))
        heir = workspace.memberships.get(user=people.admin).pk
        for path, data in (("hand-over", {"heir": heir}), ("delete", {"name": "Acme QA"})):
            response = client.post(f"/settings/workspace/{path}/?ws=acme", {**data, "password": factories.PASSWORD})
            assert response.status_code == 403
        assert Workspace.objects.filter(pk=workspace.pk).exists()

    def test_another_workspaces_rows_do_not_exist_for_an_owner(self, owner):
        other = factories.WorkspaceFactory()
        member = factories.MembershipFactory(workspace=other)
        token = factories.TokenFactory(workspace=other)
        for path in (
            f"/settings/members/{member.pk}/role/",
            f"/settings/members/{member.pk}/remove/",
            f"/settings/tokens/{token.pk}/revoke/",
        ):
            assert owner.post(f"{path}?ws=acme", {"role": "viewer"}).status_code == 404
            assert owner.post(path, {"role": "viewer"}).status_code == 404
        assert other.memberships.count() == 2


class TestInviting:
    def test_the_page_says_who_was_invited_and_how_many_places_are_used(self, owner):
        page = text_of(invite(owner))
        assert "Invited: ann@example.com." in page
        assert "5 of 5 places of the Pro plan used, 1 of them by open invitations." in page
        assert len(mails_to("ann@example.com")) == 1

    def test_without_a_place_the_sentence_stands_beside_the_button(self, owner):
        invite(owner)
        response = owner.post("/settings/members/invite/?ws=acme", {"email": "bob@example.com", "role": "viewer"})
        assert response.status_code == 402
        assert "The Pro plan has 5 members; 5 are in use." in text_of(response)
        assert soup(response).find(id="id_email")["value"] == "bob@example.com"

    def test_what_is_wrong_is_said_beside_the_field(self, owner, people):
        response = owner.post("/settings/members/invite/?ws=acme", {"email": people.viewer.email, "role": "viewer"})
        assert "is a member already" in soup(response).find(id="id_email_error").get_text()

    def test_withdrawing_asks_first(self, owner):
        invite(owner)
        path = f"/settings/members/invitations/{Invitation.objects.get().pk}/revoke/"
        assert "The link in the mail stops working." in text_of(owner.get(path))
        assert Invitation.objects.get().revoked_at is None
        post_form(owner, f"{path}?ws=acme", path)
        assert Invitation.objects.get().revoked_at

    def test_sending_again_within_a_minute_is_refused_in_words(self, owner):
        invite(owner)
        path = f"/settings/members/invitations/{Invitation.objects.get().pk}/again/"
        assert "It was sent less than a minute ago." in text_of(post_form(owner, MEMBERS, path))


class TestFollowingAnInvitation:
    @pytest.fixture
    def path(self, owner):
        invite(owner, role="viewer")
        return link_in(mail.outbox[-1])

    def test_looking_changes_nothing(self, browser, path, workspace):
        for client in (browser(), browser(factories.UserFactory(email="ann@example.com"))):
            assert client.get(path).status_code == 200
        assert workspace.memberships.count() == 4
        assert Invitation.objects.get().accepted_at is None

    def test_somebody_new_makes_an_account_that_is_verified_by_the_link(self, browser, path, workspace):
        client = browser()
        assert "Create account and join" in text_of(client.get(path))
        response = post_form(
            client, path, path, name="Ann", password=factories.PASSWORD, time_zone="UTC", username="eve@example.com"
        )
        assert response.redirect_chain == [("/?ws=acme", 302)]
        assert "You are now viewer of Acme QA." in text_of(response)
        ann = User.objects.get(email="ann@example.com")
        assert ann.email_verified_at
        assert list(ann.memberships.values_list("workspace", "role")) == [(workspace.pk, "viewer")]
        assert len(mails_to("ann@example.com")) == 1

    def test_somebody_who_has_an_account_signs_in_first(self, browser, path, workspace):
        ann, client = factories.UserFactory(email="ann@example.com"), browser()
        sign_in = soup(client.get(path)).find("a", string="Sign in to join")["href"]
        assert client.post(path)["Location"] == sign_in
        response = client.post(sign_in, {"username": ann.email, "password": factories.PASSWORD}, follow=True)
        assert response.redirect_chain[0][0] == path
        post_form(client, path, path)
        assert workspace.memberships.get(user=ann).role == "viewer"

    def test_it_is_for_nobody_else(self, browser, path, workspace):
        eve = factories.UserFactory(email="eve@example.com")
        client = browser(eve)
        assert "You are signed in as eve@example.com." in text_of(client.get(path))
        assert client.post(path).status_code == 403
        assert not workspace.memberships.filter(user=eve).exists()

    def test_it_works_once(self, browser, path, workspace):
        ann = browser(factories.UserFactory(email="ann@example.com"))
        ann.post(path)
        assert browser().get(path).status_code == 404
        workspace.memberships.filter(user__email="ann@example.com").delete()
        assert ann.get(path).status_code == 404
        assert "was used or withdrawn" in text_of(ann.post(path))
        assert not workspace.memberships.filter(user__email="ann@example.com").exists()

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_second_click_leads_to_the_workspace_that_one_has_joined(self, browser, path, method):
        ann = browser(factories.UserFactory(email="ann@example.com"))
        ann.post(path)
        response = getattr(ann, method)(path, follow=True)
        assert response.redirect_chain == [("/?ws=acme", 302)]
        assert "You are a member of Acme QA already." in text_of(response)
        assert browser(factories.UserFactory(email="eve@example.com")).get(path).status_code == 404

    def test_without_a_place_there_is_no_account_either(self, browser, path, workspace):
        workspace.plan = factories.plan("free")
        workspace.save()
        response = browser().post(path, {"name": "Ann", "password": factories.PASSWORD, "time_zone": "UTC"})
        assert response.status_code == 402
        assert "The Free plan has 1 member; " in text_of(response)
        assert not User.objects.filter(email="ann@example.com").exists()

    def test_a_weak_password_is_said_beside_the_field(self, browser, path):
        page = soup(browser().post(path, {"name": "Ann", "password": "short", "time_zone": "UTC"}))
        assert "too short" in page.find(id="id_password_error").get_text()
        assert invitations.find(path.split("/")[2])


class TestChangingMembers:
    def row(self, workspace, user):
        return workspace.memberships.get(user=user)

    def test_a_role_by_a_form(self, owner, workspace, people):
        member = self.row(workspace, people.member)
        path = f"/settings/members/{member.pk}/role/"
        assert "is now viewer" in text_of(post_form(owner, MEMBERS, path, role="viewer"))
        assert self.row(workspace, people.member).role == "viewer"

    def test_a_role_by_htmx_answers_with_the_row_and_a_toast(self, owner, workspace, people):
        member = self.row(workspace, people.member)
        response = owner.post(
            f"/settings/members/{member.pk}/role/?ws=acme", {"role": "admin"}, headers={"HX-Request": "true"}
        )
        assert json.loads(response["HX-Trigger"])["toast"].endswith("is now admin.")
        assert soup(response).find("tr")["id"] == f"member-{member.pk}"

    def test_the_owner_has_no_role_to_choose(self, owner, workspace, people):
        path = f"/settings/members/{self.row(workspace, people.owner).pk}/"
        page = soup(owner.get(MEMBERS))
        assert not page.find("form", action=lambda action: action and action.startswith(path))
        assert "The owner stays" in text_of(owner.post(f"{path}remove/", follow=True))

    def test_removing_says_what_happens_first(self, owner, workspace, project, people):
        factories.TokenFactory(workspace=workspace, created_by=people.member)
        channel = factories.ChannelFactory(project=project, kind="email", name="QA team")
        factories.RecipientFactory(channel=channel, email=people.member.email)
        path = f"/settings/members/{self.row(workspace, people.member).pk}/remove/"
        question = owner.get(path, headers={"HX-Request": "true"})
        assert "API tokens made by this person keep working: 1." in text_of(question)
        assert soup(question).find("html") is None
        page = text_of(post_form(owner, f"{path}?ws=acme", path))
        assert f"{people.member.email} is no longer a member." in page
        assert "still a recipient, unconfirmed: QA team (Acme Web)." in page


class TestTheWorkspace:
    def test_name_and_zone(self, owner, workspace):
        page = post_form(
            owner, "/settings/workspace/?ws=acme", "/settings/workspace/", name="Acme", time_zone="Asia/Tokyo"
        )
        assert "settings are saved" in text_of(page)
        workspace.refresh_from_db()
        assert (workspace.name, workspace.time_zone) == ("Acme", "Asia/Tokyo")

    def test_handing_over_takes_the_password(self, owner, workspace, people):
        heir = workspace.memberships.get(user=people.admin)
        page, path = "/settings/workspace/?ws=acme", "/settings/workspace/hand-over/"
        assert "This is not your password." in text_of(post_form(owner, page, path, heir=heir.pk, password="x"))
        done = post_form(owner, page, path, heir=heir.pk, password=factories.PASSWORD)
        assert f"{people.admin.email} is the owner now. You are an admin." in text_of(done)

    def test_deleting_takes_name_and_password(self, owner, workspace, people):
        page, path = "/settings/workspace/?ws=acme", "/settings/workspace/delete/"
        wrong = post_form(owner, page, path, name="Acme", password=factories.PASSWORD)
        assert "Type the workspace's name as it is" in text_of(wrong)
        assert "This is not your password." in text_of(post_form(owner, page, path, name="Acme QA", password="x"))
        done = post_form(owner, page, path, name="Acme QA", password=factories.PASSWORD)
        assert "You belong to no workspace" in text_of(done)
        assert not Workspace.objects.filter(slug="acme").exists()

    def test_another_one(self, owner, people):
        page = post_form(owner, "/workspaces/new/", "/workspaces/new/", workspace="Second", project="Shop", base_url="")
        assert page.redirect_chain == [("/", 302)]
        assert "Second is ready." in text_of(page)
        assert people.owner.memberships.count() == 2

    def test_somebody_without_one_can_start_one(self, browser):
        client = browser(factories.UserFactory())
        assert "/workspaces/new/" in client.get("/").content.decode()
        assert "Cancel" in text_of(client.get("/workspaces/new/"))
