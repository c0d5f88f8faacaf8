"""Counting what happened in a workspace: a handful of queries, however many runs and readers there are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Count, Max, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from aegisnotify.text import clean_text
from digests.models import DailyTotal
from digests.weekly.report import TOP_FAILURES, Counts, Gauge, Project, Report, TopFailure
from notifications.catalog import OccurrenceKind, RunFailed, fired_lists_with
from notifications.models import Occurrence
from projects.models import Project as ProjectRow
from projects.models import Workspace
from projects.selectors import usage_of
from projects.usage import Meter

# Occurrences are kept at least as long as this; what lies before is known from the daily totals.
DETAIL_KEPT = timedelta(days=15)
_FAILED = [",".join(fired) for fired in fired_lists_with(RunFailed.name)]
_LOOKED_THROUGH = 200


def report(workspace: Workspace, start: datetime, end: datetime) -> Report:
    """The report of a window. `workspace` has its plan loaded."""
    before = start - (end - start)
    current, previous = _counts(workspace, start, end, end), _counts(workspace, before, start, end)
    last = _last_activity(workspace)
    names = dict(ProjectRow.objects.filter(workspace=workspace).values_list("pk", "name"))
    projects = tuple(
        Project(
            name=_shown(name, "Project"),
            now=current.get(pk, Counts()),
            before=previous.get(pk, Counts()),
            last_at=last.get(pk),
        )
        for pk, name in names.items()
    )
    has_failures = any(counts.failed for counts in current.values())
    usage = usage_of(workspace, end)
    return Report(
        workspace=_shown(workspace.name, "Workspace"),
        start=start,
        end=end,
        projects=projects,
        top_failures=_top_failures(workspace, names, start, end) if has_failures else (),
        pending_review=_sum_of_facts("pending_review", workspace, start, end)
        if any(counts.ai_tests for counts in current.values())
        else 0,
        gauges=tuple(
            Gauge(label, int(usage[meter]["used"] or 0), usage[meter]["cap"])
            for meter, label in ((Meter.RUNS, "Runs this month"), (Meter.SCANS, "Scans this month"))
        ),
    )


def _counts(workspace: Workspace, start: datetime, end: datetime, moment: datetime) -> dict[UUID, Counts]:
    if moment - start > DETAIL_KEPT:
        return _counts_by_day(workspace, start, end)
    rows = (
        _window(workspace, start, end).order_by().values_list("project", "kind", "fired").annotate(number=Count("pk"))
    )
    counts: defaultdict[UUID, Counts] = defaultdict(Counts)
    generated = False
    for project, kind, fired, count in rows:
        if kind == OccurrenceKind.RUN and fired:
            counts[project] += Counts(runs=count, failed=count if fired in _FAILED else 0)
        elif kind == OccurrenceKind.CRAWL:
            counts[project] += Counts(scans=count)
        generated |= kind == OccurrenceKind.GENERATION
    if generated:
        for project, tests in _tests(workspace, start, end):
            counts[project] += Counts(ai_tests=tests)
    return dict(counts)


def _counts_by_day(workspace: Workspace, start: datetime, end: datetime) -> dict[UUID, Counts]:
    """By whole days (UTC): the first day counts, the last one does not."""
    days = DailyTotal.objects.filter(project__workspace=workspace, day__gte=start.date(), day__lt=end.date())
    rows = days.order_by().values_list("project").annotate(Sum("runs"), Sum("failed"), Sum("scans"), Sum("ai_tests"))
    return {project: Counts(*(value or 0 for value in values)) for project, *values in rows}


def _window(workspace: Workspace, start: datetime, end: datetime) -> Any:
    return Occurrence.objects.filter(workspace=workspace, received_at__gte=start, received_at__lt=end)


def _number(name: str) -> Any:
    return Coalesce(Sum(Cast(KeyTextTransform(name, "facts"), BigIntegerField())), 0)


def _tests(workspace: Workspace, start: datetime, end: datetime) -> Iterable[tuple[UUID, int]]:
    rows = _window(workspace, start, end).filter(kind=OccurrenceKind.GENERATION)
    return rows.order_by().values_list("project").annotate(tests=_number("tests"))


def _sum_of_facts(name: str, workspace: Workspace, start: datetime, end: datetime) -> int:
    rows = _window(workspace, start, end).filter(kind=OccurrenceKind.GENERATION)
    return int(rows.aggregate(total=_number(name))["total"])


def _top_failures(
    workspace: Workspace, names: Mapping[UUID, str], start: datetime, end: datetime
) -> tuple[TopFailure, ...]:
    failed = _window(workspace, start, end).filter(fired__in=_FAILED)
    suites = (
        failed.order_by()
        .annotate(suite=KeyTextTransform("suite_name", "facts"))
        .values_list("project", "suite")
        .annotate(number=Count("pk"), last=Max("received_at"))
        .order_by("-number", "-last")[:TOP_FAILURES]
    )
    found = [(project, suite, number) for project, suite, number, _ in suites]
    tests: dict[tuple[UUID, str | None], str] = {}
    for project, facts in failed.order_by("-received_at").values_list("project", "facts")[:_LOOKED_THROUGH]:
        key = (project, facts.get("suite_name"))
        if key not in tests:
            failures = facts.get("failures") or []
            tests[key] = clean_text(failures[0].get("name")) if failures and isinstance(failures[0], dict) else ""
    return tuple(
        TopFailure(
            suite=_shown(suite, "Runs without a suite"),
            project=_shown(names.get(project, ""), "Project"),
            failures=number,
            test=tests.get((project, suite), ""),
        )
        for project, suite, number in found
    )


def _last_activity(workspace: Workspace) -> dict[UUID, datetime]:
    """When each project had its last run or scan, from the totals: they go back further than the details."""
    totals = DailyTotal.objects.filter(project__workspace=workspace)
    return dict(totals.order_by().values_list("project").annotate(last=Max("last_at")))


def _shown(text: object, empty: str) -> str:
    return clean_text(text) or empty
