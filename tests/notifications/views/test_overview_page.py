"""The Overview as a page."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup

from notifications.models import DeliveryStatus
from projects.models import UsageCounter
from tests import factories

NOW = datetime(2026, 4, 28, 10, 42, tzinfo=UTC)


@pytest.fixture(autouse=True)
def frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def page(client, people):
    client.force_login(people.viewer)

    def get():
        response = client.get("/?ws=acme")
        assert response.status_code == 200
        return BeautifulSoup(response.content, "html.parser")

    return get


def text(node):
    return " ".join(node.get_text(" ").split())


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
def test_every_member_sees_it(client, people, role):
    client.force_login(getattr(people, role))
    assert client.get("/?ws=acme").status_code == 200


def test_outsiders_and_strangers_do_not(client, people):
    assert client.get("/?ws=acme").status_code == 302
    client.force_login(people.outsider)
    assert client.get("/?ws=acme").status_code == 404


def test_an_empty_workspace_says_what_to_expect(page, project):
    shown = text(page().find("main"))
    assert "No channel yet." in shown
    assert "No event yet." in shown
    assert "Nothing was delivered or failed in the last 24 hours." in shown
    project.delete()
    assert "No project yet" in text(page().find("main"))


def test_a_failing_channel_is_named_with_the_providers_answer(page, project):
    channel = factories.ChannelFactory(
        project=project, kind="discord", name="#qa", failures_in_a_row=6, last_error="Discord answered 404."
    )
    bad = page().select_one(".note.bad")
    assert text(bad.find("a")) == "Fix channel #qa"
    assert bad.find("a")["href"].endswith(
        f"/p/acme-web/config/integrations/notifications/?ws=acme#channel-{channel.pk}"
    )
    note = text(bad)
    assert "#qa (Discord, Acme Web) has failed 6 times in a row." in note
    assert "Discord answered 404." in note


def test_the_chart_has_its_numbers_as_a_table_in_the_readers_hours(page, project, people):
    people.viewer.time_zone = "Asia/Kolkata"
    people.viewer.save()
    channel = factories.ChannelFactory(project=project)
    occurrence = factories.OccurrenceFactory(project=project)
    for number, status in enumerate(("delivered", "delivered", "failed")):
        factories.DeliveryFactory(
            occurrence=occurrence,
            channel=channel,
            recipient=str(number),
            status=status,
            next_at=None,
            created_at=NOW,
            delivered_at=NOW if status == DeliveryStatus.DELIVERED else None,
        )
    html = page()
    assert html.find("svg", {"class": "chart"})["aria-label"] == (
        "Deliveries per hour: 2 delivered and 1 failed, busiest hour 15:30"
    )
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in html.find("table").find_all("tr")]
    assert [row[0] for row in rows] == ["Hour", "Delivered", "Failed"]
    assert [row[-1] for row in rows] == ["15:30", "2", "1"]


def test_latest_events_link_to_their_trace_within_the_workspace(page, project):
    occurrence = factories.OccurrenceFactory(project=project, received_at=NOW - timedelta(minutes=2))
    link = page().find("a", string=f"Run {occurrence.source_id} failed")
    assert link["href"] == f"/events/{occurrence.pk}/why/?ws=acme"


@pytest.mark.parametrize(
    ("used", "tone", "words"),
    [
        (1999, "meter", "At this pace the month ends with 2,185 of 2,500."),
        (2000, "meter warn", "80% used. At this pace the month ends with 2,186 of 2,500."),
        (2500, "meter full", "100% used: the month's allowance is spent. Messages go on as before."),
        (9000, "meter full", "360% used: the month's allowance is spent. Messages go on as before."),
    ],
)
def test_usage_has_its_marks_at_80_and_100(page, workspace, used, tone, words):
    UsageCounter.objects.create(workspace=workspace, period="2026-04-01", meter="runs", used=used)
    meter = page().select_one(".meter")
    assert " ".join(meter["class"]) == tone
    bar = meter.find(role="meter")
    assert (bar["aria-valuemax"], bar["aria-valuenow"]) == ("2500", str(min(used, 2500)))
    paragraph = meter.find("p")
    assert (paragraph.get_text() if paragraph else None) == words


def test_without_a_cap_there_is_no_bar(page, workspace):
    workspace.plan = factories.plan("enterprise")
    workspace.save()
    html = page()
    assert html.find(role="meter") is None
    assert "unlimited" in text(html.select_one(".meter"))


def test_names_from_outside_are_text(page, project):
    factories.ChannelFactory(project=project, name="<img src=x onerror=alert(1)>", failures_in_a_row=1)
    factories.OccurrenceFactory(
        project=project, facts={"id": "1", "status": "failed", "suite_name": "<script>x</script>"}
    )
    html = page()
    assert html.find("img") is None
    assert len(html.find_all("script")) == len(html.select("script[src]"))


def test_the_page_takes_few_queries_however_much_there_is(client, people, project, django_assert_max_num_queries):
    for number in range(12):
        channel = factories.ChannelFactory(project=project, failures_in_a_row=number % 2)
        factories.DeliveryFactory(
            occurrence=factories.OccurrenceFactory(project=project), channel=channel, created_at=NOW
        )
    client.force_login(people.viewer)
    client.get("/?ws=acme")
    # session, user, memberships; projects, usage; six of the overview itself.
    with django_assert_max_num_queries(11):
        client.get("/?ws=acme")
