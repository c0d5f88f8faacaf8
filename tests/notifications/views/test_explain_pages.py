"""The buttons of "Who was told?", and questions about events that never happened; as a browser without JavaScript."""

import pytest
import responses
from bs4 import BeautifulSoup
from django.core import mail
from django.core.cache import cache

from aegisnotify.clock import now
from notifications.intake.recording import record
from notifications.models import Channel, Occurrence
from notifications.services.pausing import suspend_channel
from notifications.views import told
from projects.actors import SYSTEM
from projects.models import AuditEntry
from tests import factories

QUESTION = "project=acme-web&event=run_failed&result=failed"


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def slack(project):
    return factories.ChannelFactory(project=project, kind="slack", key="slack", name="#eng")


@pytest.fixture
def mailbox(project):
    channel = factories.ChannelFactory(project=project, kind="email", key="email", name="Mail")
    return factories.RecipientFactory(channel=channel, email="bob@example.com")


@pytest.fixture
def event(request, workspace, slack):
    if "mailbox" in request.fixturenames:
        request.getfixturevalue("mailbox")
    report = {"event": "run_failed", "project": "acme-web", "run": {"id": "r-1", "status": "failed"}}
    return record(workspace, report).occurrence


@pytest.fixture(params=["event", "question"])
def page(request, client, people, event):
    """Presses the buttons of both pages: of an event and of a question."""
    address = f"/events/{event.pk}/why/?ws=acme" if request.param == "event" else f"/explain/?ws=acme&{QUESTION}"

    class Page:
        def buttons(self, role="owner"):
            client.force_login(getattr(people, role))
            html = BeautifulSoup(client.get(address).content, "html.parser")
            return html.select("#told .path-why .btn")

        def press(self, label, role="owner", **headers):
            (button,) = [each for each in self.buttons(role) if each.get_text() == label]
            form = button.find_parent("form")
            fields = {field["name"]: field["value"] for field in form.find_all("input") if field.get("value")}
            return client.post(form["action"], fields, follow=not headers, **headers)

    return Page()


def said(response):
    return " ".join(BeautifulSoup(response.content, "html.parser").get_text(" ").split())


def stop(channel, **fields):
    Channel.objects.filter(pk=channel.pk).update(**fields)


def hour():
    return now().replace(year=now().year + 1)


def test_switching_on(page, slack):
    stop(slack, enabled=False)
    assert "Done: switch #eng on." in said(page.press("Switch #eng on"))
    slack.refresh_from_db()
    assert slack.enabled
    assert AuditEntry.objects.filter(action="channel.updated", source="page").exists()
    assert page.buttons() == []


def test_resuming_is_for_members_too(page, slack):
    stop(slack, paused_until=hour())
    assert "Done: resume #eng." in said(page.press("Resume #eng", role="member"))
    slack.refresh_from_db()
    assert slack.paused_until is None


def test_the_filter(page, slack):
    factories.OverrideFactory(channel=slack, event="run_failed", enabled=False)
    page.press("Let #eng follow the flag run_failed")
    assert not slack.overrides.exists()


@responses.activate
def test_a_good_test_lifts_the_suspension_and_its_answer_stands_on_the_row(page, slack):
    suspend_channel(SYSTEM, slack, "Gone.")
    responses.post("https://hooks.slack.com/services/T000/B000/slacksecret", body="ok")
    response = page.press("Test #eng, which lifts the suspension", role="member")
    assert response.status_code == 200
    assert "HTTP 200" in said(response)
    slack.refresh_from_db()
    assert slack.suspended_at is None


@responses.activate
def test_a_test_that_fails_says_what_the_other_side_answered(page, slack):
    suspend_channel(SYSTEM, slack, "Gone.")
    responses.post("https://hooks.slack.com/services/T000/B000/slacksecret", status=404, body="no_service")
    assert "no_service" in said(page.press("Test #eng, which lifts the suspension"))
    assert [button.get_text() for button in page.buttons()] == ["Test #eng, which lifts the suspension"]


def test_asking_recipients_again(page, mailbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        response = page.press("Ask the recipients of Mail to confirm")
    assert "A mail to confirm the address went to bob@example.com." in said(response)
    assert [message.to for message in mail.outbox] == [["bob@example.com"]]
    assert "asked a moment ago" in said(page.press("Ask the recipients of Mail to confirm"))


def test_the_plan_and_the_recipients_are_links(page, slack, workspace):
    workspace.plan = factories.plan("free")
    workspace.save()
    (link,) = page.buttons("viewer")
    assert (link.get_text(), link["href"]) == ("See what the plan allows", "/usage/?ws=acme")


def test_who_may_not_is_told_who_may(page, slack, client, people):
    stop(slack, enabled=False)
    assert page.buttons("member") == []
    client.force_login(people.member)
    html = said(client.get(f"/explain/?ws=acme&{QUESTION}"))
    assert "Only the owner and admins of this workspace can change settings" in html
    answer = client.post(f"/explain/fix/?ws=acme&{QUESTION}", {"channel": str(slack.pk), "remedy": "enable"})
    assert answer.status_code == 403
    slack.refresh_from_db()
    assert not slack.enabled


def test_a_second_click_changes_nothing(page, slack, client, people):
    stop(slack, enabled=False)
    page.press("Switch #eng on")
    before = AuditEntry.objects.count()
    client.force_login(people.owner)
    answer = client.post(
        f"/explain/fix/?ws=acme&{QUESTION}", {"channel": str(slack.pk), "remedy": "enable"}, follow=True
    )
    assert "That is so already." in said(answer)
    assert AuditEntry.objects.count() == before


def test_a_refusal_stands_on_its_row(page, workspace, project, slack):
    workspace.plan = factories.plan("starter")
    workspace.save()
    stop(slack, enabled=False, position=5)
    factories.ChannelFactory(project=project, kind="discord", key="discord", position=0)
    response = page.press("Switch #eng on")
    assert response.status_code == 402
    assert "chat channel" in said(response)


def test_with_htmx_the_rows_alone_are_drawn_anew_and_the_channel_gets_the_focus(page, slack):
    stop(slack, enabled=False)
    response = page.press("Switch #eng on", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="told")
    html = BeautifulSoup(response.content, "html.parser")
    assert html.find("main") is None
    assert html.select_one("#told [autofocus]").get_text() == "#eng"
    assert "switch #eng on" in response["HX-Trigger-After-Settle"]


class TestAddedSince:
    """Channels that did not exist when it happened: their buttons stand on the event's page alone."""

    @pytest.fixture
    def ops(self, event, workspace, project):
        workspace.plan = factories.plan("business")
        workspace.save()
        return factories.ChannelFactory(project=project, kind="slack", key="ops", name="#ops", position=9)

    @pytest.fixture
    def section(self, client, people, event, ops):
        def get(role="owner"):
            client.force_login(getattr(people, role))
            html = BeautifulSoup(client.get(f"/events/{event.pk}/why/?ws=acme").content, "html.parser")
            return html.find(id="h-since").find_parent("section")

        return get

    def press(self, client, section, label, **headers):
        (button,) = [each for each in section().select("form button") if each.get_text() == label]
        form = button.find_parent("form")
        fields = {field["name"]: field["value"] for field in form.find_all("input") if field.get("value")}
        return client.post(form["action"], fields, follow=not headers, **headers)

    def test_what_would_be_told_needs_no_button(self, section):
        assert section().select(".btn") == []

    def test_the_button_lets_it_hear_from_now_on(self, client, section, ops):
        stop(ops, enabled=False)
        assert "Done: switch #ops on." in said(self.press(client, section, "Switch #ops on"))
        ops.refresh_from_db()
        assert ops.enabled
        assert "Today it would be sent" in section().get_text()
        assert section().select(".btn") == []

    def test_with_htmx_it_is_drawn_anew_and_gets_the_focus(self, client, section, ops):
        stop(ops, enabled=False)
        response = self.press(client, section, "Switch #ops on", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="told")
        html = BeautifulSoup(response.content, "html.parser")
        assert html.find("main") is None
        assert html.select_one("#told [autofocus]").get_text() == "#ops"
        assert "Today it would be sent" in html.find(id="h-since").find_parent("section").get_text()

    @responses.activate
    def test_the_answer_to_a_test_stands_beside_it(self, client, section, ops):
        suspend_channel(SYSTEM, ops, "Gone.")
        responses.post("https://hooks.slack.com/services/T000/B000/slacksecret", status=404, body="no_service")
        response = self.press(client, section, "Test #ops, which lifts the suspension")
        assert "no_service" in said(response)

    def test_who_may_not_is_told_who_may(self, section, ops):
        stop(ops, enabled=False)
        assert section("member").select(".btn") == []
        assert "Only the owner and admins of this workspace can change settings" in section("member").get_text()


class TestManyChannels:
    @pytest.fixture
    def many(self, project, workspace, slack):
        workspace.plan = factories.plan("business")
        workspace.save()
        for number in range(told.ROWS_A_PAGE):
            factories.ChannelFactory(project=project, name=f"Hook {number}", position=number)
        stop(slack, enabled=False, position=100)

    @pytest.fixture(params=["event", "question"])
    def address(self, request, client, people, many, workspace):
        client.force_login(people.owner)
        report = {"event": "run_failed", "project": "acme-web", "run": {"id": "r-2", "status": "failed"}}
        event = record(workspace, report).occurrence
        return f"/events/{event.pk}/why/?ws=acme" if request.param == "event" else f"/explain/?ws=acme&{QUESTION}"

    def read(self, response):
        return BeautifulSoup(response.content, "html.parser")

    def names(self, html):
        return [name.get_text() for name in html.select("#told .path .cell-main b")]

    def test_they_are_shown_in_pages_and_counted_in_all(self, client, address):
        first = self.read(client.get(address))
        assert self.names(first) == [f"Hook {number}" for number in range(told.ROWS_A_PAGE)]
        assert "Page 1 of 2, 51 channels" in first.find("nav", {"aria-label": "Pages of channels"}).get_text(" ")
        counts = [badge.get_text() for badge in first.select("#told .card-h .badge")]
        assert counts in (["50 pending", "1 not sent"], ["50 would be sent", "1 would not be sent"])
        second = self.read(client.get(first.find("a", string="Next")["href"]))
        assert self.names(second) == ["#eng"]
        assert self.names(self.read(client.get(second.find("a", string="Previous")["href"]))) == self.names(first)

    @pytest.mark.parametrize("headers", [{}, {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "told"}])
    def test_a_button_comes_back_to_its_page(self, client, address, headers):
        form = self.read(client.get(f"{address}&page=2")).select_one("#told form")
        fields = {field["name"]: field["value"] for field in form.find_all("input") if field.get("value")}
        assert self.names(self.read(client.post(form["action"], fields, follow=not headers, **headers))) == ["#eng"]
        assert Channel.objects.get(name="#eng").enabled


class TestAskingAboutWhatNeverHappened:
    @pytest.fixture
    def ask(self, client, people, slack):
        client.force_login(people.viewer)
        return lambda query: client.get(f"/explain/?ws=acme&{query}")

    def test_it_answers_as_routing_would_and_says_that_it_is_made_up(self, ask):
        html = said(ask("project=acme-web&event=scheduled_runs&result=failed"))
        assert "This event is made up: nothing was recorded and nothing was sent." in html
        assert "It would fire run_failed , scheduled_runs and run_completed ." in html
        assert "It would be sent: the global flag has run_failed on" in html
        assert "Would be sent" in html
        assert not Occurrence.objects.exists()

    def test_a_cancelled_run_tells_nobody(self, ask):
        html = said(ask("project=acme-web&event=run_completed&result=cancelled"))
        assert "It would fire no event" in html
        assert "It would not be sent: a cancelled run fires no event." in html

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            (
                "project=acme-web&event=run_failed&result=passed",
                "run_failed does not fire when the result is “passed”.",
            ),
            ("project=elsewhere&event=run_failed&result=passed", "elsewhere is not one of the available choices."),
            ("project=acme-web&event=nothing&result=passed", "nothing is not one of the available choices."),
            ("event=run_failed", "This field is required."),
        ],
    )
    def test_a_bad_question_is_answered_beside_its_field(self, ask, query, sentence):
        response = ask(query)
        assert response.status_code == 200
        assert sentence in said(response)
        assert "made up" not in said(response)

    def test_without_a_question_it_only_asks(self, ask):
        assert "made up" not in said(ask(""))

    def test_another_workspaces_project_is_none_to_choose(self, ask):
        other = factories.ProjectFactory(slug="theirs")
        assert other.name not in said(ask("project=theirs&event=run_failed&result=failed"))

    def test_an_event_leads_to_a_neighbouring_question(self, client, people, event):
        client.force_login(people.viewer)
        html = BeautifulSoup(client.get(f"/events/{event.pk}/why/").content, "html.parser")
        form = html.find("form", action="/explain/")
        assert form.select_one("#ask_event option[selected]")["value"] == "run_failed"
        assert form.select_one("#ask_result option[selected]")["value"] == "failed"
