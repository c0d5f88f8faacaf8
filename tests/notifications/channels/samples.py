"""Messages for the tests of rendering: an everyday one, and strategies for hostile ones."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from notifications import messages
from notifications.catalog import OccurrenceKind
from notifications.channels.base import Context

RUN_URL = "https://aegisrunner.com/runs/77?tab=failures&page=1"
EVENT_URL = "https://notify.example.com/events/018f/?ws=acme"

FAILED_RUN = {
    "id": "77",
    "suite_name": "Checkout flow",
    "status": "failed",
    "browser": "chromium",
    "environment": "staging",
    "passed": 14,
    "failed": 5,
    "skipped": 1,
    "duration_ms": 38_400,
    "url": RUN_URL,
    "schedule": {"id": "1", "name": "Every night"},
    "failures": [{"name": f"test_pay_{number}", "message": f"expected {number}"} for number in range(5)],
}
CRAWL = {"id": "5", "status": "completed", "pages": 40, "pages_total": 50, "issues": 3, "duration_ms": 90_000}
GENERATION = {"id": "6", "suites": 3, "tests": 21, "pending_review": 20, "duration_ms": 9000}

INJECTIONS = (
    "<!channel>",
    "<!here|here>",
    "@everyone",
    "@here",
    "<@U123>",
    "<@&123456789012345678>",
    "<#C123|general>",
    "[x](http://evil.example)",
    "<http://evil.example|click>",
    "<at>Lena</at>",
    "{{DATE(2026-01-01T00:00:00Z,SHORT)}}",
    "${payload}",
    "`code` ```block```",
    "||spoiler|| | table",
    "> quote",
    "# heading",
    "- item",
    "1. item",
    "*bold* _italic_ ~gone~ __under__",
    ":tada: <:pepe:123456789012345678>",
    "<t:1700000000:R>",
    "<script>alert(1)</script>",
    "https://evil.example/login",
    "a\\b \\",
    '"quoted"',
    "&amp; & &lt;",
)


def message(facts=None, *, kind=OccurrenceKind.RUN, event="run_failed", project="Acme Web", test=False, at=None):
    return messages.build(
        kind=kind,
        facts=FAILED_RUN if facts is None else facts,
        event=event,
        project_name=project,
        occurred_at=at or datetime(2026, 4, 28, 10, 42, 11, tzinfo=UTC),
        test=test,
    )


def context(zone="Europe/Berlin", event_url=EVENT_URL):
    return Context(delivery_id="d-1", project_id="p-1", zone=ZoneInfo(zone), event_url=event_url, reason="flag_on")


def with_names(text):
    """A failed run that has this text wherever somebody else chooses the words."""
    return {
        **FAILED_RUN,
        "id": text or "1",
        "suite_name": text,
        "browser": text,
        "environment": text,
        "schedule": {"id": "1", "name": text},
        "failures": [{"name": text, "message": text}] * 5,
    }


every_kind = (
    message(),
    message({**FAILED_RUN, "status": "passed", "failed": 0, "failures": []}, event="run_completed"),
    message({"id": "1", "status": "timed_out"}),
    message(CRAWL, kind=OccurrenceKind.CRAWL, event="crawl_completed"),
    message({**CRAWL, "status": "failed"}, kind=OccurrenceKind.CRAWL, event="crawl_completed"),
    message(GENERATION, kind=OccurrenceKind.GENERATION, event="ai_generated"),
    message(test=True),
)

_characters = st.characters() | st.sampled_from(
    "*_~`|>#-+[]()\\:@<&${}\"'\n\r\t\x00\u202e\u200b\ufeff\u3164😀👩‍👩‍👧é漢ש"
)
_words = st.text(_characters, max_size=40)
hostile_texts = st.one_of(
    _words,
    st.sampled_from(["", " ", "\u200b", "\ufeff", "\x00", "\ud800", *INJECTIONS]),
    st.builds(
        lambda unit, times: unit * times,
        st.sampled_from([*INJECTIONS, "x", "😀", "&", "漢", "\\", "{", "\u200b"]),
        st.sampled_from([50, 151, 10_000]),
    ),
)
hostile_urls = st.one_of(
    hostile_texts,
    st.builds(
        "https://aegisrunner.com/{}".format,
        hostile_texts | st.sampled_from(["x" * 1990, "x" * 2990, "(" * 900, "&" * 600, "%zz|>)"]),
    ),
    st.sampled_from(
        [
            "javascript:alert(1)",
            "http://",
            "https://[::1",
            "https://[::1]:8000/r",
            "http://a:b@c/",
            "http://localhost:8000/r",
        ]
    ),
)
_numbers = st.integers(min_value=0, max_value=10**18) | st.just(0)


@st.composite
def hostile_messages(draw):
    facts = {
        "id": draw(hostile_texts),
        "status": draw(st.sampled_from(["passed", "failed", "error", "timed_out", "completed"])),
        "url": draw(hostile_urls),
        "duration_ms": draw(_numbers),
    }
    for name in ("suite_name", "browser", "environment"):
        facts[name] = draw(hostile_texts)
    for name in ("passed", "failed", "skipped"):
        facts[name] = draw(_numbers)
    facts["schedule"] = {"name": draw(hostile_texts)}
    failure = st.fixed_dictionaries({"name": hostile_texts, "message": hostile_texts})
    facts["failures"] = draw(st.lists(failure, max_size=4)) * draw(st.sampled_from([1, 30]))
    at = draw(st.datetimes(timezones=st.just(UTC)))
    return message(facts, project=draw(hostile_texts), at=at, test=draw(st.booleans()))


contexts = st.builds(
    context,
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Kiritimati", "America/Los_Angeles"]),
    event_url=hostile_urls | st.just(EVENT_URL),
)
