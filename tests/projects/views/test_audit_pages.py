"""The audit log: what it shows, to filter by, as CSV, within the plan."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects import audit_log
from projects.audit_log import Filters
from projects.models import AuditEntry
from tests import factories
from tests.projects.account_scenes import soup, text_of

PAGE, CSV = "/settings/audit/?ws=acme", "/settings/audit/audit.csv?ws=acme"
NOON = datetime(2026, 4, 28, 12, tzinfo=UTC)


@pytest.fixture
def client(client, people):
    client.force_login(people.admin)
    return client


def entry(workspace, **values):
    given = {
        "at": NOON,
        "actor_label": "ann@example.com",
        "source": "page",
        "address": "203.0.113.7",
        "action": "channel.updated",
        "target_type": "channel",
        "target_id": "1",
        "target_label": "#eng-alerts",
        "changes": {"enabled": [True, False]},
    }
    return AuditEntry.objects.create(workspace=workspace, **{**given, **values})


def shown(client, query=""):
    return [item.find("b").get_text() for item in soup(client.get(f"{PAGE}{query}")).select("ol.audit > li")]


def rows(client, query=""):
    response = client.get(f"{CSV}{query}")
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))


def test_a_change_says_who_what_old_new_and_from_where(client, workspace, project):
    entry(workspace, project_id=project.pk)
    text = text_of(client.get(PAGE))
    assert (
        "#eng-alerts channel.updated ann@example.com · page from 203.0.113.7 · Acme Web enabled on became off" in text
    )
    assert "28 Apr 2026, 12:00:00 UTC" in text


def test_other_workspaces_and_people_stay_out(client, workspace):
    entry(factories.WorkspaceFactory(), target_label="foreign")
    entry(None, target_label="nobody's")
    entry(workspace)
    assert shown(client) == ["#eng-alerts"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["newest", "middle", "oldest"]),
        ("&actor=bob@example.com", ["newest"]),
        ("&action=token.created", ["middle"]),
        ("&project=acme-web", ["middle"]),
        ("&project=nowhere", []),
        ("&since=2026-04-28", ["newest", "middle"]),
        ("&until=2026-04-28", ["middle", "oldest"]),
        ("&since=2026-04-28&until=2026-04-28", ["middle"]),
        ("&since=nonsense&until=0001-01-01", []),
        ("&since=9999-12-31", []),
        ("&until=9999-12-31", ["newest", "middle", "oldest"]),
        ("&page=2", []),
        ("&page=x", ["newest", "middle", "oldest"]),
    ],
)
def test_filters_stand_in_the_address(client, workspace, project, query, expected):
    entry(workspace, target_label="oldest", at=NOON - timedelta(days=1))
    entry(workspace, target_label="middle", action="token.created", project_id=project.pk)
    entry(workspace, target_label="newest", actor_label="bob@example.com", at=NOON + timedelta(days=1))
    assert shown(client, query) == expected
    if "page=" not in query:
        assert [row[6] for row in rows(client, query)[1:]] == expected


def test_days_are_the_readers(client, workspace, people):
    people.admin.time_zone = "Pacific/Auckland"
    people.admin.save()
    entry(workspace, at=datetime(2026, 4, 28, 13, tzinfo=UTC))
    assert shown(client, "&since=2026-04-29") == ["#eng-alerts"]
    assert shown(client, "&until=2026-04-28") == []


def test_pages_keep_the_filters_and_take_few_queries(client, workspace, django_assert_max_num_queries):
    for number in range(120):
        entry(workspace, target_label=str(number), at=NOON + timedelta(minutes=number))
    with django_assert_max_num_queries(12):
        page = soup(client.get(f"{PAGE}&actor=ann@example.com&page=2"))
    assert [item.find("b").get_text() for item in page.select("ol.audit > li")][:2] == ["69", "68"]
    assert page.find("a", string="Older")["href"].endswith("?ws=acme&actor=ann%40example.com&page=3")
    assert page.find("a", string="Newer")["href"].endswith("&page=1")
    assert soup(client.get(f"{PAGE}&page=3")).find("a", string="Older") is None


def test_htmx_gets_the_rows_alone(client, workspace):
    entry(workspace)
    response = client.get(PAGE, headers={"HX-Request": "true", "HX-Target": "audit-rows"})
    assert soup(response).find("html") is None
    assert soup(response).select("ol.audit > li")


class TestTheFile:
    def test_has_a_row_for_each_change(self, client, workspace, project):
        entry(workspace, project_id=project.pk, changes={"name": ["a", "b"], "enabled": [None, True]})
        entry(workspace, at=NOON - timedelta(days=1), changes={}, address=None)
        head, first, second, third = rows(client)
        assert head == list(audit_log.COLUMNS)
        assert first == [
            "2026-04-28T12:00:00+00:00",
            "ann@example.com",
            "page",
            "203.0.113.7",
            "channel.updated",
            "Acme Web",
            "#eng-alerts",
            "name",
            "a",
            "b",
        ]
        assert second[7:] == ["enabled", "", "true"]
        assert (third[3], third[7:]) == ("", ["", "", ""])

    def test_is_a_download(self, client):
        response = client.get(CSV)
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"].startswith('attachment; filename="audit-acme-')

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
    def test_no_cell_is_a_formula(self, client, workspace, start):
        formula = f"{start}HYPERLINK(1)"
        entry(workspace, target_label=formula, actor_label=formula, changes={formula: [formula, [formula]]})
        (_, row) = rows(client)
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert row[6] == f"'{formula}"

    @given(st.text())
    def test_a_harmless_cell_keeps_its_text(self, text):
        safe = audit_log.harmless(text)
        assert safe in (text, f"'{text}")
        assert not safe or safe[0] not in "=+-@\t\r"


class TestBelowPro:
    @pytest.fixture(autouse=True)
    def on_starter(self, workspace):
        workspace.plan = factories.plan("starter")
        workspace.save()

    def test_the_page_says_so_and_shows_nothing(self, client, workspace):
        entry(workspace)
        response = client.get(PAGE)
        assert response.status_code == 402
        assert "The audit log page is not part of the Starter plan. It comes with Pro." in text_of(response)
        assert "#eng-alerts" not in text_of(response)

    def test_the_data_is_refused(self, client):
        assert client.get(CSV).status_code == 402


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        ("", "–"),
        (True, "on"),
        (False, "off"),
        (0, "0"),
        (["a", "b"], "a, b"),
        ([1], "[1]"),
        ({"ü": None}, '{"ü": null}'),
        ("x" * 301, "x" * 299 + "…"),
    ],
)
def test_values_in_words(value, expected):
    assert audit_log.words(value) == expected


def test_filters_come_back_as_they_were_given():
    given = {"actor": "ann", "action": "x", "project": "p", "since": "2026-04-28", "until": "2026-04-29"}
    assert Filters.read(given).parameters == given
    assert Filters.read(given).since == date(2026, 4, 28)
