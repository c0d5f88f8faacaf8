"""Messages and contexts that the tests of email share."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from notifications import messages
from notifications.catalog import OccurrenceKind
from notifications.channels.base import Context
from notifications.channels.email import Email

RUN = {
    "id": "run-1",
    "suite_name": "Checkout flow",
    "status": "failed",
    "browser": "chromium",
    "environment": "staging",
    "passed": 12,
    "failed": 2,
    "skipped": 1,
    "duration_ms": 38400,
    "url": "https://app.example.com/runs/1?tab=a&b=c",
    "failures": [
        {"name": "pays with saved card", "message": "Timed out waiting for “Order confirmed” (10 s)"},
        {"name": "applies a voucher", "message": "Expected total 42.00, got 52.00"},
    ],
}
CRAWL = {"id": "scan-1", "status": "completed", "pages": 40, "pages_total": 50, "issues": 3, "duration_ms": 125000}
GENERATION = {"id": "gen-1", "tests": 12, "suites": 2, "pending_review": 7, "url": "https://app.example.com/g/1"}


def message(kind="run", event="run_failed", project="Acme Web", test=False, **facts):
    defaults = {"run": RUN, "crawl": CRAWL, "generation": GENERATION}[kind]
    return messages.build(
        kind=OccurrenceKind(kind),
        facts={**defaults, **facts},
        event=event,
        project_name=project,
        occurred_at=datetime(2026, 11, 24, 10, 42, tzinfo=UTC),
        test=test,
    )


def context(**changes):
    values = {
        "delivery_id": "0190a1b2-0000-7000-8000-000000000001",
        "project_id": "0190a1b2-0000-7000-8000-0000000000aa",
        "zone": ZoneInfo("Europe/Berlin"),
        "event_url": "https://notify.example.com/events/1/why/",
        "reason": "You get run_failed for Acme Web by email because the global flag is on.",
        "recipient": "lena@acme.example",
        "is_member": True,
        "unsubscribe_url": "https://notify.example.com/u/token:1:2/",
        "preferences_url": "https://notify.example.com/settings/email/",
    }
    return Context(**{**values, **changes})


def rendered(compact=False, about=None, **facts):
    return json.loads(Email().render(message(**facts), about or context(), compact=compact))
