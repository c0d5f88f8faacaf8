"""The JSON Schemas of what callers report and of what webhooks carry, with examples.

Both are made from the models that check reports and from the function that builds webhook bodies, so that the published
description can't differ from what happens. JSON Schema 2020-12, which OpenAPI 3.1 takes as it is.
"""

import json
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import OpenApiExample
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from notifications import catalog, samples
from notifications.catalog import Event
from notifications.channels.webhook import body as webhook_body
from notifications.intake.reports import FACTS, Envelope

Schema = dict[str, Any]

MOST_EVENTS = 500
"""In one batch."""

COMPONENTS = "#/components/schemas/"
_REPORT = {"$ref": f"{COMPONENTS}EventReport"}
_BATCH = {"$ref": f"{COMPONENTS}EventReportBatch"}
REPORT_REQUEST = {"application/json": _REPORT}
BATCH_REQUEST = {"application/json": _BATCH}

_PROJECT = {"id": "0197a9c4-7c3e-7d52-9a6e-2f4b8f0d9a11", "name": "Acme Web", "slug": "acme-web"}
_OCCURRED_AT = datetime(2026, 4, 28, 10, 42, 11, tzinfo=UTC)
HEADERS = {
    "X-AegisRunner-Event": "The event's name.",
    "X-AegisRunner-Signature": "`sha256=` and the hexadecimal HMAC-SHA256 of the raw body, keyed by the secret.",
    "X-AegisRunner-Signature-Next": "The same by the staged secret. Only while one is staged.",
    "X-AegisRunner-Delivery": "The delivery's id, the same on every retry.",
    "webhook-id": "The delivery's id (Standard Webhooks).",
    "webhook-timestamp": "The moment of this try, in seconds since 1970 (Standard Webhooks).",
    "webhook-signature": "`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`; one per secret, separated by spaces "
    "(Standard Webhooks).",
}
OPTIONAL_HEADERS = {"X-AegisRunner-Signature-Next"}


class _Untitled(GenerateJsonSchema):
    """Titles that repeat the field's name help nobody."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def add_payloads(result: Schema, **kwargs: Any) -> Schema:
    """Add the schemas and the webhooks to the description of the API (a postprocessing hook of drf-spectacular)."""
    result["components"]["schemas"] |= report_schemas() | webhook_schemas()
    result["webhooks"] = {event.name: {"post": _webhook_operation(event)} for event in catalog.events()}
    for operations in result["paths"].values():
        body = operations.get("post", {}).get("requestBody")
        if body and body["content"]["application/json"]["schema"] in (_REPORT, _BATCH):
            body["required"] = True
    return result


def report_schemas() -> dict[str, Schema]:
    """What `POST /events` and `POST /events/batch` take, and the parts of it, by their names."""
    schemas = _fact_schemas("")
    envelope = Envelope.model_json_schema(schema_generator=_Untitled)["properties"]
    variants = []
    for kind, model in FACTS.items():
        name = f"{model.__name__}Report"
        variants.append({"$ref": f"{COMPONENTS}{name}"})
        schemas[name] = {
            "type": "object",
            "required": ["event", "project", kind.value],
            "properties": {
                "event": {
                    "enum": [event.name for event in catalog.events() if event.kind is kind],
                    "description": "Any event of this kind. What fires is derived from the facts.",
                },
                "project": envelope["project"] | {"description": "Slug or id."},
                "occurred_at": envelope["occurred_at"] | {"description": "The moment of receipt if left out."},
                kind.value: {"$ref": f"{COMPONENTS}{model.__name__}"},
            },
        }
    schemas["EventReport"] = {"oneOf": variants}
    schemas["EventReportBatch"] = {
        "type": "object",
        "required": ["events"],
        "properties": {"events": {"type": "array", "maxItems": MOST_EVENTS, "items": _REPORT}},
    }
    return schemas


def webhook_schemas() -> dict[str, Schema]:
    """The body of each event's webhook, and the parts of it, by their names."""
    schemas: dict[str, Schema] = _with_text_ids(_fact_schemas("Webhook"))
    for model in FACTS.values():
        schemas[f"Webhook{model.__name__}"] = _without_null(schemas[f"Webhook{model.__name__}"])
    text = {"type": "string"}
    schemas["WebhookProject"] = {
        "type": "object",
        "required": ["id", "name", "slug"],
        "properties": {"id": text | {"format": "uuid"}, "name": text, "slug": text},
    }
    for event in catalog.events():
        part = event.kind.value
        schemas[webhook_name(event)] = {
            "type": "object",
            "description": f"Sent when {event.fires_when}.",
            "required": ["event", "timestamp", "project", part],
            "properties": {
                "event": {"const": event.name},
                "timestamp": text
                | {"format": "date-time", "description": "When it happened: UTC, whole seconds, with `Z`."},
                "project": {"$ref": f"{COMPONENTS}WebhookProject"},
                part: {"$ref": f"{COMPONENTS}Webhook{FACTS[event.kind].__name__}"},
                "test": {"const": True, "description": "Only in the sample that a channel's test sends."},
            },
            "examples": [webhook_example(event)],
        }
    return schemas


def webhook_example(event: type[Event]) -> Schema:
    """The body as it would be sent for the sample of this event."""
    text = webhook_body.build(event.kind, samples.facts(event.name), event.name, _PROJECT, _OCCURRED_AT)
    body: Schema = json.loads(text)
    return body


def report_example(event: type[Event]) -> Schema:
    return {
        "event": event.name,
        "project": _PROJECT["slug"],
        "occurred_at": webhook_body.timestamp(_OCCURRED_AT),
        event.kind.value: samples.facts(event.name),
    }


def report_examples() -> list[OpenApiExample]:
    return [OpenApiExample(event.label, report_example(event), request_only=True) for event in catalog.events()]


def batch_examples() -> list[OpenApiExample]:
    reports = [report_example(event) for event in (catalog.RunFailed, catalog.CrawlCompleted)]
    return [OpenApiExample("A run and a scan", {"events": reports}, request_only=True)]


def _fact_schemas(prefix: str) -> dict[str, Schema]:
    """The schemas of the facts and their parts, under their models' names behind `prefix`."""
    _, definitions = models_json_schema(
        [(model, "validation") for model in FACTS.values()],
        ref_template=f"{COMPONENTS}{prefix}{{model}}",
        schema_generator=_Untitled,
    )
    return {f"{prefix}{name}": schema for name, schema in definitions["$defs"].items()}


def _with_text_ids(schema: Any) -> Any:
    """Ids may be reported as numbers; they are stored and sent as text."""
    if isinstance(schema, list):
        return [_with_text_ids(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    walked = {key: _with_text_ids(value) for key, value in schema.items()}
    return walked | {"type": "string"} if walked.get("type") == ["string", "integer"] else walked


def _without_null(schema: Schema) -> Schema:
    """A known field that was reported as null is left out of the facts, so it is never sent as null."""
    properties = {}
    for name, value in schema["properties"].items():
        kept = [each for each in value.get("anyOf", ()) if each != {"type": "null"}]
        outside = {key: part for key, part in value.items() if key not in ("anyOf", "default")}
        properties[name] = outside | kept[0] if len(kept) == 1 else value
    return schema | {"properties": properties}


def webhook_name(event: type[Event]) -> str:
    return "".join(word.capitalize() for word in event.name.split("_")) + "Webhook"


def _webhook_operation(event: type[Event]) -> Schema:
    return {
        "operationId": f"webhook_{event.name}",
        "summary": event.label,
        "description": f"Sent to every webhook that has `{event.name}` on when {event.fires_when}. Verify the "
        "signature over the raw body, and skip delivery ids that you have seen: a message may come more than once.",
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": name not in OPTIONAL_HEADERS,
                "schema": {"type": "string"},
                "description": description,
            }
            for name, description in HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": f"{COMPONENTS}{webhook_name(event)}"},
                    "example": webhook_example(event),
                }
            },
        },
        "responses": {
            "2XX": {"description": "It was received."},
            "410": {"description": "No more webhooks are wanted: the channel is suspended."},
            "default": {"description": "Anything else, or no answer within 15 seconds: it is tried again later."},
        },
    }
