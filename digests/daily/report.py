"""What a daily digest says of what was held. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from aegisnotify.text import clean_text
from digests.words import day_and_month, number
from notifications import catalog
from notifications.catalog import OccurrenceKind

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """How much was held. `failed_runs` and `failed_scans` are among `runs` and `scans`."""

    runs: int = 0
    failed_runs: int = 0
    scans: int = 0
    failed_scans: int = 0
    generations: int = 0

    @property
    def all(self) -> int:
        return self.runs + self.scans + self.generations

    @property
    def failed(self) -> int:
        return self.failed_runs + self.failed_scans


@dataclass(frozen=True, slots=True)
class Item:
    """One held occurrence. `url` is a page of ours that this reader may open, or empty."""

    kind: OccurrenceKind
    facts: Mapping[str, Any]
    occurred_at: datetime
    url: str = ""

    @property
    def failed(self) -> bool:
        if self.kind is OccurrenceKind.RUN:
            return catalog.run_failed(self.facts)
        return self.facts.get("status") == "failed"


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    detail: str
    value: str
    tone: str
    link: str


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    rows: tuple[Row, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class Said:
    subject: str
    kicker: str
    heading: str
    lead: str
    tone: str
    groups: tuple[Group, ...]


def say(project: str, tally: Tally, items: Sequence[Item], zone: ZoneInfo, day: date) -> Said:
    """`items` are those to show, the latest first, at most `SHOWN` of each group; the tally counts all."""
    heading = _heading(tally)
    several_days = len({item.occurred_at.astimezone(zone).date() for item in items}) > 1
    failed = [item for item in items if item.failed]
    fine = [item for item in items if not item.failed]
    groups = (
        ("Failed", failed, tally.failed),
        (
            "Passed",
            [item for item in fine if item.kind is OccurrenceKind.RUN],
            tally.runs - tally.failed_runs,
        ),
        ("Scans", [item for item in fine if item.kind is OccurrenceKind.CRAWL], tally.scans - tally.failed_scans),
        ("AI tests", [item for item in fine if item.kind is OccurrenceKind.GENERATION], tally.generations),
    )
    return Said(
        subject=f"[{project}] {heading}",
        kicker=f"Daily digest · {project} · {day_and_month(day)}",
        heading=heading,
        lead=_lead(tally),
        tone="bad" if tally.failed else "good",
        groups=tuple(
            Group(
                title,
                tuple(_row(item, zone, several_days) for item in shown[:SHOWN]),
                max(count - min(len(shown), SHOWN), 0),
            )
            for title, shown, count in groups
        ),
    )


def _heading(tally: Tally) -> str:
    parts = []
    if tally.runs:
        parts.append(f"{tally.runs - tally.failed_runs:,} of {number(tally.runs, 'run')} passed")
    if tally.scans:
        parts.append(number(tally.scans, "scan"))
    if tally.generations:
        parts.append(number(tally.generations, "AI generation"))
    return ", ".join(parts)


def _lead(tally: Tally) -> str:
    if not tally.failed:
        return "Nothing failed."
    parts = []
    if tally.failed_runs:
        parts.append(number(tally.failed_runs, "failed run"))
    if tally.failed_scans:
        parts.append(number(tally.failed_scans, "failed scan"))
    rest = "Everything else finished well." if tally.all > tally.failed else ""
    return f"{' and '.join(parts)}. {rest}".strip()


def _row(item: Item, zone: ZoneInfo, several_days: bool) -> Row:
    local = item.occurred_at.astimezone(zone)
    when = f"{local.day} {local:%b}, {local:%H:%M}" if several_days else f"{local:%H:%M}"
    name, value, extra = _PARTS[item.kind](item.facts, item.failed)
    return Row(
        name=name,
        detail=" · ".join(filter(None, [when, extra])),
        value=value,
        tone="bad" if item.failed else "ok",
        link=item.url,
    )


def _run(facts: Mapping[str, Any], failed: bool) -> tuple[str, str, str]:
    passed, broken, skipped = (_count(facts, name) for name in ("passed", "failed", "skipped"))
    total = passed + broken + skipped
    name = clean_text(facts.get("suite_name")) or f"Run {clean_text(facts.get('id'))}"
    if broken:
        value = f"{broken:,} of {total:,} failed"
    elif failed:
        value = str(facts.get("status", "failed")).replace("_", " ")
    else:
        value = f"{passed:,} of {total:,}" if total else "passed"
    failures = facts.get("failures") or []
    first = failures[0].get("name") if failures and isinstance(failures[0], Mapping) else ""
    return name, value, clean_text(first)


def _scan(facts: Mapping[str, Any], failed: bool) -> tuple[str, str, str]:
    pages, issues = _count(facts, "pages"), _count(facts, "issues")
    value = "failed" if failed else number(issues, "issue")
    return "Scan", value, number(pages, "page")


def _generation(facts: Mapping[str, Any], failed: bool) -> tuple[str, str, str]:
    waiting = _count(facts, "pending_review")
    return "AI tests generated", number(_count(facts, "tests"), "test"), f"{waiting:,} awaiting review"


_PARTS = {OccurrenceKind.RUN: _run, OccurrenceKind.CRAWL: _scan, OccurrenceKind.GENERATION: _generation}


def _count(facts: Mapping[str, Any], name: str) -> int:
    value = facts.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
