"""The numbers of the overview, by the hour and by the day."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from notifications.models import ChannelHour, Delivery, DeliveryHour, DeliveryStatus
from notifications.selectors import overview as selector
from notifications.selectors.health import ChannelHealth
from notifications.selectors.overview import CHANNELS_SHOWN, EVENTS_SHOWN, overview
from notifications.windows import Range, hour_number
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


def counted(channel, moment, delivered, failed=0):
    """As `services.hours` leaves an hour; the deliveries themselves may be gone."""
    hour = {"hour": hour_number(moment), "delivered": delivered, "failed": failed}
    DeliveryHour.objects.create(workspace=channel.project.workspace, **hour)
    ChannelHour.objects.create(channel=channel, **hour)


def test_hours_that_were_counted_come_from_their_totals(workspace, channel):
    counted(channel, NOW - timedelta(hours=30), 5)
    counted(channel, NOW - timedelta(hours=3), 7, 2)
    delivered(channel, timedelta(hours=3))  # counted already
    delivered(channel, timedelta(hours=2))
    failed(channel, timedelta(hours=2))
    shown = overview(workspace, NOW, UTC)
    assert (shown.delivered, shown.failed, shown.delivered_before) == (8, 3, 5)
    assert [(part.delivered, part.failed) for part in shown.parts[-4:]] == [(7, 2), (1, 1), (0, 0), (0, 0)]
    (line,) = shown.lines
    assert (line.parts[-4:], line.failed) == ((7, 1, 0, 0), 3)


def test_a_week_is_cut_into_the_readers_days(workspace, channel):
    berlin = ZoneInfo("Europe/Berlin")
    counted(channel, datetime(2026, 4, 14, 22, tzinfo=UTC), 1)  # the 15th in Berlin: compared with
    counted(channel, datetime(2026, 4, 21, 10, tzinfo=UTC), 2)
    counted(channel, datetime(2026, 4, 21, 11, tzinfo=UTC), 4)  # later in the day than now: neither
    counted(channel, datetime(2026, 4, 21, 22, tzinfo=UTC), 8)  # the 22nd in Berlin
    counted(channel, datetime(2026, 4, 27, 21, tzinfo=UTC), 16, 3)
    delivered(channel, timedelta(hours=1))
    shown = overview(workspace, NOW, berlin, Range.WEEK)
    assert [(part.delivered, part.failed) for part in shown.parts] == [(8, 0), *[(0, 0)] * 4, (16, 3), (1, 0)]
    assert [part.start.astimezone(berlin).day for part in shown.parts] == [*range(22, 29)]
    assert (shown.delivered_before, shown.success_rate) == (3, "89.2")
    assert shown.lines[0].parts == (8, 0, 0, 0, 0, 16, 1)


def test_a_month_shows_what_the_plans_history_does(workspace, channel):
    counted(channel, NOW - timedelta(days=40), 1)
    counted(channel, NOW - timedelta(days=20), 2)
    counted(channel, NOW - timedelta(days=2), 4)
    month = overview(workspace, NOW, UTC, Range.MONTH)
    assert (month.delivered, month.delivered_before, len(month.parts)) == (6, 1, 30)
    workspace.plan.history_days = 15
    month = overview(workspace, NOW, UTC, Range.MONTH)
    assert (month.delivered, month.delivered_before, len(month.parts)) == (4, 2, 15)


def test_p95_is_of_the_newest_where_there_are_many(workspace, channel, monkeypatch):
    monkeypatch.setattr(selector, "P95_OF", 10)
    for number in range(20):
        delivered(channel, timedelta(minutes=number + 1), timedelta(milliseconds=100 + number))
    shown = overview(workspace, NOW, UTC, Range.WEEK)
    assert (shown.p95_ms, shown.p95_of) == (109, 10)


def test_p95_is_of_what_is_still_kept(workspace, channel):
    counted(channel, NOW - timedelta(days=5), 500)
    assert overview(workspace, NOW, UTC, Range.WEEK).p95_ms is None
    delivered(channel, timedelta(minutes=5), timedelta(milliseconds=212))
    week = overview(workspace, NOW, UTC, Range.WEEK)
    assert (week.p95_ms, week.p95_of, week.delivered) == (212, 1, 501)


def test_the_channel_that_all_failures_are_of_is_named(workspace, project, channel):
    other = factories.ChannelFactory(project=project)
    failed(channel, timedelta(hours=1))
    assert overview(workspace, NOW, UTC).failed_at is None
    failed(channel, timedelta(hours=2))
    assert overview(workspace, NOW, UTC).failed_at == channel
    failed(other, timedelta(hours=2))
    assert overview(workspace, NOW, UTC).failed_at is None


@pytest.mark.parametrize("chosen", Range)
def test_the_number_of_queries_does_not_grow(workspace, project, django_assert_num_queries, chosen):
    for number in range(CHANNELS_SHOWN + 4):
        busy = factories.ChannelFactory(project=project, enabled=number % 2 == 0)
        delivered(busy, timedelta(hours=number))
        counted(busy, NOW - timedelta(days=number + 1), 3)
    workspace = type(workspace).objects.select_related("plan").get(pk=workspace.pk)
    with django_assert_num_queries(10):
        shown = overview(workspace, NOW, UTC, chosen)
    assert (len(shown.lines), len(shown.events)) == (CHANNELS_SHOWN, EVENTS_SHOWN)
