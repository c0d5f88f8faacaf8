"""A project's channels in a browser: testing, switching, pausing, recovering, secrets, order, deleting."""

import pytest
from playwright.sync_api import expect

from notifications.models import Channel, RecoveryJob
from notifications.services.recovery import work_on_recoveries
from tests import factories
from tests.browser.scenes import CHANNELS, card

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def focused(page):
    return page.evaluate("document.activeElement.id")


def test_a_test_that_succeeds_and_one_that_fails(visitor, project, owner, receiver):
    factories.ChannelFactory(project=project, name="Good", config={"url": f"{receiver}/good", "secret": "s" * 20})
    factories.ChannelFactory(
        project=project,
        name="Bad",
        config={"url": f"{receiver}/bad", "secret": "s" * 20},
        position=1,
        suspended_reason="It only failed.",
        suspended_at=project.created_at,
    )
    page = visitor.open(owner, CHANNELS)
    good, bad = card(page, "Good"), card(page, "Bad")
    good.get_by_label("Sample to send").select_option("ai_generated")
    good.get_by_role("button", name="Test").press("Enter")
    expect(good.locator(".result.ok")).to_contain_text("The receiver answered 200")
    assert focused(page).startswith("test-")
    bad.get_by_role("button", name="Test").press("Enter")
    expect(bad.locator(".answer .result.bad")).to_contain_text("The receiver answered 500")
    bad.get_by_text("The other side's answer").click()
    expect(bad.locator("pre")).to_have_text("out of order")
    visitor.look_at("channel-tests")


class TestACard:
    @pytest.fixture
    def hook(self, project):
        return factories.ChannelFactory(project=project, name="Ops dashboard")

    def test_switching_it_off_and_undoing_that(self, visitor, owner, hook):
        page = visitor.open(owner, CHANNELS)
        switch = page.get_by_role("switch", name="Ops dashboard")
        switch.press("Space")
        expect(switch).to_have_attribute("aria-checked", "false")
        page.get_by_text("Ops dashboard is off.").wait_for()
        assert focused(page) == f"switch-{hook.pk}"
        assert not Channel.objects.get().enabled
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("Ops dashboard is on.").wait_for()
        assert Channel.objects.get().enabled
        assert visitor.complaints == []

    def test_a_lost_connection_puts_the_switch_back(self, visitor, owner, hook):
        page = visitor.open(owner, CHANNELS)
        visitor.context.set_offline(True)
        switch = page.get_by_role("switch", name="Ops dashboard")
        switch.click()
        page.get_by_text("Not saved. Check your connection").wait_for()
        expect(switch).to_have_attribute("aria-checked", "true")
        visitor.context.set_offline(False)

    def test_what_the_plan_refuses_is_said_on_the_card(self, visitor, owner, project, hook):
        for number in range(2):
            factories.ChannelFactory(project=project, position=number)
        factories.ChannelFactory(project=project, name="Fourth", enabled=False, position=9)
        page = visitor.open(owner, CHANNELS)
        page.get_by_role("switch", name="Fourth").click()
        expect(card(page, "Fourth").get_by_role("alert")).to_contain_text("The Pro plan has 3 webhooks per project")
        expect(page.get_by_role("switch", name="Fourth")).to_have_attribute("aria-checked", "false")

    def test_pausing_resuming_and_recovering_with_progress(self, visitor, owner, project, hook):
        page = visitor.open(owner, CHANNELS)
        card(page, "Ops dashboard").get_by_role("link", name="Pause").press("Enter")
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Day", exact=True).fill("2099-01-01")
        expect(dialog.get_by_label("A day, 09:00")).to_be_checked()
        dialog.get_by_label("Day", exact=True).fill("")
        dialog.get_by_label("Tomorrow").check()
        visitor.look_at("channel-pause")
        dialog.get_by_role("button", name="Pause").click()
        expect(card(page, "Ops dashboard")).to_contain_text("Paused by Lena Ortiz until")
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert focused(page) == f"pause-{hook.pk}"
        factories.OccurrenceFactory(project=project)
        card(page, "Ops dashboard").get_by_role("button", name="Resume").click()
        offered = card(page, "Ops dashboard").get_by_role("button", name="Recover")
        offered.wait_for()
        offered.click()
        bar = page.get_by_role("progressbar", name="Recovering Ops dashboard")
        bar.wait_for()
        page.get_by_text("Recovering what Ops dashboard missed.").wait_for()
        # A toast may cover a button for as long as it is there.
        page.evaluate("document.getElementById('toasts').replaceChildren()")
        visitor.look_at("channel-recovering")
        work_on_recoveries()
        page.get_by_text("Recovered: 0 messages sent").wait_for()
        assert RecoveryJob.objects.get().status == "done"

    def test_rotating_and_revealing(self, visitor, owner, hook):
        page = visitor.open(owner, CHANNELS)
        ops = card(page, "Ops dashboard")
        ops.get_by_role("link", name="Rotate").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("New secret").fill("short")
        dialog.get_by_role("button", name="Stage the new secret").click()
        dialog.get_by_text("The secret must have 16 to 256 characters.").wait_for()
        visitor.complaints.clear()  # the browser itself notes every 400
        visitor.look_at("state-rotate")
        dialog.get_by_label("New secret").fill("")
        dialog.get_by_role("button", name="Stage the new secret").click()
        dialog.get_by_role("heading", name="The new secret is staged").wait_for()
        expect(dialog.get_by_label("New secret", exact=True)).to_have_value(Channel.objects.get().config["next_secret"])
        visitor.look_at("state-staged")
        dialog.get_by_role("button", name="Done").click()
        expect(ops).to_contain_text("A new secret is staged")
        ops.get_by_role("link", name="Show").click()
        dialog.get_by_label("Your password").fill("guess")
        dialog.get_by_role("button", name="Show the secret").click()
        dialog.get_by_text("This is not your password.").wait_for()
        visitor.complaints.clear()
        dialog.get_by_label("Your password").fill(factories.PASSWORD)
        dialog.get_by_role("button", name="Show the secret").click()
        expect(dialog.get_by_label("Signing secret", exact=True)).to_have_value(hook.config["secret"])
        page.keyboard.press("Escape")
        assert focused(page) == f"reveal-{hook.pk}"
        ops.get_by_role("link", name="Activate").click()
        dialog.get_by_role("button", name="Activate").click()
        page.get_by_text("The new secret of Ops dashboard is active.").wait_for()
        ops.get_by_role("link", name="Rotate").wait_for()

    def test_moving_by_keyboard(self, visitor, owner, project, hook):
        factories.ChannelFactory(project=project, name="Second", position=1)
        page = visitor.open(owner, CHANNELS)
        page.get_by_role("button", name="Move Ops dashboard down").press("Enter")
        page.get_by_text("Ops dashboard moved down.").wait_for()
        assert focused(page) == f"down-{hook.pk}"
        assert page.locator("article h3 .wrap").all_inner_texts() == ["Second", "Ops dashboard"]

    def test_deleting(self, visitor, owner, hook):
        page = visitor.open(owner, CHANNELS)
        card(page, "Ops dashboard").get_by_role("link", name="Delete").click()
        page.get_by_role("dialog").get_by_text("It is the only channel that is on").wait_for()
        visitor.look_at("channel-delete")
        page.get_by_role("button", name="Delete channel").click()
        page.get_by_text("Ops dashboard is deleted.").wait_for()
        expect(page.get_by_role("article")).to_have_count(0)
        assert not Channel.objects.exists()


def test_without_javascript_everything_is_a_page_or_a_form(browser, live_server, project, owner, receiver):
    hook = factories.ChannelFactory(project=project, name="Ops", config={"url": f"{receiver}/good", "secret": "s" * 20})
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(f"{live_server.url}/login/?next=/p/acme-web/config/integrations/notifications/?ws=acme")
    page.get_by_label("Email").fill(owner.email)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("switch", name="Ops").click()
    page.get_by_text("Ops is off.").wait_for()
    page.get_by_role("switch", name="Ops").click()
    page.get_by_text("Ops is on.").wait_for()
    page.get_by_role("button", name="Test Ops").click()
    page.get_by_text("The receiver answered 200").wait_for()
    page.get_by_role("link", name="Pause Ops").click()
    page.get_by_role("heading", name="Pause Ops").wait_for()
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Ops is paused until").wait_for()
    page.get_by_role("button", name="Resume Ops").click()
    page.get_by_text("Ops sends again.").wait_for()
    page.get_by_role("link", name="Recover what Ops missed").click()
    page.get_by_role("button", name="Recover").click()
    page.get_by_text("Recovering what Ops missed.").wait_for()
    page.get_by_role("link", name="Show the secret of Ops").click()
    page.get_by_label("Your password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Show the secret").click()
    expect(page.get_by_label("Signing secret", exact=True)).to_have_value("s" * 20)
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Delete Ops").click()
    page.get_by_role("button", name="Delete channel").click()
    page.get_by_text("Ops is deleted.").wait_for()
    assert not Channel.objects.filter(pk=hook.pk).exists()
    context.close()
