"""The body of a webhook: made once, when the event is recorded, and sent byte for byte on every try. Pure."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from notifications.catalog import OccurrenceKind

_ORDER = {
    OccurrenceKind.RUN: (
        "id", "suite_name", "status", "browser", "passed", "failed", "skipped", "duration_ms", "url",
        "environment", "trigger", "schedule", "failures",
    ),
    OccurrenceKind.CRAWL: ("id", "status", "pages", "pages_total", "issues", "duration_ms", "url"),
    OccurrenceKind.GENERATION: ("id", "crawl_id", "suites", "tests", "pending_review", "duration_ms", "url"),
}  # fmt: skip
_IDS = ("id", "crawl_id")


def build(
    kind: OccurrenceKind | str,
    facts: Mapping[str, Any],
    event: str,
    project: Mapping[str, Any],
    occurred_at: datetime,
    test: bool = False,
) -> str:
    """Compact JSON. `project` has id, name and slug.

    Known facts stand in the documented order, then what else the caller reported, unchanged. Ids are strings.
    """
    kind = OccurrenceKind(kind)
    body: dict[str, Any] = {
        "event": event,
        "timestamp": timestamp(occurred_at),
        "project": {"id": str(project["id"]), "name": project["name"], "slug": project["slug"]},
        kind.value: _object(kind, facts),
    }
    if test:
        body["test"] = True
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    # JSON can carry half a surrogate pair ("\ud800"), UTF-8 can't.
    return text.encode(errors="replace").decode()


def timestamp(moment: datetime) -> str:
    """`2026-04-28T10:42:11Z`: UTC in whole seconds, the fraction dropped."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _object(kind: OccurrenceKind, facts: Mapping[str, Any]) -> dict[str, Any]:
    result = _ordered(facts, _ORDER[kind])
    if kind is OccurrenceKind.RUN:
        if isinstance(schedule := result.get("schedule"), Mapping):
            result["schedule"] = _ordered(schedule, ("id", "name"))
        if isinstance(failures := result.get("failures"), list | tuple):
            result["failures"] = [
                _ordered(failure, ("name", "message")) if isinstance(failure, Mapping) else failure
                for failure in failures
            ]
    return result


def _ordered(facts: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    result = {name: facts[name] for name in known if name in facts}
    for name in _IDS:
        if isinstance(result.get(name), int) and not isinstance(result[name], bool):
            result[name] = str(result[name])
    return result | {name: value for name, value in facts.items() if name not in result}
