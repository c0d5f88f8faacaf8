"""Config → Integrations → Notifications: the channels of a project."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import responses
from bs4 import BeautifulSoup
from django.core.cache import cache

from aegisnotify.clock import now
from notifications.models import Channel, RecoveryJob
from notifications.services.pausing import pause_channel, resume_channel
from notifications.services.recovery import work_on_recoveries
from projects.actors import SYSTEM
from projects.models import AuditEntry
from tests import factories

PAGE = "/p/acme-web/config/integrations/notifications/?ws=acme"
HTMX = {"HTTP_HX_REQUEST": "true"}
SECRETS = ("slacksecret", "discord-token", "teamssig", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY")


@pytest.fixture(autouse=True)
def no_counts():
    cache.clear()


@pytest.fixture
def hook(project):
    return factories.ChannelFactory(project=project, key="hook", name="Ops dashboard", position=0)


def at(channel, action):
    return f"/p/acme-web/channels/{channel.pk}/{action}?ws=acme"


def html(response):
    return BeautifulSoup(response.content, "html.parser")


def text(node):
    return " ".join(node.get_text(" ").split())


def toast(response):
    return json.loads(response["HX-Trigger-After-Settle"])["toast"]


class TestTheCards:
    @pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
    def test_every_member_sees_them(self, client, people, hook, role):
        client.force_login(getattr(people, role))
        assert "Ops dashboard" in text(html(client.get(PAGE)).select_one("#channels"))

    def test_an_outsider_learns_nothing(self, client, people, hook):
        client.force_login(people.outsider)
        assert client.get(PAGE).status_code == 404
        assert client.get("/p/acme-web/config/integrations/notifications/").status_code == 404

    def test_a_viewer_gets_no_controls(self, client, people, hook):
        client.force_login(people.viewer)
        channels = html(client.get(PAGE)).select_one("#channels")
        assert channels.find("form") is None
        assert channels.find("a") is None

    def test_a_member_operates_but_does_not_configure(self, client, people, hook):
        client.force_login(people.member)
        channels = html(client.get(PAGE)).select_one("#channels")
        actions = {form["action"].partition("?")[0].rpartition("/")[2] for form in channels.find_all("form")}
        links = {link["href"].partition("?")[0].rpartition("/")[2] for link in channels.find_all("a")}
        assert (actions, links) == ({"test"}, {"pause", "recover"})

    @pytest.mark.parametrize("role", ["owner", "viewer"])
    def test_urls_are_masked_and_secrets_are_nowhere(self, client, people, project, role):
        for kind in ("slack", "discord", "teams", "webhook"):
            factories.ChannelFactory(project=project, kind=kind, key=kind)
        client.force_login(getattr(people, role))
        page = client.get(PAGE).content.decode()
        assert "hooks.slack.com/…cret" in page
        assert [secret for secret in SECRETS if secret in page] == []

    def test_health_says_what_the_other_side_answered(self, client, people, project):
        factories.ChannelFactory(
            project=project, kind="discord", failures_in_a_row=6, last_error="Discord answered 404 Unknown Webhook."
        )
        client.force_login(people.viewer)
        card = text(html(client.get(PAGE)).find("article"))
        assert "Failing" in card
        assert "6 failures in a row" in card
        assert "Discord answered 404 Unknown Webhook." in card

    def test_a_pause_names_its_author_and_end(self, client, people, project):
        factories.ChannelFactory(
            project=project, paused_until=datetime(2099, 4, 28, 7, tzinfo=UTC), paused_by=people.admin
        )
        client.force_login(people.viewer)
        assert f"Paused by {people.admin} until 28 Apr 2099, 07:00" in text(html(client.get(PAGE)).find("article"))

    def test_the_plans_places_are_counted(self, client, people, project):
        for number in range(2):
            factories.ChannelFactory(project=project, position=number)
        factories.ChannelFactory(project=project, kind="slack", position=9)
        client.force_login(people.viewer)
        shown = text(html(client.get(PAGE)).select_one("#channels"))
        assert "2 of 3 webhooks used , 1 of 3 chat channels used on Pro" in shown

    def test_what_the_plan_does_not_carry_is_marked(self, client, people, project):
        for number in range(4):
            factories.ChannelFactory(project=project, name=f"Hook {number}", position=number)
        client.force_login(people.viewer)
        cards = html(client.get(PAGE)).find_all("article")
        assert ["Over the plan limit" in text(card) for card in cards] == [False, False, False, True]
        assert "1 channel is over the plan limit." in text(html(client.get(PAGE)).select_one("#channels"))

    def test_twins_and_retired_connectors_are_warned_of(self, client, people, project):
        for name in ("One", "Two"):
            factories.ChannelFactory(project=project, name=name, target_fingerprint="f" * 64)
        factories.ChannelFactory(
            project=project, kind="teams", name="Old", config={"url": "https://acme.webhook.office.com/webhookb2/a@b"}
        )
        client.force_login(people.viewer)
        one, two, old = [text(card) for card in html(client.get(PAGE)).find_all("article")]
        assert "Two posts to the same URL" in one
        assert "One posts to the same URL" in two
        assert "classic Office 365 connector" in old

    def test_recipients_show_the_state_of_their_address(self, client, people, project):
        channel = factories.ChannelFactory(project=project, kind="email", key="email")
        factories.RecipientFactory(channel=channel, email="stranger@elsewhere.example")
        factories.RecipientFactory(channel=channel, email=people.admin.email)
        client.force_login(people.viewer)
        rows = [text(row) for row in html(client.get(PAGE)).select(".recipients li")]
        assert rows == ["stranger@elsewhere.example Unconfirmed", people.admin.email]

    def test_names_from_outside_are_text(self, client, people, project):
        factories.ChannelFactory(project=project, name="<img src=x onerror=1>", last_error="<script>", kind="slack")
        client.force_login(people.owner)
        page = html(client.get(PAGE))
        assert page.find("img") is None
        assert len(page.find_all("script")) == len(page.select("script[src]"))

    def test_two_hundred_channels_take_as_many_queries_as_one_and_come_in_pages(
        self, client, people, project, django_assert_max_num_queries
    ):
        project.workspace.plan = factories.plan("business")
        project.workspace.save()
        for number in range(200):
            factories.ChannelFactory(project=project, position=number, paused_until=now() - timedelta(hours=1))
        client.force_login(people.owner)
        client.get(PAGE)
        with django_assert_max_num_queries(16):
            page = html(client.get(PAGE))
        assert len(page.find_all("article")) == 20
        assert "Page 1 of 10, 200 channels" in text(page)


class TestSwitching:
    def test_without_javascript_it_is_a_post_and_a_redirect(self, client, people, hook):
        client.force_login(people.admin)
        response = client.post(at(hook, "toggle"), {"enabled": "false"}, follow=True)
        assert response.redirect_chain == [(PAGE, 302)]
        assert "Ops dashboard is off." in text(html(response).select_one("#flash"))
        assert not Channel.objects.get().enabled

    def test_with_htmx_the_list_comes_back_with_a_toast_that_can_undo_it(self, client, people, hook):
        client.force_login(people.admin)
        response = client.post(at(hook, "toggle"), {"enabled": "false"}, **HTMX)
        switch = html(response).find(id=f"switch-{hook.pk}")
        assert switch["aria-checked"] == "false"
        assert toast(response) == {"text": "Ops dashboard is off.", "undo": f"switch-{hook.pk}"}
        assert html(response).find("html") is None

    def test_a_second_click_changes_nothing(self, client, people, hook):
        client.force_login(people.admin)
        for _ in range(2):
            client.post(at(hook, "toggle"), {"enabled": "false"})
        assert AuditEntry.objects.filter(action="channel.updated").count() == 1

    @pytest.mark.parametrize("extra", [{}, HTMX])
    def test_over_the_plan_the_sentence_stands_on_the_card(self, client, people, project, extra):
        for number in range(3):
            factories.ChannelFactory(project=project, position=number)
        fourth = factories.ChannelFactory(project=project, enabled=False, position=3)
        client.force_login(people.admin)
        response = client.post(at(fourth, "toggle"), {"enabled": "true"}, **extra)
        assert response.status_code == 402
        card = html(response).find(id=f"channel-{fourth.pk}")
        assert "The Pro plan has 3 webhooks per project; 3 are in use." in text(card)
        assert not Channel.objects.get(pk=fourth.pk).enabled


class TestOrdering:
    @pytest.fixture
    def three(self, project):
        return [factories.ChannelFactory(project=project, name=name) for name in ("A", "B", "C")]

    def order(self):
        return list(Channel.objects.values_list("name", flat=True))

    @pytest.mark.parametrize(
        ("index", "direction", "expected"),
        [(2, "up", "ACB"), (0, "down", "BAC"), (0, "up", "ABC"), (2, "down", "ABC")],
    )
    def test_one_place_up_or_down(self, client, people, three, index, direction, expected):
        client.force_login(people.admin)
        client.post(at(three[index], "move"), {"direction": direction})
        assert "".join(self.order()) == expected

    def test_with_htmx_the_list_comes_back_in_its_new_order(self, client, people, three):
        client.force_login(people.admin)
        response = client.post(at(three[2], "move"), {"direction": "up"}, **HTMX)
        names = [text(card.find("h3").find("span")) for card in html(response).find_all("article")]
        assert names == ["A", "C", "B"]
        assert toast(response)["text"] == "C moved up."

    def test_the_order_decides_what_the_plan_carries(self, client, people, project):
        hooks = [factories.ChannelFactory(project=project, position=number) for number in range(4)]
        client.force_login(people.admin)
        response = client.post(at(hooks[3], "move"), {"direction": "up"}, **HTMX)
        over = ["Over the plan limit" in text(card) for card in html(response).find_all("article")]
        assert over == [False, False, False, True]
        assert html(response).find_all("article")[3]["id"] == f"channel-{hooks[2].pk}"


class TestTesting:
    @responses.activate
    @pytest.mark.parametrize(("status", "look"), [(200, ["result", "ok"]), (500, ["result", "bad"])])
    @pytest.mark.parametrize("extra", [{}, HTMX])
    def test_the_answer_stands_in_place(self, client, people, hook, status, look, extra):
        responses.post("https://hooks.example.com/aegis", body="said <b>this</b>", status=status)
        client.force_login(people.member)
        response = client.post(at(hook, "test"), {"event": "crawl_completed"}, **extra)
        assert response.status_code == 200
        answer = html(response) if extra else html(response).find(id=f"answer-{hook.pk}")
        assert answer.select_one(".result")["class"] == look
        assert str(status) in text(answer.select_one(".result"))
        assert answer.find("pre").string == "said <b>this</b>"
        assert json.loads(responses.calls[0].request.body)["event"] == "crawl_completed"

    def test_an_unknown_event_is_refused_in_place(self, client, people, hook):
        client.force_login(people.member)
        response = client.post(at(hook, "test"), {"event": "nonsense"}, **HTMX)
        assert response.status_code == 400
        assert "Name one of run_failed" in text(html(response))

    def test_nobody_who_may_be_written_to(self, client, people, project):
        channel = factories.ChannelFactory(project=project, kind="email", key="email")
        factories.RecipientFactory(channel=channel, email="stranger@elsewhere.example")
        client.force_login(people.member)
        response = client.post(at(channel, "test"), {"event": "run_failed"}, **HTMX)
        assert response.status_code == 409
        assert "may be written to yet" in text(html(response))

    def test_a_good_mail_lifts_a_suspension_on_the_card_too(self, client, people, project, mailoutbox):
        channel = factories.ChannelFactory(
            project=project, kind="email", key="email", suspended_at=now(), suspended_reason="It only failed."
        )
        client.force_login(people.member)
        response = client.post(at(channel, "test"), {"event": "run_failed"}, **HTMX)
        head = html(response).find(id=f"head-{channel.pk}")
        assert head["hx-swap-oob"] == "outerHTML"
        assert "Healthy" in text(head)
        assert len(mailoutbox) == 1

    def test_ten_a_minute(self, client, people, project):
        channel = factories.ChannelFactory(project=project, kind="email", key="email")
        client.force_login(people.member)
        statuses = [client.post(at(channel, "test"), {"event": "run_failed"}, **HTMX).status_code for _ in range(11)]
        assert statuses[-1] == 429

    def test_a_viewer_may_not(self, client, people, hook):
        client.force_login(people.viewer)
        response = client.post(at(hook, "test"), {"event": "run_failed"})
        assert response.status_code == 403
        assert "Only the owner, admins and members" in text(html(response))


class TestPausing:
    def test_for_an_hour(self, client, people, hook):
        client.force_login(people.member)
        before = now()
        client.post(at(hook, "pause"), {"until": "hour"})
        row = Channel.objects.get()
        assert before + timedelta(hours=1) <= row.paused_until <= now() + timedelta(hours=1)
        assert row.paused_by == people.member

    def test_until_tomorrow_in_the_workspaces_zone(self, client, people, hook, time_machine):
        time_machine.move_to(datetime(2026, 4, 28, 22, 30, tzinfo=UTC), tick=False)
        hook.project.workspace.time_zone = "Europe/Berlin"
        hook.project.workspace.save()
        client.force_login(people.member)
        client.post(at(hook, "pause"), {"until": "tomorrow"})
        # It is the 29th in Berlin already.
        assert Channel.objects.get().paused_until == datetime(2026, 4, 30, 7, tzinfo=UTC)

    def test_with_htmx_the_dialog_closes_and_the_toast_can_undo_it(self, client, people, hook):
        client.force_login(people.member)
        response = client.post(at(hook, "pause"), {"until": "hour"}, **HTMX)
        assert response["HX-Retarget"] == "#channels"
        assert json.loads(response["HX-Trigger-After-Settle"])["closeDialog"] is True
        assert toast(response)["undo"] == f"resume-{hook.pk}"
        assert html(response).find(id=f"resume-{hook.pk}") is not None

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            ({"until": "day", "day": ""}, "Choose the day on which the pause ends."),
            ({"until": "day", "day": "2001-01-01"}, "Must be in the future, and within a year."),
            ({}, "Choose how long the channel is paused."),
        ],
    )
    @pytest.mark.parametrize("extra", [{}, HTMX])
    def test_a_bad_choice_is_said_in_the_panel(self, client, people, hook, data, sentence, extra):
        client.force_login(people.member)
        response = client.post(at(hook, "pause"), data, **extra)
        assert response.status_code == 400
        assert sentence in text(html(response).find(role="alert"))

    def test_resuming_offers_to_recover(self, client, people, hook):
        pause_channel(SYSTEM, hook, now() + timedelta(hours=1))
        factories.OccurrenceFactory(project=hook.project)
        client.force_login(people.member)
        response = client.post(at(hook, "resume"), **HTMX)
        assert html(response).find(id=f"recover-offer-{hook.pk}") is not None
        assert not Channel.objects.get().paused_until

    def test_a_viewer_may_not(self, client, people, hook):
        client.force_login(people.viewer)
        assert client.get(at(hook, "pause")).status_code == 403
        assert client.post(at(hook, "pause"), {"until": "hour"}).status_code == 403


class TestRecovering:
    def test_by_the_offer_and_to_the_end(self, client, people, hook):
        pause_channel(SYSTEM, hook, now() + timedelta(hours=1))
        resume_channel(SYSTEM, Channel.objects.get())
        factories.OccurrenceFactory(project=hook.project)
        client.force_login(people.member)
        assert "Nothing was sent from" in text(html(client.get(PAGE)).find("article"))
        client.post(at(hook, "recover"), {"since": "offer"})
        job = RecoveryJob.objects.get()
        part = html(client.get(at(hook, "recovery"), **HTMX)).find(id=f"recovery-{hook.pk}")
        assert part["hx-trigger"] == "every 1s"
        assert part.find(role="progressbar")["aria-valuemax"] == str(job.total)
        work_on_recoveries()
        part = html(client.get(at(hook, "recovery"), **HTMX)).find(id=f"recovery-{hook.pk}")
        assert "hx-trigger" not in part.attrs
        assert "Recovered: 0 messages sent" in text(part)
        assert "Nothing was sent from" not in text(html(client.get(PAGE)).find("article"))

    def test_a_time_is_read_in_the_readers_zone(self, client, people, hook, time_machine):
        time_machine.move_to(datetime(2026, 4, 28, 10, tzinfo=UTC), tick=False)
        people.member.time_zone = "Asia/Kolkata"
        people.member.save()
        client.force_login(people.member)
        client.post(at(hook, "recover"), {"since": "at", "at": "2026-04-28T09:00"})
        assert RecoveryJob.objects.get().since == datetime(2026, 4, 28, 3, 30, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("data", "status"),
        [
            ({"since": "at", "at": "soon"}, 400),
            ({"since": "at", "at": "2999-01-01T00:00"}, 400),
            ({"since": "offer"}, 409),
        ],
    )
    def test_refusals_stand_in_the_panel(self, client, people, hook, data, status):
        client.force_login(people.member)
        response = client.post(at(hook, "recover"), data, **HTMX)
        assert response.status_code == status
        assert html(response).find(role="alert") is not None
        assert not RecoveryJob.objects.exists()

    def test_one_at_a_time(self, client, people, hook):
        client.force_login(people.member)
        client.post(at(hook, "recover"), {"since": "day"})
        response = client.post(at(hook, "recover"), {"since": "day"})
        assert response.status_code == 409
        assert "being recovered already" in text(html(response))


class TestDeleting:
    def test_the_question_says_what_will_happen(self, client, people, hook):
        factories.DeliveryFactory(channel=hook, occurrence__project=hook.project)
        factories.OverrideFactory(channel=hook)
        client.force_login(people.admin)
        question = text(html(client.get(at(hook, "delete"))).find("main"))
        assert "1 message not delivered yet is cancelled" in question
        assert "Its 1 override goes with it." in question
        assert "It is the only channel that is on" in question
        assert Channel.objects.exists()

    @pytest.mark.parametrize("extra", [{}, HTMX])
    def test_then_it_is_gone(self, client, people, hook, extra):
        client.force_login(people.admin)
        response = client.post(at(hook, "delete"), **extra)
        assert response.status_code == (200 if extra else 302)
        assert not Channel.objects.exists()
        # The second of two clicks, or somebody whose page is older: the list as it is, not a page of an error.
        again = client.post(at(hook, "delete"), **{**extra, "follow": True})
        assert again.status_code == 200
        said = again["HX-Trigger-After-Settle"] if extra else again.content.decode()
        assert "It was deleted already." in said
        assert AuditEntry.objects.filter(action="channel.deleted").count() == 1


@pytest.mark.parametrize("action", ["toggle", "move", "confirm", "delete", "rotate", "activate", "reveal"])
@pytest.mark.parametrize(("role", "status"), [("member", 403), ("viewer", 403), ("outsider", 404)])
def test_who_may_not_configure_changes_nothing(client, people, hook, action, role, status):
    client.force_login(getattr(people, role))
    assert client.post(at(hook, action), {"enabled": "false"}).status_code == status
    assert Channel.objects.get().enabled


@pytest.mark.parametrize("action", ["test", "pause", "resume", "recover"])
def test_an_outsider_gets_404_for_what_members_may(client, people, hook, action):
    client.force_login(people.outsider)
    assert client.post(at(hook, action)).status_code == 404


@pytest.mark.parametrize("action", ["toggle", "test", "pause", "delete", "reveal", "recovery"])
def test_a_channel_of_another_project_is_not_there(client, people, workspace, hook, action):
    other = factories.ChannelFactory(project=factories.ProjectFactory(workspace=workspace))
    client.force_login(people.owner)
    method = client.get if action == "recovery" else client.post
    assert method(at(other, action)).status_code == 404
