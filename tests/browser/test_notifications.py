"""The Notifications page in a real browser: cells, draft, saving, keyboard, without JavaScript, on a phone."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from aegisnotify.clock import now
from notifications.models import FilterDraft, Override
from notifications.services.filters import change_project_filters
from projects.actors import Source, person
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def scene():
    """Two projects with some overrides and a week of events, on Pro."""
    owner = factories.UserFactory(email="lena@acme.example", name="Lena Ortiz", time_zone="Europe/Berlin")
    workspace = factories.WorkspaceFactory(name="Acme QA", slug="acme", owner=owner)
    web = factories.ProjectFactory(workspace=workspace, name="Acme Web", slug="acme-web")
    api = factories.ProjectFactory(workspace=workspace, name="Checkout API", slug="checkout-api")
    made = [
        factories.ChannelFactory(project=project, kind=kind, key=key, name=name, position=position, **fields)
        for position, (project, kind, key, name, fields) in enumerate(
            [
                (web, "email", "email", "QA mail", {}),
                (web, "slack", "slack", "#eng-alerts", {}),
                (web, "discord", "discord", "#qa-runs", {"failures_in_a_row": 6}),
                (web, "webhook", "hook", "Ops dashboard", {}),
                (api, "slack", "slack", "#payments-oncall", {"paused_until": now() + timedelta(hours=20)}),
            ]
        )
    ]
    for index, event, enabled in ((1, "run_completed", True), (2, "run_failed", False), (2, "run_completed", True)):
        factories.OverrideFactory(channel=made[index], event=event, enabled=enabled)
    moment = now()
    for number in range(24):
        fired = ("run_completed", "run_failed,run_completed", "crawl_completed")[number % 3]
        factories.OccurrenceFactory(project=web, fired=fired, received_at=moment - timedelta(hours=number))
    return owner, workspace, made


@pytest.fixture
def page(visitor, scene):
    visitor.sign_in(scene[0])
    visitor.page.set_viewport_size({"width": 1440, "height": 900})
    visitor.page.goto(f"{visitor.address}/notifications/?ws=acme")
    return visitor.page


def cell(page, event, channel):
    return page.get_by_role("switch", name=f"{event} to {channel}")


def test_flipping_cells_and_saving(visitor, scene, page):
    eng = scene[2][1]
    visitor.look_at("notifications")
    page.set_viewport_size({"width": 1440, "height": 900})
    cell(page, "run_completed", "#eng-alerts").click()
    page.get_by_role("button", name="Save 1 change").wait_for()
    cell(page, "scheduled_runs", "#eng-alerts").click()
    page.get_by_role("button", name="Save 2 changes").wait_for()
    assert cell(page, "run_completed", "#eng-alerts").get_attribute("aria-checked") == "false"
    assert page.locator(".draftbar h2").inner_text() == (
        "With these filters, the 24 events of the last 7 days would have produced 72 messages instead of 80."
    )
    assert "instead of" in page.locator("#draft-said").text_content()
    page.get_by_text("What changes per channel").click()
    assert "24 → 16" in page.locator(".wi").inner_text()
    assert not Override.objects.filter(channel=eng, event="scheduled_runs").exists()
    page.locator("#f-crawl_completed").click()
    page.get_by_role("button", name="Save 3 changes").wait_for()
    assert page.evaluate("document.activeElement.id") == "f-crawl_completed"
    expect(page.locator("#draft-details")).to_have_attribute("open", "")
    visitor.look_at("notifications-draft", tall=True)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Save 3 changes").click()
    page.locator("#toasts").get_by_text("3 changes saved.").wait_for()
    assert page.locator(".draftbar").count() == 0
    assert page.evaluate("document.activeElement.id") == "h-matrix"
    assert Override.objects.get(channel=eng, event="scheduled_runs").enabled is False
    assert visitor.complaints == []


def test_the_matrix_by_keyboard_alone(visitor, scene, page):
    def focused():
        return page.evaluate("document.activeElement.getAttribute('aria-label')")

    def press(key):
        with page.expect_response("**/draft/cell*"):
            page.keyboard.press(key)

    cell(page, "run_completed", "QA mail").focus()
    page.keyboard.press("ArrowDown")
    assert focused() == "run_completed to #eng-alerts in Acme Web"
    page.keyboard.press("ArrowRight")
    assert focused() == "run_failed to #eng-alerts in Acme Web"
    press("Space")
    page.get_by_role("button", name="Save 1 change").wait_for()
    assert focused() == "run_failed to #eng-alerts in Acme Web"
    assert cell(page, "run_failed", "#eng-alerts").get_attribute("aria-checked") == "false"
    press("Delete")
    page.locator(".draftbar").wait_for(state="detached")
    assert focused() == "run_failed to #eng-alerts in Acme Web"
    assert cell(page, "run_failed", "#eng-alerts").get_attribute("aria-checked") == "true"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert focused() == "run_failed to #payments-oncall in Checkout API"
    press("Enter")
    page.get_by_role("button", name="Save 1 change").wait_for()
    page.get_by_role("button", name="Save 1 change").press("Enter")
    page.locator("#toasts").get_by_text("1 change saved.").wait_for()
    assert Override.objects.get(channel=scene[2][4]).enabled is False
    assert visitor.complaints == []


def test_quick_clicks_on_one_row_all_count_and_a_double_click_counts_as_it_looks(visitor, scene, page):
    for event in ("run_completed", "run_failed", "crawl_completed", "ai_generated"):
        cell(page, event, "QA mail").click(no_wait_after=True)
    page.get_by_role("button", name="Save 4 changes").wait_for()
    page.get_by_role("button", name="Discard").click()
    page.locator(".draftbar").wait_for(state="detached")
    cell(page, "run_failed", "QA mail").dblclick()
    visitor.settle()
    shown = cell(page, "run_failed", "QA mail").get_attribute("aria-checked")
    draft = FilterDraft.objects.filter(user=scene[0]).first()
    stored = list(draft.changes.values()) if draft else []
    assert stored == [shown == "true"]


def test_the_note_at_run_completed_follows_the_cell_beside_it(scene, page):
    note = page.locator(f"#covers-{scene[2][1].pk}")
    assert note.text_content() == ""
    cell(page, "run_failed", "#eng-alerts").click()
    page.get_by_text("pass or fail: covers failures too").nth(1).wait_for()
    assert note.text_content() == "pass or fail: covers failures too"


def test_a_draft_is_kept_when_one_leaves_and_the_page_says_so(visitor, page):
    cell(page, "run_failed", "QA mail").click()
    page.get_by_role("button", name="Save 1 change").wait_for()
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("heading", name="Overview", level=1).wait_for()
    page.get_by_role("link", name="Notifications").click()
    page.get_by_text("is still here.").wait_for()
    assert cell(page, "run_failed", "QA mail").get_attribute("aria-checked") == "false"
    page.get_by_role("button", name="Discard").click()
    page.locator("#toasts").get_by_text("The draft is discarded.").wait_for()
    assert cell(page, "run_failed", "QA mail").get_attribute("aria-checked") == "true"


def test_a_colleagues_save_in_between_shows_both(visitor, scene, page):
    _, workspace, made = scene
    kim = factories.MembershipFactory(workspace=workspace, role="admin", user__name="Kim Rao").user
    cell(page, "run_failed", "#eng-alerts").click()
    page.get_by_role("button", name="Save 1 change").wait_for()
    change = {"channel_filters": {"slack": {"run_failed": True}, "email": {"crawl_completed": False}}}
    change_project_filters(person(kim, Source.PAGE), made[1].project, change)
    page.get_by_role("button", name="Save 1 change").click()
    page.get_by_role("heading", name="Kim Rao changed filters since you began").wait_for()
    assert page.evaluate("document.activeElement.id") == "h-stale"
    visitor.complaints.clear()  # the browser itself notes every 412
    visitor.look_at("notifications-stale", tall=True)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Save my 1 change too").click()
    page.locator("#toasts").get_by_text("1 change saved.").wait_for()
    assert Override.objects.get(channel=made[1], event="run_failed").enabled is False
    assert Override.objects.get(channel=made[0], event="crawl_completed").enabled is False


def test_below_pro_the_matrix_is_shown_and_locked(visitor, scene, page):
    _, workspace, _ = scene
    workspace.plan = factories.plan("starter")
    workspace.save()
    page.reload()
    page.get_by_text("Per-channel filters are part of Pro").wait_for()
    assert page.locator("table").get_by_role("switch").count() == 0
    visitor.look_at("notifications-locked")


def test_a_lost_connection_puts_the_cell_back_and_says_so(visitor, page):
    page.route("**/draft/cell*", lambda route: route.abort())
    cell(page, "run_failed", "QA mail").click()
    page.locator("#toasts").get_by_text("Not saved.").wait_for()
    assert cell(page, "run_failed", "QA mail").get_attribute("aria-checked") == "true"
    page.unroute("**/draft/cell*")
    cell(page, "run_failed", "QA mail").click()
    page.get_by_role("button", name="Save 1 change").wait_for()


def test_an_expired_session_leads_to_the_sign_in_and_back(visitor, page):
    visitor.context.clear_cookies(name="sessionid")
    cell(page, "run_failed", "QA mail").click()
    page.get_by_label("Password").wait_for()
    page.get_by_label("Email").fill("lena@acme.example")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Notifications", level=1).wait_for()
    assert "/notifications/?ws=acme" in page.url


def test_picking_a_project_goes_into_the_address_and_back(page):
    page.get_by_label("Project", exact=True).select_option("checkout-api")
    cell(page, "run_failed", "QA mail").wait_for(state="detached")
    assert "project=checkout-api" in page.url
    page.get_by_role("button", name="Give Checkout API its own").click()
    page.get_by_text("Checkout API only").wait_for()
    page.get_by_role("button", name="Discard").click()
    page.locator(".draftbar").wait_for(state="detached")
    page.go_back()
    cell(page, "run_failed", "QA mail").wait_for()
    assert page.locator("main").count() == 1


def test_on_a_phone_the_matrix_is_cards(page):
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.locator(".matrix thead").is_hidden()
    label = page.locator("td").first.evaluate("element => getComputedStyle(element, '::before').content")
    assert label == '"run_completed"'
    box = cell(page, "run_failed", "QA mail").bounding_box()
    assert box["height"] >= 36
    cell(page, "run_failed", "QA mail").click()
    page.get_by_role("button", name="Save 1 change").click()
    page.locator("#toasts").get_by_text("1 change saved.").wait_for()


def test_without_javascript_every_change_is_a_form(browser, live_server, scene):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/login/?next=/notifications/%3Fws%3Dacme")
    page.get_by_label("Email").fill("lena@acme.example")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    cell(page, "run_failed", "QA mail").click()
    page.locator("#f-run_completed").click()
    page.get_by_role("button", name="Reset run_completed to #eng-alerts").click()
    page.get_by_role("button", name="Save 3 changes").click()
    page.get_by_text("3 changes saved.").wait_for()
    assert Override.objects.get(channel=scene[2][0]).enabled is False
    assert not Override.objects.filter(channel=scene[2][1]).exists()
    page.get_by_label("Project", exact=True).select_option("checkout-api")
    page.get_by_role("button", name="Show").click()
    assert "project=checkout-api" in page.url
    page.get_by_role("button", name="Resume #payments-oncall").click()
    page.get_by_text("Done: resume #payments-oncall.").wait_for()
    context.close()
