"""Members, invitations, tokens and the workspace over the API: what the pages change, the API changes."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache

from aegisnotify.clock import now
from projects.models import ApiToken, AuditEntry, Invitation, Membership
from projects.scopes import Scope
from tests import factories
from tests.notifications.api.callers import Caller, error_of, fields_of, signed_in, with_token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def owner(people):
    return signed_in(people.owner)


@pytest.fixture
def invitation(owner, workspace, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        response = owner.post("/invitations", {"email": "New@Example.com", "role": "member"})
    assert response.status_code == 201
    return response.json()


def member_id(user):
    return Membership.objects.get(user=user).pk


def test_members_are_listed_the_owner_first(owner, people):
    first, *rest = owner.get("/members").json()["results"]
    assert (first["email"], first["role"], first["verified"]) == (people.owner.email, "owner", True)
    assert [each["role"] for each in rest] == ["admin", "member", "viewer"]


def test_a_role_is_changed_and_recorded_as_by_the_api(owner, people):
    changed = owner.patch(f"/members/{member_id(people.viewer)}", {"role": "admin"})
    assert (changed.status_code, changed.json()["role"]) == (200, "admin")
    assert AuditEntry.objects.get(action="member.role_changed").source == "api"


def test_the_owner_stays_and_ownership_is_not_given_away(owner, people):
    assert error_of(owner.patch(f"/members/{member_id(people.owner)}", {"role": "viewer"})) == (409, "conflict")
    assert error_of(owner.delete(f"/members/{member_id(people.owner)}")) == (409, "conflict")
    assert "role" in fields_of(owner.patch(f"/members/{member_id(people.viewer)}", {"role": "owner"}))


def test_a_member_is_removed_once(owner, people):
    path = f"/members/{member_id(people.viewer)}"
    assert owner.delete(path).status_code == 204
    assert error_of(owner.delete(path)) == (404, "not_found")
    assert not Membership.objects.filter(user=people.viewer).exists()


def test_another_workspaces_people_do_not_exist(owner):
    stranger = factories.MembershipFactory()
    assert error_of(owner.patch(f"/members/{stranger.pk}", {"role": "viewer"})) == (404, "not_found")
    assert error_of(owner.delete(f"/members/{stranger.pk}")) == (404, "not_found")


def test_an_invitation_is_mailed_to_the_address_and_its_link_shown_to_nobody(invitation):
    assert (invitation["email"], invitation["role"]) == ("new@example.com", "member")
    (sent,) = mail.outbox
    assert sent.to == ["new@example.com"]
    assert set(invitation) == {"id", "email", "role", "sent_at", "expires_at"}


def test_inviting_twice_is_a_conflict_and_beyond_the_plan_a_payment(owner, workspace, invitation):
    again = {"email": "new@example.com", "role": "member"}
    assert error_of(owner.post("/invitations", again)) == (409, "conflict")
    workspace.plan = factories.plan("free")
    workspace.save()
    refused = owner.post("/invitations", {"email": "other@example.com", "role": "member"})
    assert error_of(refused) == (402, "plan_limit")
    assert refused.json()["error"]["details"]["limit"] == "members"


def test_the_plan_is_named_before_what_confirming_the_address_would_not_help(owner, people, workspace):
    people.owner.email_verified_at = None
    people.owner.save()
    body = {"email": "other@example.com", "role": "member"}
    assert error_of(owner.post("/invitations", body)) == (403, "forbidden")
    workspace.plan = factories.plan("free")
    workspace.save()
    assert error_of(owner.post("/invitations", body)) == (402, "plan_limit")


def test_an_invitation_is_sent_again_after_a_minute_and_withdrawn(owner, invitation):
    path = f"/invitations/{invitation['id']}"
    assert error_of(owner.post(f"{path}/send-again")) == (429, "rate_limited")
    Invitation.objects.update(sent_at=now() - timedelta(minutes=2))
    assert owner.post(f"{path}/send-again").status_code == 200
    assert owner.delete(path).status_code == 204
    assert owner.get("/invitations").json()["results"] == []
    assert error_of(owner.delete(path)) == (404, "not_found")


def test_a_token_is_shown_once_works_and_is_revoked(owner, workspace, project):
    made = owner.post("/tokens", {"name": "ci", "scopes": ["settings:read"], "project": "acme-web"})
    assert made.status_code == 201
    text = made.json()["token"]
    (listed,) = owner.get("/tokens").json()["results"]
    assert (listed["name"], listed["scopes"], listed["project"]) == ("ci", ["settings:read"], "acme-web")
    assert "token" not in listed
    holder = Caller(HTTP_AUTHORIZATION=f"Bearer {text}")
    assert holder.get("/projects").status_code == 200
    assert owner.delete(f"/tokens/{listed['id']}").status_code == 204
    assert owner.get("/tokens").json()["results"] == []
    assert error_of(holder.get("/projects")) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "ci", "scopes": ["all"]}, "scopes"),
        ({"name": "ci", "scopes": []}, "scopes"),
        ({"name": " ", "scopes": ["events:write"]}, "name"),
        ({"scopes": ["events:write"]}, "name"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(owner, body, field):
    assert field in fields_of(owner.post("/tokens", body))
    assert not ApiToken.objects.exists()


def test_the_workspace_is_read_and_changed(owner, workspace):
    assert owner.get("/workspace").json()["slug"] == "acme"
    changed = owner.patch("/workspace", {"name": "Acme Ltd", "time_zone": "Europe/Berlin"}).json()
    assert (changed["name"], changed["time_zone"], changed["slug"]) == ("Acme Ltd", "Europe/Berlin", "acme")
    assert "time_zone" in fields_of(owner.patch("/workspace", {"time_zone": "Nowhere/Land"}))
    assert AuditEntry.objects.filter(action="workspace.updated", source="api").count() == 1


@pytest.mark.parametrize("path", ["/members", "/invitations", "/tokens"])
def test_a_token_makes_neither_members_nor_tokens_and_members_may_not(workspace, people, path):
    assert error_of(with_token(workspace).get(path)) == (403, "forbidden")
    refused = signed_in(people.member).get(path)
    assert error_of(refused) == (403, "forbidden")
    assert "Only the owner and admins" in refused.json()["error"]["message"]


def test_to_a_token_nobody_is_there_by_an_id(workspace, people):
    token = with_token(workspace)
    assert error_of(token.delete(f"/members/{member_id(people.member)}")) == (404, "not_found")
    assert Membership.objects.filter(user=people.member).exists()


def test_a_token_with_its_scope_may_read_the_workspace(workspace):
    assert with_token(workspace, Scope.SETTINGS_READ).get("/workspace").status_code == 200
    assert error_of(with_token(workspace, Scope.SETTINGS_READ).patch("/workspace", {"name": "x"})) == (403, "forbidden")
