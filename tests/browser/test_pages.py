"""The pages as a browser shows them: wide and narrow, light and dark."""

import pytest

from tests import factories
from tests.browser.scenes import busy_workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_sign_in_page_is_usable_by_everybody(visitor):
    visitor.page.goto(f"{visitor.address}/login/")
    visitor.look_at("login")


def test_a_wrong_password_is_said_beside_the_field(visitor):
    user = factories.UserFactory()
    visitor.page.goto(f"{visitor.address}/login/")
    visitor.page.get_by_label("Email").fill(user.email)
    visitor.page.get_by_label("Password").fill("something else")
    visitor.page.get_by_role("button", name="Sign in").click()
    visitor.page.get_by_text("Email and password do not match.").wait_for()
    visitor.look_at("login-wrong")


def test_the_overview_and_the_event_page_are_usable_by_everybody(visitor):
    owner, event = busy_workspace()
    visitor.sign_in(owner)
    visitor.page.get_by_role("heading", name="Overview", level=1).wait_for()
    # Pictures leave styles behind, which nothing may take over to what is swapped in.
    visitor.page.get_by_role("button", name="Pause").click()
    visitor.look_at("overview")
    visitor.page.get_by_role("link", name="Checkout flow failed").click()
    visitor.page.get_by_role("heading", name="Who was told?").wait_for()
    assert f"/events/{event.pk}/why/?ws=acme" in visitor.page.url
    visitor.look_at("event")


def test_an_empty_workspace_says_what_to_expect(visitor):
    workspace = factories.WorkspaceFactory(name="Fresh")
    visitor.sign_in(workspace.memberships.get().user)
    visitor.page.get_by_text("No project yet").wait_for()
    visitor.page.get_by_role("button", name="Pause").click()
    visitor.look_at("overview-empty")


def test_an_unknown_address_and_a_missing_workspace_have_their_pages(visitor):
    visitor.sign_in(factories.UserFactory())
    visitor.page.get_by_role("heading", name="You belong to no workspace").wait_for()
    visitor.look_at("no-workspace")
    visitor.page.goto(f"{visitor.address}/nowhere/")
    visitor.complaints.clear()  # the browser itself notes every 404
    visitor.look_at("404")


def test_the_docs_are_usable_by_everybody(visitor):
    factories.plan("free")
    factories.plan("pro")
    page = visitor.page
    page.goto(f"{visitor.address}/docs/")
    page.get_by_role("navigation", name="Contents").get_by_role("link", name="Payloads").click()
    assert page.url.endswith("#payloads")
    page.get_by_text("Scan completed crawl_completed").last.click()
    page.get_by_label("Example of crawl_completed").wait_for()
    visitor.look_at("docs")


def test_every_component_is_usable_by_everybody(visitor, settings):
    settings.DEBUG = True
    page = visitor.page
    page.goto(f"{visitor.address}/_styleguide")
    page.get_by_role("heading", name="Component inventory").wait_for()
    visitor.look_at("styleguide", tall=True)
    page.get_by_role("button", name="Open the dialog").press("Enter")
    page.get_by_role("dialog", name="Delete #eng-alerts?").wait_for()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Open the dialog"


def test_the_administration_wears_our_colours(visitor):
    visitor.sign_in(factories.UserFactory(is_staff=True, is_superuser=True))
    visitor.page.goto(f"{visitor.address}/admin/")
    visitor.page.get_by_role("link", name="AegisNotify administration").wait_for()
    header = visitor.page.locator("#header").evaluate("element => getComputedStyle(element).backgroundColor")
    assert header == "rgb(20, 23, 31)"
    assert visitor.complaints == []


_TOO_SMALL_TO_HIT = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
    .map(element => [element, (element.closest('label') ?? element).getBoundingClientRect()])
    .filter(([element, box]) => box.width && box.height && getComputedStyle(element).display !== 'inline')
    .filter(([element, box]) => Math.min(box.width, box.height) < 43.5 && !element.closest('.skip'))
    .map(([element, box]) => `${Math.round(box.width)} x ${Math.round(box.height)}: ${element.outerHTML}`)"""


@pytest.mark.parametrize(
    "path",
    [
        *("/notifications/", "/projects/", "/p/acme-web/config/integrations/notifications/"),
        *("/p/acme-web/channels/new", "/settings/members/", "/settings/tokens/"),
        *("/deliveries/", "/deliveries/?show=held", "/settings/email/"),
    ],
)
def test_what_a_finger_has_to_hit_is_44_px_wide_and_high(finger, path):
    owner, _ = busy_workspace()
    finger.sign_in(owner)
    finger.page.goto(f"{finger.address}{path}")
    finger.page.get_by_role("heading", level=1).wait_for()
    assert finger.page.evaluate(_TOO_SMALL_TO_HIT) == []
    wider = finger.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0


class TestByKeyboard:
    @pytest.fixture
    def page(self, visitor):
        workspace = factories.WorkspaceFactory(name="Fresh", slug="fresh")
        visitor.sign_in(workspace.memberships.get().user)
        return visitor.page

    def test_the_first_tab_leads_past_the_navigation(self, page):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"

    def test_escape_closes_a_menu_and_gives_the_focus_back(self, page):
        page.locator(".top summary").focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Sign out").wait_for()
        page.keyboard.press("Tab")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Sign out").wait_for(state="hidden")
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"

    def test_on_a_phone_the_navigation_is_a_drawer(self, page):
        page.set_viewport_size({"width": 390, "height": 844})
        overview = page.locator("#side").get_by_role("link", name="Overview")
        assert not overview.is_visible()
        page.get_by_role("button", name="Open navigation").press("Enter")
        overview.wait_for()
        page.keyboard.press("Escape")
        overview.wait_for(state="hidden")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Open navigation"

    def test_the_theme_stays_as_chosen(self, page):
        page.emulate_media(color_scheme="light")
        page.get_by_role("button", name="Switch between light and dark theme").press("Enter")
        assert page.locator("html").get_attribute("data-theme") == "dark"
        page.reload()
        assert page.locator("html").get_attribute("data-theme") == "dark"

    def test_signing_out(self, page):
        page.locator(".top summary").press("Enter")
        page.get_by_role("button", name="Sign out").press("Enter")
        page.get_by_role("heading", name="Sign in").wait_for()
