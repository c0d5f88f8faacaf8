"""Who was told, and who would be: the buttons that mend what is in the way, with and without JavaScript."""

import pytest
from playwright.sync_api import expect

from notifications.models import Channel
from notifications.services.pausing import suspend_channel
from projects.actors import SYSTEM
from tests import factories
from tests.browser.scenes import busy_workspace, card

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def scene(db):
    return busy_workspace()


def opened(browser, scene):
    owner, event = scene
    return browser.open(owner, f"/events/{event.pk}/why/?ws=acme")


def test_a_button_mends_what_is_in_the_way_and_the_row_says_so(visitor, scene):
    page = opened(visitor, scene)
    visitor.look_at("event-why")
    page.get_by_role("button", name="Resume Release room").click()
    page.locator("#toasts").get_by_text("Done: resume Release room.").wait_for()
    expect(card(page, "Release room")).to_contain_text("Today it would be sent")
    assert page.evaluate("document.activeElement.textContent") == "Release room"
    page.get_by_role("button", name="Switch Old hook on").dblclick()
    page.locator("#toasts").get_by_text("Done: switch Old hook on.").wait_for()
    page.get_by_role("button", name="Let Management follow the flag run_failed").click()
    expect(card(page, "Management")).to_contain_text("Today it would be sent")
    assert Channel.objects.get(key="webhook-3").enabled


def test_what_was_added_since_has_its_button_too(visitor, scene):
    _, event = scene
    factories.ChannelFactory(project=event.project, key="new-hook", name="New hook", enabled=False, position=50)
    page = opened(visitor, scene)
    visitor.look_at("event-why-added-since")
    page.get_by_role("button", name="Switch New hook on").click()
    page.locator("#toasts").get_by_text("Done: switch New hook on.").wait_for()
    expect(page.get_by_role("region", name="Added since")).to_contain_text("Today it would be sent")
    assert page.evaluate("document.activeElement.textContent") == "New hook"


def test_a_test_lifts_the_suspension_in_place(visitor, scene, receiver):
    hook = Channel.objects.get(key="webhook-1")
    hook.config = {**hook.config, "url": f"{receiver}/good"}
    hook.save()
    suspend_channel(SYSTEM, hook, "Gone.")
    page = opened(visitor, scene)
    page.get_by_role("button", name=f"Test {hook.name}, which lifts the suspension").click()
    expect(card(page, hook.name)).to_contain_text("The receiver answered 200")
    hook.refresh_from_db()
    assert hook.suspended_at is None
    visitor.look_at("event-why-tested")


def test_a_lost_connection_says_that_nothing_was_saved(visitor, scene):
    page = opened(visitor, scene)
    page.route("**/fix/*", lambda route: route.abort())
    page.get_by_role("button", name="Resume Release room").click()
    page.locator("#toasts").get_by_text("Not saved. Check your connection and try again.").wait_for()
    expect(page.get_by_role("button", name="Resume Release room")).to_be_enabled()
    page.unroute("**/fix/*")
    page.get_by_role("button", name="Resume Release room").click()
    page.locator("#toasts").get_by_text("Done: resume Release room.").wait_for()


def test_an_expired_session_leads_to_the_sign_in_and_back(visitor, scene):
    page = opened(visitor, scene)
    address = page.url
    visitor.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Resume Release room").click()
    page.get_by_label("Password").wait_for()
    page.get_by_label("Email").fill("lena@acme.example")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(address)
    page.get_by_role("button", name="Resume Release room").wait_for()


def test_asking_about_another_event_and_going_back(visitor, scene):
    page = opened(visitor, scene)
    page.get_by_label("Event", exact=True).select_option("scheduled_runs")
    page.get_by_label("Result").select_option("passed")
    page.get_by_role("button", name="Explain").click()
    page.get_by_text("This event is made up").wait_for()
    expect(card(page, "#eng-alerts")).to_contain_text("It would be sent")
    visitor.look_at("explain")
    page.get_by_label("Event", exact=True).select_option("run_failed")
    page.get_by_role("button", name="Explain").click()
    page.get_by_text("run_failed does not fire when the result is “passed”").wait_for()
    visitor.look_at("explain-refused")
    page.go_back()
    page.get_by_text("This event is made up").wait_for()
    page.go_back()
    page.get_by_role("heading", name="Who was told?", exact=False).first.wait_for()


def test_it_works_without_javascript(plain, scene):
    page = opened(plain, scene)
    page.get_by_role("button", name="Resume Release room").click()
    page.get_by_text("Done: resume Release room.").wait_for()
    expect(card(page, "Release room")).to_contain_text("Today it would be sent")
    page.get_by_label("Result").select_option("failed")
    page.get_by_role("button", name="Explain").click()
    page.get_by_text("This event is made up").wait_for()
    page.get_by_role("button", name="Switch Old hook on").click()
    page.get_by_text("Done: switch Old hook on.").wait_for()
    assert "event=" in page.url
    assert Channel.objects.filter(enabled=False).count() == 0
