"""Listing events and reading one with its trace."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from aegisnotify.clock import now
from projects.scopes import Scope
from tests import factories
from tests.notifications.api.callers import error_of, fields_of, signed_in, with_token

pytestmark = pytest.mark.django_db

START = datetime(2026, 4, 28, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def that_day():
    """The plan shows so many days back from today."""
    with time_machine.travel(START + timedelta(hours=1)):
        yield


@pytest.fixture
def events(project):
    """Five events of two projects, a minute apart, the first the oldest."""
    shop = factories.ProjectFactory(workspace=project.workspace, slug="shop")
    made = [
        ("a", project, "run", "run_failed,scheduled_runs,run_completed"),
        ("b", project, "run", "run_completed"),
        ("c", shop, "run", "run_failed,run_completed"),
        ("d", shop, "crawl", "crawl_completed"),
        ("e", project, "run", ""),
    ]
    return [
        factories.OccurrenceFactory(
            project=where, kind=kind, source_id=name, fired=fired, received_at=START + timedelta(minutes=number)
        )
        for number, (name, where, kind, fired) in enumerate(made)
    ]


def listed(caller, **parameters):
    response = caller.get("/events", **parameters)
    assert response.status_code == 200, response.json()
    return [row["source_id"] for row in response.json()["results"]]


def test_an_event_has_the_documented_shape(api, project):
    factories.ChannelFactory(project=project, key="hook")
    created = api.post(
        "/events",
        {
            "event": "run_failed",
            "project": "acme-web",
            "occurred_at": "2026-04-28T12:42:11+02:00",
            "run": {"id": 12, "status": "failed"},
        },
    ).json()
    read = api.get(f"/events/{created['id']}")
    assert read.status_code == 200
    body = read.json()
    assert set(body) == {
        "id", "project", "kind", "source_id", "fired", "occurred_at", "received_at", "decisions",
    }  # fmt: skip
    assert body["decisions"] == created["decisions"]
    assert (body["project"], body["kind"], body["source_id"]) == ("acme-web", "run", "12")
    assert body["fired"] == ["run_failed", "run_completed"]
    assert body["occurred_at"] == "2026-04-28T10:42:11Z"
    (decision,) = body["decisions"]
    assert {
        "channel", "kind", "outcome", "reason", "event", "recoverable", "gates", "deliveries",
    } <= set(decision)  # fmt: skip
    assert api.get("/events").json()["results"] == [body]


def test_the_newest_comes_first(api, events):
    assert listed(api) == ["e", "d", "c", "b", "a"]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"project": "shop"}, ["d", "c"]),
        ({"event": "run_failed"}, ["c", "a"]),
        ({"event": "run_completed"}, ["c", "b", "a"]),
        ({"event": "scheduled_runs"}, ["a"]),
        ({"event": "ai_generated"}, []),
        ({"event": "run_failed", "project": "acme-web"}, ["a"]),
        ({"since": "2026-04-28T10:03:00Z"}, ["e", "d"]),
        ({"until": "2026-04-28T10:01:00Z"}, ["a"]),
        ({"since": "2026-04-28T12:01:00+02:00", "until": "2026-04-28T12:03:00+02:00"}, ["c", "b"]),
    ],
)
def test_filters_narrow_the_list(api, events, parameters, found):
    assert listed(api, **parameters) == found


def test_a_project_is_also_named_by_its_id(api, events, project):
    assert listed(api, project=str(project.pk)) == ["e", "b", "a"]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"event": "coffee_ready"}, "event"),
        ({"event": ""}, "event"),
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-04-28T10:00:00"}, "until"),
        ({"page": "0"}, "page"),
        ({"page_size": "201"}, "page_size"),
        ({"project": "a\0b"}, "project"),
    ],
)
def test_bad_parameters_are_named(api, events, parameters, field):
    assert field in fields_of(api.get("/events", **parameters))


@pytest.mark.parametrize("name", ["nobody", "", str(uuid.uuid4())])
def test_an_unknown_project_is_not_found(api, events, name):
    assert error_of(api.get("/events", project=name)) == (404, "not_found")


def test_pages(api, events):
    first = api.get("/events", page_size=2).json()
    assert (first["total"], first["page"], first["page_size"]) == (5, 1, 2)
    assert [row["source_id"] for row in first["results"]] == ["e", "d"]
    assert listed(api, page_size=2, page=3) == ["a"]
    assert listed(api, page_size=2, page=4) == []


def test_events_of_other_workspaces_are_not_there(api, events):
    other = factories.OccurrenceFactory()
    assert len(listed(api)) == 5
    assert error_of(api.get(f"/events/{other.pk}")) == (404, "not_found")
    assert error_of(api.get("/events", project=other.project.slug)) == (404, "not_found")


@pytest.mark.parametrize("name", [str(uuid.uuid4()), "none", "batch2"])
def test_an_unknown_event_is_not_found(api, name):
    assert error_of(api.get(f"/events/{name}")) == (404, "not_found")


def test_a_token_of_one_project_sees_that_one_only(project, events):
    api = with_token(project.workspace, project=project)
    assert listed(api) == ["e", "b", "a"]
    assert error_of(api.get("/events", project="shop")) == (404, "not_found")
    assert api.get(f"/events/{events[0].pk}").status_code == 200
    assert error_of(api.get(f"/events/{events[2].pk}")) == (404, "not_found")


def test_reading_asks_for_its_scope(workspace, events):
    reader = with_token(workspace, Scope.DELIVERIES_READ)
    other = with_token(workspace, *(scope for scope in Scope if scope is not Scope.DELIVERIES_READ))
    for path in ("/events", f"/events/{events[0].pk}"):
        assert reader.get(path).status_code == 200
        assert error_of(other.get(path)) == (403, "forbidden")


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
def test_every_member_reads(people, events, role):
    caller = signed_in(getattr(people, role))
    assert len(listed(caller)) == 5
    assert caller.get(f"/events/{events[0].pk}").status_code == 200


def test_somebody_outside_finds_nothing(people, events):
    caller = signed_in(people.outsider)
    assert listed(caller) == []
    assert error_of(caller.get(f"/events/{events[0].pk}")) == (404, "not_found")


def test_the_number_of_queries_does_not_depend_on_the_number_of_events(
    api, project, django_assert_num_queries, time_machine
):
    # The token's last use is written once a minute, whenever that falls.
    time_machine.move_to(now(), tick=False)
    factories.OccurrenceFactory.create_batch(2, project=project)
    api.get("/events")
    for _ in range(2):
        # Token, count, page.
        with django_assert_num_queries(3):
            api.get("/events", page_size=200)
        factories.OccurrenceFactory.create_batch(10, project=project)
    one = project.occurrences.first()
    with django_assert_num_queries(2):
        api.get(f"/events/{one.pk}")
