"""The Overview as a page."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup

from notifications.models import DeliveryHour, DeliveryStatus
from notifications.windows import hour_number
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

    def get(query=""):
        response = client.get(f"/?ws=acme{query}")
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


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        (0, "Discord answered 404."),
        (1, "Discord answered 404. 1 message is waiting."),
        (2, "Discord answered 404. 2 messages are waiting."),
        (101, "Discord answered 404. More than 100 messages are waiting."),
    ],
)
def test_a_failing_channel_says_how_many_messages_wait_for_it(page, project, messages, sentence):
    channel = factories.ChannelFactory(
        project=project, kind="discord", failures_in_a_row=6, last_error="Discord answered 404."
    )
    occurrence = factories.OccurrenceFactory(project=project)
    for number in range(messages):
        factories.DeliveryFactory(occurrence=occurrence, channel=channel, recipient=str(number), status="retrying")
    for status in ("failed", "cancelled", "held"):
        factories.DeliveryFactory(occurrence=occurrence, channel=channel, recipient=status, status=status, next_at=None)
    assert text(page().select_one(".note.bad p")) == sentence


def _delivered(channel, occurrence, took, **fields):
    for number, milliseconds in enumerate(took):
        factories.DeliveryFactory(
            occurrence=occurrence,
            channel=channel,
            recipient=str(number),
            status="delivered",
            next_at=None,
            delivered_at=fields["created_at"] + timedelta(milliseconds=milliseconds),
            **fields,
        )


def _line(html, channel):
    return text(html.find(id=f"overview-channel-{channel.pk}").parent.find("small"))


def test_each_channel_that_is_well_says_how_fast_its_newest_deliveries_were(page, project):
    quick, ill = (factories.ChannelFactory(project=project, kind=kind) for kind in ("slack", "discord"))
    digest = factories.ChannelFactory(project=project, kind="email", mode="daily_digest", digest_time=time(8))
    ill.failures_in_a_row = 1
    ill.save()
    old, new = (factories.OccurrenceFactory(project=project, received_at=NOW) for _ in range(2))
    _delivered(quick, old, [9000], created_at=NOW - timedelta(hours=2))
    _delivered(quick, new, range(1, 101), created_at=NOW - timedelta(hours=1))
    for other in (ill, digest):
        _delivered(other, new, [50], created_at=NOW)
    html = page()
    assert _line(html, quick) == "Acme Web · 101 delivered, p95 95 ms"
    assert "p95" not in _line(html, ill) + _line(html, digest)
    assert "p95 of what was delivered of a channel's newest 100." in text(html)


def test_without_deliveries_nothing_is_said_about_speed(page, project):
    channel = factories.ChannelFactory(project=project)
    html = page()
    assert _line(html, channel) == "Acme Web · 0 delivered"
    assert "of a channel's newest" not in text(html)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("pro", "webhook", "Pro has 3 webhooks per project"),
        ("pro", "slack", "Pro has 1 channel of one chat kind per project"),
        ("free", "slack", "Free has no chat channels per project"),
    ],
)
def test_a_channel_beyond_the_plan_says_what_the_plan_has(page, workspace, project, code, kind, words):
    workspace.plan = factories.plan(code)
    workspace.save()
    for number in range(4):
        last = factories.ChannelFactory(project=project, kind=kind, key=f"{kind}-{number}", position=number)
    assert _line(page(), last) == f"Acme Web · {words}"


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


def test_the_range_is_chosen_by_links_that_keep_the_workspace(page, project):
    html = page("&range=7d")
    links = html.find("nav", {"aria-label": "Time range"}).find_all("a")
    assert [(text(link), link["href"], link.get("aria-current")) for link in links] == [
        ("24 h", "/?ws=acme&range=24h", None),
        ("7 d", "/?ws=acme&range=7d", "true"),
        ("30 d", "/?ws=acme&range=30d", None),
    ]
    assert all(link["hx-get"] == link["href"] for link in links)


@pytest.mark.parametrize("query", ["", "&range=24h", "&range=", "&range=8d", "&range=7D", "&range=7d&range=x"])
def test_whatever_is_no_range_is_the_last_day(page, project, query):
    html = page(query)
    assert text(html.select_one(".seg [aria-current]")) == "24 h"
    assert "Acme QA, last 24 hours." in text(html.find(id="overview-line"))


def counted(workspace, moment, delivered, failed=0):
    DeliveryHour.objects.create(workspace=workspace, hour=hour_number(moment), delivered=delivered, failed=failed)


def test_a_week_is_shown_by_the_readers_days(page, workspace, people):
    people.viewer.time_zone = "Asia/Tokyo"
    people.viewer.save()
    counted(workspace, NOW - timedelta(days=9), 10)
    counted(workspace, datetime(2026, 4, 21, 15, tzinfo=UTC), 1200, 3)  # midnight of the 22nd in Tokyo
    counted(workspace, NOW - timedelta(days=1), 6)
    html = page("&range=7d")
    assert html.find("svg", {"class": "chart"})["aria-label"] == (
        "Deliveries per day: 1,206 delivered and 3 failed, busiest day Wed 22 Apr"
    )
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in html.find("table").find_all("tr")]
    assert rows[0] == ["Day", *(f"{day} {date} Apr" for day, date in zip(DAYS, range(22, 29), strict=True))]
    assert rows[1] == ["Delivered", "1,200", "0", "0", "0", "0", "6", "0"]
    assert text(html.find("table").find("caption")) == "Deliveries per day of the last 7 days, times in Asia/Tokyo"
    assert [mark.get_text() for mark in html.select("svg.chart text")][3:5] == ["Wed 22", "Thu 23"]
    shown = text(html.find("main"))
    assert "1,196 more than the 7 days before" in shown
    assert "3 failed deliveries of 1,209 failed" in shown
    assert html.find(id="overview-failed")["href"] == "/deliveries/?ws=acme&status=failed&since=2026-04-22"


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns"])
def test_days_have_their_names_where_midnight_is_no_full_hour_utc(page, workspace, people, zone):
    people.viewer.time_zone = zone
    people.viewer.save()
    counted(workspace, NOW - timedelta(days=1), 1, 1)
    week = page("&range=7d")
    days = [each.get_text() for each in week.find("table").find("tr").find_all("th")][1:]
    assert days == [f"{day} {date} Apr" for day, date in zip(DAYS, range(22, 29), strict=True)]
    assert week.find("svg", {"class": "chart"})["aria-label"].endswith("busiest day Mon 27 Apr")
    assert [mark.get_text() for mark in week.select("svg.chart text")][3] == "Wed 22"
    assert week.find(id="overview-failed")["href"].endswith("since=2026-04-22")
    assert [mark.get_text() for mark in page("&range=30d").select("svg.chart text")][3] == "30 Mar"


DAYS = ("Wed", "Thu", "Fri", "Sat", "Sun", "Mon", "Tue")


def test_a_month_says_what_the_plan_keeps(page, workspace):
    counted(workspace, NOW - timedelta(days=10), 10)
    shown = page("&range=30d")
    assert text(shown.find(id="overview-line")) == "Acme QA, last 30 days."
    assert "10 more than the 30 days before" in text(shown.find("main"))
    workspace.plan = factories.plan("free")
    workspace.save()
    shown = page("&range=30d")
    assert text(shown.find(id="overview-line")) == "Acme QA, last 7 days. Free keeps 7 days of history."
    assert "10 fewer than the 7 days before" in text(shown.find("main"))


def test_what_the_latency_is_of_is_said(page, project, monkeypatch):
    monkeypatch.setattr("notifications.selectors.overview.P95_OF", 1)
    channel = factories.ChannelFactory(project=project)
    for _ in range(2):
        factories.DeliveryFactory(
            occurrence=factories.OccurrenceFactory(project=project),
            channel=channel,
            status="delivered",
            next_at=None,
            delivered_at=NOW,
        )
    assert "From the event to the provider's answer, of the newest 1" in text(page().find("main"))


class TestAsPartsOfThePage:
    @pytest.fixture
    def ask(self, client, people, project):
        client.force_login(people.viewer)
        return lambda target, query="": client.get(
            f"/?ws=acme&range=7d{query}", headers={"HX-Request": "true", "HX-Target": target}
        )

    def test_another_range_is_the_whole_overview_without_its_frame(self, ask):
        html = BeautifulSoup(ask("overview").content, "html.parser")
        assert html.find("html") is None
        assert [each["id"] for each in html.find_all(recursive=False)] == ["overview"]
        assert html.find(id="overview-poll")["hx-get"] == "/?ws=acme&range=7d"

    def test_news_are_the_numbers_alone(self, ask):
        html = BeautifulSoup(ask("overview-now").content, "html.parser")
        assert [each["id"] for each in html.find_all(recursive=False)] == [
            "overview-now",
            "overview-line",
            "overview-seen",
        ]
        assert html.find("h1") is None

    def test_nothing_new_is_nothing(self, ask, project):
        seen = BeautifulSoup(ask("overview-now").content, "html.parser").find(id="overview-seen")["value"]
        assert ask("overview-now", f"&seen={seen}").status_code == 204
        factories.OccurrenceFactory(project=project)
        assert ask("overview-now", f"&seen={seen}").status_code == 200

    def test_all_that_can_have_the_focus_gets_it_back_by_its_id(self, ask, project):
        factories.ChannelFactory(project=project, failures_in_a_row=1)
        factories.OccurrenceFactory(project=project)
        html = BeautifulSoup(ask("overview").content, "html.parser")
        reachable = html.select("a, button, summary, [tabindex]")
        assert len(reachable) > 8
        assert [each for each in reachable if not each.get("id")] == []


@pytest.mark.parametrize("chosen", ["24h", "7d", "30d"])
def test_the_page_takes_few_queries_however_much_there_is(
    client, people, project, django_assert_max_num_queries, chosen
):
    for number in range(12):
        channel = factories.ChannelFactory(project=project, failures_in_a_row=number % 2)
        factories.DeliveryFactory(
            occurrence=factories.OccurrenceFactory(project=project),
            channel=channel,
            created_at=NOW,
            status="delivered" if channel.failures_in_a_row == 0 else "retrying",
            delivered_at=NOW if channel.failures_in_a_row == 0 else None,
            next_at=None if channel.failures_in_a_row == 0 else NOW,
        )
    client.force_login(people.viewer)
    client.get("/?ws=acme")
    # session, user, memberships; projects, usage; eleven of the overview itself.
    with django_assert_max_num_queries(16):
        client.get(f"/?ws=acme&range={chosen}")
