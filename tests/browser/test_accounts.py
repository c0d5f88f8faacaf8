"""Signing up, inviting, tokens and the audit log in a browser."""

import re

import pytest
from django.core import mail

from projects.access import Role
from projects.actors import Source, person
from projects.models import User
from projects.services import tokens
from projects.services.workspaces import update_workspace
from tests import factories
from tests.projects.account_scenes import link_in, mails_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def team(db):
    """A workspace on Pro with an owner, a member whose address is not confirmed, and an open invitation."""
    owner = factories.UserFactory(email="lena@acme.example", name="Lena Ortiz")
    workspace = factories.WorkspaceFactory(name="Acme QA", slug="acme", owner=owner, plan_code="pro")
    sam = factories.UserFactory(email="samuel.with-a-rather-long-address@engineering.acme.example", name="Sam")
    User.objects.filter(pk=sam.pk).update(email_verified_at=None)
    factories.MembershipFactory(workspace=workspace, user=sam, role=Role.VIEWER)
    factories.ProjectFactory(workspace=workspace, name="Acme Web", slug="acme-web")
    return workspace


def path_of(page):
    return re.sub(r"^https?://[^/]+", "", page.url)


def test_signing_up_and_confirming_the_address(visitor):
    factories.plan("free")
    page = visitor.page
    page.goto(f"{visitor.address}/login/")
    page.get_by_role("link", name="Sign up").click()
    page.get_by_role("heading", name="Sign up").wait_for()
    visitor.look_at("sign-up")
    page.get_by_label("Your name").fill("Ann Lee")
    page.get_by_label("Email").fill("ann@example.com")
    page.get_by_label("Password").fill("12345")
    page.get_by_label("Workspace").fill("Acme QA")
    page.get_by_label("First project").fill("Acme Web")
    page.get_by_role("button", name="Create account").click()
    page.get_by_text("This password is too short").wait_for()
    visitor.look_at("sign-up-refused")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Create account").dblclick()
    page.get_by_text("Welcome. A mail to ann@example.com").wait_for()
    visitor.look_at("signed-up")
    assert User.objects.count() == 1
    page.goto(visitor.address + link_in(mails_to("ann@example.com")[0]))
    visitor.look_at("verify-email")
    page.get_by_role("button", name="Confirm this address").click()
    page.get_by_role("heading", name="Your address is confirmed").wait_for()
    visitor.look_at("verified")
    page.get_by_role("link", name="Go to the overview").click()
    page.get_by_role("heading", name="Overview").wait_for()
    assert page.get_by_role("button", name="Send it again").count() == 0


def test_a_forgotten_password(visitor):
    factories.UserFactory(email="ann@example.com")
    page = visitor.page
    page.goto(f"{visitor.address}/login/")
    page.get_by_role("link", name="Forgot password?").click()
    visitor.look_at("password-reset")
    page.get_by_label("Email").fill("ann@example.com")
    page.get_by_role("button", name="Send the link").click()
    page.get_by_role("heading", name="Look into your mailbox").wait_for()
    visitor.look_at("password-reset-sent")
    page.goto(visitor.address + link_in(mail.outbox[0]))
    visitor.look_at("password-reset-confirm")
    page.get_by_label("New password").fill("another good password")
    page.get_by_role("button", name="Set this password").click()
    page.get_by_text("Your new password is set.").wait_for()


def test_inviting_and_accepting(visitor, browser, team):
    page = visitor.page
    visitor.sign_in(team.memberships.get(role=Role.OWNER).user)
    page.get_by_role("link", name="Members").click()
    page.get_by_label("Email").fill("ann@example.com")
    page.get_by_label("Role", exact=True).select_option("member")
    page.get_by_role("button", name="Send the invitation").click()
    page.get_by_text("Invited: ann@example.com.").wait_for()
    visitor.look_at("members")
    path = link_in(mails_to("ann@example.com")[0])
    page.goto(visitor.address + path)
    page.get_by_text("You are signed in as lena@acme.example.").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.goto(visitor.address + path)
    visitor.look_at("invitation")
    page.get_by_label("Your name").fill("Ann Lee")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Create account and join").click()
    page.get_by_text("You are now member of Acme QA.").wait_for()
    assert team.memberships.get(user__email="ann@example.com").role == "member"
    assert visitor.complaints == []


def test_changing_a_role_and_removing_somebody_in_place(visitor, team):
    page = visitor.page
    visitor.sign_in(team.memberships.get(role=Role.OWNER).user)
    page.goto(f"{visitor.address}/settings/members/?ws=acme")
    page.get_by_label("Role of Sam", exact=True).select_option("admin")
    page.get_by_role("button", name="Save the role of Sam").press("Enter")
    page.get_by_text("Sam is now admin.").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Save the role of Sam"
    page.get_by_role("link", name="Remove Sam").press("Enter")
    dialog = page.get_by_role("dialog", name="Remove Sam?")
    dialog.wait_for()
    visitor.look_at("member-remove")
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.textContent") == "Remove"
    page.get_by_role("link", name="Remove Sam").press("Enter")
    dialog.get_by_role("button", name="Remove").click()
    page.get_by_text("is no longer a member.").wait_for()
    assert team.memberships.count() == 1


def test_creating_and_revoking_a_token(visitor, team):
    page = visitor.page
    visitor.sign_in(team.memberships.get(role=Role.OWNER).user)
    page.get_by_role("link", name="API tokens").click()
    visitor.look_at("tokens-empty")
    page.get_by_label("Name").fill("CI of the shop")
    page.get_by_label("deliveries:read").check()
    page.get_by_role("combobox", name="Project").select_option("Acme Web")
    page.get_by_role("button", name="Create the token").click()
    page.get_by_role("heading", name="CI of the shop is ready.").wait_for()
    visitor.look_at("token-made")
    token = tokens.find_token(page.locator("#new-token").inner_text())
    assert token.scopes == ["deliveries:read", "events:write"]
    page.get_by_role("link", name="Revoke CI of the shop").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_text("CI of the shop is revoked.").wait_for()
    token.refresh_from_db()
    assert token.revoked_at


def test_the_audit_log_is_filtered_in_place(visitor, team):
    owner = team.memberships.get(role=Role.OWNER).user
    update_workspace(person(owner, Source.PAGE, "203.0.113.7"), team, {"name": "Acme QA & friends"})
    tokens.create_token(person(owner, Source.PAGE), team, name="CI", scopes=["events:write"])
    page = visitor.page
    visitor.sign_in(owner)
    page.get_by_role("link", name="Audit log").click()
    page.get_by_text("workspace.updated", exact=True).last.wait_for()
    visitor.look_at("audit")
    page.get_by_label("What").focus()
    page.get_by_label("What").select_option("token.created")
    page.locator("ol.audit").get_by_text("workspace.updated").wait_for(state="detached")
    assert "action=token.created" in page.url
    assert page.evaluate("document.activeElement.id") == "f-action"
    page.reload()
    assert page.locator("ol.audit > li").count() == 1
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename.startswith("audit-acme-")


def test_profile_workspace_and_the_locked_log_are_usable_by_everybody(visitor, team):
    owner = team.memberships.get(role=Role.OWNER).user
    page = visitor.page
    visitor.sign_in(owner)
    page.goto(f"{visitor.address}/profile/")
    visitor.look_at("profile")
    page.goto(f"{visitor.address}/settings/workspace/?ws=acme")
    visitor.look_at("workspace-settings")
    team.plan = factories.plan("starter")
    team.save()
    page.goto(f"{visitor.address}/settings/audit/?ws=acme")
    visitor.complaints.clear()  # the browser itself notes every 402
    visitor.look_at("audit-locked")


def test_without_javascript_a_question_is_a_page(browser, visitor, team):
    visitor.sign_in(team.memberships.get(role=Role.OWNER).user)
    plain = browser.new_context(java_script_enabled=False, storage_state=visitor.context.storage_state())
    page = plain.new_page()
    page.goto(f"{visitor.address}/settings/members/?ws=acme")
    page.get_by_role("link", name="Remove Sam").click()
    page.get_by_role("heading", name="Remove Sam?").wait_for()
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("is no longer a member.").wait_for()
    plain.close()
    assert team.memberships.count() == 1
