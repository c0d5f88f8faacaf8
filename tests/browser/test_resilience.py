"""Double clicks, an ended session, a lost connection, a page older than what it shows: one scene for each kind."""

import pytest
from playwright.sync_api import expect

from notifications.models import Channel, DeliveryStatus
from projects.models import AuditEntry, Project
from tests import factories
from tests.browser.scenes import CHANNELS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NEW_CHANNEL = "/p/acme-web/channels/new?ws=acme&kind=email"


@pytest.fixture
def hook(project):
    return factories.ChannelFactory(project=project, name="Ops dashboard")


def toast(page, words):
    return page.locator("#toasts .toast").filter(has_text=words)


def test_a_lost_connection(visitor, owner, hook):
    page = visitor.open(owner, CHANNELS)
    visitor.context.set_offline(True)
    page.get_by_role("link", name="Pause Ops dashboard").click()
    toast(page, "Not loaded. Check your connection").wait_for()
    visitor.context.set_offline(False)
    page.get_by_role("link", name="Pause Ops dashboard").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Tomorrow").check()
    visitor.context.set_offline(True)
    for _ in range(2):
        dialog.get_by_role("button", name="Pause").click()
    expect(dialog.get_by_role("alert")).to_have_text("Not saved. Check your connection and try again.")
    visitor.context.set_offline(False)
    visitor.complaints.clear()
    visitor.look_at("not-saved-in-a-dialog")
    expect(dialog.get_by_label("Tomorrow")).to_be_checked()
    dialog.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused by Lena Ortiz until").wait_for()


def test_a_server_that_does_not_answer(visitor, owner, hook):
    page = visitor.open(owner, CHANNELS)
    assert page.evaluate("htmx.config.timeout") == 30_000
    page.evaluate("htmx.config.timeout = 200")
    unanswered = []
    page.route("**/toggle*", lambda route: unanswered.append(route))
    switch = page.get_by_role("switch", name="Ops dashboard")
    switch.click()
    toast(page, "No answer came. Reload the page to see what is saved.").wait_for()
    expect(switch).to_have_attribute("aria-checked", "true")
    unanswered[0].abort()


def test_a_colleague_deleted_it_meanwhile(visitor, owner, hook):
    page = visitor.open(owner, CHANNELS)
    page.get_by_role("link", name="Pause Ops dashboard").click()
    page.get_by_role("dialog").wait_for()
    hook.delete()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("somebody changed or deleted it")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Test Ops dashboard").click()
    toast(page, "It is not there any more").get_by_role("button", name="Reload").click()
    page.get_by_role("article", name="Ops dashboard").wait_for(state="detached")


def test_a_page_older_than_the_sign_in(visitor, owner, hook):
    page = visitor.open(owner, CHANNELS)
    visitor.context.add_cookies([{"name": "csrftoken", "value": "x" * 32, "url": visitor.address}])
    switch = page.get_by_role("switch", name="Ops dashboard")
    switch.click()
    toast(page, "This form is no longer valid, so nothing was changed.").wait_for()
    expect(switch).to_have_attribute("aria-checked", "true")
    toast(page, "no longer valid").get_by_role("button", name="Reload").click()
    page.get_by_role("switch", name="Ops dashboard").click()
    toast(page, "Ops dashboard is off.").wait_for()


def test_what_was_typed_is_back_after_signing_in_again(visitor, owner, project):
    page = visitor.open(owner, NEW_CHANNEL)
    page.get_by_label("Name", exact=True).fill("QA people")
    page.get_by_label("Recipients").fill("qa@acme.example")
    page.get_by_label("When", exact=False).first.select_option("daily_digest")
    page.get_by_label("run_failed").uncheck()
    visitor.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Save channel").click()
    page.get_by_text("You were signed out meanwhile, so nothing was saved.").wait_for()
    visitor.look_at("signed-out-meanwhile")
    page.get_by_label("Email").fill("lena@acme.example")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    toast(page, "What you typed is back").wait_for()
    expect(page.get_by_label("Recipients")).to_have_value("qa@acme.example")
    expect(page.get_by_label("run_failed")).not_to_be_checked()
    page.get_by_role("button", name="Save channel").click()
    page.get_by_text("QA people is added.").wait_for()
    assert Channel.objects.get(name="QA people").mode == "daily_digest"
    # Nothing is kept longer than that.
    page.goto(visitor.address + NEW_CHANNEL)
    expect(page.get_by_label("Recipients")).to_have_value("")
    assert page.evaluate("sessionStorage.getItem('aegis-typed')") is None


def test_double_clicks(visitor, owner, hook):
    delivery = factories.DeliveryFactory(
        channel=hook, occurrence__project=hook.project, status=DeliveryStatus.FAILED, next_at=None
    )
    page = visitor.open(owner, f"/deliveries/{delivery.pk}/?ws=acme")
    page.get_by_role("button", name="Redeliver").dblclick()
    toast(page, "It is queued to be sent once more").wait_for()
    page.goto(visitor.address + CHANNELS)
    for name, done in (("Pause", "Paused by Lena Ortiz"), ("Rotate", "The new secret is staged")):
        page.get_by_role("link", name=f"{name} ").filter(has_text="Ops dashboard").first.click()
        page.get_by_role("dialog").locator("button[type=submit]").dblclick()
        page.get_by_text(done).first.wait_for()
        page.keyboard.press("Escape")
    page.get_by_role("link", name="Delete Ops dashboard").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete channel").dblclick()
    toast(page, "is deleted").first.wait_for()
    page.wait_for_load_state("networkidle")
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["delivery.redelivered", "channel.paused", "channel.secret_staged", "channel.deleted"]


def test_a_double_click_without_javascript(plain, owner, project):
    page = plain.open(owner, "/projects/?ws=acme")
    page.get_by_label("Name").fill("Checkout API")
    page.get_by_role("button", name="Create project").dblclick()
    # The second answer may come before the first is done, and show the list as it was.
    plain.settle()
    page.goto(f"{plain.address}/projects/?ws=acme")
    expect(page.get_by_role("link", name="Checkout API").first).to_be_visible()
    assert Project.objects.filter(name="Checkout API").count() == 1
