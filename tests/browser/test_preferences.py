"""Email preferences and the public unsubscribe page in a browser, with and without JavaScript."""

import pytest
from playwright.sync_api import expect

from aegisnotify.clock import now
from digests import links
from digests.models import Mailing, NudgeOptOut, WeeklySubscription, WorkspaceOptOut
from notifications.models import AddressBounce, Channel
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "/settings/email/?ws=acme"


@pytest.fixture
def lena(db):
    return factories.UserFactory(email="lena@acme.example", name="Lena Ortiz", time_zone="Europe/Madrid")


@pytest.fixture
def workspace(lena):
    workspace = factories.WorkspaceFactory(name="Acme QA", slug="acme", owner=lena, plan_code="pro")
    project = factories.ProjectFactory(workspace=workspace, name="Acme Web", slug="acme-web")
    factories.ChannelFactory(project=project, kind="email", key="email", name="Email")
    mornings = factories.ChannelFactory(
        project=project, kind="email", key="mornings", name="Mornings", mode="daily_digest", digest_time="07:15"
    )
    factories.RecipientFactory(channel=mornings, email=lena.email)
    for kind, subject in (("weekly", "Acme QA: 94.1% passed last week"), ("usage", "Acme QA used 80% of its runs")):
        Mailing.objects.create(
            key=kind, kind=kind, recipient=lena.email, workspace=workspace, subject=subject, state="sent",
            due_at=now(), created_at=now(), finished_at=now(),
        )  # fmt: skip
    return workspace


def open_page(visitor, user):
    visitor.sign_in(user)
    visitor.page.goto(visitor.address + PAGE)
    return visitor.page


def test_every_choice_is_saved_at_once_and_taken_back(visitor, workspace, lena):
    AddressBounce.objects.create(email=lena.email, kind="bounced", detail="Postmark: 550 5.1.1 no such user", at=now())
    page = open_page(visitor, lena)
    page.get_by_text("None of these emails reach lena@acme.example.").wait_for()
    weekly = page.get_by_role("switch", name="Weekly digest", exact=True)
    weekly.click()
    page.get_by_text("The weekly digest is on. The next one: Monday").wait_for()
    expect(weekly).to_be_focused()
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#preferences")).to_contain_text("Off: nothing is sent.")
    weekly.press("Space")
    expect(page.locator("#preferences")).to_contain_text("Next digest: Monday")
    page.get_by_label("Day").select_option("Friday")
    page.get_by_label("Time", exact=True).fill("17:30")
    page.get_by_label("Time zone").select_option("America/New_York")
    page.get_by_role("button", name="Save day and time").click()
    expect(page.locator("#preferences")).to_contain_text("17:30 (America/New_York)")
    row = WeeklySubscription.objects.get()
    assert (row.enabled, row.weekday, f"{row.at:%H:%M}") == (True, 4, "17:30")
    page.get_by_label("Time", exact=True).fill("")
    page.get_by_role("button", name="Save day and time").evaluate("button => button.form.noValidate = true")
    page.get_by_role("button", name="Save day and time").click()
    expect(page.get_by_label("Time", exact=True)).to_have_attribute("aria-invalid", "true")
    visitor.complaints.clear()  # the browser itself notes every 400
    page.get_by_role("switch", name="Reminders when all is quiet").click()
    page.get_by_text("Reminders are off.").wait_for()
    assert NudgeOptOut.objects.filter(user=lena).exists()
    page.get_by_role("switch", name="Unsubscribe Acme QA").click()
    page.get_by_text("Acme QA is unsubscribed.").first.wait_for()
    assert WorkspaceOptOut.objects.exists()
    visitor.look_at("settings-email")


def test_it_works_without_javascript(plain, workspace, lena):
    page = open_page(plain, lena)
    page.get_by_role("switch", name="Weekly digest", exact=True).click()
    page.get_by_text("The weekly digest is on.").wait_for()
    page.get_by_label("Time", exact=True).fill("06:45")
    page.get_by_role("button", name="Save day and time").click()
    page.get_by_text("The time of the weekly digest is saved.").wait_for()
    assert f"{WeeklySubscription.objects.get().at:%H:%M}" == "06:45"
    page.get_by_role("button", name="Send me one now").click()
    page.get_by_text("The digest of the last seven days went to lena@acme.example.").wait_for()
    page.get_by_role("switch", name="Usage warnings").click()
    page.get_by_text("Usage warnings are off.").wait_for()
    page.get_by_role("link", name="Mornings").click()
    page.get_by_label("When").select_option("immediate")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("What it held goes out as one last digest.").wait_for()
    assert Channel.objects.get(key="mornings").mode == "immediate"


@pytest.mark.parametrize("javascript", [True, False], ids=["with javascript", "without"])
def test_unsubscribing_from_a_mail_and_back(visitor, plain, workspace, lena, javascript):
    WeeklySubscription.objects.create(user=lena, workspace=workspace, enabled=True, next_at=now())
    guest = visitor if javascript else plain
    page = guest.page
    path = links.weekly_unsubscribe_url(lena.pk, workspace.pk).partition("/u/")[2]
    page.goto(f"{guest.address}/u/{path}")
    page.get_by_role("heading", name="Stop weekly digests?").wait_for()
    if javascript:
        guest.look_at("unsubscribe")
    assert WeeklySubscription.objects.get().enabled
    page.get_by_role("button", name="Unsubscribe from weekly digests").click()
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    assert not WeeklySubscription.objects.get().enabled
    if javascript:
        guest.look_at("unsubscribed")
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Weekly digests go to l•••@acme.example again.").wait_for()
    assert WeeklySubscription.objects.get().enabled
    assert guest.context.cookies() == []
