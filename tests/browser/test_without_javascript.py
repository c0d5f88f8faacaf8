"""Every change as a form that posts and redirects, in a browser whose JavaScript is off."""

import pytest
from playwright.sync_api import expect

from notifications.models import Channel, RecoveryJob
from notifications.services.recovery import work_on_recoveries
from projects.models import User
from tests import factories
from tests.browser.scenes import CHANNELS, card
from tests.browser.test_projects import URLS
from tests.projects.account_scenes import link_in, mails_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_signing_up(plain):
    factories.plan("free")
    page = plain.page
    page.goto(f"{plain.address}/signup/")
    page.get_by_label("Your name").fill("Ann Lee")
    page.get_by_label("Email").fill("ann@example.com")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_label("Workspace").fill("Acme QA")
    page.get_by_label("First project").fill("Acme Web")
    page.get_by_role("button", name="Create account").click()
    page.get_by_text("Welcome. A mail to ann@example.com").wait_for()
    assert User.objects.get().memberships.get().role == "owner"


def test_inviting_and_accepting(plain, owner, project):
    page = plain.open(owner, "/settings/members/?ws=acme")
    page.get_by_label("Email").fill("ann@example.com")
    page.get_by_role("button", name="Send the invitation").click()
    page.get_by_text("Invited: ann@example.com.").wait_for()
    path = link_in(mails_to("ann@example.com")[0])
    page.goto(plain.address + path)
    page.get_by_role("button", name="Sign out").click()
    page.goto(plain.address + path)
    page.get_by_label("Your name").fill("Ann Lee")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Create account and join").click()
    page.get_by_text("You are now member of Acme QA.").wait_for()


def test_a_locked_plan(plain, owner, project):
    project.workspace.plan = factories.plan("starter")
    project.workspace.save()
    factories.ChannelFactory(project=project, kind="slack", key="slack", name="#eng")
    page = plain.open(owner, "/notifications/?ws=acme")
    page.get_by_text("Per-channel filters are part of Pro").wait_for()
    assert page.locator("table").get_by_role("switch").count() == 0
    page.locator("#f-run_completed").click()
    page.get_by_role("button", name="Save 1 change").click()
    page.get_by_text("1 change saved.").wait_for()


def test_adding_each_kind(plain, owner, project):
    page = plain.open(owner, CHANNELS)
    for kind, url in (*URLS.items(), ("Email", "")):
        page.locator("main").get_by_role("link", name="Add channel").first.click()
        page.locator("main").get_by_role("link", name=kind).click()
        if url:
            page.get_by_label("URL").fill("nonsense")
            page.get_by_role("button", name="Save channel").click()
            expect(page.get_by_label("URL")).to_have_attribute("aria-invalid", "true")
            page.get_by_label("URL").fill(url)
        page.get_by_label("Name", exact=True).fill(f"{kind} of QA")
        page.get_by_role("button", name="Save channel").click()
        if kind == "Webhook":
            page.get_by_role("link", name="To the channels").click()
        card(page, f"{kind} of QA").wait_for()
    assert Channel.objects.count() == len(URLS) + 1


def test_a_test_that_fails(plain, owner, project, receiver):
    factories.ChannelFactory(project=project, name="Ops", config={"url": f"{receiver}/bad", "secret": "s" * 20})
    page = plain.open(owner, CHANNELS)
    page.get_by_role("button", name="Test Ops").click()
    page.get_by_text("The receiver answered 500").wait_for()
    page.get_by_text("The other side's answer").click()
    page.get_by_text("out of order").wait_for()


def test_rotating_and_activating(plain, owner, project):
    hook = factories.ChannelFactory(project=project, name="Ops")
    page = plain.open(owner, CHANNELS)
    page.get_by_role("link", name="Rotate the secret of Ops").click()
    page.get_by_role("button", name="Stage the new secret").click()
    page.get_by_role("heading", name="The new secret is staged").wait_for()
    staged = page.get_by_label("New secret", exact=True).input_value()
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Activate the new secret of Ops").click()
    page.get_by_role("button", name="Activate").click()
    page.get_by_text("The new secret of Ops is active.").wait_for()
    hook.refresh_from_db()
    assert hook.config["secret"] == staged


def test_recovering_with_progress(plain, owner, project):
    factories.ChannelFactory(project=project, name="Ops")
    factories.OccurrenceFactory(project=project)
    page = plain.open(owner, CHANNELS)
    page.get_by_role("link", name="Recover what Ops missed").click()
    page.get_by_role("button", name="Recover").click()
    page.get_by_role("progressbar", name="Recovering Ops").wait_for()
    work_on_recoveries()
    page.reload()
    page.get_by_text("Recovered: 0 messages sent").wait_for()
    assert RecoveryJob.objects.get().status == "done"
