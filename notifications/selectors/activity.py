"""A project's latest events and who was told of each."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from notifications.insight.trace import describe, state_of_deliveries
from notifications.models import Delivery, Occurrence
from notifications.selectors.history import shown_occurrences
from notifications.selectors.occurrences import look_of
from projects.models import Project

PAGE = 25
TOLD_SHOWN, NOT_TOLD_SHOWN = 8, 3


@dataclass(frozen=True, slots=True)
class Told:
    """A channel that was told, and how far that is."""

    name: str
    status: str


@dataclass(frozen=True, slots=True)
class ActivityLine:
    occurrence: Occurrence
    title: str
    summary: str
    tile: str
    icon: str
    told: tuple[Told, ...]
    more_told: int
    """How many further channels were told."""
    not_told: tuple[str, ...]
    """Names of the channels that were not told."""
    more_not_told: int


@dataclass(frozen=True, slots=True)
class Activity:
    lines: tuple[ActivityLine, ...]
    older: uuid.UUID | None
    """The event to go on from; None at the end."""


def activity(project: Project, before: uuid.UUID | None = None) -> Activity:
    """The latest events, or those received before the event `before`. Three queries at most."""
    rows = shown_occurrences(project.workspace).filter(project=project).order_by("-received_at", "-pk")
    if before is not None:
        last = Occurrence.objects.filter(project=project, pk=before).only("received_at").first()
        if last is None:
            return Activity((), None)
        # The first condition is a range of the index; the second leaves out what came at the same moment, but later.
        rows = rows.filter(received_at__lte=last.received_at).exclude(received_at=last.received_at, pk__gte=last.pk)
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    told = {occurrence.pk: _told(occurrence) for occurrence in shown}
    statuses = _statuses({pk: decisions[:TOLD_SHOWN] for pk, decisions in told.items()})
    for occurrence in shown:
        occurrence.project = project
    return Activity(
        tuple(_line(occurrence, told[occurrence.pk], statuses) for occurrence in shown),
        shown[-1].pk if len(found) > PAGE else None,
    )


def _told(occurrence: Occurrence) -> list[dict[str, Any]]:
    """The decisions for channels that were told."""
    return [decision for decision in occurrence.decisions if decision["outcome"] != "not_sent"]


def _statuses(shown: Mapping[uuid.UUID, list[dict[str, Any]]]) -> dict[tuple[uuid.UUID, str], list[str]]:
    """By event and channel, for the decisions that are shown: how far the deliveries are."""
    rows = Delivery.objects.filter(
        occurrence__in=list(shown),
        channel__in={decision["channel_id"] for decisions in shown.values() for decision in decisions},
    )
    statuses: defaultdict[tuple[uuid.UUID, str], list[str]] = defaultdict(list)
    for occurrence_id, channel_id, status in rows.order_by().values_list("occurrence", "channel", "status").distinct():
        statuses[occurrence_id, str(channel_id)].append(status)
    return statuses


def _line(
    occurrence: Occurrence, told: list[dict[str, Any]], statuses: Mapping[tuple[uuid.UUID, str], list[str]]
) -> ActivityLine:
    message = describe(occurrence)
    silent = [decision["name"] for decision in occurrence.decisions if decision["outcome"] == "not_sent"]
    return ActivityLine(
        occurrence,
        message.title,
        message.summary,
        *look_of(occurrence),
        tuple(
            Told(
                decision["name"],
                state_of_deliveries(statuses.get((occurrence.pk, decision["channel_id"]), ())) or decision["outcome"],
            )
            for decision in told[:TOLD_SHOWN]
        ),
        max(len(told) - TOLD_SHOWN, 0),
        tuple(silent[:NOT_TOLD_SHOWN]),
        max(len(silent) - NOT_TOLD_SHOWN, 0),
    )
