"""The clocks of channels that collect for a daily digest: made, and set anew when the time or the zone changes."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from aegisnotify.clock import now
from digests import schedule
from digests.models import ChannelClock
from notifications.models import Channel, Delivery, DeliveryStatus
from projects.actors import Actor

AT_ONCE = 200
# What stands for "no longer in digest mode": no zone is called that, so a channel that returns to it is set anew.
ENDED = ""


def timing_changed(actor: Actor, channel: Channel) -> None:
    """A channel begins or stops to collect, or has another time. One that stops sends what it held at the next turn."""
    moment = now()
    if channel.mode == Channel.Mode.DAILY_DIGEST:
        wind(channel, moment)
    else:
        ChannelClock.objects.filter(channel=channel).update(next_at=moment, time_zone=ENDED)


@transaction.atomic
def wind(channel: Channel, moment: datetime) -> None:
    """Set the clock of a channel in digest mode. At most one digest goes out on a (local) day."""
    known = ChannelClock.objects.select_for_update().filter(channel=channel).first()
    workspace = channel.project.workspace
    at = channel.digest_time
    assert at is not None
    slot = schedule.next_daily(moment, at, workspace.zone, known.last_slot if known else None)
    fields = {"at": at, "time_zone": workspace.time_zone, "next_at": slot.moment}
    if known:
        ChannelClock.objects.filter(pk=known.pk).update(**fields)
    else:
        ChannelClock.objects.bulk_create(
            [ChannelClock(channel=channel, covered_until=moment, **fields)], ignore_conflicts=True
        )


def keep(moment: datetime) -> int:
    """Wind what no hook has wound: channels of before, and those of workspaces that changed their zone. How many."""
    digest = Channel.objects.filter(mode=Channel.Mode.DAILY_DIGEST)
    other_time = ~Q(digest_clock__at=F("digest_time")) | ~Q(digest_clock__time_zone=F("project__workspace__time_zone"))
    stale = digest.filter(Q(digest_clock=None) | other_time)
    rows = list(stale.select_related("project__workspace").defer("config")[:AT_ONCE])
    for channel in rows:
        wind(channel, moment)
    return len(rows)


def cancel_orphans() -> int:
    """What deleted channels held. Nobody gets it any more."""
    held = Delivery.objects.filter(channel=None, status=DeliveryStatus.HELD)
    return held.update(status=DeliveryStatus.CANCELLED, status_reason="channel_deleted")
