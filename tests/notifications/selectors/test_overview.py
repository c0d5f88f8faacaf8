"""The numbers of the overview, by the hour and by the day."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications.models import Delivery, DeliveryStatus
from notifications.selectors.health import ChannelHealth
from notifications.selectors.overview import CHANNELS_SHOWN, EVENTS_SHOWN, overview
from tests import factories

NOW = datetime(2026, 4, 28, 10, 42, tzinfo=UTC)


@pytest.fixture
def channel(project):
    return factories.ChannelFactory(project=project)


def delivered(channel, ago, took=timedelta(milliseconds=100), **more):
    created = NOW - ago
    fields = {"status": DeliveryStatus.DELIVERED, "delivered_at": created + took, **more}
    return factories.DeliveryFactory(
        occurrence=factories.OccurrenceFactory(project=channel.project, received_at=created),
        channel=channel,
        next_at=None,
        created_at=created,
        **fields,
    )


def failed(channel, ago):
    return delivered(channel, ago, status=DeliveryStatus.FAILED, delivered_at=None)


def test_nothing_at_all(workspace):
    empty = overview(workspace, NOW, UTC)
    assert (empty.delivered, empty.failed, empty.success_rate, empty.p95_ms) == (0, 0, None, None)
    assert (empty.channels, empty.failing, empty.lines, empty.events) == (0, 0, (), ())
    assert len(empty.parts) == 24


def test_deliveries_are_counted_in_the_hour_in_which_they_were_made(workspace, channel):
    delivered(channel, timedelta(minutes=1))
    delivered(channel, timedelta(minutes=42))
    failed(channel, timedelta(minutes=43))
    delivered(channel, timedelta(hours=23, minutes=42))
    shown = overview(workspace, NOW, UTC)
    assert shown.parts[23].start == datetime(2026, 4, 28, 10, tzinfo=UTC)
    assert (shown.parts[23].delivered, shown.parts[22].failed, shown.parts[0].delivered) == (2, 1, 1)
    assert (shown.delivered, shown.failed, shown.success_rate) == (3, 1, "75.0")


def test_what_is_older_counts_for_the_day_before_only(workspace, channel):
    delivered(channel, timedelta(hours=1))
    delivered(channel, timedelta(hours=23, minutes=43))
    delivered(channel, timedelta(hours=40))
    failed(channel, timedelta(hours=40))
    delivered(channel, timedelta(hours=48))
    shown = overview(workspace, NOW, UTC)
    assert (shown.delivered, shown.delivered_before, shown.difference) == (1, 2, -1)


def test_unfinished_ones_are_neither_delivered_nor_failed(workspace, channel):
    factories.DeliveryFactory(channel=channel, occurrence__project=channel.project, created_at=NOW)
    assert overview(workspace, NOW, UTC).finished == 0


@pytest.mark.parametrize(("failures", "expected"), [(0, "100"), (1, "99.8")])
def test_a_hundred_per_cent_means_all(workspace, channel, failures, expected):
    occurrence = factories.OccurrenceFactory(project=channel.project)
    Delivery.objects.bulk_create(
        Delivery(
            workspace=workspace,
            project=channel.project,
            occurrence=occurrence,
            channel=channel,
            channel_key=channel.key,
            kind=channel.kind,
            event="run_failed",
            recipient=str(number),
            status="failed" if number < failures else "delivered",
            created_at=NOW,
            delivered_at=NOW,
        )
        for number in range(600)
    )
    assert overview(workspace, NOW, UTC).success_rate == expected


def test_p95_is_the_nearest_rank(workspace, channel):
    for number in range(1, 21):
        delivered(channel, timedelta(minutes=5), timedelta(milliseconds=10 * number))
    assert overview(workspace, NOW, UTC).p95_ms == 190


def test_p95_of_a_single_one(workspace, channel):
    delivered(channel, timedelta(minutes=5), timedelta(milliseconds=212))
    assert overview(workspace, NOW, UTC).p95_ms == 212


def test_channels_in_trouble_come_first(workspace, project, channel):
    factories.ChannelFactory(project=project, name="off", enabled=False)
    factories.ChannelFactory(project=project, name="failing", failures_in_a_row=2)
    factories.ChannelFactory(project=project, name="suspended", suspended_at=NOW, suspended_reason="gone")
    shown = overview(workspace, NOW, UTC)
    assert [line.checkup.health.value for line in shown.lines] == ["suspended", "failing", "healthy", "off"]
    assert (shown.failing, shown.channels) == (2, 4)
    assert [line.checkup.channel.name for line in shown.troubled] == ["suspended", "failing"]
    assert shown.health[ChannelHealth.OFF] == 1


def test_a_channel_shows_what_it_delivered_by_the_hour(workspace, channel):
    delivered(channel, timedelta(minutes=1))
    delivered(channel, timedelta(hours=2))
    failed(channel, timedelta(hours=2))
    (line,) = overview(workspace, NOW, UTC).lines
    assert line.delivered == 2
    assert (line.parts[23], line.parts[21]) == (1, 1)


def test_the_latest_events_say_what_became_of_them(workspace, channel):
    made = delivered(channel, timedelta(minutes=1))
    made.occurrence.decisions = [{"outcome": "sent"}, {"outcome": "not_sent"}, {"outcome": "not_sent"}]
    made.occurrence.save()
    factories.DeliveryFactory(occurrence=made.occurrence, channel=channel, recipient="b", created_at=NOW)
    (event,) = overview(workspace, NOW, UTC).events
    assert event.title == f"Run {made.occurrence.source_id} failed"
    assert event.counts == ((1, "delivered"), (1, "on the way"), (2, "not sent"))
    assert (event.tile, event.icon) == ("run_failed", "circle-x")


def test_a_cancelled_run_is_listed_too(workspace, project):
    factories.OccurrenceFactory(project=project, fired="", facts={"id": "r", "status": "cancelled"})
    (event,) = overview(workspace, NOW, UTC).events
    assert (event.title, event.counts) == ("Run r was cancelled", ())


def test_other_workspaces_count_for_nothing(workspace):
    stranger = factories.ChannelFactory()
    delivered(stranger, timedelta(minutes=1))
    shown = overview(workspace, NOW, UTC)
    assert (shown.delivered, shown.channels, shown.events) == (0, 0, ())


def test_the_number_of_queries_does_not_grow(workspace, project, django_assert_num_queries):
    for number in range(CHANNELS_SHOWN + 4):
        busy = factories.ChannelFactory(project=project, enabled=number % 2 == 0)
        delivered(busy, timedelta(hours=number))
    workspace = type(workspace).objects.select_related("plan").get(pk=workspace.pk)
    with django_assert_num_queries(9):
        shown = overview(workspace, NOW, UTC)
    assert (len(shown.lines), len(shown.events)) == (CHANNELS_SHOWN, EVENTS_SHOWN)
