"""What tries say about their channel: successes, failures in a row, suspension, and the moment before which to wait."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from aegisnotify.clock import now
from notifications.addresses.services import mark_bounced
from notifications.channels.base import Reading, Verdict
from notifications.delivery.policy import asked_pause
from notifications.models import AddressBounce, Channel
from projects.actors import SYSTEM
from projects.services import audit


@dataclass(frozen=True, slots=True)
class Heard:
    """One try as its channel's health sees it. `ended_at`: when the answer was read."""

    channel: Channel
    recipient: str
    ended_at: datetime
    reading: Reading


def note(heard: Iterable[Heard]) -> None:
    """Write the tries of a batch to their channels: one UPDATE per channel."""
    by_channel: defaultdict[Channel, list[Heard]] = defaultdict(list)
    for item in heard:
        by_channel[item.channel].append(item)
    for channel in sorted(by_channel, key=lambda channel: channel.pk):
        _note_channel(channel, by_channel[channel])


def _note_channel(channel: Channel, heard: list[Heard]) -> None:
    changes: dict[str, object] = {}
    failures = 0
    reset = False
    for item in sorted(heard, key=lambda item: item.ended_at):
        reading = item.reading
        if reading.bounced:
            mark_bounced(item.recipient, AddressBounce.Kind.BOUNCED, reading.sentence)
            continue
        if reading.verdict in (Verdict.OK, Verdict.ACCEPTED):
            changes["last_success_at"] = item.ended_at
            failures, reset = 0, True
        elif not reading.ours:
            failures += 1
            changes |= {"last_error_at": item.ended_at, "last_error": reading.sentence[:500]}
        if reading.verdict is Verdict.RETRY and (pause := asked_pause(reading)):
            # "Come back later" is said to the sender, not about one message.
            changes["not_before"] = item.ended_at + pause
    if reset:
        changes |= {"failures_in_a_row": failures, "failing_since": None, "failing_warned_at": None}
    elif failures:
        changes["failures_in_a_row"] = F("failures_in_a_row") + failures
        Channel.objects.filter(pk=channel.pk, failing_since=None).update(failing_since=heard[0].ended_at)
    if changes:
        Channel.objects.filter(pk=channel.pk).update(**changes)
    gone = next((item.reading for item in heard if item.reading.gone), None)
    if gone is not None:
        suspend(channel, gone.sentence)


@transaction.atomic
def suspend(channel: Channel, reason: str) -> None:
    """Stop using a channel until a good test or somebody lifts it. Suspending again changes nothing."""
    row = Channel.objects.select_for_update(of=("self",)).select_related("project__workspace").get(pk=channel.pk)
    if row.suspended_at is not None:
        return
    row.suspended_at, row.suspended_reason = now(), reason[:500]
    row.save(update_fields=["suspended_at", "suspended_reason"])
    audit.record(
        SYSTEM,
        "channel.suspended",
        row,
        workspace=row.project.workspace,
        project=row.project,
        changes={"suspended": (False, row.suspended_reason)},
    )
