"""Deliveries, one delivery, and Usage & plan in a browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from aegisnotify.clock import now
from notifications.models import Attempt, Delivery, DeliveryStatus
from tests import factories
from tests.browser.scenes import busy_workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def failed(project):
    """A webhook's delivery that failed after two tries."""
    row = factories.DeliveryFactory(
        occurrence=factories.OccurrenceFactory(project=project),
        channel=factories.ChannelFactory(project=project, name="Ops dashboard"),
        status=DeliveryStatus.FAILED,
        attempt_count=2,
        next_at=None,
        body='{"event":"run_failed","run":{"id":"r-1"}}',
    )
    for number in (1, 2):
        Attempt.objects.create(
            delivery=row,
            number=number,
            at=now() - timedelta(minutes=9 - number),
            duration_ms=187,
            status_code=503,
            outcome=Attempt.Outcome.RETRY,
            error="The receiver answered 503 Service Unavailable. Only 2xx counts as received.",
            response="upstream connect error or disconnect/reset before headers",
        )
    return row


def test_the_pages_are_usable_by_everybody(visitor):
    owner, event = busy_workspace()
    visitor.sign_in(owner)
    page = visitor.page
    page.goto(f"{visitor.address}/deliveries/?ws=acme")
    page.get_by_text("Live, updates every 5 s").wait_for()
    visitor.look_at("deliveries")
    page.get_by_role("link", name="Held back").click()
    page.get_by_role("list", name="Not told of").first.wait_for()
    visitor.look_at("deliveries-held-back")
    webhook = Delivery.objects.filter(occurrence=event, kind="webhook").first()
    page.goto(f"{visitor.address}/deliveries/{webhook.pk}/?ws=acme")
    page.get_by_role("heading", name="Verify the signature").wait_for()
    visitor.look_at("delivery")


def test_usage_and_the_empty_log_are_usable_by_everybody(visitor):
    owner, _ = busy_workspace()
    workspace = owner.memberships.get(workspace__slug="acme").workspace
    workspace.plan = factories.plan("starter")
    workspace.save()
    visitor.sign_in(owner)
    page = visitor.page
    page.goto(f"{visitor.address}/usage/?ws=acme")
    page.get_by_role("heading", name="Over the plan").wait_for()
    visitor.look_at("usage")
    page.goto(f"{visitor.address}/deliveries/?ws=lena")
    page.get_by_role("heading", name="Nothing sent yet").wait_for()
    visitor.look_at("empty-deliveries")


def test_filters_go_into_the_address_and_survive_the_back_button(visitor, owner, failed):
    visitor.sign_in(owner)
    page = visitor.page
    page.goto(f"{visitor.address}/deliveries/?ws=acme")
    row = page.get_by_role("link", name=f"Run {failed.occurrence.source_id} failed")
    page.get_by_label("Status").focus()
    page.get_by_label("Status").select_option("delivered")
    page.get_by_role("heading", name="No delivery matches").wait_for()
    assert "status=delivered" in page.url
    assert page.evaluate("document.activeElement.id") == "f-status"
    page.get_by_label("Status").select_option("failed")
    row.wait_for()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("/")
    page.keyboard.type("nothing like this")
    page.get_by_role("heading", name="No delivery matches").wait_for()
    page.go_back()
    page.go_back()
    page.get_by_role("heading", name="No delivery matches").wait_for()
    assert "status=delivered" in page.url
    assert visitor.complaints == []


def test_the_log_is_live_until_it_is_paused(visitor, owner, project, failed):
    visitor.sign_in(owner)
    page = visitor.page
    page.clock.install()
    page.goto(f"{visitor.address}/deliveries/?ws=acme")
    rows = page.locator("#log-rows tr")
    expect(rows).to_have_count(1)

    def another():
        return factories.DeliveryFactory(
            occurrence=factories.OccurrenceFactory(project=project), channel=failed.channel
        )

    first = another()
    page.clock.fast_forward(5_100)
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Pending")
    Delivery.objects.filter(pk=first.pk).update(status="delivered", next_at=None, delivered_at=now())
    page.clock.fast_forward(5_100)
    expect(rows.first).to_contain_text("Delivered")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Updates are paused").wait_for()
    another()
    with page.expect_request(lambda request: "/rows" in request.url, timeout=10_000) as asked:
        page.clock.fast_forward(15_000)
        page.get_by_role("button", name="Pause").click()
        page.clock.fast_forward(5_100)
    assert asked.value is not None
    expect(rows).to_have_count(3)
    assert visitor.complaints == []


def test_an_ended_session_leads_to_the_sign_in_page(visitor, owner, failed):
    visitor.sign_in(owner)
    page = visitor.page
    page.goto(f"{visitor.address}/deliveries/?ws=acme")
    visitor.context.clear_cookies()
    page.get_by_label("Status").select_option("failed")
    page.wait_for_url("**/login/**")


class TestRedelivering:
    def test_with_htmx(self, visitor, owner, failed):
        visitor.sign_in(owner)
        page = visitor.page
        page.goto(f"{visitor.address}/deliveries/{failed.pk}/?ws=acme")
        page.get_by_role("button", name="Redeliver").press("Enter")
        page.get_by_text("It is queued to be sent once more, under the same id.").wait_for()
        expect(page.locator("#delivery")).to_contain_text("Sent once more")
        assert page.evaluate("document.activeElement.id") == "redeliver"
        failed.refresh_from_db()
        assert failed.status == DeliveryStatus.PENDING
        assert visitor.complaints == []

    def test_a_refusal_is_said_on_the_page(self, visitor, owner, failed):
        failed.channel.enabled = False
        failed.channel.save()
        visitor.sign_in(owner)
        page = visitor.page
        page.goto(f"{visitor.address}/deliveries/{failed.pk}/?ws=acme")
        page.get_by_role("button", name="Redeliver").click()
        expect(page.get_by_role("alert")).to_contain_text("The channel is off. Switch it on first.")

    def test_without_javascript(self, browser, visitor, owner, failed):
        visitor.sign_in(owner)
        plain = browser.new_context(java_script_enabled=False, storage_state=visitor.context.storage_state())
        page = plain.new_page()
        page.goto(f"{visitor.address}/deliveries/?ws=acme&status=delivered")
        page.get_by_role("heading", name="No delivery matches").wait_for()
        page.get_by_label("Status").select_option("failed")
        page.get_by_role("button", name="Filter").click()
        page.get_by_role("link", name=f"Run {failed.occurrence.source_id} failed").click()
        page.get_by_role("button", name="Redeliver").click()
        page.locator("#flash").get_by_text("It is queued to be sent once more").wait_for()
        failed.refresh_from_db()
        assert failed.status == DeliveryStatus.PENDING
        plain.close()
