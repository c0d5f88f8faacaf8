"""Recording occurrences: decide, store, create deliveries, count usage, in one transaction.

Idempotent under concurrency by the unique constraint on (project, kind, id): of two callers reporting the same
occurrence at the same moment one inserts, the other finds the row.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from aegisnotify import bulk
from aegisnotify.clock import now
from notifications import catalog
from notifications.catalog import OccurrenceKind
from notifications.delivery import wakeup
from notifications.intake.decisions import as_json, deliveries_for, project_json, with_late_event
from notifications.intake.loading import Loaded, load
from notifications.intake.reports import Report, parse
from notifications.models import Delivery, DeliveryStatus, Occurrence
from projects.entitlements import Category
from projects.errors import NotFound, ServiceError
from projects.models import Project, Workspace
from projects.services.usage import count_usage
from projects.usage import Meter

logger = logging.getLogger(__name__)

_METERS = {OccurrenceKind.RUN: Meter.RUNS, OccurrenceKind.CRAWL: Meter.SCANS}
# A key of an occurrence: (project id, kind, id of the run, crawl or generation).
Key = tuple[Any, str, str]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An occurrence and whether it was known already."""

    occurrence: Occurrence
    duplicate: bool


def record(workspace: Workspace, payload: Any, *, only: Project | None = None) -> Recorded:
    """Record one occurrence from a decoded body.

    `only`: the project that the caller's token is limited to. Raises `Invalid` with the bad fields, `NotFound` for a
    project that the caller does not have. Nothing is stored then.
    """
    result = record_batch(workspace, [payload], only=only)[0]
    if isinstance(result, ServiceError):
        raise result
    return result


def record_batch(
    workspace: Workspace, payloads: Sequence[Any], *, only: Project | None = None
) -> list[Recorded | ServiceError]:
    """Record several, in order; the valid ones commit in one transaction. Bad ones yield the error they would raise."""
    moment = now()
    try:
        return _record_batch(workspace, payloads, only, moment)
    except IntegrityError:
        if connection.in_atomic_block:
            raise
    # A channel was deleted after it was read, so nothing is stored. Deleting takes the lock of the project as well.
    with transaction.atomic():
        # Without the key: who inserts what refers to a project doesn't wait, and can't wait for each other in a circle.
        no_key = connection.features.has_select_for_no_key_update
        list(Project.objects.select_for_update(no_key=no_key).filter(workspace=workspace).order_by("pk").only("pk"))
        return _record_batch(workspace, payloads, only, moment)


def _record_batch(
    workspace: Workspace, payloads: Sequence[Any], only: Project | None, moment: datetime
) -> list[Recorded | ServiceError]:
    results: list[Recorded | ServiceError | None] = [None] * len(payloads)
    known: dict[str, Loaded | None] = {}
    valid: list[tuple[int, Loaded, Report]] = []
    for index, payload in enumerate(payloads):
        try:
            report = payload if isinstance(payload, Report) else parse(payload)
            if report.project not in known:
                known[report.project] = load(workspace, report.project, moment, only=only.pk if only else None)
            loaded = known[report.project]
            if loaded is None:
                raise NotFound("No such project in this workspace.", {"fields": {"project": ["Unknown project."]}})
            valid.append((index, loaded, report))
        except ServiceError as error:
            results[index] = error
    for index, recorded in _record_all(valid, moment):
        results[index] = recorded
    assert all(result is not None for result in results)
    return results  # type: ignore[return-value]


def _record_all(reports: Sequence[tuple[int, Loaded, Report]], moment: datetime) -> Iterable[tuple[int, Recorded]]:
    if not reports:
        return []
    firsts: dict[Key, tuple[Occurrence, list[Delivery]]] = {}
    for _, loaded, report in reports:
        key = (loaded.project.pk, report.kind.value, report.source_id)
        if key not in firsts:
            firsts[key] = _prepare(loaded, report, moment)

    with transaction.atomic():
        # In key order, so that two batches with the same occurrences can't wait for each other in a circle.
        ordered = [firsts[key] for key in sorted(firsts, key=lambda key: (str(key[0]), key[1], key[2]))]
        won = bulk.insert_unknown([row for row, _ in ordered])
        deliveries = [delivery for row, rows in ordered if row.pk in won for delivery in rows]
        bulk.insert(deliveries)

        known = {_key(row): row for row, _ in ordered if row.pk in won}
        known |= _existing([key for key, (row, _) in firsts.items() if row.pk not in won])
        late = _add_late_schedules(reports, known, moment)
        _count(row for row, _ in ordered if row.pk in won)
        if late or any(delivery.status == DeliveryStatus.PENDING for delivery in deliveries):
            transaction.on_commit(wakeup.wake, robust=True)

    if logger.isEnabledFor(logging.DEBUG):
        for row, _ in ordered:
            if row.pk in won:
                logger.debug("Recorded; fired: %s.", row.fired or "nothing", extra={"occurrence_id": str(row.pk)})
    results = []
    seen: set[Key] = set()
    for index, loaded, report in reports:
        key = (loaded.project.pk, report.kind.value, report.source_id)
        row = known[key]
        results.append((index, Recorded(row, duplicate=row.pk not in won or key in seen)))
        seen.add(key)
    return results


def _prepare(loaded: Loaded, report: Report, moment: datetime) -> tuple[Occurrence, list[Delivery]]:
    project, fired = loaded.project, report.fired
    occurrence = Occurrence(
        workspace_id=project.workspace_id,
        project=project,
        kind=report.kind.value,
        source_id=report.source_id,
        facts=report.facts,
        fired=",".join(fired),
        occurred_at=report.occurred_at or moment,
        received_at=moment,
    )
    decisions = loaded.decide(fired)
    deliveries = deliveries_for(occurrence, decisions, project_json(project))
    occurrence.decisions = as_json(decisions, deliveries)
    return occurrence, deliveries


def _key(occurrence: Occurrence) -> Key:
    return (occurrence.project_id, occurrence.kind, occurrence.source_id)


def _existing(keys: Iterable[Key]) -> dict[Key, Occurrence]:
    condition = Q()
    for project_id, kind, source_id in keys:
        condition |= Q(project=project_id, kind=kind, source_id=source_id)
    if not condition:
        return {}
    return {_key(row): row for row in Occurrence.keys.filter(condition).select_related("project")}


def _add_late_schedules(
    reports: Sequence[tuple[int, Loaded, Report]], known: dict[Key, Occurrence], moment: datetime
) -> list[Delivery]:
    """The one exception to "the first report is final": a later report may add `scheduled_runs`, once."""
    event = catalog.ScheduledRuns.name
    created: list[Delivery] = []
    for _, loaded, report in reports:
        key = (loaded.project.pk, report.kind.value, report.source_id)
        # What was inserted just now by a report that named the event has it among its fired events already.
        # Of a forgotten one there are no facts to tell.
        if report.named == event and event not in known[key].fired_events and not known[key].forgotten:
            row, deliveries = _add_late_event(known[key], event, loaded, moment)
            known[key] = row
            created += deliveries
    return created


def _add_late_event(
    occurrence: Occurrence, event: str, loaded: Loaded, moment: datetime
) -> tuple[Occurrence, list[Delivery]]:
    row = Occurrence.keys.select_for_update().get(pk=occurrence.pk)
    # A cancelled run fires nothing, whatever is said about it later.
    if row.forgotten or event in row.fired_events or catalog.is_cancelled(OccurrenceKind(row.kind), row.facts):
        return row, []
    told = {decision["channel_id"] for decision in row.decisions if decision["deliveries"]}
    decisions = loaded.decide((event,))
    news = [
        decision
        for decision in decisions
        if decision.channel.category is Category.WEBHOOK or decision.channel.id not in told
    ]
    deliveries = deliveries_for(row, news, project_json(loaded.project))
    for delivery in deliveries:
        delivery.created_at = moment
        if delivery.next_at is not None:
            delivery.next_at = moment
    bulk.insert(deliveries)
    row.fired = ",".join(name for name in catalog.names() if name in {*row.fired_events, event})
    row.decisions = with_late_event(row.decisions, as_json(decisions, deliveries), event)
    row.save(update_fields=["fired", "decisions"])
    return row, deliveries


def _count(occurrences: Iterable[Occurrence]) -> None:
    counts: dict[tuple[int, Meter, datetime], int] = {}
    for occurrence in occurrences:
        meter = _METERS.get(OccurrenceKind(occurrence.kind))
        if meter is not None:
            key = (occurrence.workspace_id, meter, occurrence.received_at)
            counts[key] = counts.get(key, 0) + 1
    for (workspace_id, meter, received_at), amount in sorted(counts.items()):
        count_usage(workspace_id, meter, received_at, amount)
