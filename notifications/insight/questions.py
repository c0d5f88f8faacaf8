"""Questions about events that never happened: a made-up report that passes the same checks as a real one. Pure."""

import enum
from typing import TYPE_CHECKING

from notifications import catalog, samples
from notifications.catalog import OccurrenceKind
from projects.errors import Invalid

if TYPE_CHECKING:
    from notifications.intake.reports import Report


class Result(enum.StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_STATUS: dict[OccurrenceKind, dict[Result, str]] = {
    OccurrenceKind.RUN: {Result.PASSED: "passed", Result.FAILED: "failed", Result.CANCELLED: "cancelled"},
    OccurrenceKind.CRAWL: {Result.PASSED: "completed", Result.FAILED: "failed"},
}


def imagine(project: str, event: str, result: Result) -> "Report":
    """The report of a made-up occurrence. An AI generation has no result, so `result` says nothing about one.

    Raises `KeyError` for an unknown event, `Invalid` for a result that it can't have.
    """
    # Here, since whoever knows the pages' addresses has loaded this module: it would cost the worker 5 MB.
    from notifications.intake.reports import parse

    kind = catalog.get(event).kind
    statuses = _STATUS.get(kind)
    status = statuses.get(result) if statuses else ""
    refusal = Invalid({"result": [f"{event} does not fire when the result is “{result}”."]})
    if status is None:
        raise refusal
    try:
        return parse({"event": event, "project": project, kind.value: samples.facts(event, status=status)})
    except Invalid as contradiction:
        raise refusal from contradiction
