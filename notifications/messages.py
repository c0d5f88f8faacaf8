"""One `Message` per occurrence and titling event, made once, rendered by every people's channel.

Pure. All text in a message is free of control characters and still unescaped: each kind escapes and shortens for its
provider (`notifications.channels.text`).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aegisnotify.text import clean_text as clean_text
from aegisnotify.text import shorten as shorten
from notifications import catalog
from notifications.catalog import OccurrenceKind


class Tone(enum.StrEnum):
    """How it went. Kinds map it to their colours; the words always say it too."""

    GOOD = "good"
    BAD = "bad"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Failure:
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Message:
    """What happened, in words. `title` and `subject` never contain line breaks.

    `counts` are the few numbers to show in a row, `facts` the rest as label and value. `failures` are the worst
    first, as the runner reported them; `failure_count` counts all. `thread` is equal for messages that belong
    together (a suite's runs).
    """

    event: str
    tone: Tone
    emoji: str
    project: str
    title: str
    subject: str
    summary: str
    counts: tuple[Fact, ...]
    facts: tuple[Fact, ...]
    failures: tuple[Failure, ...]
    failure_count: int
    link: str
    link_label: str
    occurred_at: datetime
    thread: str
    test: bool = False


_NAME_IN_TITLE = 200


def duration(milliseconds: object) -> str:
    """`38.4 s`, `12 min 5 s`, `2 h 3 min`; empty for what is no duration."""
    if not isinstance(milliseconds, int | float) or isinstance(milliseconds, bool) or milliseconds < 0:
        return ""
    if milliseconds < 1000:
        return f"{int(milliseconds)} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(int(milliseconds) // 1000, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min"


def build(
    *,
    kind: OccurrenceKind,
    facts: Mapping[str, Any],
    event: str,
    project_name: str,
    occurred_at: datetime,
    test: bool = False,
) -> Message:
    """The message that tells of one occurrence, titled by `event`."""
    project = clean_text(project_name) or "Project"
    make = {OccurrenceKind.RUN: _run, OccurrenceKind.CRAWL: _crawl, OccurrenceKind.GENERATION: _generation}[kind]
    parts = make(facts)
    title = parts.title
    subject = f"[{shorten(project, 60)}] {parts.headline}"
    if test:
        title, subject = f"Test: {title}", f"Test: {subject}"
    return Message(
        event=event,
        tone=parts.tone,
        emoji=parts.emoji,
        project=project,
        title=title,
        subject=subject,
        summary=parts.summary,
        counts=parts.counts,
        facts=tuple(fact for fact in parts.facts if fact.value),
        failures=parts.failures,
        failure_count=parts.failure_count,
        link=str(facts.get("url") or ""),
        link_label=parts.link_label,
        occurred_at=occurred_at,
        thread=parts.thread,
        test=test,
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    tone: Tone
    emoji: str
    title: str
    headline: str
    summary: str
    counts: tuple[Fact, ...]
    facts: tuple[Fact, ...]
    link_label: str
    thread: str
    failures: tuple[Failure, ...] = ()
    failure_count: int = 0


_RUN_VERBS = {"error": "ended with an error", "timed_out": "timed out", "cancelled": "was cancelled"}


def _run(facts: Mapping[str, Any]) -> _Parts:
    failed_run = catalog.run_failed(facts)
    passed, failed, skipped = (_count(facts, name) for name in ("passed", "failed", "skipped"))
    total = passed + failed + skipped
    name = shorten(clean_text(facts.get("suite_name")), _NAME_IN_TITLE) or f"Run {_short_id(facts)}"
    verb = _RUN_VERBS.get(str(facts.get("status")), "failed" if failed_run else "passed")
    took = duration(facts.get("duration_ms"))
    within = f" in {took}" if took else ""

    if failed:
        result, summary = f": {failed:,} of {_tests(total)}", f"{failed:,} of {_tests(total)} failed{within}."
    elif failed_run:
        result, summary = "", f"The run {verb}{within}."
    else:
        result = f": {_tests(total)}" if total else ""
        rest = f", {skipped:,} skipped" if skipped else ""
        summary = f"{_tests(passed)} passed{rest}{within}." if total else f"The run {verb}{within}."

    failures = tuple(
        Failure(clean_text(failure.get("name")) or "Unnamed test", clean_text(failure.get("message")))
        for failure in facts.get("failures") or ()
        if isinstance(failure, Mapping)
    )
    schedule = facts.get("schedule")
    return _Parts(
        tone=Tone.BAD if failed_run else Tone.GOOD,
        emoji="❌" if failed_run else "✅",
        title=f"{name} {verb}",
        headline=f"{name} {verb}{result}",
        summary=summary,
        counts=(
            Fact("Passed", f"{passed:,}"),
            Fact("Failed", f"{failed:,}"),
            Fact("Skipped", f"{skipped:,}"),
        ),
        facts=(
            Fact("Browser", clean_text(facts.get("browser"))),
            Fact("Environment", clean_text(facts.get("environment"))),
            Fact("Duration", took),
            Fact("Schedule", clean_text(schedule.get("name")) if isinstance(schedule, Mapping) else ""),
        ),
        link_label="Open run",
        thread=f"suite:{clean_text(facts.get('suite_name')).casefold()}",
        failures=failures,
        failure_count=max(failed, len(failures)),
    )


def _crawl(facts: Mapping[str, Any]) -> _Parts:
    failed = facts.get("status") == "failed"
    pages, issues = _count(facts, "pages"), _count(facts, "issues")
    pages_total = max(_count(facts, "pages_total"), pages)
    took = duration(facts.get("duration_ms"))
    within = f" in {took}" if took else ""
    found = f"{_number(pages, 'page')} scanned{within}, {_number(issues, 'issue')} found."
    return _Parts(
        tone=Tone.BAD if failed else Tone.GOOD,
        emoji="❌" if failed else "🔎",
        title="Scan failed" if failed else "Scan completed",
        headline=f"Scan failed after {_number(pages, 'page')}"
        if failed
        else f"Scan completed: {_number(pages, 'page')}, {_number(issues, 'issue')}",
        summary=f"The scan failed. {found}" if failed else found,
        counts=(
            Fact("Pages found", f"{pages_total:,}"),
            Fact("Coverage", f"{pages * 100 // pages_total}%" if pages_total else "none"),
            Fact("Issues", f"{issues:,}"),
        ),
        facts=(Fact("Duration", took),),
        link_label="Open scan",
        thread="scans",
    )


def _generation(facts: Mapping[str, Any]) -> _Parts:
    tests, suites, waiting = (_count(facts, name) for name in ("tests", "suites", "pending_review"))
    took = duration(facts.get("duration_ms"))
    made = f"{_tests(tests)} in {_number(suites, 'suite')}"
    return _Parts(
        tone=Tone.NEUTRAL,
        emoji="✨",
        title="AI tests generated",
        headline=f"AI generated {made}",
        summary=f"{made} generated{f' in {took}' if took else ''}, {waiting:,} awaiting review.",
        counts=(
            Fact("Tests", f"{tests:,}"),
            Fact("Suites", f"{suites:,}"),
            Fact("Awaiting review", f"{waiting:,}"),
        ),
        facts=(Fact("Duration", took),),
        link_label="Review tests",
        thread="generations",
    )


def _count(facts: Mapping[str, Any], name: str) -> int:
    value = facts.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _short_id(facts: Mapping[str, Any]) -> str:
    return shorten(clean_text(facts.get("id")), 40)


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _tests(count: int) -> str:
    return _number(count, "test")
