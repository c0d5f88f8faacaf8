"""What a weekly digest says. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from digests.words import day_and_month, number, per_cent, points, span

TOP_FAILURES, PROJECTS, QUIET = 5, 10, 10
TOO_LATE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Counts:
    """How much happened. `runs` has no cancelled ones."""

    runs: int = 0
    failed: int = 0
    scans: int = 0
    ai_tests: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.runs + other.runs,
            self.failed + other.failed,
            self.scans + other.scans,
            self.ai_tests + other.ai_tests,
        )

    @property
    def nothing(self) -> bool:
        return not (self.runs or self.scans or self.ai_tests)

    @property
    def rate(self) -> int | None:
        """Runs that passed, in tenths of a per cent, rounded down: 100 % means all."""
        return (self.runs - self.failed) * 1000 // self.runs if self.runs else None


@dataclass(frozen=True, slots=True)
class TopFailure:
    suite: str
    project: str
    failures: int
    test: str = ""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A meter of the month: its label, and how much of the cap is used. `cap` None: unlimited."""

    label: str
    used: int
    cap: int | None


@dataclass(frozen=True, slots=True)
class Project:
    name: str
    now: Counts
    before: Counts
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Report:
    """A workspace's window: `start` to `end`, beside the equally long one before it."""

    workspace: str
    start: datetime
    end: datetime
    projects: tuple[Project, ...]
    top_failures: tuple[TopFailure, ...] = ()
    pending_review: int = 0
    gauges: tuple[Gauge, ...] = ()
    totals: Counts = field(init=False)
    before: Counts = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "totals", sum((project.now for project in self.projects), Counts()))
        object.__setattr__(self, "before", sum((project.before for project in self.projects), Counts()))

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to tell: not sent then."""
        return self.totals.nothing


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    detail: str
    value: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """The digest in words, unescaped. `lead_project` is the project that most of a fall comes from."""

    subject: str
    kicker: str
    heading: str
    lead: str
    preheader: str
    tone: str
    counts: tuple[Row, ...]
    failures: tuple[Row, ...]
    projects: tuple[Row, ...]
    more_projects: int
    gauges: tuple[Row, ...]
    quiet: tuple[Row, ...]
    more_quiet: int


def too_late(due_at: datetime, moment: datetime) -> bool:
    """More than a day late: it is skipped, and the next one covers both weeks."""
    return moment - due_at > TOO_LATE


def say(report: Report, zone: ZoneInfo) -> Said:
    """The report in words, with dates as they are in the reader's zone."""
    totals, before = report.totals, report.before
    change = _rate_change(totals, before)
    active = sorted(
        (project for project in report.projects if not project.now.nothing),
        key=lambda project: (-project.now.runs, -project.now.scans, project.name.casefold()),
    )
    quiet = sorted(
        (project for project in report.projects if project.now.nothing),
        key=lambda project: (-(project.last_at.timestamp() if project.last_at else 0), project.name.casefold()),
    )
    return Said(
        subject=f"{report.workspace}: {_verdict(totals)}{_subject_change(totals, change)}",
        kicker=f"Weekly digest · {span(_day(report.start, zone), _day(report.end, zone, last=True))}",
        heading=_heading(totals),
        lead=_lead(report, change),
        preheader=_preheader(report),
        tone="neutral",
        counts=_count_rows(totals, before, change),
        failures=tuple(
            Row(
                failure.suite,
                " · ".join(filter(None, [failure.project, failure.test])),
                number(failure.failures, "failure"),
                "bad",
            )
            for failure in report.top_failures[:TOP_FAILURES]
        ),
        projects=tuple(_project_row(project) for project in active[:PROJECTS]) if len(active) > 1 else (),
        more_projects=max(len(active) - PROJECTS, 0),
        gauges=tuple(_gauge_row(gauge) for gauge in report.gauges),
        quiet=tuple(_quiet_row(project, report.end, zone) for project in quiet[:QUIET]),
        more_quiet=max(len(quiet) - QUIET, 0),
    )


def _rate_change(totals: Counts, before: Counts) -> int | None:
    """In tenths of a point. None where there is nothing to compare."""
    return None if totals.rate is None or before.rate is None else totals.rate - before.rate


def _verdict(totals: Counts) -> str:
    if totals.rate is not None:
        return f"{per_cent(totals.rate)} passed last week"
    parts = []
    if totals.scans:
        parts.append(number(totals.scans, "scan"))
    if totals.ai_tests:
        parts.append(number(totals.ai_tests, "new AI test"))
    return f"{' and '.join(parts)} last week"


def _subject_change(totals: Counts, change: int | None) -> str:
    if not change:
        return ""
    return f", {'up' if change > 0 else 'down'} {points(abs(change))}"


def _heading(totals: Counts) -> str:
    if totals.rate is None:
        return "No runs this week"
    if totals.failed == 0:
        return f"All {number(totals.runs, 'run')} passed" if totals.runs > 1 else "The only run passed"
    return f"{per_cent(totals.rate)} of runs passed"


def _lead(report: Report, change: int | None) -> str:
    sentences = []
    if change is not None:
        if change == 0:
            sentences.append("The same as the week before.")
        else:
            mostly = _mostly(report.top_failures) if change < 0 else ""
            sentences.append(f"{'Up' if change > 0 else 'Down'} {points(abs(change))} from the week before{mostly}.")
    if report.totals.ai_tests:
        sentences.append(_ai_tests(report.totals.ai_tests, report.pending_review))
    if not sentences:
        sentences.append("There is no week before to compare with.")
    return " ".join(sentences)


def _ai_tests(made: int, pending: int) -> str:
    waiting = "waits" if pending == 1 else "wait"
    if pending == made:
        return f"{number(made, 'new AI test')} {waiting} for review."
    rest = f", {pending:,} {waiting} for review" if pending else ""
    return f"{number(made, 'new AI test')}{rest}."


def _mostly(failures: Sequence[TopFailure]) -> str:
    """Names the suite that more than half of the listed failures come from."""
    total = sum(failure.failures for failure in failures)
    return f", mostly {failures[0].suite}" if failures and failures[0].failures * 2 > total else ""


def _preheader(report: Report) -> str:
    parts = [number(report.totals.runs, "run"), number(report.totals.scans, "scan")]
    if report.top_failures:
        parts.append(f"{number(len(report.top_failures[:TOP_FAILURES]), 'suite')} to look at")
    return ", ".join(parts)


def _count_rows(totals: Counts, before: Counts, change: int | None) -> tuple[Row, ...]:
    rows = [
        Row("Runs", _growth(totals.runs, before.runs), f"{totals.runs:,}"),
        Row("Scans", _growth(totals.scans, before.scans), f"{totals.scans:,}"),
    ]
    if totals.rate is not None:
        tone = "bad" if (change or 0) < 0 else "ok" if (change or 0) > 0 else ""
        rows.append(Row("Pass rate", _points_change(change), per_cent(totals.rate), tone))
    if totals.ai_tests:
        rows.append(Row("AI tests", _growth(totals.ai_tests, before.ai_tests), f"{totals.ai_tests:,}"))
    return tuple(rows)


def _growth(now: int, before: int) -> str:
    if now == before:
        return "same"
    if not before:
        return "none before"
    change = round((now - before) * 100 / before)
    return f"{change:+,}%" if change else ("slightly more" if now > before else "slightly fewer")


def _points_change(change: int | None) -> str:
    if change is None:
        return "none before"
    return f"{change / 10:+.1f} pts" if change else "same"


def _project_row(project: Project) -> Row:
    rate = project.now.rate
    if rate is None:
        parts = [number(project.now.scans, "scan")] if project.now.scans else []
        parts += [number(project.now.ai_tests, "AI test")] if project.now.ai_tests else []
        return Row(project.name, "", ", ".join(parts))
    tone = "ok" if rate >= 950 else "bad" if rate < 800 else ""
    return Row(project.name, "", f"{number(project.now.runs, 'run')}, {per_cent(rate)}", tone)


def _gauge_row(gauge: Gauge) -> Row:
    if gauge.cap is None:
        return Row(gauge.label, "", f"{gauge.used:,}, no limit")
    share = f" ({gauge.used * 100 // gauge.cap}%)" if gauge.cap else ""
    tone = "bad" if gauge.cap and gauge.used >= gauge.cap else ""
    return Row(gauge.label, "", f"{gauge.used:,} of {gauge.cap:,}{share}", tone)


def _quiet_row(project: Project, end: datetime, zone: ZoneInfo) -> Row:
    if project.last_at is None:
        return Row(project.name, "Nothing has run here yet", "quiet")
    last = project.last_at.astimezone(zone).date()
    days = (end.astimezone(zone).date() - last).days
    return Row(project.name, f"Last run or scan {day_and_month(last)}", f"{number(days, 'day')} quiet")


def _day(moment: datetime, zone: ZoneInfo, *, last: bool = False) -> date:
    """The local day of the window's first or last moment. One that ends in the morning is about the days before."""
    local = moment.astimezone(zone)
    return (local - timedelta(hours=12)).date() if last else local.date()
