"""What the docs pages say that the code knows better, taken from where it is decided, so that it can't go stale."""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from notifications import catalog
from notifications.api import payloads
from notifications.catalog import Event

Schema = Mapping[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_LANGUAGES = (("python", "Python"), ("node", "Node.js"), ("go", "Go"), ("php", "PHP"), ("ruby", "Ruby"))
_UNITS = ((3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Snippet:
    """How to verify `X-AegisRunner-Signature` in one language. The README shows the same lines."""

    name: str
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body: where it stands, its type in words, whether it is always there."""

    path: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Payload:
    """The body of one event's webhook."""

    event: type[Event]
    example: str
    fields: tuple[Field, ...]


@functools.cache
def snippets() -> tuple[Snippet, ...]:
    folder = Path(settings.BASE_DIR) / "templates/docs/snippets"
    return tuple(
        Snippet(name, language, (folder / f"{name}.txt").read_text(encoding="utf-8")) for name, language in _LANGUAGES
    )


@functools.cache
def webhook_payloads() -> tuple[Payload, ...]:
    """One per event, in the catalogue's order."""
    schemas = payloads.webhook_schemas()
    return tuple(
        Payload(
            event,
            json.dumps(payloads.webhook_example(event), indent=2, ensure_ascii=False),
            tuple(_fields(schemas[payloads.webhook_name(event)], schemas)),
        )
        for event in catalog.events()
    )


@functools.cache
def webhook_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of an event's body by itself, with all that it refers to. `KeyError` for an unknown event."""
    event = catalog.get(name)
    schemas = payloads.webhook_schemas()
    body = schemas[payloads.webhook_name(event)]
    parts = {part: schemas[part] for part in sorted(_referred(body, schemas))}
    described: dict[str, Any] = {"$schema": DRAFT, "title": event.label, **body, "$defs": parts}
    moved: dict[str, Any] = json.loads(json.dumps(described).replace(payloads.COMPONENTS, "#/$defs/"))
    return moved


def waits_in_words(waits: Iterable[timedelta]) -> str:
    """`at once, 5 s, 5 min, 2 h`."""
    return ", ".join(_span(int(wait.total_seconds())) for wait in waits)


def _span(seconds: int) -> str:
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return "at once"


def _fields(schema: Schema, schemas: Mapping[str, Schema], above: str = "") -> Iterator[Field]:
    required = schema.get("required", ())
    for name, described in schema["properties"].items():
        path = f"{above}{name}"
        yield Field(path, _type(described), name in required, described.get("description", ""))
        inner = described.get("items", described)
        if "$ref" in inner:
            deeper = f"{path}[]." if "items" in described else f"{path}."
            yield from _fields(schemas[_name(inner["$ref"])], schemas, deeper)


def _type(described: Schema) -> str:
    match described:
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return "one of " + ", ".join(values)
        case {"anyOf": choices}:
            return " or ".join(_type(choice) for choice in choices)
        case {"$ref": _}:
            return "object"
        case {"type": "array"}:
            return "list of objects"
        case {"type": "integer"}:
            return "integer from 0"
        case {"type": kind, "format": form}:
            return f"{kind} ({form})"
    return str(described["type"])


def _referred(schema: Schema, schemas: Mapping[str, Schema]) -> set[str]:
    found: set[str] = set()
    for described in schema["properties"].values():
        inner = described.get("items", described)
        if "$ref" in inner:
            name = _name(inner["$ref"])
            found |= {name} | _referred(schemas[name], schemas)
    return found


def _name(reference: str) -> str:
    return reference.removeprefix(payloads.COMPONENTS)
