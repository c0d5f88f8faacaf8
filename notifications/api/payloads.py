"""The JSON Schemas of what callers report and of what webhooks carry, with examples.

Both are made from the models that check reports and from the function that builds webhook bodies, so that the published
description can't differ from what happens. JSON Schema 2020-12, which OpenAPI 3.1 takes as it is.
"""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import OpenApiExample
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from notifications import catalog, samples
from notifications.catalog import Event, OccurrenceKind
from notifications.channels.webhook import body as webhook_body
from notifications.intake.reports import FACTS, Envelope

Schema = dict[str, Any]

_REPORT, _BATCH = "EventReport", "EventReportBatch"
REPORT_REQUEST = {"application/json": {"$ref": f"#/components/schemas/{_REPORT}"}}
BATCH_REQUEST = {"application/json": {"$ref": f"#/components/schemas/{_BATCH}"}}
MOST_EVENTS = 500

_PROJECT = {"id": "0197a9c4-7c3e-7d52-9a6e-2f4b8f0d9a11", "name": "Acme Web", "slug": "acme-web"}
_OCCURRED_AT = datetime(2026, 4, 28, 10, 42, 11, tzinfo=UTC)
_LABELS = {OccurrenceKind.RUN: "A test run", OccurrenceKind.CRAWL: "A scan", OccurrenceKind.GENERATION: "AI generation"}
_HEADERS = {
    "X-AegisRunner-Event": "The event's name.",
    "X-AegisRunner-Signature": "`sha256=` and the hexadecimal HMAC-SHA256 of the raw body, keyed by the secret.",
    "X-AegisRunner-Signature-Next": "The same by the staged secret, while one is staged.",
    "X-AegisRunner-Delivery": "The delivery's id, the same on every retry.",
    "webhook-id": "The delivery's id (Standard Webhooks).",
    "webhook-timestamp": "The moment of this try, in seconds since 1970 (Standard Webhooks).",
    "webhook-signature": "`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, one per secret (Standard Webhooks).",
}


def add_payloads(result: Schema, **kwargs: Any) -> Schema:
    """Adds the schemas and the webhooks to the description of the API (a postprocessing hook of drf-spectacular)."""
    schemas = result["components"]["schemas"]
    for name, schema in (report_schemas() | webhook_schemas()).items():
        assert name not in schemas, f"Two schemas are named {name}."
        schemas[name] = schema
    result["webhooks"] = {event.name: {"post": _webhook_operation(event)} for event in catalog.events()}
    for path in result["paths"].values():
        body = path.get("post", {}).get("requestBody")
        if body and body["content"] in ({"application/json": content} for content in _with_examples(path)):
            body["required"] = True
    return result
