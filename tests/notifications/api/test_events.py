"""Reporting events: one at a time, in batches, and everything that is refused."""

import json
import threading
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connections

from notifications import catalog, samples
from notifications.models import Delivery, Occurrence
from projects.actors import SYSTEM
from projects.models import UsageCounter
from projects.scopes import Scope
from projects.services.tokens import revoke_token
from tests import factories
from tests.notifications.api.callers import Caller, error_of, fields_of, signed_in, with_token

pytestmark = pytest.mark.django_db


def report(run_id="run-1", event="run_completed", project="acme-web", **run):
    return {"event": event, "project": project, "run": {"id": run_id, "status": "failed", **run}}


def scheduled(run_id="run-1"):
    return report(run_id, trigger="schedule", passed=15, failed=3)


@pytest.fixture
def hook(project):
    return factories.ChannelFactory(project=project, key="webhook", name="CI hook")


@pytest.fixture
def email(project):
    return factories.ChannelFactory(project=project, kind="email", key="email", name="Email")


def nothing_is_stored():
    return not Occurrence.objects.exists() and not Delivery.objects.exists() and not UsageCounter.objects.exists()


# --- One event


def test_a_failed_scheduled_run_fires_all_three_run_events(api, hook, email):
    response = api.post("/events", scheduled())
    assert response.status_code == 202
    body = response.json()
    assert set(body) == {"id", "fired", "decisions", "duplicate"}
    assert body["fired"] == ["run_failed", "scheduled_runs", "run_completed"]
    assert body["duplicate"] is False
    by_channel = {decision["channel"]: decision for decision in body["decisions"]}
    assert set(by_channel) == {"webhook", "email"}
    stored = {str(row.pk): row for row in Delivery.objects.all()}
    told = by_channel["webhook"]
    assert (told["kind"], told["outcome"], told["reason"], told["event"]) == (
        "webhook",
        "sent",
        "flag_on",
        "run_failed",
    )
    # run_completed is off by default, and webhooks get one delivery per event.
    assert [stored[each].event for each in told["deliveries"]] == ["run_failed", "scheduled_runs"]
    assert [stored[each].event for each in by_channel["email"]["deliveries"]] == ["run_failed"]
    assert body["id"] == str(Occurrence.objects.get().pk)


def test_a_decision_has_every_gate(api, hook):
    hook.enabled = False
    hook.save()
    (decision,) = api.post("/events", scheduled()).json()["decisions"]
    assert (decision["outcome"], decision["reason"], decision["recoverable"]) == ("not_sent", "channel_off", False)
    assert decision["deliveries"] == []
    assert decision["gates"] == [
        {"gate": "channel_enabled", "event": None, "passed": False, "reason": "channel_off"},
        {"gate": "not_paused", "event": None, "passed": True, "reason": None},
        {"gate": "in_plan", "event": None, "passed": True, "reason": None},
        {"gate": "channel_healthy", "event": None, "passed": True, "reason": None},
        {"gate": "filter", "event": "run_failed", "passed": True, "reason": "flag_on"},
        {"gate": "filter", "event": "scheduled_runs", "passed": True, "reason": "flag_on"},
        {"gate": "filter", "event": "run_completed", "passed": False, "reason": "flag_off"},
    ]


def test_the_same_again_answers_with_the_first_result(api, hook):
    first = api.post("/events", scheduled())
    again = api.post("/events", report(status="passed", failed=0))
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {**first.json(), "duplicate": True}
    assert Occurrence.objects.count() == 1
    assert Delivery.objects.count() == 2
    assert UsageCounter.objects.get().used == 1


def test_a_later_report_of_the_schedule_adds_that_event_once(api, hook):
    api.post("/events", report())
    late = api.post("/events", report(event="scheduled_runs"))
    assert late.status_code == 200
    assert late.json()["duplicate"] is True
    assert late.json()["fired"] == ["run_failed", "scheduled_runs", "run_completed"]
    assert api.post("/events", report(event="scheduled_runs")).json() == late.json()
    assert sorted(Delivery.objects.values_list("event", flat=True)) == ["run_failed", "scheduled_runs"]


@pytest.mark.parametrize("event", catalog.names())
def test_every_event_is_taken(api, hook, event):
    kind = catalog.get(event).kind.value
    response = api.post("/events", {"event": event, "project": "acme-web", kind: samples.facts(event)})
    assert response.status_code == 202
    assert event in response.json()["fired"]


def test_a_cancelled_run_is_recorded_and_tells_nobody(api, hook):
    response = api.post("/events", report(status="cancelled"))
    assert response.status_code == 202
    assert response.json()["fired"] == []
    assert [each["reason"] for each in response.json()["decisions"]] == ["run_cancelled"]
    assert UsageCounter.objects.get().used == 1


def test_the_project_is_named_by_slug_or_by_id(api, project):
    assert api.post("/events", report(project=str(project.pk))).status_code == 202
    assert api.post("/events", report(project="acme-web")).status_code == 200


def test_a_number_is_the_same_id_as_its_text(api, project):
    assert api.post("/events", report(12)).status_code == 202
    assert api.post("/events", report("12")).status_code == 200


def test_unknown_fields_pass_through_to_the_webhook(api, hook):
    api.post("/events", report(branch="main", labels=["a", {"b": None}]))
    body = json.loads(Delivery.objects.get().body)
    assert (body["run"]["branch"], body["run"]["labels"]) == ("main", ["a", {"b": None}])


def test_the_moment_is_kept_with_its_offset_and_defaults_to_the_receipt(api, project):
    api.post("/events", report("a") | {"occurred_at": "2026-04-28T12:42:11.250+02:00"})
    assert Occurrence.objects.get(source_id="a").occurred_at == datetime(2026, 4, 28, 10, 42, 11, 250000, tzinfo=UTC)
    with time_machine.travel(datetime(2026, 5, 1, 8, 0, tzinfo=UTC), tick=False):
        api.post("/events", report("b"))
    row = Occurrence.objects.get(source_id="b")
    assert row.occurred_at == row.received_at == datetime(2026, 5, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("slash", ["", "/"])
def test_addresses_work_with_and_without_a_trailing_slash(api, project, slash):
    created = api.post(f"/events{slash}", report())
    assert created.status_code == 202
    assert api.post(f"/events/batch{slash}", {"events": []}).status_code == 200
    assert api.get(f"/events{slash}").status_code == 200
    assert api.get(f"/events/{created.json()['id']}{slash}").status_code == 200


def test_one_event_takes_few_queries(api, project, hook, email, django_assert_num_queries):
    factories.ChannelFactory(project=project, kind="slack", key="slack")
    factories.ChannelFactory(project=project, key="webhook-2")
    # The token's last use is written once a minute, and the month's counter exists after the first event.
    api.post("/events", scheduled("warm"))
    # Token; project with all that decides, the states of addresses; savepoint, occurrence, deliveries, the counter,
    # release.
    with django_assert_num_queries(8):
        api.post("/events", scheduled("counted"))


# --- What is refused


DEEP = b'{"event":"run_completed","project":"acme-web","run":{"id":"1","status":"passed","x":%s}}'
MALFORMED = {
    "no JSON": b"run_failed",
    "half an object": b'{"event": "run_failed"',
    "a list": b"[]",
    "text": b'"run_failed"',
    "null": b"null",
    "invalid UTF-8": b'{"event": "run_failed", "project": "\xff"}',
    "NaN": b'{"event":"run_completed","project":"acme-web","run":{"id":"1","status":"passed","passed":NaN}}',
    "infinity": b'{"event":"run_completed","project":"acme-web","run":{"id":"1","status":"passed","x":-Infinity}}',
    "a number beyond every float": DEEP % b"1e999",
    "an integer beyond 64 bits": DEEP % b"18446744073709551616",
    "a key twice": b'{"event":"run_completed","project":"acme-web","run":{"id":"1","id":"2","status":"passed"}}',
    "an outer key twice": b'{"event":"run_completed","event":"run_failed","project":"acme-web","run":{"id":"1"}}',
    "NUL": b'{"event":"run_completed","project":"acme-web","run":{"id":"a\\u0000b","status":"passed"}}',
    "NUL in a key": b'{"event":"run_completed","project":"acme-web","run":{"id":"1","status":"passed","a\\u0000":1}}',
    "half a surrogate pair": DEEP % b'"\\ud800"',
    "deep nesting": DEEP % (b"[" * 100 + b"]" * 100),
    "very deep nesting": DEEP % (b"[" * 20_000 + b"]" * 20_000),
}


# Valid JSON, which is no event: alone it is refused whole, in a batch it is one bad item.
NO_OBJECT = {"a list", "text", "null"}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_json_stores_nothing(api, hook, body):
    assert error_of(api.post("/events", body)) == (400, "invalid")
    assert nothing_is_stored()


@pytest.mark.parametrize("name", sorted(MALFORMED.keys() - NO_OBJECT))
def test_malformed_json_refuses_the_whole_batch(api, hook, name):
    good = json.dumps(report("good")).encode()
    assert error_of(api.post("/events/batch", b'{"events": [%s, %s]}' % (good, MALFORMED[name]))) == (400, "invalid")
    assert nothing_is_stored()


def test_the_place_of_what_is_malformed_is_named(api, hook):
    body = b'{"event":"run_completed","project":"acme-web","run":{"id":"1","status":"passed","passed":NaN,"x":1,"x":2}}'
    assert set(fields_of(api.post("/events", body))) == {"run.passed", "run.x"}
    assert set(fields_of(api.post("/events/batch", b'{"events": [%s]}' % body))) == {
        "events.0.run.passed",
        "events.0.run.x",
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "event"),
        ({"event": "run_completed"}, "project"),
        ({"event": "run_completed", "project": "acme-web"}, "run"),
        ({"event": "run_completed", "project": "acme-web", "run": []}, "run"),
        ({"event": "run_completed", "project": 5, "run": {"id": "1", "status": "passed"}}, "project"),
        ({"event": "coffee_ready", "project": "acme-web", "run": {"id": "1", "status": "passed"}}, "event"),
        ({"event": ["run_failed"], "project": "acme-web"}, "event"),
        ({"event": "crawl_completed", "project": "acme-web", "run": {"id": "1", "status": "passed"}}, "crawl"),
        ({"event": "ai_generated", "project": "acme-web", "generation": {}}, "generation.id"),
        (report(run_id=""), "run.id"),
        (report(run_id="x" * 201), "run.id"),
        (report(run_id=1.5), "run.id"),
        (report(run_id=True), "run.id"),
        (report(status="exploded"), "run.status"),
        (report(status=None), "run.status"),
        (report(passed="14"), "run.passed"),
        (report(passed=14.0), "run.passed"),
        (report(passed=True), "run.passed"),
        (report(passed=-1), "run.passed"),
        (report(duration_ms=2**60), "run.duration_ms"),
        (report(url="javascript:alert(1)"), "run.url"),
        (report(failures={"name": "a"}), "run.failures"),
        (report(failures=[{"name": 5}]), "run.failures.0.name"),
        (report(schedule="nightly"), "run.schedule"),
        (report(status="passed", failed=2), "run.failed"),
        (report(event="run_failed", status="passed"), "run.status"),
        (report(event="scheduled_runs", trigger="manual"), "run.trigger"),
        (report() | {"occurred_at": "yesterday"}, "occurred_at"),
        (report() | {"occurred_at": "2026-04-28T10:42:11"}, "occurred_at"),
        (report() | {"occurred_at": 1777372931}, "occurred_at"),
    ],
)
def test_a_bad_report_names_the_field_and_stores_nothing(api, hook, body, field):
    assert field in fields_of(api.post("/events", body))
    assert nothing_is_stored()


@pytest.mark.parametrize("size", [64 * 1024 + 1, 1024 * 1024])
def test_a_large_body_is_refused_unread(api, hook, size):
    body = json.dumps(report(note="")).encode()
    body = body.replace(b'"note": ""', b'"note": "%s"' % (b"x" * (size - len(body))))
    assert len(body) == size
    assert error_of(api.post("/events", body)) == (413, "too_large")
    assert nothing_is_stored()


def test_a_body_of_the_whole_limit_is_taken(api, project):
    body = json.dumps(report(note="")).encode()
    body = body.replace(b'"note": ""', b'"note": "%s"' % (b"x" * (64 * 1024 - len(body))))
    assert api.post("/events", body).status_code == 202


def test_only_json_is_taken(api, project):
    response = api.client.post("/api/v1/events", {"event": "run_failed", "project": "acme-web"})
    assert error_of(response) == (415, "invalid")


@pytest.mark.parametrize("name", ["nobody", "0197a9c4-7c3e-7d52-9a6e-2f4b8f0d9a11", "a/b", "ü", "x" * 200])
def test_an_unknown_project_is_not_found_and_named(api, hook, name):
    response = api.post("/events", report(project=name))
    assert error_of(response) == (404, "not_found")
    assert "project" in response.json()["error"]["details"]["fields"]
    assert nothing_is_stored()


def test_a_project_of_another_workspace_is_not_found(api, hook):
    other = factories.ProjectFactory(slug="theirs")
    for name in ("theirs", str(other.pk)):
        assert error_of(api.post("/events", report(project=name))) == (404, "not_found")
    assert nothing_is_stored()


def test_a_token_of_one_project_reports_for_that_one_only(project):
    factories.ProjectFactory(workspace=project.workspace, slug="shop")
    api = with_token(project.workspace, project=project)
    assert api.post("/events", report()).status_code == 202
    assert error_of(api.post("/events", report(project="shop"))) == (404, "not_found")
    batch = api.post("/events/batch", {"events": [report("b"), report("c", project="shop")]})
    assert [item["status"] for item in batch.json()["results"]] == [202, 404]


def test_a_revoked_token_reports_nothing(hook):
    token = factories.TokenFactory(workspace=hook.project.workspace)
    revoke_token(SYSTEM, token)
    caller = Caller(HTTP_AUTHORIZATION=f"Bearer {token.text}")
    for path, body in (("/events", report()), ("/events/batch", {"events": [report()]})):
        assert error_of(caller.post(path, body)) == (401, "unauthenticated")
    assert nothing_is_stored()


def test_without_the_scope_nothing_is_reported(workspace, hook):
    caller = with_token(workspace, *(scope for scope in Scope if scope is not Scope.EVENTS_WRITE))
    for path, body in (("/events", report()), ("/events/batch", {"events": [report()]})):
        response = caller.post(path, body)
        assert error_of(response) == (403, "forbidden")
        assert response.json()["error"]["details"] == {"scope": "events:write"}
    assert nothing_is_stored()


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer", "outsider"])
def test_people_report_nothing(people, hook, role):
    caller = signed_in(getattr(people, role))
    for path, body in (("/events", report()), ("/events/batch", {"events": [report()]})):
        assert error_of(caller.post(path, body)) == (403, "forbidden")
    assert nothing_is_stored()


@pytest.mark.parametrize(("path", "method"), [("/events", "put"), ("/events", "delete"), ("/events/batch", "get")])
def test_other_methods_are_refused(api, path, method):
    assert error_of(getattr(api, method)(path)) == (405, "method_not_allowed")


# --- Batches


def test_a_batch_answers_each_event_in_order_as_if_it_were_alone(api, hook):
    response = api.post(
        "/events/batch",
        {
            "events": [
                scheduled("a"),
                report("b", project="nobody"),
                report("c", passed="14"),
                scheduled("a"),
                report("d", note="x" * 70_000),
                7,
                None,
                scheduled("e"),
            ]
        },
    )
    assert response.status_code == 200
    assert set(response.json()) == {"results"}
    results = response.json()["results"]
    assert [item["status"] for item in results] == [202, 404, 400, 200, 413, 400, 400, 202]
    for item in results:
        if item["status"] in (200, 202):
            assert set(item) == {"status", "id", "fired", "decisions", "duplicate"}
            assert item["duplicate"] is (item["status"] == 200)
        else:
            assert set(item) == {"status", "error"}
            assert set(item["error"]) == {"code", "message", "details"}
    assert results[0]["id"] == results[3]["id"]
    assert [results[each]["error"]["code"] for each in (1, 2, 4)] == ["not_found", "invalid", "too_large"]
    assert set(results[2]["error"]["details"]["fields"]) == {"run.passed"}
    assert sorted(Occurrence.objects.values_list("source_id", flat=True)) == ["a", "e"]
    assert UsageCounter.objects.get().used == 2


def test_single_and_batch_answer_alike(api, hook):
    single = api.post("/events", scheduled("a")).json()
    (item,) = api.post("/events/batch", {"events": [scheduled("a")]}).json()["results"]
    assert item == {"status": 200, **single, "duplicate": True}
    refused = api.post("/events", report(status="no"))
    (item,) = api.post("/events/batch", {"events": [report(status="no")]}).json()["results"]
    assert item == {"status": refused.status_code, **refused.json()}


@pytest.mark.parametrize("events", [None, {}, "run_failed", 5])
def test_a_batch_is_a_list(api, events):
    assert "events" in fields_of(api.post("/events/batch", {"events": events}))


def test_a_batch_without_a_list_is_refused_and_an_empty_one_is_answered(api, workspace):
    assert "events" in fields_of(api.post("/events/batch", {}))
    assert api.post("/events/batch", {"events": []}).json() == {"results": []}


def test_five_hundred_events_are_taken_and_taken_again(api, hook):
    events = [report(str(number)) for number in range(500)]
    first = api.post("/events/batch", {"events": events})
    assert {item["status"] for item in first.json()["results"]} == {202}
    again = api.post("/events/batch", {"events": events})
    assert [item["id"] for item in again.json()["results"]] == [item["id"] for item in first.json()["results"]]
    assert {item["status"] for item in again.json()["results"]} == {200}
    assert Delivery.objects.count() == 500
    assert UsageCounter.objects.get().used == 500


def test_one_more_is_too_many_and_nothing_is_stored(api, hook):
    response = api.post("/events/batch", {"events": [report(str(number)) for number in range(501)]})
    assert error_of(response) == (413, "too_large")
    assert "501" in response.json()["error"]["message"]
    assert nothing_is_stored()


def test_a_batch_of_more_than_five_megabytes_is_refused(api, hook):
    events = [report(str(number), note="x" * 60_000) for number in range(88)]
    body = json.dumps({"events": events}).encode()
    assert len(body) > 5 * 1024 * 1024
    assert error_of(api.post("/events/batch", body)) == (413, "too_large")
    assert nothing_is_stored()
    smaller = api.post("/events/batch", {"events": events[:80]})
    assert {item["status"] for item in smaller.json()["results"]} == {202}


def test_the_size_of_an_item_is_counted_in_bytes(api, project):
    events = [report("narrow", note="x" * 40_000), report("wide", note="ü" * 40_000)]
    results = api.post("/events/batch", json.dumps({"events": events}, ensure_ascii=False).encode()).json()["results"]
    assert [item["status"] for item in results] == [202, 413]


def test_a_batch_counts_as_one_request(api, workspace, settings):
    settings.AEGIS_API_RATE = 10
    response = api.post("/events/batch", {"events": [report(str(number)) for number in range(5)]})
    assert response["X-RateLimit-Remaining"] == "9"


# --- At the same moment


@pytest.mark.django_db(transaction=True)
def test_two_callers_posting_the_same_fifty_times_over_make_one_of_each():
    project = factories.ProjectFactory(slug="acme-web")
    factories.ChannelFactory(project=project)
    factories.ChannelFactory(project=project, kind="email", key="email")
    rounds = 50
    barrier = threading.Barrier(2)
    answers, errors = [], []

    def post_all(caller):
        try:
            for number in range(rounds):
                barrier.wait(timeout=30)
                answers.append(caller.post("/events", scheduled(f"run-{number}")))
        except Exception as error:
            errors.append(error)
            barrier.abort()
        finally:
            connections.close_all()

    # A token each, so that they only meet at the occurrence.
    callers = [with_token(project.workspace), with_token(project.workspace, digest="aegis_second")]
    threads = [threading.Thread(target=post_all, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert sorted(answer.status_code for answer in answers) == [200] * rounds + [202] * rounds
    by_id = {}
    for answer in answers:
        by_id.setdefault(answer.json()["id"], []).append(answer.json())
    assert len(by_id) == rounds == Occurrence.objects.count()
    for one, other in by_id.values():
        assert one["decisions"] == other["decisions"]
        assert {one["duplicate"], other["duplicate"]} == {True, False}
    # Two for the webhook (run_completed is off) and one mail.
    assert Delivery.objects.count() == 3 * rounds
    assert UsageCounter.objects.get().used == rounds
