"""The overview in a browser: choosing a range, and watching it."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from aegisnotify.clock import now
from notifications.models import DeliveryHour
from notifications.windows import hour_number
from tests import factories
from tests.browser.scenes import busy_workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def owner():
    owner, _ = busy_workspace()
    workspace = owner.memberships.get(workspace__slug="acme").workspace
    moment = now()
    # A summer of them, from the day before yesterday back.
    DeliveryHour.objects.bulk_create(
        DeliveryHour(
            workspace=workspace, hour=hour_number(moment - timedelta(days=ago)), delivered=300 + 7 * ago, failed=3
        )
        for ago in range(2, 40)
    )
    return owner


def test_every_range_is_usable_by_everybody(visitor, owner):
    visitor.sign_in(owner)
    page = visitor.page
    for chosen in ("24h", "7d", "30d"):
        page.goto(f"{visitor.address}/?ws=acme&range={chosen}")
        page.get_by_text("Live, updates every 15 s").wait_for()
        # Pictures leave styles behind, which nothing may take over to what is swapped in.
        page.get_by_role("button", name="Pause").click()
        page.get_by_text("Show the numbers as a table").click()
        visitor.look_at(f"overview-{chosen}")


def test_a_range_is_chosen_in_place(visitor, owner):
    visitor.sign_in(owner)
    page = visitor.page
    page.goto(f"{visitor.address}/?ws=acme")
    page.evaluate("window.same = true")
    page.get_by_text("Show the numbers as a table").click()
    week = page.get_by_role("link", name="7 d")
    week.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Deliveries per day").wait_for()
    expect(week).to_have_attribute("aria-current", "true")
    expect(week).to_be_focused()
    expect(page.get_by_role("table")).to_be_visible()
    assert page.url.endswith("/?ws=acme&range=7d")
    assert page.evaluate("window.same")
    page.get_by_role("link", name="30 d").click()
    expect(page.locator("#overview-line")).to_contain_text("last 30 days")
    page.go_back()
    expect(page.locator("#overview-line")).to_contain_text("last 7 days")
    assert visitor.complaints == []


def test_without_javascript_a_range_is_a_link(plain, owner):
    plain.sign_in(owner)
    page = plain.page
    page.goto(f"{plain.address}/?ws=acme")
    page.get_by_role("link", name="7 d").click()
    page.get_by_role("heading", name="Deliveries per day").wait_for()
    assert page.url.endswith("/?ws=acme&range=7d")
    expect(page.get_by_role("link", name="7 d")).to_have_attribute("aria-current", "true")
    expect(page.get_by_text("Live, updates")).to_be_hidden()


def test_it_is_live_until_it_is_paused(visitor, owner):
    visitor.sign_in(owner)
    page = visitor.page
    page.clock.install()
    page.goto(f"{visitor.address}/?ws=acme")
    page.get_by_text("Show the numbers as a table").click()
    project = owner.memberships.get(workspace__slug="acme").workspace.projects.get()
    newest = page.locator("section", has=page.get_by_role("heading", name="Latest events")).locator("li a").first

    def happens(name):
        factories.OccurrenceFactory(project=project, facts={"id": name, "status": "failed", "suite_name": name})

    def tick():
        page.clock.fast_forward(16_000)

    focused = page.locator("[id^=overview-event-]").first
    focused.focus()
    happens("First suite")
    tick()
    expect(newest).to_have_text("First suite failed")
    # Whoever reads is not disturbed: the focus and what was opened stay.
    expect(page.locator("[id^=overview-event-]").nth(1)).to_be_focused()
    expect(page.get_by_role("table")).to_be_visible()
    assert page.get_by_role("status").all_inner_texts() in ([], [""])
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Updates are paused").wait_for()
    happens("Second suite")
    with page.expect_request(re.compile("range="), timeout=10_000):
        page.clock.fast_forward(60_000)
        page.get_by_role("button", name="Pause").click()
        tick()
    expect(newest).to_have_text("Second suite failed")
    assert visitor.complaints == []
