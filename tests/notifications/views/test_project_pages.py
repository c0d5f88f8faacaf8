"""The list of projects, their activity, their general settings and the previews."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from aegisnotify.clock import now
from notifications import catalog
from notifications.intake.recording import record
from notifications.models import EventFlag, Occurrence
from projects.models import Project
from tests import factories

ACTIVITY = "/p/acme-web/?ws=acme"
GENERAL = "/p/acme-web/config/general/?ws=acme"


def html(response):
    return BeautifulSoup(response.content, "html.parser")


def text(node):
    return " ".join(node.get_text(" ").split())


@pytest.mark.parametrize(
    "address", ["/projects/?ws=acme", ACTIVITY, GENERAL, "/p/acme-web/preview?ws=acme", "/p/acme-web/config/?ws=acme"]
)
@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("admin", 200), ("member", 200), ("viewer", 200), ("outsider", 404)]
)
def test_who_may_see_the_pages(client, people, address, role, status):
    client.force_login(getattr(people, role))
    assert client.get(address, follow=True).status_code == status


@pytest.mark.parametrize("address", [ACTIVITY, GENERAL, "/p/acme-web/preview?ws=acme"])
def test_anonymous_readers_sign_in_first(client, project, address):
    assert client.get(address)["Location"].startswith("/login/?next=/p/acme-web/")


def test_a_project_of_another_workspace_is_not_there(client, people):
    other = factories.ProjectFactory(slug="theirs")
    client.force_login(people.owner)
    assert client.get(f"/p/{other.slug}/?ws=acme").status_code == 404


class TestTheList:
    def test_it_says_how_much_of_the_plan_is_used(self, client, people, project):
        project.workspace.plan = factories.plan("starter")
        project.workspace.save()
        factories.ProjectFactory(workspace=project.workspace)
        client.force_login(people.viewer)
        page = html(client.get("/projects/?ws=acme"))
        assert "2 of 3 projects used on Starter." in text(page.find("h1").parent)
        assert page.find("form", action="/projects/?ws=acme") is None

    def test_creating_one(self, client, people, project):
        client.force_login(people.admin)
        response = client.post("/projects/?ws=acme", {"name": "Shop", "base_url": "https://shop.example"}, follow=True)
        made = Project.objects.get(slug="shop")
        assert response.redirect_chain[0][0] == "/p/shop/config/integrations/notifications/?ws=acme"
        assert [channel.kind for channel in made.channels.all()] == ["email"]

    def test_over_the_plan_the_sentence_stands_beside_the_form(self, client, people, project):
        project.workspace.plan = factories.plan("free")
        project.workspace.save()
        client.force_login(people.admin)
        response = client.post("/projects/?ws=acme", {"name": "Shop"})
        assert response.status_code == 402
        form = html(response).find("form", action="/projects/?ws=acme")
        assert "The Free plan has 1 project; 1 is in use." in text(form.find(role="alert"))
        assert Project.objects.count() == 1

    @pytest.mark.parametrize(
        ("data", "status", "field"),
        [
            ({"name": ""}, 400, "id_name"),
            ({"name": "Shop", "slug": "acme-web"}, 409, "id_slug"),
            ({"name": "Shop", "slug": "not a slug"}, 400, "id_slug"),
            ({"name": "Shop", "base_url": "ftp://shop"}, 400, "id_base_url"),
        ],
    )
    def test_errors_stand_beside_their_fields(self, client, people, project, data, status, field):
        client.force_login(people.admin)
        response = client.post("/projects/?ws=acme", data)
        assert response.status_code == status
        assert html(response).find(id=field)["aria-invalid"] == "true"

    @pytest.mark.parametrize("role", ["member", "viewer"])
    def test_others_may_not_create(self, client, people, role):
        client.force_login(getattr(people, role))
        assert client.post("/projects/?ws=acme", {"name": "Shop"}).status_code == 403

    def test_many_projects_take_few_queries(self, client, people, workspace, django_assert_max_num_queries):
        for _ in range(60):
            factories.ChannelFactory(project=factories.ProjectFactory(workspace=workspace))
        client.force_login(people.owner)
        client.get("/projects/?ws=acme")
        with django_assert_max_num_queries(9):
            page = html(client.get("/projects/?ws=acme"))
        assert len(page.select(".list > li")) == 50
        assert page.find("a", string="Next")["href"] == "/projects/?ws=acme&page=2"


class TestActivity:
    def report(self, workspace, number=1):
        return record(
            workspace,
            {
                "event": "run_failed",
                "project": "acme-web",
                "run": {"id": f"r{number}", "suite_name": f"Suite {number}", "status": "failed", "failed": 1},
            },
        ).occurrence

    def test_it_says_who_was_told_and_who_was_not(self, client, people, project, workspace):
        factories.ChannelFactory(project=project, name="Ops", position=0)
        factories.ChannelFactory(project=project, name="Old hook", enabled=False, position=1)
        event = self.report(workspace)
        client.force_login(people.viewer)
        row = html(client.get(ACTIVITY)).select_one(".activity > li")
        assert row.find("a")["href"] == f"/events/{event.pk}/why/?ws=acme"
        assert "Suite 1 failed" in text(row)
        assert "Pending Ops" in text(row)
        assert "Not told: Old hook" in text(row)

    def test_of_many_channels_it_names_a_few_and_counts_the_rest(self, client, people, project, workspace):
        workspace.plan = factories.plan("business")
        workspace.save()
        for number in range(10):
            factories.ChannelFactory(project=project, kind="slack", name=f"On {number}", position=number)
            factories.ChannelFactory(project=project, name=f"Off {number}", enabled=False, position=50 + number)
        self.report(workspace)
        client.force_login(people.viewer)
        row = text(html(client.get(ACTIVITY)).select_one(".activity > li"))
        assert "Pending On 7 and 2 channels more Not told: Off 0, Off 1, Off 2 and 7 more" in row

    def test_an_empty_project_says_what_to_expect(self, client, people):
        client.force_login(people.viewer)
        assert "No event yet" in text(html(client.get(ACTIVITY)).find("main"))

    def test_earlier_events_are_a_page_away_and_none_is_shown_twice(self, client, people, project):
        moment = now()
        for number in range(60):
            # Several at one moment, as a batch brings them.
            factories.OccurrenceFactory(project=project, received_at=moment - timedelta(minutes=number // 10))
        client.force_login(people.viewer)
        seen, address = [], ACTIVITY
        while address:
            page = html(client.get(address))
            seen += [link["href"] for link in page.select(".activity a")]
            earlier = page.find("a", string="Earlier")
            address = earlier["href"] if earlier else None
        assert len(seen) == len(set(seen)) == Occurrence.objects.count() == 60

    def test_a_place_that_is_none_is_the_beginning_or_empty(self, client, people, project):
        factories.OccurrenceFactory(project=project)
        client.force_login(people.viewer)
        assert len(html(client.get(f"{ACTIVITY}&before=nonsense")).select(".activity > li")) == 1
        foreign = factories.OccurrenceFactory()
        assert html(client.get(f"{ACTIVITY}&before={foreign.pk}")).select(".activity > li") == []

    def test_it_takes_few_queries(self, client, people, workspace, project, django_assert_max_num_queries):
        factories.ChannelFactory(project=project)
        for number in range(30):
            self.report(workspace, number)
        client.force_login(people.viewer)
        client.get(ACTIVITY)
        with django_assert_max_num_queries(9):
            client.get(ACTIVITY)


class TestGeneral:
    def test_changing_the_slug_leads_to_the_new_address(self, client, people, project):
        client.force_login(people.admin)
        response = client.post(
            GENERAL, {"part": "general", "name": "Shop", "slug": "shop", "base_url": ""}, follow=True
        )
        assert response.redirect_chain[0][0] == "/p/shop/config/general/?ws=acme"
        assert "The project's settings are saved." in text(html(response).select_one("#flash"))
        assert Project.objects.get().name == "Shop"

    def test_a_taken_slug_is_said_beside_it(self, client, people, project):
        factories.ProjectFactory(workspace=project.workspace, slug="shop")
        client.force_login(people.admin)
        response = client.post(GENERAL, {"part": "general", "name": "Shop", "slug": "shop"})
        assert response.status_code == 409
        assert html(response).find(id="id_slug")["aria-invalid"] == "true"

    def test_own_flags_and_back(self, client, people, project):
        client.force_login(people.admin)
        client.post(GENERAL, {"part": "flags", "flags": "own", "events": ["run_completed"]})
        project.refresh_from_db()
        assert not project.inherits_workspace_flags
        flags = dict(EventFlag.objects.filter(project=project).values_list("event", "enabled"))
        assert flags == {event: event == "run_completed" for event in catalog.names()}
        client.post(GENERAL, {"part": "flags", "flags": "inherit", "events": ["run_completed"]})
        project.refresh_from_db()
        assert project.inherits_workspace_flags

    def test_of_two_who_save_at_once_the_second_is_told_and_overwrites_nothing(self, client, people, project):
        client.force_login(people.admin)
        version = html(client.get(GENERAL)).select_one("[aria-labelledby=h-flags] [name=version]")["value"]
        mine = {"part": "flags", "flags": "own", "events": ["run_failed"], "version": version}
        client.post(GENERAL, {**mine, "events": ["run_completed"]})
        refused = client.post(GENERAL, mine)
        assert refused.status_code == 412
        page = html(refused)
        assert "Somebody changed Acme Web's filters since you opened this page, so nothing was saved." in text(page)
        assert "It has its own flags now: run_failed off, scheduled_runs off, run_completed on" in text(page)
        assert EventFlag.objects.get(project=project, event="run_completed").enabled
        chosen = [box["value"] for box in page.select("input[name=events][checked]")]
        assert chosen == ["run_failed"]
        version = page.select_one("[aria-labelledby=h-flags] [name=version]")["value"]
        assert client.post(GENERAL, {**mine, "version": version}).status_code == 302
        assert EventFlag.objects.get(project=project, event="run_failed").enabled

    @pytest.mark.parametrize("data", [{"flags": "maybe"}, {"flags": "own", "events": ["nonsense"]}])
    def test_nonsense_changes_nothing(self, client, people, project, data):
        client.force_login(people.admin)
        assert client.post(GENERAL, {"part": "flags", **data}).status_code == 400
        assert not EventFlag.objects.exists()

    @pytest.mark.parametrize("role", ["member", "viewer"])
    def test_others_see_it_and_may_not_change_it(self, client, people, project, role):
        client.force_login(getattr(people, role))
        page = html(client.get(GENERAL)).find("main")
        assert page.find("form") is None
        assert "acme-web" in text(page)
        assert client.post(GENERAL, {"part": "general", "name": "x", "slug": "x"}).status_code == 403


class TestPreviews:
    @pytest.mark.parametrize("event", catalog.names())
    def test_an_event_in_every_kind(self, client, people, event):
        client.force_login(people.viewer)
        response = client.get(f"/p/acme-web/preview?ws=acme&event={event}", headers={"HX-Request": "true"})
        part = html(response)
        assert part.find("html") is None
        assert [text(heading) for heading in part.find_all("h3")] == [
            f"{kind} : {catalog.get(event).label}"
            for kind in ("Email", "Slack", "Discord", "Microsoft Teams", "Webhook")
        ]
        assert "Acme Web" in text(part.select_one(".pv-slack"))
        assert f'"event": "{event}"' in part.find_all("pre")[-1].get_text()

    def test_the_page_has_all_events(self, client, people):
        client.force_login(people.viewer)
        page = html(client.get("/p/acme-web/preview?ws=acme"))
        assert len(page.select(".pv-discord")) == len(catalog.names())
        ids = [node["id"] for node in page.find_all(id=True)]
        assert len(ids) == len(set(ids))

    def test_an_unknown_event_is_not_there(self, client, people):
        client.force_login(people.viewer)
        assert client.get("/p/acme-web/preview?event=nonsense&ws=acme").status_code == 404
        assert client.get("/p/acme-web/preview/email?event=nonsense&ws=acme").status_code == 404

    def test_a_mail_is_a_document_that_may_only_look_right(self, client, people):
        client.force_login(people.viewer)
        response = client.get("/p/acme-web/preview/email?event=run_failed&ws=acme")
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "script-src" not in policy
        assert response["X-Frame-Options"] == "SAMEORIGIN"
        assert b"Checkout flow failed" in response.content

    def test_a_name_from_outside_is_text(self, client, people, project):
        project.name = "<img src=x onerror=1>"
        project.save()
        client.force_login(people.viewer)
        assert html(client.get("/p/acme-web/preview?ws=acme")).find("img") is None
