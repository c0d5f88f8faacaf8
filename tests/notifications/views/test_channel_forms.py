"""Adding a channel and changing its settings."""

import pytest
from bs4 import BeautifulSoup

from notifications.intake.recording import record
from notifications.models import Channel
from tests import factories

NEW = "/p/acme-web/channels/new?ws=acme"
URLS = {
    "slack": "https://hooks.slack.com/services/T000/B000/slacksecret",
    "discord": "https://discord.com/api/webhooks/123456789012345678/discord-token",
    "teams": factories.CONFIGS["teams"]["url"],
    "webhook": "https://93.184.215.14/hook/with/a/long/path",
}


def html(response):
    return BeautifulSoup(response.content, "html.parser")


def text(node):
    return " ".join(node.get_text(" ").split())


def new(kind):
    return f"{NEW}&kind={kind}"


ALL_DEFAULT = ["run_failed", "scheduled_runs", "crawl_completed", "ai_generated"]


class TestAdding:
    def test_the_kinds_say_how_much_room_there_is(self, client, people, project):
        factories.ChannelFactory(project=project, kind="slack")
        client.force_login(people.admin)
        links = [text(link) for link in html(client.get(NEW)).select(".prov")]
        assert links == [
            "Email on every plan",
            "Slack 1 of 1 used",
            "Discord 0 of 1 used",
            "Microsoft Teams 0 of 1 used",
            "Webhook 0 of 3 used",
        ]

    @pytest.mark.parametrize("kind", ["email", "slack", "discord", "teams", "webhook"])
    def test_a_kind_shows_its_steps_and_its_fields(self, client, people, project, kind):
        client.force_login(people.admin)
        page = html(client.get(new(kind)))
        assert page.select(".steps li")
        fields = {field["name"] for field in page.select("main form [name]")} - {"csrfmiddlewaretoken", "once"}
        own = {"email": {"recipients", "mode", "digest_time"}, "webhook": {"url", "secret"}}.get(kind, {"url"})
        assert fields == {"name", "key", "events", "enabled"} | own

    def test_an_unknown_kind_is_not_there(self, client, people, project):
        client.force_login(people.admin)
        assert client.get(new("fax")).status_code == 404

    @pytest.mark.parametrize("kind", ["slack", "discord", "teams"])
    def test_a_chat_channel(self, client, people, project, kind):
        client.force_login(people.admin)
        response = client.post(
            new(kind), {"name": "#qa", "url": URLS[kind], "enabled": "on", "events": ALL_DEFAULT}, follow=True
        )
        channel = Channel.objects.get()
        assert response.redirect_chain[0][0].endswith(f"notifications/?ws=acme#channel-{channel.pk}")
        assert (channel.kind, channel.name, channel.key, channel.enabled) == (kind, "#qa", kind, True)
        assert "#qa is added." in text(html(response).select_one("#flash"))
        assert not channel.overrides.exists()

    def test_email_takes_addresses_line_by_line(self, client, people, project, mailoutbox):
        client.force_login(people.admin)
        client.post(
            new("email"),
            {"name": "QA", "recipients": "a@x.example\nb@x.example, c@x.example", "events": ALL_DEFAULT},
        )
        channel = Channel.objects.get()
        assert list(channel.recipients.values_list("email", flat=True)) == ["a@x.example", "b@x.example", "c@x.example"]
        assert not channel.enabled

    def test_a_generated_secret_is_shown_once(self, client, people, project):
        client.force_login(people.admin)
        data = {"name": "Ops", "url": URLS["webhook"], "enabled": "on", "events": ALL_DEFAULT}
        response = client.post(new("webhook"), data)
        secret = Channel.objects.get().config["secret"]
        assert response.status_code == 201
        assert html(response).find(id="new-secret")["value"] == secret
        assert "no-store" in response["Cache-Control"]
        for page in (
            f"/p/acme-web/channels/{Channel.objects.get().pk}",
            "/p/acme-web/config/integrations/notifications/",
        ):
            assert secret not in client.get(f"{page}?ws=acme").content.decode()

    def test_a_pasted_secret_is_not_shown_at_all(self, client, people, project):
        client.force_login(people.admin)
        data = {"name": "Ops", "url": URLS["webhook"], "secret": "correct-horse-battery", "events": ALL_DEFAULT}
        response = client.post(new("webhook"), data)
        assert response.status_code == 302
        assert Channel.objects.get().config["secret"] == "correct-horse-battery"

    def test_errors_stand_beside_their_fields_and_the_secret_is_not_repeated(self, client, people, project):
        client.force_login(people.admin)
        data = {"name": "", "url": "http://10.0.4.7/hook", "secret": "correct-horse-battery"}
        response = client.post(new("webhook"), data)
        assert response.status_code == 400
        response = client.post(new("webhook"), {**data, "name": "Ops"})
        page = html(response)
        assert response.status_code == 400
        url = page.find(id="id_url")
        assert url["aria-invalid"] == "true"
        assert "https://" in text(page.find(id="id_url_error"))
        assert b"correct-horse-battery" not in response.content

    def test_a_taken_key_is_said_beside_it(self, client, people, project):
        factories.ChannelFactory(project=project, key="ops")
        client.force_login(people.admin)
        response = client.post(new("webhook"), {"name": "Ops", "key": "ops", "url": URLS["webhook"]})
        assert response.status_code == 409
        assert "already has a channel" in text(html(response).find(id="id_key_error"))

    def test_over_the_plan_it_can_be_added_switched_off(self, client, people, project):
        for number in range(3):
            factories.ChannelFactory(project=project, position=number)
        client.force_login(people.admin)
        page = html(client.get(new("webhook")))
        assert not page.find("input", {"name": "enabled"}).has_attr("checked")
        assert "The Pro plan has 3 webhooks per project; 3 are in use." in text(page.find(role="alert"))
        data = {"name": "Ops", "url": URLS["webhook"], "secret": "correct-horse-battery", "events": ALL_DEFAULT}
        response = client.post(new("webhook"), {**data, "enabled": "on"})
        assert response.status_code == 402
        assert "3 are in use" in text(html(response).find(role="alert"))
        assert client.post(new("webhook"), data).status_code == 302
        assert Channel.objects.count() == 4

    def test_events_chosen_otherwise_than_the_flags_become_overrides(self, client, people, project):
        client.force_login(people.admin)
        client.post(new("slack"), {"name": "#qa", "url": URLS["slack"], "events": ["run_failed", "run_completed"]})
        overrides = dict(Channel.objects.get().overrides.values_list("event", "enabled"))
        assert overrides == {
            "run_completed": True,
            "scheduled_runs": False,
            "crawl_completed": False,
            "ai_generated": False,
        }

    def test_below_pro_there_are_no_overrides(self, client, people, project):
        project.workspace.plan = factories.plan("starter")
        project.workspace.save()
        client.force_login(people.admin)
        assert html(client.get(new("slack"))).find("fieldset").has_attr("disabled")
        client.post(new("slack"), {"name": "#qa", "url": URLS["slack"], "events": ["run_failed"], "enabled": "on"})
        assert not Channel.objects.get().overrides.exists()

    @pytest.mark.parametrize(("role", "status"), [("member", 403), ("viewer", 403), ("outsider", 404)])
    def test_others_may_not(self, client, people, project, role, status):
        client.force_login(getattr(people, role))
        assert client.get(NEW).status_code == status
        assert client.post(new("slack"), {"name": "x", "url": URLS["slack"]}).status_code == status
        assert not Channel.objects.exists()


class TestChanging:
    @pytest.fixture
    def hook(self, project):
        return factories.ChannelFactory(project=project, key="hook", name="Ops", failures_in_a_row=3, last_error="500")

    def at(self, channel):
        return f"/p/acme-web/channels/{channel.pk}?ws=acme"

    def test_what_is_left_empty_stays(self, client, people, hook):
        client.force_login(people.admin)
        response = client.post(self.at(hook), {"name": "Dashboard", "key": "dash", "url": ""})
        assert response["Location"] == self.at(hook)
        row = Channel.objects.get()
        assert (row.name, row.key, row.config, row.failures_in_a_row) == ("Dashboard", "dash", hook.config, 3)

    def test_another_url_starts_with_a_clean_record(self, client, people, hook):
        client.force_login(people.admin)
        client.post(self.at(hook), {"name": "Ops", "key": "hook", "url": URLS["webhook"]})
        row = Channel.objects.get()
        assert (row.config["url"], row.config["secret"]) == (URLS["webhook"], hook.config["secret"])
        assert row.failures_in_a_row == 0

    def test_errors_stand_beside_their_fields(self, client, people, hook):
        client.force_login(people.admin)
        response = client.post(self.at(hook), {"name": "Ops", "key": "not a slug", "url": "ftp://x"})
        assert response.status_code == 400
        page = html(response)
        assert page.find(id="id_key")["aria-invalid"] == "true"
        response = client.post(self.at(hook), {"name": "Ops", "key": "hook", "url": "ftp://x"})
        assert html(response).find(id="id_url")["aria-invalid"] == "true"
        assert Channel.objects.get().config == hook.config

    def test_the_stored_url_and_secret_are_not_in_the_page(self, client, people, hook):
        client.force_login(people.owner)
        page = client.get(self.at(hook)).content.decode()
        assert hook.config["url"] not in page
        assert hook.config["secret"] not in page

    def test_recipients_are_listed_with_their_state_and_can_be_asked_again(self, client, people, project, mailoutbox):
        channel = factories.ChannelFactory(project=project, kind="email", key="email")
        factories.RecipientFactory(channel=channel, email="stranger@elsewhere.example")
        client.force_login(people.admin)
        assert "stranger@elsewhere.example Unconfirmed" in text(
            html(client.get(self.at(channel))).find("ul", class_="list")
        )
        ask = f"/p/acme-web/channels/{channel.pk}/confirm?ws=acme"
        response = client.post(ask, {"email": "stranger@elsewhere.example"}, follow=True)
        assert "A mail to confirm the address went to" in text(html(response).select_one("#flash"))
        response = client.post(ask, {"email": "stranger@elsewhere.example"}, follow=True)
        assert "was asked a moment ago" in text(html(response).select_one("#flash"))

    def test_nobody_else_is_asked(self, client, people, project, mailoutbox, django_capture_on_commit_callbacks):
        channel = factories.ChannelFactory(project=project, kind="email", key="email")
        client.force_login(people.admin)
        with django_capture_on_commit_callbacks(execute=True):
            client.post(f"/p/acme-web/channels/{channel.pk}/confirm?ws=acme", {"email": "victim@elsewhere.example"})
        assert mailoutbox == []

    def test_without_recipients_the_owner_is_named(self, client, people, project):
        channel = factories.ChannelFactory(project=project, kind="email", key="email")
        client.force_login(people.admin)
        listed = text(html(client.get(self.at(channel))).find("ul", class_="list"))
        assert f"{people.owner.email} The workspace's owner" in listed

    @pytest.mark.parametrize(("role", "status"), [("member", 403), ("viewer", 403), ("outsider", 404)])
    def test_others_may_not(self, client, people, hook, role, status):
        client.force_login(getattr(people, role))
        assert client.get(self.at(hook)).status_code == status
        assert client.post(self.at(hook), {"name": "x", "key": "x"}).status_code == status
        assert Channel.objects.get().name == "Ops"


class TestDailyDigest:
    """An email channel that collects for one email a day."""

    def post(self, client, channel, **changed):
        sent = {"name": "Email", "key": "email", "recipients": "", "mode": "immediate", "digest_time": "08:00"}
        return client.post(f"/p/acme-web/channels/{channel.pk}?ws=acme", sent | changed, follow=True)

    @pytest.fixture
    def channel(self, client, people, project):
        project.workspace.time_zone = "Europe/Berlin"
        project.workspace.save()
        client.force_login(people.admin)
        return factories.ChannelFactory(project=project, kind="email", key="email", name="Email")

    def test_a_new_channel_can_collect_from_the_start(self, client, people, project):
        client.force_login(people.admin)
        sent = {"name": "Mornings", "mode": "daily_digest", "digest_time": "07:15", "enabled": "on"}
        assert client.post(new("email"), sent).status_code == 302
        channel = Channel.objects.get()
        assert (channel.mode, f"{channel.digest_time:%H:%M}") == ("daily_digest", "07:15")

    def test_the_time_is_by_the_workspaces_clock_and_the_form_says_so(self, client, channel):
        page = html(client.get(f"/p/acme-web/channels/{channel.pk}?ws=acme"))
        assert "By the workspace's clock (Europe/Berlin)." in text(page.select_one("#id_digest_time_helptext"))
        assert page.select_one("#id_digest_time")["type"] == "time"

    def test_switching_to_it_and_back(self, client, channel):
        page = html(self.post(client, channel, mode="daily_digest", digest_time="07:15"))
        channel.refresh_from_db()
        assert (channel.mode, f"{channel.digest_time:%H:%M}") == ("daily_digest", "07:15")
        assert page.select_one("#id_mode option[selected]")["value"] == "daily_digest"
        assert page.select_one("#id_digest_time")["value"] == "07:15"
        back = text(html(self.post(client, channel, digest_time="07:15")))
        assert "Email is saved. What it held goes out as one last digest." in back
        channel.refresh_from_db()
        assert (channel.mode, channel.digest_time) == ("immediate", None)

    def test_a_bad_time_is_said_beside_it(self, client, channel):
        response = self.post(client, channel, mode="daily_digest", digest_time="25:00")
        assert response.status_code == 400
        assert "Give a time from 00:00 to 23:59" in text(html(response).select_one("#id_digest_time_error"))

    def test_what_it_lets_through_is_held_and_the_card_says_how_much(self, client, people, project, channel):
        self.post(client, channel, mode="daily_digest", digest_time="07:15")
        for number in (1, 2):
            payload = {"event": "run_completed", "project": "acme-web", "run": {"id": f"{number}", "status": "failed"}}
            occurrence = record(project.workspace, payload).occurrence
            assert occurrence.decisions[0]["outcome"] == "held"
            assert occurrence.deliveries.get().status == "held"
        card = text(html(client.get("/p/acme-web/config/integrations/notifications/?ws=acme")).select_one(".chan-h"))
        assert "Daily digest at 07:15 (Europe/Berlin)" in card
        assert "2 messages held for the next digest" in card
