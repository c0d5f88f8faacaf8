"""Settings → Email preferences."""

from datetime import UTC, datetime, time

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core import mail

from aegisnotify.clock import now
from digests.models import Mailing, NudgeOptOut, UsageOptOut, WeeklySubscription, WorkspaceOptOut
from notifications.models import AddressBounce
from projects.access import Role
from projects.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db

PAGE = "/settings/email/?ws=acme"
ACTIONS = {
    name: f"/settings/email/{name}?ws=acme" for name in ("weekly", "reminders", "usage", "workspace", "weekly/now")
}
ROLES = ["owner", "admin", "member", "viewer"]


def shown(response):
    return BeautifulSoup(response.content, "html.parser")


def text(node):
    return " ".join(node.get_text(" ").split())


def switches(page):
    return {node["id"].removeprefix("switch-"): node["aria-checked"] == "true" for node in page.select("[role=switch]")}


@pytest.fixture
def monday():
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def owner(client, people, monday):
    people.owner.time_zone = "Europe/Berlin"
    people.owner.save()
    client.force_login(people.owner)
    return client


def test_the_defaults_are_no_digest_and_everything_else_on(owner):
    page = shown(owner.get(PAGE))
    assert switches(page) == {"weekly": False, "reminders": True, "usage": True, "workspace": False}
    assert page.select_one("#weekly_weekday option[selected]").text == "Monday"
    assert page.select_one("#weekly_at")["value"] == "08:00"
    assert page.select_one("#weekly_time_zone option[selected]")["value"] == "Europe/Berlin"
    assert "Off: nothing is sent." in text(page)


def test_the_sidebar_leads_to_it(owner):
    current = shown(owner.get(PAGE)).select_one("#side [aria-current=page]")
    assert text(current) == "Email preferences"


@pytest.mark.parametrize("role", ROLES)
def test_everybody_in_the_workspace_has_it_and_nobody_else(client, people, role):
    client.force_login(getattr(people, role))
    assert client.get(PAGE).status_code == 200
    client.force_login(people.outsider)
    assert client.get(PAGE).status_code == 404
    for url in ACTIONS.values():
        assert client.post(url, {"on": "true"}).status_code == 404
        assert client.get(url).status_code == 405


def test_switching_the_weekly_digest_on_and_off_says_when_it_comes(owner, people, workspace):
    page = shown(owner.post(ACTIONS["weekly"], {"on": "true"}, follow=True))
    assert "The weekly digest is on. The next one: Monday 30 Nov, 08:00 (Europe/Berlin)." in text(page)
    assert "Next digest: Monday 30 Nov, 08:00 (Europe/Berlin)." in text(page)
    assert switches(page)["weekly"]
    owner.post(ACTIONS["weekly"], {"on": "false"})
    row = WeeklySubscription.objects.get()
    assert (row.user, row.workspace, row.enabled, row.next_at) == (people.owner, workspace, False, None)
    actions = AuditEntry.objects.order_by("pk").values_list("action", "source", "actor_label")
    assert [*actions] == [("preferences.weekly_changed", "page", people.owner.email)] * 2


def test_its_day_time_and_zone_are_kept_and_shown_by_that_zones_clock(owner):
    owner.post(ACTIONS["weekly"], {"on": "true"})
    sent = {"weekday": "4", "at": "17:30", "time_zone": "America/New_York"}
    page = shown(owner.post(ACTIONS["weekly"], sent, follow=True))
    row = WeeklySubscription.objects.get()
    assert (row.enabled, row.weekday, row.at, row.time_zone) == (True, 4, time(17, 30), "America/New_York")
    assert "Next digest: Friday 27 Nov, 17:30 (America/New_York)." in text(page)


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"at": "25:00"}, "at", "Choose a time such as 08:00."),
        ({"at": ""}, "at", "This field is required."),
        ({"weekday": "7"}, "weekday", "Select a valid choice."),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "not an IANA time zone"),
    ],
)
@pytest.mark.parametrize("htmx", [False, True])
def test_what_can_not_be_is_said_beside_its_field_and_changes_nothing(owner, changed, field, sentence, htmx):
    sent = {"weekday": "0", "at": "08:00", "time_zone": "UTC"} | changed
    response = owner.post(ACTIONS["weekly"], sent, headers={"HX-Request": "true"} if htmx else {})
    assert response.status_code == 400
    page = shown(response)
    assert sentence in text(page.select_one(f"#weekly_{field}_error"))
    assert bool(page.select("html")) is not htmx
    assert not AuditEntry.objects.exists()


def test_reminders_and_usage_warnings_are_switched_one_by_one(owner, people, workspace):
    owner.post(ACTIONS["reminders"], {"on": "false"})
    owner.post(ACTIONS["usage"], {"on": "false"})
    assert NudgeOptOut.objects.get().user == people.owner
    assert UsageOptOut.objects.get().workspace == workspace
    assert switches(shown(owner.get(PAGE))) == {"weekly": False, "reminders": False, "usage": False, "workspace": False}
    for name in ("reminders", "usage"):
        owner.post(ACTIONS[name], {"on": "true"})
        owner.post(ACTIONS[name], {"on": "true"})
    assert not NudgeOptOut.objects.exists()
    assert not UsageOptOut.objects.exists()
    assert AuditEntry.objects.filter(workspace=workspace).count() == 4


def test_with_htmx_the_content_comes_back_with_a_toast_that_undoes(owner):
    response = owner.post(ACTIONS["reminders"], {"on": "false"}, headers={"HX-Request": "true"})
    assert "Reminders are off." in response["HX-Trigger-After-Settle"]
    assert '"undo": "switch-reminders"' in response["HX-Trigger-After-Settle"]
    page = shown(response)
    assert page.select_one("#preferences")
    assert not page.select("html")


def test_the_owner_is_told_which_warning_always_comes(client, people):
    client.force_login(people.owner)
    assert "The one at 100% always goes to you, the owner" in text(shown(client.get(PAGE)))
    client.force_login(people.admin)
    assert "always goes to you" not in text(shown(client.get(PAGE)))


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_members_see_what_only_others_can_do_and_who(client, people, role):
    client.force_login(getattr(people, role))
    page = shown(client.get(PAGE))
    assert set(switches(page)) == {"weekly", "reminders"}
    assert "Only the owner and admins of this workspace can manage members, the workspace's mail" in text(page)
    assert f"Not sent to {role}s" in text(page)
    for name in ("workspace", "usage"):
        response = client.post(ACTIONS[name], {"on": "true"})
        assert response.status_code == 403
        assert "owner and admins" in text(shown(response))
    assert not WorkspaceOptOut.objects.exists()
    assert not UsageOptOut.objects.exists()


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_the_whole_workspace_is_unsubscribed_and_each_choice_comes_back(client, people, workspace, role):
    client.force_login(people.member)
    client.post(ACTIONS["weekly"], {"on": "true"})
    client.force_login(getattr(people, role))
    client.post(ACTIONS["workspace"], {"on": "true"})
    assert WorkspaceOptOut.objects.get().created_by == getattr(people, role)
    client.force_login(people.member)
    page = shown(client.get(PAGE))
    assert "Acme QA is unsubscribed." in text(page)
    assert switches(page)["weekly"], "the person's own choice is still shown"
    client.force_login(getattr(people, role))
    client.post(ACTIONS["workspace"], {"on": "false"})
    assert not WorkspaceOptOut.objects.exists()
    assert WeeklySubscription.objects.get().enabled
    actions = AuditEntry.objects.filter(target_type="workspace").order_by("pk").values_list("action", flat=True)
    assert [*actions] == ["preferences.workspace_unsubscribed", "preferences.workspace_resubscribed"]


@pytest.mark.parametrize(
    ("kind", "sentence"), [("bounced", "Mail to it came back"), ("complained", "Its owner asked for no more mail")]
)
def test_an_address_that_takes_no_mail_is_said_on_top(owner, people, kind, sentence):
    AddressBounce.objects.create(email=people.owner.email, kind=kind, detail="550 no such user", at=now())
    note = text(shown(owner.get(PAGE)).select_one("#suppressed"))
    assert f"None of these emails reach {people.owner.email}." in note
    assert sentence in note
    assert "550 no such user" in note


def test_an_address_that_is_not_confirmed_is_said_on_top(owner, people):
    people.owner.email_verified_at = None
    people.owner.save()
    assert "is not confirmed yet" in text(shown(owner.get(PAGE)))


def test_the_email_channels_that_reach_one_are_listed_with_their_mode(client, people, project, workspace):
    def email(key, *recipients, **fields):
        channel = factories.ChannelFactory(project=project, kind="email", key=key, name=f"Channel {key}", **fields)
        for each in recipients:
            factories.RecipientFactory(channel=channel, email=each)
        return channel

    email("owners")
    named = email("named", people.member.email, "other@example.com", mode="daily_digest", digest_time="07:15")
    email("others", people.admin.email)
    email("off", people.member.email, enabled=False)
    factories.RecipientFactory(channel__kind="email", email=people.member.email)
    client.force_login(people.member)
    rows = [text(row) for row in shown(client.get(PAGE)).select(".reaching li")]
    assert rows == ["Channel named Acme Web · once a day at 07:15 (UTC)"]
    client.force_login(people.owner)
    rows = [text(row) for row in shown(client.get(PAGE)).select(".reaching li")]
    assert rows == ["Channel owners Acme Web · at once, an email for each event"]
    client.force_login(people.admin)
    link = shown(client.get(PAGE)).select_one(".reaching a")
    assert client.get(link["href"]).status_code == 200
    assert named.name not in text(shown(client.get(PAGE)).select_one(".reaching"))


def test_what_was_sent_lately_is_listed_without_other_workspaces(owner, people, workspace):
    def sent(**fields):
        values = {"kind": "weekly", "recipient": people.owner.email, "workspace": workspace, "state": "sent"}
        values |= {"key": f"k{Mailing.objects.count()}", "due_at": now(), "created_at": now(), "finished_at": now()}
        Mailing.objects.create(**values | fields)

    sent(subject="Acme QA: 94.1% passed last week")
    sent(kind="nudge", workspace=None, subject="Acme Web has not been tested for 7 days")
    sent(workspace=people.outsider.memberships.get().workspace, subject="Somebody else's week")
    sent(recipient="other@example.com", subject="Another reader's week")
    sent(state="skipped", reason="nothing_happened", subject="Nothing")
    listed = text(shown(owner.get(PAGE)).select_one("#preferences aside"))
    assert "Acme QA: 94.1% passed last week" in listed
    assert "Acme Web has not been tested for 7 days" in listed
    assert "Nothing" not in listed
    assert "Somebody else's" not in listed
    assert "Another reader's" not in listed


def test_the_page_takes_as_many_queries_for_many_channels_as_for_few(
    owner, people, project, django_assert_max_num_queries
):
    for number in range(30):
        factories.ChannelFactory(project=project, kind="email", key=f"c{number}")
    with django_assert_max_num_queries(20):
        page = shown(owner.get(PAGE))
    assert len(page.select(".reaching li")) == 21
    assert "And more" in text(page)


def test_choices_in_one_workspace_say_nothing_of_another(owner, people):
    elsewhere = factories.WorkspaceFactory(name="Other", slug="other", owner=None)
    factories.MembershipFactory(workspace=elsewhere, user=people.owner, role=Role.ADMIN)
    owner.post(ACTIONS["weekly"], {"on": "true"})
    assert not switches(shown(owner.get("/settings/email/?ws=other")))["weekly"]


class TestSendMeOneNow:
    URL = "/settings/email/weekly/now?ws=acme"

    def test_it_comes_at_once_whether_the_digest_is_on_or_not_and_changes_nothing(self, owner, people):
        page = shown(owner.post(self.URL, follow=True))
        assert f"The digest of the last seven days went to {people.owner.email}." in text(page)
        assert [message.to for message in mail.outbox] == [[people.owner.email]]
        assert not WeeklySubscription.objects.exists()
        assert "Weekly digest" in text(page.select_one("#preferences aside"))

    def test_a_second_click_within_the_minute_is_refused_in_words(self, owner):
        owner.post(self.URL)
        response = owner.post(self.URL, headers={"HX-Request": "true"})
        assert "One was sent a moment ago." in response["HX-Trigger-After-Settle"]
        assert len(mail.outbox) == 1

    def test_an_address_that_takes_no_mail_gets_none(self, owner, people):
        AddressBounce.objects.create(email=people.owner.email, kind="bounced", at=now())
        assert "Nothing was sent: Mail to the address bounced." in text(shown(owner.post(self.URL, follow=True)))
        assert not mail.outbox

    def test_a_mail_server_that_is_away_is_said(self, owner, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_PORT = 1
        page = text(shown(owner.post(self.URL, follow=True)))
        assert "The mail server did not take it yet, so it is tried again." in page

    def test_a_link_does_not_send_one(self, owner):
        assert owner.get(self.URL).status_code == 405
        assert not mail.outbox


def test_the_weekly_digest_can_be_looked_at_before_it_is_sent(client, people):
    client.force_login(people.viewer)
    address = "/settings/email/weekly/preview?ws=acme"
    assert shown(client.get(PAGE)).find("a", href=address)

    document = client.get(address)

    assert document.status_code == 200
    assert "Acme QA" in document.content.decode()
    assert "sandbox" in document["Content-Security-Policy"]
    assert mail.outbox == []
    assert Mailing.objects.count() == 0


@pytest.mark.parametrize("page", ["email", "tokens", "members", "audit", "workspace"])
def test_pages_of_the_settings_say_so_in_the_breadcrumb(client, people, page):
    client.force_login(people.owner)
    crumbs = shown(client.get(f"/settings/{page}/?ws=acme")).find("nav", {"aria-label": "Breadcrumb"})
    assert [text(each) for each in crumbs.find_all("li")][1] == "Settings"
    assert [each.get_text() for each in crumbs.find_all("a")] == ["Acme QA"]
