"""The docs pages say what is so, to everybody."""

import json

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse
from jsonschema import Draft202012Validator

from notifications import catalog, documentation
from notifications.api import payloads
from notifications.channels import registry
from notifications.delivery import policy
from notifications.views.docs import SECTIONS
from projects.models import Plan
from projects.plan_table import plan_table
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client):
    response = client.get(reverse("docs"))
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def text(part):
    return " ".join(part.get_text(" ").split())


def test_everybody_can_read_them(client, page):
    assert page.find("a", string="Sign in")
    client.force_login(factories.UserFactory())
    assert "Go to the overview" in client.get(reverse("docs")).content.decode()


def test_the_contents_lead_to_every_section(page):
    linked = [link["href"].removeprefix("#") for link in page.find("nav", attrs={"aria-label": "Contents"})("a")]
    assert linked == [name for name, _title in SECTIONS]
    assert all(page.find("section", id=name) for name in linked)


def test_every_link_within_the_page_leads_somewhere(page):
    ids = {part["id"] for part in page.find_all(id=True)}
    assert {link["href"][1:] for link in page.find_all("a", href=True) if link["href"].startswith("#")} <= ids
    assert {button["data-copy"][1:] for button in page.find_all(attrs={"data-copy": True})} <= ids


def test_every_event_and_every_kind_of_channel_is_described(page):
    events = text(page.find(id="events"))
    assert all(event.name in events and event.fires_when in events for event in catalog.events())
    for kind in registry.kinds():
        steps = [text(step) for step in page.find(id=f"channel-{kind.name}").find("ol", class_="steps")("li")]
        assert steps == [" ".join(step.split()) for step in kind.setup_steps]


def test_the_plan_table_follows_the_rows_of_the_database(client):
    Plan.objects.filter(code="pro").update(webhooks=71, runs_per_month=8123, name="Professional")
    Plan.objects.create(code="tiny", name="Tiny", position=99, history_days=1, members=1)
    table = BeautifulSoup(client.get(reverse("docs")).content, "html.parser").find(id="plans")
    rows = {text(row.th): [text(cell) for cell in row("td")] for row in table.tbody("tr")}
    heads = [text(head) for head in table.thead("th")][1:]
    assert "Professional" in heads
    pro, tiny = heads.index("Professional"), heads.index("Tiny")
    assert rows["Webhooks, per project"][pro] == "71"
    assert rows["Test runs per month"][pro] == "8,123"
    assert rows["Events and deliveries are kept for"][tiny] == "1 day"
    assert rows == {row.label: list(row.values) for row in plan_table().rows}


def test_the_retry_times_are_those_of_the_engine(page):
    section = text(page.find(id="delivery"))
    assert "at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h." in section
    assert documentation.waits_in_words(policy.PEOPLE.waits) in section


def test_every_header_of_a_webhook_is_named(page):
    section = text(page.find(id="webhooks"))
    assert all(name in section for name in payloads.HEADERS)


@pytest.mark.parametrize("event", catalog.events())
class TestPayloads:
    def test_the_page_shows_the_example_and_every_field(self, page, event):
        part = page.find(id=f"payload-{event.name}")
        assert json.loads(part.find("pre").get_text()) == payloads.webhook_example(event)
        shown = [text(row.th) for row in part.tbody("tr")]
        assert shown == [field.path for payload in documentation.webhook_payloads() if payload.event is event
                         for field in payload.fields]  # fmt: skip
        assert {"event", "timestamp", "project.id", f"{event.kind}.id"} <= set(shown)

    def test_the_schema_stands_by_itself_and_fits_the_example(self, client, event):
        response = client.get(reverse("docs_schema", args=[event.name]))
        assert response["Content-Type"] == "application/schema+json"
        schema = response.json()
        Draft202012Validator.check_schema(schema)
        validator = Draft202012Validator(schema)
        validator.validate(payloads.webhook_example(event))
        assert not validator.is_valid(payloads.webhook_example(event) | {"event": "something_else"})
        assert not validator.is_valid(payloads.webhook_example(event) | {event.kind.value: {}})
        assert "#/components" not in json.dumps(schema)


def test_an_unknown_events_schema_is_not_found(client):
    assert client.get(reverse("docs_schema", args=["nothing"])).status_code == 404


def test_the_page_asks_for_the_plans_only(client, django_assert_num_queries):
    client.get(reverse("docs"))
    with django_assert_num_queries(1):
        client.get(reverse("docs"))
