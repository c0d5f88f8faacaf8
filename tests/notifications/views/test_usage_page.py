"""Usage & plan: meters, forecasts, banners, what the plans allow and what one of them does not carry."""

from datetime import UTC, datetime

import pytest
import time_machine
from bs4 import BeautifulSoup

from projects.models import Plan, UsageCounter
from tests import factories

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
USAGE = "/usage/?ws=acme"


@pytest.fixture(autouse=True)
def frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def page(client, people):
    client.force_login(people.viewer)

    def get(address=USAGE):
        response = client.get(address)
        assert response.status_code == 200
        return BeautifulSoup(response.content, "html.parser")

    return get


def text(node):
    return " ".join(node.get_text(" ").split())


def sentences(node):
    """The text as it is read: a part of a sentence that phones leave out is an element of its own."""
    return " ".join(node.get_text().split())


def used(workspace, meter, amount):
    UsageCounter.objects.create(workspace=workspace, period="2026-11-01", meter=meter, used=amount)


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("admin", 200), ("member", 200), ("viewer", 200), ("outsider", 404)]
)
def test_who_may_see_it(client, people, role, status):
    client.force_login(getattr(people, role))
    assert client.get(USAGE).status_code == status


def test_anonymous_readers_sign_in_first(client, project):
    assert client.get(USAGE)["Location"].startswith("/login/?next=/usage/")


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "At this pace the month ends with 0 of 2,500."),
        (1000, "At this pace the month ends with 2,068 of 2,500."),
        (1500, "At this pace the cap is reached on 25 November."),
        (2500, "100% used: the month's allowance is spent."),
    ],
)
def test_each_meter_has_a_forecast(page, workspace, amount, words):
    used(workspace, "runs", amount)
    assert words in text(page().select(".meter")[0])


def test_in_the_first_hours_there_is_no_forecast(page, workspace):
    with time_machine.travel(datetime(2026, 11, 1, 5, tzinfo=UTC), tick=False):
        used(workspace, "runs", 2000)
        assert "A forecast needs a day of the month." in text(page().select(".meter")[0])


EVERYWHERE = [USAGE, *(f"{path}?ws=acme" for path in ("/", "/deliveries/", "/notifications/", "/projects/"))]


@pytest.mark.parametrize("address", [*EVERYWHERE, "/settings/email/?ws=acme", "/profile/", "/p/acme-web/?ws=acme"])
@pytest.mark.parametrize(
    ("amount", "tone", "words"),
    [
        (1999, None, ""),
        (2000, "warn", "80% of this month's test runs are used: 2,000 of 2,500."),
        (2500, "bad", "This month's test runs are used up: 2,500 of 2,500."),
    ],
)
def test_banners_at_80_and_100(page, workspace, address, amount, tone, words):
    used(workspace, "runs", amount)
    banners = page(address).select(".usage-banner")
    assert [tone in banner["class"] for banner in banners] == ([True] if tone else [])
    if banners:
        assert words in sentences(banners[0])
        # It leads to where more is said, but there.
        assert [link["href"] for link in banners[0].find_all("a")] == ([] if address == USAGE else [USAGE])


def test_a_banner_says_when_the_cap_is_reached(page, workspace):
    used(workspace, "runs", 2000)
    used(workspace, "scans", 100)
    warned, spent = page("/deliveries/?ws=acme").select(".usage-banner")
    assert "At this pace the cap is reached on 19 November." in text(warned)
    assert "This month's scans are used up: 100 of 100." in sentences(spent)


@pytest.mark.parametrize(("cap", "words"), [(None, "Runs 3,000 · unlimited"), (0, "Runs 3,000 of 0")])
def test_without_a_cap_nothing_warns(page, workspace, cap, words):
    Plan.objects.filter(pk=workspace.plan_id).update(runs_per_month=cap)
    used(workspace, "runs", 3000)
    html = page()
    assert html.select(".usage-banner") == []
    meter = html.select(".meter")[0]
    assert text(meter) == f"{words} At this pace the month ends with 6,206."
    assert meter.find(role="meter") is None


def test_the_meter_has_its_marks(page, workspace):
    assert [text(mark) for mark in page().select(".meter")[0].select(".meter-x span")] == ["80%", "100%"]


def test_the_table_is_the_plans_own_rows(page, workspace):
    Plan.objects.filter(code="pro").update(webhooks=7)
    table = page().select_one("table.plans")
    heads = [text(cell) for cell in table.select("thead th")]
    assert heads == ["Limit", "Free", "Starter", "Pro Yours", "Business", "Enterprise"]
    cells = {text(row.find("th")): [text(cell) for cell in row.find_all("td")] for row in table.select("tbody tr")}
    assert cells["Webhooks, per project"] == ["0", "1", "7", "Unlimited", "Unlimited"]
    assert cells["Slack, Discord and Teams channels, per project"][2] == "3, 1 of each kind"
    assert cells["Events and deliveries are kept for"][-1] == "As long as you like"
    assert [text(cell) for cell in table.select("td.own")] == [values[2] for values in cells.values()]


def test_what_is_over_the_plan_is_named_with_the_limit(page, workspace, project):
    kept = factories.ChannelFactory(project=project, name="Kept", position=0)
    over = factories.ChannelFactory(project=project, name="Over", position=1)
    factories.ChannelFactory(project=project, name="Off", enabled=False, position=2)
    factories.OverrideFactory(channel=kept)
    workspace.plan = factories.plan("starter")
    workspace.save()
    html = page()
    section = html.find(id="h-beyond").find_parent("section")
    assert [text(name) for name in section.select(".list b")] == [over.name, "1 filter of channels"]
    assert "The Starter plan has 1 webhook per project; 1 is in use." in text(section)
    assert "Suspended by the plan." in text(section)
    assert [link["href"] for link in section.find_all("a")] == [
        "/p/acme-web/config/integrations/notifications/?ws=acme",
        "/notifications/?ws=acme",
    ]


def test_within_the_plan_there_is_no_such_list(page, workspace, project):
    channel = factories.ChannelFactory(project=project)
    factories.OverrideFactory(channel=channel)
    assert page().find(id="h-beyond") is None


def test_people_and_projects_over_the_plan_are_said(page, workspace):
    workspace.plan = factories.plan("free")
    workspace.save()
    assert "Members 4 of 1 (over the plan: all keep working, none can be added)" in text(
        page().find(id="h-places").find_parent("section")
    )


def test_the_number_of_queries_does_not_grow(client, people, workspace, django_assert_max_num_queries):
    workspace.plan = factories.plan("free")
    workspace.save()
    for number in range(12):
        project = factories.ProjectFactory(workspace=workspace)
        factories.ChannelFactory.create_batch(6, project=project, position=number)
    client.force_login(people.viewer)
    with django_assert_max_num_queries(12):
        response = client.get(USAGE)
    assert "The first 50 of 72 channels." in response.content.decode()
