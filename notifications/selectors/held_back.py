"""What was decided not to be sent, as a page: events, and the channels that were not told of them."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from notifications.channels import registry
from notifications.insight import sentences
from notifications.insight.trace import describe
from notifications.models import Occurrence
from notifications.routing import Outcome, Reason
from notifications.selectors.log_filters import Filters, events_named, project_of
from notifications.selectors.occurrences import look_of, occurrences_of
from notifications.selectors.places import Place, older
from projects.models import Workspace

EVENTS_READ = 25
"""How many events a page looks through."""
CHANNELS_SHOWN = 20
"""How many channels of one event it lists."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A channel that was not told, and why."""

    name: str
    kind: str
    icon: str
    event: str
    why: str


@dataclass(frozen=True, slots=True)
class HeldBack:
    """An event, and the channels that were not told of it."""

    occurrence: Occurrence
    title: str
    tile: str
    icon: str
    silences: tuple[Silence, ...]
    more: int
    """How many further channels there are."""


@dataclass(frozen=True, slots=True)
class HeldBackPage:
    events: tuple[HeldBack, ...]
    looked_through: int
    older: Place | None


def held_back(workspace: Workspace, filters: Filters, zone: ZoneInfo, before: Place | None = None) -> HeldBackPage:
    """What was decided not to be sent of the latest `EVENTS_READ` events, or of those before `before`.

    Two queries and those of the filters, however many channels there are. The filter by status says nothing here.
    """
    project = project_of(workspace, filters)
    if filters.project and project is None:
        return HeldBackPage((), 0, None)
    since, until = filters.period(zone)
    rows = occurrences_of(workspace, project=project, event=filters.event or None, since=since, until=until)
    if filters.q:
        rows = rows.filter(pk__in=events_named(workspace, filters.q))
    if before is not None:
        rows = older(rows, before, "received_at")
    found = list(rows[: EVENTS_READ + 1])
    read = found[:EVENTS_READ]
    silent = {occurrence.pk: _silences(occurrence, filters) for occurrence in read}
    # The facts make the title; they can be long, so only those are read that are shown.
    facts = dict(
        Occurrence.objects.filter(pk__in=[pk for pk, silences in silent.items() if silences]).values_list("pk", "facts")
    )
    events = []
    for occurrence in read:
        silences = silent[occurrence.pk]
        if occurrence.pk in facts:
            occurrence.facts = facts[occurrence.pk]
            tile, icon = look_of(occurrence)
            title = describe(occurrence).title
            more = max(len(silences) - CHANNELS_SHOWN, 0)
            events.append(HeldBack(occurrence, title, tile, icon, tuple(silences[:CHANNELS_SHOWN]), more))
    further = Place(read[-1].received_at, read[-1].pk) if len(found) > EVENTS_READ else None
    return HeldBackPage(tuple(events), len(read), further)


def _silences(occurrence: Occurrence, filters: Filters) -> list[Silence]:
    found = []
    for decision in occurrence.decisions:
        if decision["outcome"] != Outcome.NOT_SENT.value:
            continue
        if filters.channel and decision["channel"] != filters.channel:
            continue
        kind = registry.find(decision["kind"])
        clause = sentences.because(Reason(decision["reason"]), decision["event"])
        found.append(
            Silence(
                decision["name"],
                decision["kind"],
                kind.icon if kind else "bell",
                decision["event"] or "",
                f"{clause[0].upper()}{clause[1:]}.",
            )
        )
    return found
