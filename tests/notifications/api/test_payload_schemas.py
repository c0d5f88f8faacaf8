"""The published schemas of reports and webhooks say what is taken and what is sent."""

import json

import jsonschema
import pytest

from aegisnotify.api.schema import document
from notifications import catalog, samples
from notifications.channels.webhook import body as webhook_body
from notifications.intake.reports import parse
from projects.errors import Invalid
from tests.notifications.api.test_events import report

EVENTS = catalog.names()
PROJECT = {"id": "0197a9c4-7c3e-7d52-9a6e-2f4b8f0d9a11", "name": "Acme Web", "slug": "acme-web"}


def validator(name):
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def webhook_name(event):
    return {"ai_generated": "AiGeneratedWebhook"}.get(event) or event.title().replace("_", "") + "Webhook"


def body_of(event, facts):
    kind = catalog.get(event).kind
    payload = {"event": event, "project": "acme-web", kind.value: facts}
    parsed = parse(payload)
    moment = parse(payload | {"occurred_at": "2026-04-28T12:42:11+02:00"}).occurred_at
    return json.loads(webhook_body.build(kind, parsed.facts, event, PROJECT, moment))


@pytest.mark.parametrize("event", EVENTS)
def test_every_webhook_is_described_with_an_example_that_is_valid(event):
    operation = document()["webhooks"][event]["post"]
    (media,) = operation["requestBody"]["content"].values()
    assert media["schema"] == {"$ref": f"#/components/schemas/{webhook_name(event)}"}
    schema = document()["components"]["schemas"][webhook_name(event)]
    assert schema["examples"] == [media["example"]]
    validator(webhook_name(event)).validate(media["example"])
    assert {parameter["name"] for parameter in operation["parameters"]} >= {
        "X-AegisRunner-Event",
        "X-AegisRunner-Signature",
        "X-AegisRunner-Delivery",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }


@pytest.mark.parametrize("event", EVENTS)
def test_what_is_sent_is_what_the_schema_says(event):
    facts = samples.facts(event, id=12) | {"more": {"anything": [1, None]}, "duration_ms": None}
    sent = body_of(event, facts)
    assert sent[catalog.get(event).kind.value]["id"] == "12"
    validator(webhook_name(event)).validate(sent)


def test_the_schema_of_a_webhook_refuses_what_is_never_sent():
    sent = body_of("run_failed", samples.facts("run_failed"))
    for wrong in (
        sent | {"event": "run_completed"},
        sent | {"timestamp": 5},
        sent | {"run": {"id": 12, "status": "failed"}},
        {name: value for name, value in sent.items() if name != "project"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validator("RunFailedWebhook").validate(wrong)


def test_the_documented_examples_of_reports_are_taken():
    operation = document()["paths"]["/api/v1/events"]["post"]
    media = operation["requestBody"]["content"]["application/json"]
    assert operation["requestBody"]["required"] is True
    examples = [example["value"] for example in media["examples"].values()]
    assert [example["event"] for example in examples] == list(EVENTS)
    for example in examples:
        validator("EventReport").validate(example)
        assert parse(example).named == example["event"]
    batch = document()["paths"]["/api/v1/events/batch"]["post"]["requestBody"]["content"]["application/json"]
    for example in batch["examples"].values():
        validator("EventReportBatch").validate(example["value"])


@pytest.mark.parametrize(
    "body",
    [
        report(12),
        report(passed=None),
        report(schedule={"id": 5, "name": None, "more": 1}),
        report(passed="14"),
        report(passed=-1),
        report(status="exploded"),
        report(run_id=""),
        report(run_id=None),
        report(failures=[{"name": 5}]),
        report(event="coffee_ready"),
        report(event="crawl_completed"),
        report(project=5),
        {},
    ],
)
def test_the_schema_of_reports_and_the_intake_agree(body):
    try:
        parse(body)
        taken = True
    except Invalid:
        taken = False
    assert validator("EventReport").is_valid(body) is taken


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("post", "events", {200, 202, 400, 404, 413, 415}),
        ("post", "events/batch", {200, 400, 413, 415}),
        ("get", "events", {200, 400, 404}),
        ("get", "events/{event_id}", {200, 404}),
        ("get", "deliveries", {200, 400, 404}),
        ("get", "deliveries/{delivery_id}", {200, 404}),
        ("post", "deliveries/{delivery_id}/redeliver", {202, 402, 404, 409}),
        ("get", "projects/{slug}/channels", {200, 400, 404}),
        ("post", "projects/{slug}/channels", {201, 400, 402, 404, 409, 413, 415}),
        ("get", "projects/{slug}/channels/{key}", {200, 404}),
        ("patch", "projects/{slug}/channels/{key}", {200, 400, 402, 404, 409, 413, 415}),
        ("delete", "projects/{slug}/channels/{key}", {204, 404}),
        ("post", "projects/{slug}/channels/{key}/test", {200, 400, 402, 404, 409, 413, 415}),
        ("post", "projects/{slug}/channels/{key}/rotate-secret", {200, 400, 404, 409, 413, 415}),
        ("post", "projects/{slug}/channels/{key}/activate-secret", {200, 404, 409}),
        ("get", "projects/{slug}/notification-settings", {200, 404}),
        ("put", "projects/{slug}/notification-settings", {200, 400, 402, 404, 412, 413, 415}),
        ("patch", "projects/{slug}/notification-settings", {200, 400, 402, 404, 412, 413, 415}),
        ("get", "notification-settings", {200}),
        ("put", "notification-settings", {200, 400, 412, 413, 415}),
        ("patch", "notification-settings", {200, 400, 412, 413, 415}),
    ],
)
def test_every_status_is_documented(method, path, statuses):
    documented = document()["paths"][f"/api/v1/{path}"][method]["responses"]
    assert {int(status) for status in documented} == statuses | {401, 403, 429}
