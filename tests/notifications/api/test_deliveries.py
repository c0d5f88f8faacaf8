"""Listing deliveries, reading one with its attempts, sending one more time."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from aegisnotify.clock import now
from notifications.models import Attempt, Channel, Delivery, DeliveryStatus
from projects.models import AuditEntry
from projects.scopes import Scope
from tests import factories
from tests.notifications.api.callers import error_of, fields_of, signed_in, with_token

pytestmark = pytest.mark.django_db

START = datetime(2026, 4, 28, 10, 0, tzinfo=UTC)
FINISHED = {"status": "failed", "next_at": None, "attempt_count": 2}


@pytest.fixture(autouse=True)
def that_day():
    """The plan shows so many days back from today."""
    with time_machine.travel(START + timedelta(hours=1)):
        yield


def finished(**fields):
    return factories.DeliveryFactory(**{**FINISHED, **fields})


@pytest.fixture
def delivery(project):
    return finished(occurrence__project=project, channel__key="hook")


def attempt(delivery, number, **fields):
    values = {"at": START, "outcome": "retry", "status_code": 503, "error": "It was busy.", "response": "busy"}
    return Attempt.objects.create(delivery=delivery, number=number, **values | fields)


def test_a_delivery_has_the_documented_shape(api, delivery):
    attempt(delivery, 2, outcome="failed", status_code=None, duration_ms=15000, response="")
    attempt(delivery, 1)
    body = api.get(f"/deliveries/{delivery.pk}").json()
    assert set(body) == {
        "id", "event_id", "project", "channel", "kind", "recipient", "event", "status", "status_reason",
        "attempt_count", "next_attempt_at", "created_at", "delivered_at", "attempts",
    }  # fmt: skip
    assert body["id"] == str(delivery.pk)
    assert body["event_id"] == str(delivery.occurrence_id)
    assert (body["project"], body["channel"], body["kind"]) == ("acme-web", "hook", "webhook")
    assert (body["event"], body["status"], body["attempt_count"], body["recipient"]) == (
        "run_failed",
        "failed",
        2,
        None,
    )
    assert body["attempts"] == [
        {
            "at": "2026-04-28T10:00:00Z",
            "duration_ms": 0,
            "status_code": 503,
            "outcome": "retry",
            "error": "It was busy.",
            "response": "busy",
        },
        {
            "at": "2026-04-28T10:00:00Z",
            "duration_ms": 15000,
            "status_code": None,
            "outcome": "failed",
            "error": "It was busy.",
            "response": "",
        },
    ]
    assert api.get("/deliveries").json()["results"] == [body]


def test_no_secret_and_no_body_is_shown(api, delivery):
    text = api.get("/deliveries").content.decode() + api.get(f"/deliveries/{delivery.pk}").content.decode()
    assert delivery.channel.config["secret"] not in text
    assert delivery.channel.config["url"] not in text


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"status": "pending", "next_at": START}, "2026-04-28T10:00:00Z"),
        ({"status": "retrying", "next_at": START}, "2026-04-28T10:00:00Z"),
        ({"status": "sending", "next_at": START, "lease_token": uuid.uuid4()}, None),
        ({"status": "held", "next_at": None}, None),
        ({"status": "delivered", "next_at": None}, None),
    ],
)
def test_the_next_attempt_is_shown_while_one_is_waited_for(api, project, fields, shown):
    row = factories.DeliveryFactory(occurrence__project=project, **fields)
    assert api.get(f"/deliveries/{row.pk}").json()["next_attempt_at"] == shown


@pytest.fixture
def several(project):
    """Deliveries by name: of two projects and three channels, in several states, a minute apart, the oldest first."""
    shop = factories.ProjectFactory(workspace=project.workspace, slug="shop")
    slack = factories.ChannelFactory(project=project, kind="slack", key="slack")
    email = factories.ChannelFactory(project=project, kind="email", key="email")
    shop_slack = factories.ChannelFactory(project=shop, kind="slack", key="slack")
    run, scan = factories.OccurrenceFactory(project=project), factories.OccurrenceFactory(project=project)
    shop_run = factories.OccurrenceFactory(project=shop)
    made = {
        "a": {"occurrence": run, "channel": slack, **FINISHED},
        "b": {"occurrence": run, "channel": email, "recipient": "a@example.com"},
        "c": {"occurrence": scan, "channel": slack, "event": "crawl_completed"},
        "d": {"occurrence": shop_run, "channel": shop_slack, **FINISHED, "status": "delivered"},
    }
    return {
        name: factories.DeliveryFactory(created_at=START + timedelta(minutes=number), **fields)
        for number, (name, fields) in enumerate(made.items())
    }


def listed(caller, several, **parameters):
    response = caller.get("/deliveries", **parameters)
    assert response.status_code == 200, response.json()
    names = {str(row.pk): name for name, row in several.items()}
    return "".join(names[row["id"]] for row in response.json()["results"])


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, "dcba"),
        ({"project": "acme-web"}, "cba"),
        ({"channel": "slack"}, "dca"),
        ({"channel": "slack", "project": "acme-web"}, "ca"),
        ({"channel": "email"}, "b"),
        ({"channel": "email", "project": "shop"}, ""),
        ({"channel": "none"}, ""),
        ({"status": "failed"}, "a"),
        ({"status": "pending"}, "cb"),
        ({"event": "crawl_completed"}, "c"),
        ({"event": "run_failed", "status": "delivered"}, "d"),
        ({"since": "2026-04-28T10:02:00Z"}, "dc"),
        ({"since": "2026-04-28T10:01:00Z", "until": "2026-04-28T10:02:00Z"}, "b"),
    ],
)
def test_filters_narrow_the_list(api, several, parameters, found):
    assert listed(api, several, **parameters) == found


def test_those_of_one_event(api, several):
    assert listed(api, several, event_id=str(several["a"].occurrence_id)) == "ba"
    assert listed(api, several, event_id=str(uuid.uuid4())) == ""


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"status": "lost"}, "status"),
        ({"event": "coffee_ready"}, "event"),
        ({"event_id": "12"}, "event_id"),
        ({"since": "2026"}, "since"),
        ({"page_size": "0"}, "page_size"),
        ({"channel": "a\0"}, "channel"),
    ],
)
def test_bad_parameters_are_named(api, parameters, field):
    assert field in fields_of(api.get("/deliveries", **parameters))


def test_pages(api, several):
    body = api.get("/deliveries", page_size=3).json()
    assert (body["total"], body["page"], body["page_size"], len(body["results"])) == (4, 1, 3, 3)
    assert listed(api, several, page_size=3, page=2) == "a"
    assert listed(api, several, page_size=3, page=9) == ""


def test_a_renamed_channel_keeps_its_history(api, several):
    Channel.objects.filter(pk=several["b"].channel_id).update(key="mail-qa")
    assert listed(api, several, channel="mail-qa") == "b"
    assert listed(api, several, channel="email") == ""
    assert api.get(f"/deliveries/{several['b'].pk}").json()["channel"] == "mail-qa"


def test_a_deleted_channel_keeps_its_history(api, several):
    several["b"].channel.delete()
    assert listed(api, several, channel="email") == "b"
    assert api.get(f"/deliveries/{several['b'].pk}").json()["channel"] == "email"


def test_deliveries_of_other_workspaces_are_not_there(api, several):
    other = finished()
    assert len(listed(api, several)) == 4
    assert error_of(api.get(f"/deliveries/{other.pk}")) == (404, "not_found")
    assert error_of(api.post(f"/deliveries/{other.pk}/redeliver")) == (404, "not_found")
    other.refresh_from_db()
    assert other.status == DeliveryStatus.FAILED


def test_a_token_of_one_project_sees_that_one_only(project, several):
    api = with_token(project.workspace, project=project)
    assert listed(api, several) == "cba"
    assert listed(api, several, channel="slack") == "ca"
    assert error_of(api.get("/deliveries", project="shop")) == (404, "not_found")
    assert error_of(api.get(f"/deliveries/{several['d'].pk}")) == (404, "not_found")
    assert error_of(api.post(f"/deliveries/{several['d'].pk}/redeliver")) == (404, "not_found")


def test_the_number_of_queries_does_not_depend_on_the_number_of_deliveries(api, project, django_assert_num_queries):
    occurrence = factories.OccurrenceFactory(project=project)
    api.get("/deliveries")
    for _ in range(2):
        for row in factories.DeliveryFactory.create_batch(5, occurrence=occurrence):
            attempt(row, 1)
        # Token, count, page, attempts.
        with django_assert_num_queries(4):
            api.get("/deliveries", page_size=200)


# --- Once more


@pytest.mark.parametrize("status", ["delivered", "failed", "cancelled"])
def test_a_finished_delivery_is_sent_once_more_under_its_id(api, project, status):
    row = finished(occurrence__project=project, status=status, status_reason="over")
    attempt(row, 1)
    response = api.post(f"/deliveries/{row.pk}/redeliver")
    assert response.status_code == 202
    body = response.json()
    assert (body["id"], body["status"], body["attempt_count"]) == (str(row.pk), "pending", 2)
    assert body["next_attempt_at"] is not None
    assert body["delivered_at"] is None
    assert len(body["attempts"]) == 1
    assert body == api.get(f"/deliveries/{row.pk}").json()
    assert AuditEntry.objects.get(action="delivery.redelivered").source == "api"


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "pending", "next_at": START},
        {"status": "retrying", "next_at": START},
        {"status": "sending", "next_at": START, "lease_token": uuid.uuid4()},
        {"status": "held", "next_at": None},
    ],
)
def test_an_unfinished_one_is_a_conflict(api, project, fields):
    row = factories.DeliveryFactory(occurrence__project=project, **fields)
    assert error_of(api.post(f"/deliveries/{row.pk}/redeliver")) == (409, "conflict")
    row.refresh_from_db()
    assert row.status == fields["status"]


@pytest.mark.parametrize(
    "state", [{"enabled": False}, {"suspended_at": START}, {"paused_until": now() + timedelta(days=1)}]
)
def test_a_channel_that_can_not_send_is_a_conflict(api, delivery, state):
    Channel.objects.filter(pk=delivery.channel_id).update(**state)
    assert error_of(api.post(f"/deliveries/{delivery.pk}/redeliver")) == (409, "conflict")


def test_a_deleted_channel_is_a_conflict(api, delivery):
    delivery.channel.delete()
    assert error_of(api.post(f"/deliveries/{delivery.pk}/redeliver")) == (409, "conflict")


def test_over_the_plan_it_is_refused(api, workspace, delivery):
    workspace.plan = factories.plan("free")
    workspace.save()
    response = api.post(f"/deliveries/{delivery.pk}/redeliver")
    assert error_of(response) == (402, "plan_limit")
    assert response.json()["error"]["details"] == {"limit": "webhooks", "allowed": 0, "used": 0, "plan": "free"}


def test_an_unknown_one_is_not_found(api):
    assert error_of(api.post(f"/deliveries/{uuid.uuid4()}/redeliver")) == (404, "not_found")
    assert error_of(api.get("/deliveries/none")) == (404, "not_found")


@pytest.mark.parametrize("slash", ["", "/"])
def test_addresses_work_with_and_without_a_trailing_slash(api, delivery, slash):
    assert api.get(f"/deliveries{slash}").status_code == 200
    assert api.get(f"/deliveries/{delivery.pk}{slash}").status_code == 200
    assert api.post(f"/deliveries/{delivery.pk}/redeliver{slash}").status_code == 202


# --- Who may


@pytest.mark.parametrize(
    ("role", "read", "redelivered"),
    [("owner", 200, 202), ("admin", 200, 202), ("member", 200, 202), ("viewer", 200, 403), ("outsider", 404, 404)],
)
def test_the_role_decides(people, delivery, role, read, redelivered):
    caller = signed_in(getattr(people, role))
    assert caller.get(f"/deliveries/{delivery.pk}").status_code == read
    response = caller.post(f"/deliveries/{delivery.pk}/redeliver")
    assert response.status_code == redelivered
    if redelivered == 403:
        assert "Only the owner, admins and members" in response.json()["error"]["message"]
    assert Delivery.objects.filter(status="pending").exists() is (redelivered == 202)


def test_each_operation_asks_for_its_scope(workspace, delivery):
    without_read = with_token(workspace, *(scope for scope in Scope if scope is not Scope.DELIVERIES_READ))
    assert error_of(without_read.get("/deliveries")) == (403, "forbidden")
    assert error_of(without_read.get(f"/deliveries/{delivery.pk}")) == (403, "forbidden")
    without_write = with_token(workspace, *(scope for scope in Scope if scope is not Scope.DELIVERIES_WRITE))
    assert error_of(without_write.post(f"/deliveries/{delivery.pk}/redeliver")) == (403, "forbidden")
    assert with_token(workspace, Scope.DELIVERIES_WRITE).post(f"/deliveries/{delivery.pk}/redeliver").status_code == 202
