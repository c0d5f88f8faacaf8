"""What can be recovered, and how that is going."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications.models import Channel, RecoveryJob
from notifications.selectors.recovery import Offer, Step, jobs, offer, offers
from notifications.services.pausing import pause_channel, resume_channel
from notifications.services.recovery import start_recovery, work_on_recoveries
from projects.actors import SYSTEM
from tests import factories

NOW = datetime(2026, 4, 28, 12, tzinfo=UTC)


def hours(count):
    return NOW - timedelta(hours=count)


PAUSED, SUSPENDED, RESUMED, TESTED, RECOVERED = (
    f"channel.{name}" for name in ("paused", "suspended", "resumed", "tested", "recovery_started")
)


@pytest.mark.parametrize(
    ("steps", "paused_until", "expected"),
    [
        ([], None, None),
        ([Step(RESUMED, hours(1)), Step(PAUSED, hours(3))], None, Offer(hours(3), hours(1))),
        ([Step(PAUSED, hours(3))], hours(2), Offer(hours(3), hours(2))),
        ([Step(PAUSED, hours(3))], NOW + timedelta(hours=1), None),
        # Paused longer, before the first pause was over.
        ([Step(PAUSED, hours(3)), Step(PAUSED, hours(5))], hours(2), Offer(hours(5), hours(2))),
        ([Step(TESTED, hours(1), lifted=True), Step(SUSPENDED, hours(9))], None, Offer(hours(9), hours(1))),
        ([Step(TESTED, hours(1)), Step(RESUMED, hours(2)), Step(PAUSED, hours(3))], None, Offer(hours(3), hours(2))),
        ([Step(RECOVERED, hours(1)), Step(RESUMED, hours(2)), Step(PAUSED, hours(3))], None, None),
        ([Step(RECOVERED, hours(1)), Step(PAUSED, hours(3))], hours(2), None),
        # Only the last stretch.
        (
            [Step(RESUMED, hours(1)), Step(PAUSED, hours(2)), Step(RESUMED, hours(5)), Step(PAUSED, hours(9))],
            None,
            Offer(hours(2), hours(1)),
        ),
        ([Step(RESUMED, hours(1)), Step(PAUSED, hours(2)), Step(RECOVERED, hours(3))], None, Offer(hours(2), hours(1))),
        # Too long ago.
        ([Step(RESUMED, hours(24 * 8)), Step(PAUSED, hours(24 * 9))], None, None),
        ([Step(RESUMED, hours(1))], None, None),
    ],
)
def test_the_last_stretch_that_nobody_recovered_is_offered(steps, paused_until, expected):
    assert offer(steps, paused_until, NOW) == expected


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(NOW, tick=False)
    return lambda **later: time_machine.move_to(NOW + timedelta(**later), tick=False)


def offered(project, moment):
    return offers(project, Channel.objects.filter(project=project), moment)


def test_a_pause_that_ran_out_by_itself_is_offered(project, clock):
    channel = factories.ChannelFactory(project=project)
    pause_channel(SYSTEM, channel, NOW + timedelta(hours=1))
    factories.OccurrenceFactory(project=project, received_at=NOW + timedelta(minutes=30))
    assert offered(project, NOW + timedelta(minutes=59)) == {}
    assert offered(project, NOW + timedelta(hours=1)) == {channel.pk: Offer(NOW, NOW + timedelta(hours=1))}


@pytest.mark.parametrize("state", [{"enabled": False}, {"suspended_at": NOW}])
def test_a_channel_that_cannot_send_is_offered_nothing(project, clock, state):
    channel = factories.ChannelFactory(project=project)
    pause_channel(SYSTEM, channel, NOW + timedelta(hours=1))
    factories.OccurrenceFactory(project=project, received_at=NOW + timedelta(minutes=30))
    Channel.objects.update(**state)
    assert offered(project, NOW + timedelta(hours=2)) == {}


def test_where_nothing_happened_nothing_is_offered(project, clock):
    channel = factories.ChannelFactory(project=project)
    factories.OccurrenceFactory(project=project, received_at=NOW - timedelta(minutes=1))
    pause_channel(SYSTEM, channel, NOW + timedelta(hours=1))
    assert offered(project, NOW + timedelta(hours=2)) == {}


def test_recovering_takes_the_offer_away(project, clock):
    channel = factories.ChannelFactory(project=project)
    pause_channel(SYSTEM, channel, NOW + timedelta(hours=1))
    factories.OccurrenceFactory(project=project, received_at=NOW)
    clock(minutes=5)
    resume_channel(SYSTEM, Channel.objects.get())
    assert list(offered(project, NOW + timedelta(minutes=6))) == [channel.pk]
    clock(minutes=7)
    start_recovery(SYSTEM, Channel.objects.get(), NOW)
    assert offered(project, NOW + timedelta(minutes=8)) == {}


def test_the_newest_job_is_shown_for_an_hour_after_its_end(project, clock):
    channel = factories.ChannelFactory(project=project)
    first = start_recovery(SYSTEM, channel, NOW - timedelta(days=1))
    assert jobs([channel], NOW) == {channel.pk: first}
    work_on_recoveries()
    clock(minutes=1)
    second = start_recovery(SYSTEM, channel, NOW)
    assert jobs([channel], NOW) == {channel.pk: second}
    RecoveryJob.objects.filter(pk=second.pk).delete()
    assert jobs([channel], NOW + timedelta(minutes=59)) == {channel.pk: first}
    assert jobs([channel], NOW + timedelta(minutes=61)) == {}
