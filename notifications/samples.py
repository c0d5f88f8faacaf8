"""Realistic facts for tests, previews, examples in the docs and `send_event` (pure)."""

import copy
from typing import Any

from notifications import catalog

_RUN: dict[str, Any] = {
    "suite_name": "Checkout flow",
    "status": "passed",
    "browser": "chromium",
    "environment": "staging",
    "trigger": "manual",
    "passed": 14,
    "failed": 0,
    "skipped": 1,
    "duration_ms": 38400,
    "url": "https://aegisrunner.com/runs/sample",
}
_FAILED = {
    "status": "failed",
    "passed": 15,
    "failed": 3,
    "skipped": 0,
    "failures": [
        {"name": "pays with saved card", "message": "Timed out waiting for “Order confirmed” (10 s)"},
        {"name": "applies a voucher", "message": "Expected total 42.00, got 52.00"},
        {"name": "shows the delivery date", "message": "Element .delivery-date not found"},
    ],
}
_SCHEDULE = {"trigger": catalog.SCHEDULE_TRIGGER, "schedule": {"id": "nightly", "name": "Every night at 02:00"}}
_FACTS: dict[str, dict[str, Any]] = {
    catalog.RunCompleted.name: _RUN,
    catalog.RunFailed.name: _RUN | _FAILED,
    catalog.ScheduledRuns.name: _RUN | _SCHEDULE,
    catalog.CrawlCompleted.name: {
        "status": "completed",
        "pages": 46,
        "pages_total": 52,
        "issues": 4,
        "duration_ms": 184000,
        "url": "https://aegisrunner.com/scans/sample",
    },
    catalog.AIGenerated.name: {
        "crawl_id": "sample-scan",
        "suites": 4,
        "tests": 23,
        "pending_review": 23,
        "duration_ms": 92000,
        "url": "https://aegisrunner.com/generations/sample",
    },
}


def facts(event: str, *, id: str = "sample", status: str = "") -> dict[str, Any]:
    """Facts of an occurrence that fires `event`. `status` replaces the usual one, with counts that go with it."""
    result = {"id": id, **copy.deepcopy(_FACTS[event])}
    if status:
        if catalog.get(event).kind is catalog.OccurrenceKind.RUN:
            result |= copy.deepcopy(_FAILED) if status in catalog.FAILED_STATUSES else {"failed": 0}
            if status not in catalog.FAILED_STATUSES:
                result.pop("failures", None)
        result["status"] = status
    return result
