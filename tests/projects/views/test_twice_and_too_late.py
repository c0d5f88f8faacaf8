"""Double clicks, the back button, an ended session, a page that is older than what it shows: by pages without
JavaScript, and by what htmx gets to say."""

import json

import pytest
from bs4 import BeautifulSoup
from django.core.cache import cache
from django.test import Client

from notifications.models import Channel
from projects.actors import Source, person
from projects.models import ApiToken, AuditEntry, Invitation, Membership, Project, Workspace
from projects.services import invitations, workspaces
from tests import factories

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/deliveries/?ws=acme"}


@pytest.fixture(autouse=True)
def nothing_sent_yet():
    cache.clear()


@pytest.fixture
def owner(client, project, people):
    plan = factories.plan("business")
    Workspace.objects.update(plan=plan)
    factories.plan("free")
    client.force_login(people.owner)
    return people.owner


MAKING = {
    "a channel": (
        "/p/acme-web/channels/new?ws=acme&kind=email",
        {"name": "QA", "mode": "immediate", "enabled": "on"},
        Channel,
    ),
    "a project": ("/projects/?ws=acme", {"name": "Another"}, Project),
    "a token": ("/settings/tokens/?ws=acme", {"name": "ci", "scopes": ["events:write"]}, ApiToken),
    "a workspace": ("/workspaces/new/", {"workspace": "Mine", "project": "Site"}, Workspace),
    "an invitation": ("/settings/members/?ws=acme", {"email": "new@example.com", "role": "member"}, Invitation),
}


def form_on(client, address, answers):
    """Where the page's form with these fields is sent, and with which hidden values."""
    page = BeautifulSoup(client.get(address).content, "html.parser")
    (form,) = [
        form
        for form in page.select("main form")
        if set(answers) <= {field.get("name") for field in form.select("[name]")}
    ]
    return form.get("action") or address, {field["name"]: field["value"] for field in form.select("[type=hidden]")}


@pytest.mark.parametrize("what", MAKING)
def test_a_form_that_is_sent_twice_makes_one(client, owner, what):
    address, answers, model = MAKING[what]
    action, hidden = form_on(client, address, answers)
    before = model.objects.count()
    first = client.post(action, {**hidden, **answers})
    again = client.post(action, {**hidden, **answers}, follow=True)
    assert first.status_code in (200, 201, 302)
    assert model.objects.count() == before + 1
    assert again.status_code == 200
    assert "twice" in again.content.decode() or what == "an invitation"


@pytest.mark.parametrize("what", MAKING)
def test_after_the_back_button_other_answers_make_another(client, owner, what):
    address, answers, model = MAKING[what]
    action, hidden = form_on(client, address, answers)
    before = model.objects.count()
    client.post(action, {**hidden, **answers})
    name = next(iter(answers))
    client.post(action, {**hidden, **answers, name: f"z{answers[name]}"})
    assert model.objects.count() == before + 2


def test_what_was_refused_is_corrected_in_the_form_that_the_back_button_shows(client, owner):
    address, answers, model = MAKING["a project"]
    action, hidden = form_on(client, address, answers)
    client.post(action, {**hidden, **answers, "base_url": "nonsense"})
    client.post(action, {**hidden, **answers, "base_url": "https://www.example.com"})
    assert model.objects.filter(name="Another").count() == 1


class TestAnEndedSession:
    @pytest.fixture(autouse=True)
    def made(self, project):
        return project

    def test_leads_to_the_sign_in_which_says_that_nothing_was_saved(self):
        client = Client()
        answer = client.post("/projects/?ws=acme", {"name": "x"}, headers={"referer": "http://testserver/projects/"})
        assert answer["Location"] == "/login/?next=/projects/"
        assert "nothing was saved" in client.get(answer["Location"]).content.decode()

    def test_says_so_with_htmx_too(self):
        client = Client()
        answer = client.post("/settings/email/reminders?ws=acme", {"on": "true"}, headers=HTMX)
        assert answer["HX-Redirect"] == "/login/?next=/deliveries/%3Fws%3Dacme"
        assert "nothing was saved" in client.get(answer["HX-Redirect"]).content.decode()

    def test_whoever_only_looked_reads_nothing_of_the_kind(self):
        client = Client()
        assert "nothing was saved" not in client.get("/projects/?ws=acme", follow=True).content.decode()

    def test_without_any_cookie_htmx_is_led_there_too(self):
        client = Client(enforce_csrf_checks=True)
        answer = client.post("/settings/email/reminders?ws=acme", {"on": "true"}, headers=HTMX)
        assert answer["HX-Redirect"] == "/login/?next=/deliveries/%3Fws%3Dacme"


class TestAPageOlderThanTheSignIn:
    @pytest.fixture
    def strict(self, project, people):
        client = Client(enforce_csrf_checks=True)
        client.force_login(people.owner)
        return client

    def test_has_a_way_back_to_itself(self, strict):
        page = strict.post(
            "/projects/?ws=acme", {"name": "x"}, headers={"referer": "http://testserver/projects/?ws=acme"}
        )
        assert page.status_code == 403
        link = BeautifulSoup(page.content, "html.parser").select_one("main a.primary")
        assert link["href"] == "/projects/?ws=acme"

    def test_is_told_by_htmx_in_words(self, strict):
        answer = strict.post("/settings/email/reminders?ws=acme", {"on": "true"}, headers=HTMX)
        assert answer.status_code == 403
        said = json.loads(answer["X-Aegis-Refusal"])
        assert "no longer valid" in said["text"]
        assert said["reload"] is True

    @pytest.mark.parametrize(
        ("query", "to"),
        [("", "/"), ("?next=/usage/%3Fws%3Dacme", "/usage/?ws=acme"), ("?next=https://evil.example/", "/")],
    )
    def test_the_second_click_on_sign_in_leads_where_the_first_did(self, strict, query, to):
        answer = strict.post(f"/login/{query}", {"username": "x@example.com", "password": "x"})
        assert answer["Location"] == to


class TestWhatIsGone:
    """A colleague was faster."""

    @pytest.mark.parametrize("action", ["toggle", "move", "resume", "test", "pause", "recover", "rotate", "reveal"])
    def test_a_deleted_channel(self, client, owner, project, action):
        channel = factories.ChannelFactory(project=project, kind="webhook")
        address = f"/p/acme-web/channels/{channel.pk}/{action}?ws=acme"
        channel.delete()
        answer = client.post(address, headers=HTMX)
        assert answer.status_code == 404
        said = json.loads(answer["X-Aegis-Refusal"])
        assert "somebody changed or deleted it" in said["text"]
        assert said["reload"] is True
        page = client.post(address, headers={"referer": "http://testserver/p/acme-web/?ws=acme"})
        assert BeautifulSoup(page.content, "html.parser").select_one("main a.primary")["href"] == "/p/acme-web/?ws=acme"

    def test_its_recovery_is_asked_about_no_more(self, client, owner, project):
        channel = factories.ChannelFactory(project=project)
        address = f"/p/acme-web/channels/{channel.pk}/recovery?ws=acme"
        channel.delete()
        assert client.get(address, headers=HTMX).status_code == 286

    def test_a_channel_that_goes_between_the_look_and_the_lock(self, client, owner, project, monkeypatch):
        channel = factories.ChannelFactory(project=project)

        def late(actor, channel, **submitted):
            Channel.objects.get(pk=channel.pk).delete()
            return Channel.objects.get(pk=channel.pk)

        monkeypatch.setattr("notifications.views.channels.update_channel", late)
        answer = client.post(f"/p/acme-web/channels/{channel.pk}/toggle?ws=acme", {"enabled": "false"})
        assert answer.status_code == 404

    def test_the_api_says_the_same(self, client, owner, project, monkeypatch):
        channel = factories.ChannelFactory(project=project, key="slack-qa")

        def late(actor, channel):
            return Channel.objects.get(pk=project.pk)

        monkeypatch.setattr("notifications.api.channels.delete_channel", late)
        answer = client.delete(
            f"/api/v1/projects/acme-web/channels/{channel.key}", headers={"X-Aegis-Workspace": "acme"}
        )
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "not_found"

    def test_a_refusal_of_the_role_is_said_by_htmx(self, client, project, people):
        client.force_login(people.member)
        channel = factories.ChannelFactory(project=project)
        answer = client.post(f"/p/acme-web/channels/{channel.pk}/toggle?ws=acme", headers=HTMX)
        said = json.loads(answer["X-Aegis-Refusal"])
        assert "Only the owner and admins" in said["text"]
        assert said["reload"] is False

    def test_a_withdrawn_invitation_is_withdrawn_again(self, client, owner, project, people):
        invited = invitations.invite(
            person(owner, Source.PAGE), project.workspace, email="n@example.com", role="member"
        )
        address = f"/settings/members/invitations/{invited.pk}/revoke/?ws=acme"
        assert client.post(address).status_code == 302
        again = client.post(address, follow=True)
        assert again.status_code == 200
        assert "is not open any more" in again.content.decode()

    def test_a_member_whom_a_colleague_removed_has_a_way_back(self, client, owner, project, people):
        member = Membership.objects.get(user=people.member)
        address = f"/settings/members/{member.pk}/remove/?ws=acme"
        member.delete()
        page = client.post(address, headers={"referer": "http://testserver/settings/members/?ws=acme"})
        assert page.status_code == 404
        assert BeautifulSoup(page.content, "html.parser").select_one("main a.primary")["href"].startswith("/settings/")


class TestTakingAwayTwice:
    """The second finds nothing, and leads where the first led."""

    @pytest.fixture(params=["remove a member", "leave", "delete the workspace"])
    def form(self, request, client, owner, project, people):
        """Where it is sent, with what, and where it leads."""
        if request.param == "remove a member":
            member = Membership.objects.get(user=people.member)
            return f"/settings/members/{member.pk}/remove/?ws=acme", {}, "/settings/members/?ws=acme"
        if request.param == "leave":
            client.force_login(people.member)
            return "/settings/workspace/leave/?ws=acme", {}, "/profile/"
        answers = {"name": project.workspace.name, "password": factories.PASSWORD}
        return "/settings/workspace/delete/?ws=acme", answers, "/"

    def test_is_said_to_be_done(self, client, form):
        address, answers, to = form
        assert client.post(address, answers)["Location"] == to
        entries = AuditEntry.objects.count()
        again = client.post(address, answers, follow=True)
        assert again.redirect_chain == [(to, 302)]
        assert again.status_code == 200
        assert "That was done already." in again.content.decode()
        assert AuditEntry.objects.count() == entries

    def test_is_not_said_to_anybody_else(self, client, form, people):
        address, answers, _ = form
        client.post(address, answers)
        client.logout()
        client.force_login(people.outsider)
        assert client.post(address, answers).status_code == 404

    def test_a_link_to_it_leads_nowhere(self, client, form):
        address, answers, _ = form
        client.post(address, answers)
        assert client.get(address).status_code in (404, 405)

    def test_two_at_once_delete_a_workspace_once(self, client, owner, project, monkeypatch):
        delete = workspaces.delete_workspace

        def overtaken(*args, **kwargs):
            delete(*args, **kwargs)
            delete(*args, **kwargs)

        monkeypatch.setattr("projects.views.workspaces.workspaces.delete_workspace", overtaken)
        answers = {"name": project.workspace.name, "password": factories.PASSWORD}
        page = client.post("/settings/workspace/delete/?ws=acme", answers, follow=True)
        assert page.status_code == 200
        assert "That was done already." in page.content.decode()


class TestTwoPeopleAtAChannel:
    @pytest.fixture
    def channel(self, project):
        channel = factories.ChannelFactory(project=project, kind="email", key="qa", name="QA")
        factories.RecipientFactory(channel=channel, email="a@acme.example")
        return channel

    def test_the_second_to_save_is_told_and_nothing_is_lost(self, client, owner, channel):
        address = f"/p/acme-web/channels/{channel.pk}?ws=acme"
        answers = {"name": "QA", "key": "qa", "mode": "immediate", "digest_time": "08:00"}
        _, hidden = form_on(client, address, answers)
        client.post(address, {**answers, **hidden, "recipients": "a@acme.example\nb@acme.example"})
        late = client.post(address, {**answers, **hidden, "name": "QA team", "recipients": "a@acme.example"})
        assert late.status_code == 412
        page = BeautifulSoup(late.content, "html.parser")
        assert "Recipients: a@acme.example, b@acme.example" in page.select_one(".note.bad").get_text()
        # What was typed is still there, and can be saved knowingly.
        assert page.select_one("[name=name]")["value"] == "QA team"
        assert channel.recipients.count() == 2
        version = page.select_one("[name=version]")["value"]
        saved = client.post(address, {**answers, "version": version, "name": "QA team", "recipients": "a@acme.example"})
        assert saved.status_code == 302
        assert channel.recipients.count() == 1

    def test_another_url_counts_although_it_looks_the_same(self, client, owner, project):
        channel = factories.ChannelFactory(project=project, kind="slack", target_fingerprint="one")
        address = f"/p/acme-web/channels/{channel.pk}?ws=acme"
        _, hidden = form_on(client, address, {"name": "", "key": ""})
        Channel.objects.update(target_fingerprint="two")
        late = client.post(address, {**hidden, "name": "Other", "key": channel.key})
        assert late.status_code == 412
        assert "Replace the webhook URL: hooks.slack.com" in late.content.decode()
        assert AuditEntry.objects.filter(action="channel.updated").count() == 0


class TestTwoPeopleAtGeneralSettings:
    @pytest.fixture(params=["project", "workspace"])
    def page(self, request, owner, project):
        """Its address, what it saves at first, and the row that holds it."""
        if request.param == "project":
            answers = {"name": project.name, "slug": project.slug, "base_url": "https://acme.example"}
            return "/p/acme-web/config/general/?ws=acme", answers, project
        return "/settings/workspace/?ws=acme", {"name": "Acme", "time_zone": "UTC"}, project.workspace

    def test_the_second_to_save_is_told_and_nothing_is_lost(self, client, page):
        address, answers, row = page
        action, hidden = form_on(client, address, answers)
        assert client.post(action, {**answers, **hidden, "name": "Theirs"}).status_code == 302
        late = client.post(action, {**answers, **hidden, "name": "Mine"})
        assert late.status_code == 412
        row.refresh_from_db()
        assert row.name == "Theirs"
        shown = BeautifulSoup(late.content, "html.parser")
        assert "It has now: Name: Theirs" in shown.select_one(".note.bad").get_text()
        (form,) = [form for form in shown.select("main form") if form.select_one("[name=name][value=Mine]")]
        # What was typed is still there, and can be saved knowingly.
        again = {field["name"]: field["value"] for field in form.select("[type=hidden]")}
        assert client.post(action, {**answers, **again, "name": "Mine"}).status_code == 302
        row.refresh_from_db()
        assert row.name == "Mine"

    def test_saving_twice_by_oneself_is_no_conflict(self, client, page):
        address, answers, row = page
        for name in ("One", "Two"):
            action, hidden = form_on(client, address, answers)
            assert client.post(action, {**answers, **hidden, "name": name}).status_code == 302
        row.refresh_from_db()
        assert row.name == "Two"
