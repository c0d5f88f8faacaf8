"""Projects and their channels in a browser."""

import pytest
from playwright.sync_api import expect

from notifications.models import Channel
from tests import factories
from tests.browser.scenes import CHANNELS, busy_workspace, card

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

URLS = {
    "Slack": "https://hooks.slack.com/services/T000/B000/slacksecret",
    "Discord": "https://discord.com/api/webhooks/123456789012345678/discord-token",
    "Microsoft Teams": factories.CONFIGS["teams"]["url"],
    "Webhook": "https://93.184.215.14/hook/with/a/long/path",
}


def test_the_pages_are_usable_by_everybody(visitor):
    owner, _ = busy_workspace()
    factories.ProjectFactory(
        workspace=owner.memberships.get(workspace__slug="acme").workspace, name="Shop", slug="shop"
    )
    visitor.sign_in(owner)
    page = visitor.page
    page.goto(f"{visitor.address}/projects/?ws=acme")
    page.get_by_text("2 of 10 projects used on Pro.").wait_for()
    visitor.look_at("projects")
    page.get_by_role("link", name="Acme Web", exact=True).click()
    page.get_by_role("heading", name="Latest events").wait_for()
    visitor.look_at("project-activity")
    page.get_by_role("link", name="Config").click()
    page.get_by_role("heading", name="Event flags").wait_for()
    visitor.look_at("project-general")
    page.get_by_role("link", name="Integrations · Notifications").click()
    page.get_by_role("heading", name="Channels", level=2).wait_for()
    visitor.look_at("project-integrations")


def test_previews_change_with_the_event(visitor, project, owner):
    page = visitor.open(owner, CHANNELS)
    page.get_by_label("Event", exact=True).select_option("crawl_completed")
    expect(page.locator("#previews .pv-slack")).to_contain_text("Scan completed")
    expect(page.locator("#previews .pv-discord")).to_contain_text("Scan completed")
    page.get_by_role("link", name="All events").click()
    page.get_by_role("heading", name="Message previews").wait_for()
    page.locator("main").get_by_role("link", name="Run failed").click()
    page.frame_locator("iframe").get_by_text("Checkout flow failed").first.wait_for()
    visitor.look_at("message-previews")


def test_adding_each_kind(visitor, project, owner):
    page = visitor.open(owner, CHANNELS)
    page.get_by_text("No channel yet").wait_for()
    visitor.look_at("empty-channels")
    for kind, url in URLS.items():
        page.locator("main").get_by_role("link", name="Add channel").first.click()
        page.get_by_role("link", name=kind).click()
        page.get_by_label("Name", exact=True).fill(f"{kind} of QA")
        page.get_by_label("URL").fill("http://10.0.4.7/hook")
        page.get_by_role("button", name="Save channel").click()
        expect(page.get_by_label("URL")).to_have_attribute("aria-invalid", "true")
        visitor.complaints.clear()  # the browser itself notes every 400
        if kind == "Webhook":
            visitor.look_at("project-add-channel")
        page.get_by_label("URL").fill(url)
        page.get_by_role("button", name="Save channel").dblclick()
        if kind == "Webhook":
            page.get_by_role("heading", name="Webhook of QA is added").wait_for()
            assert (
                page.get_by_label("Secret", exact=True).input_value()
                == Channel.objects.get(kind="webhook").config["secret"]
            )
            visitor.look_at("channel-created")
            page.get_by_role("link", name="To the channels").click()
        card(page, f"{kind} of QA").wait_for()
    page.locator("main").get_by_role("link", name="Add channel").click()
    page.locator("main").get_by_role("link", name="Email").click()
    page.get_by_label("Recipients").fill("lena@acme.example\nqa@elsewhere.example")
    page.get_by_role("button", name="Save channel").click()
    expect(card(page, "Email")).to_contain_text("Unconfirmed")
    assert Channel.objects.count() == 5
    card(page, "Email").get_by_role("link", name="Edit").click()
    page.get_by_role("button", name="Ask again").wait_for()
    visitor.look_at("channel-edit")
    assert visitor.complaints == []
