"""Who was told?"""

import re
import uuid

import pytest
from bs4 import BeautifulSoup

from notifications.intake.recording import record
from notifications.models import Channel, Delivery, DeliveryStatus
from notifications.views.events import NEWCOMERS_SHOWN
from tests import factories


@pytest.fixture
def event(workspace, project):
    factories.ChannelFactory(project=project, kind="slack", key="slack", name="#eng", position=1)
    factories.ChannelFactory(project=project, key="hook", name="Old hook", enabled=False, position=2)
    return record(
        workspace,
        {
            "event": "run_failed",
            "project": "acme-web",
            "occurred_at": "2026-04-28T10:42:11Z",
            "run": {
                "id": "r-1",
                "suite_name": "Checkout flow",
                "status": "failed",
                "passed": 14,
                "failed": 5,
                "duration_ms": 38400,
                "url": "https://aegisrunner.example/runs/1",
                "failures": [{"name": f"test {number}", "message": "boom"} for number in range(5)],
            },
        },
    ).occurrence


@pytest.fixture
def page(client, people, event):
    client.force_login(people.viewer)

    def get():
        response = client.get(f"/events/{event.pk}/why/")
        assert response.status_code == 200
        return BeautifulSoup(response.content, "html.parser")

    return get


def text(node):
    return re.sub(r" ([.,])", r"\1", " ".join(node.get_text(" ").split()))


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
def test_every_member_may_ask(client, people, event, role):
    client.force_login(getattr(people, role))
    assert client.get(f"/events/{event.pk}/why/").status_code == 200


def test_an_outsider_learns_nothing(client, people, event):
    client.force_login(people.outsider)
    foreign = client.get(f"/events/{event.pk}/why/")
    unknown = client.get(f"/events/{uuid.uuid4()}/why/")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content


def test_an_anonymous_reader_signs_in_first(client, event):
    assert client.get(f"/events/{event.pk}/why/")["Location"] == f"/login/?next=/events/{event.pk}/why/"


def test_the_workspace_in_the_address_must_be_the_events(client, people, event):
    client.force_login(people.viewer)
    assert client.get(f"/events/{event.pk}/why/?ws=acme").status_code == 200
    assert client.get(f"/events/{event.pk}/why/?ws=elsewhere").status_code == 404


def test_the_event_decides_the_workspace_for_somebody_in_several(client, people, event):
    other = factories.MembershipFactory(user=people.viewer).workspace
    people.viewer.last_workspace = other
    people.viewer.save()
    client.force_login(people.viewer)
    response = client.get(f"/events/{event.pk}/why/")
    assert response.context["workspace"] == event.workspace


def test_the_events_own_address_leads_there(client, people, event):
    client.force_login(people.viewer)
    assert client.get(f"/events/{event.pk}/?ws=acme")["Location"] == f"/events/{event.pk}/why/?ws=acme"


def test_the_facts_stand_on_top_with_the_readers_zone_named(page, people):
    people.viewer.time_zone = "Europe/Berlin"
    people.viewer.save()
    shown = text(page().find("main"))
    assert "Who was told? Checkout flow failed" in shown
    assert "28 Apr 2026, 12:42:11 CEST" in shown
    assert "5 of 19 tests failed in 38.4 s." in shown
    assert "Times are in Europe/Berlin." in shown
    assert "It fired run_failed and run_completed." in shown


def test_the_worst_failures_are_named_and_the_rest_counted(page):
    failures = [text(item) for item in page().select(".failures li")]
    assert failures == ["test 0 boom", "test 1 boom", "test 2 boom", "and 2 more"]


def test_it_links_to_the_run(page):
    assert page().find("a", href="https://aegisrunner.example/runs/1")["rel"] == ["noopener", "noreferrer"]


def test_one_row_per_channel_each_with_its_reason(page):
    rows = page().find_all("article")
    assert [row.find("b").get_text() for row in rows] == ["#eng", "Old hook"]
    assert "Let through: the global flag had run_failed on" in text(rows[0])
    assert "Not sent: the channel was switched off." in text(rows[1])


def test_exactly_one_check_is_marked_as_the_one_that_stopped(page):
    sent, stopped = page().find_all("article")
    assert sent.select(".here") == []
    (mark,) = stopped.select(".here")
    assert text(mark.parent) == "Channel switched off Stopped here"


def test_what_would_happen_today_is_said(page):
    Channel.objects.filter(key="hook").update(enabled=True)
    sent, stopped = page().find_all("article")
    assert "The same would happen today." in text(sent)
    assert "Today it would be sent: the global flag has run_failed on" in text(stopped)


def test_deliveries_show_their_state(page):
    Delivery.objects.update(status=DeliveryStatus.FAILED, next_at=None, status_reason="The channel was deleted.")
    html = page()
    sent = html.find("article")
    assert "Failed" in text(sent.select_one(".verdict"))
    assert "The channel was deleted." in text(sent)
    assert [text(badge) for badge in html.select(".card-h .badge")] == ["1 failed", "1 not sent"]


def test_a_project_without_channels_says_so(client, people, project):
    occurrence = factories.OccurrenceFactory(project=project)
    client.force_login(people.viewer)
    assert "There was nobody to tell" in client.get(f"/events/{occurrence.pk}/why/").content.decode()


@pytest.mark.parametrize(
    ("kind", "fired", "facts"),
    [
        ("crawl", "crawl_completed", {"id": "c", "status": "completed", "pages": 12}),
        ("generation", "ai_generated", {"id": "g", "tests": 6}),
        ("run", "", {"id": "r", "status": "cancelled"}),
    ],
)
def test_every_kind_of_occurrence_has_its_page(client, people, project, kind, fired, facts):
    occurrence = factories.OccurrenceFactory(project=project, kind=kind, fired=fired, facts=facts)
    client.force_login(people.viewer)
    assert client.get(f"/events/{occurrence.pk}/why/").status_code == 200


def test_names_from_outside_are_text(client, people, workspace, project):
    factories.ChannelFactory(project=project, kind="slack", key="slack", name="<b onclick=x>")
    event = record(
        workspace,
        {
            "event": "run_failed",
            "project": "acme-web",
            "run": {"id": '"><script>1</script>', "status": "failed", "suite_name": "<img src=x>"},
        },
    ).occurrence
    client.force_login(people.viewer)
    html = BeautifulSoup(client.get(f"/events/{event.pk}/why/").content, "html.parser")
    assert html.find("img") is None
    assert html.find(onclick=True) is None
    assert len(html.find_all("script")) == len(html.select("script[src]"))


def test_ids_on_the_page_are_unique(page):
    ids = [node["id"] for node in page().find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_the_page_takes_few_queries(client, people, event, django_assert_max_num_queries):
    client.force_login(people.viewer)
    address = f"/events/{event.pk}/why/"
    client.get(address)
    with django_assert_max_num_queries(16):
        client.get(address)


def test_of_many_channels_that_were_added_since_a_few_are_named(client, people, event, project):
    for number in range(NEWCOMERS_SHOWN + 1):
        factories.ChannelFactory(project=project, name=f"New {number}")
    client.force_login(people.viewer)
    html = BeautifulSoup(client.get(f"/events/{event.pk}/why/").content, "html.parser")
    added = [item.get_text(" ", strip=True) for item in html.find(id="h-since").find_parent("section").select("li")]
    assert len(added) == NEWCOMERS_SHOWN + 1
    assert added[-1] == "and 1 channel more"
