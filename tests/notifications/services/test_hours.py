"""Counting deliveries by the hour."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from aegisnotify.ids import uuid7_floor
from notifications.models import ChannelHour, Delivery, DeliveryHour, DeliveryStatus
from notifications.services import hours
from notifications.services.channels import delete_channel
from notifications.services.closing import delete_closed_workspaces
from notifications.services.deliveries import redeliver
from notifications.services.hours import CHANNELS_KEPT, KEPT, count_hours
from notifications.services.recovery import start_recovery, work_on_recoveries
from notifications.windows import hour_number
from projects.actors import SYSTEM
from tests import factories

NOW = datetime(2026, 4, 28, 10, 42, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def channel(project):
    return factories.ChannelFactory(project=project)


def made(channel, ago, status="delivered", **fields):
    created = NOW - ago
    # As intake does: the id is of the same moment.
    key = uuid.UUID(int=uuid7_floor(created).int | uuid.uuid4().int & (1 << 60) - 1)
    finished = status in ("delivered", "failed", "cancelled")
    return factories.DeliveryFactory(
        pk=key,
        occurrence=factories.OccurrenceFactory(project=channel.project, received_at=created),
        channel=channel,
        status=status,
        next_at=None if finished or status == "held" else NOW,
        created_at=created,
        delivered_at=created if status == "delivered" else None,
        **fields,
    )


def counted():
    first = hour_number(NOW)
    rows = DeliveryHour.objects.order_by("-hour").values_list("hour", "delivered", "failed")
    return [(first - hour, delivered, failed) for hour, delivered, failed in rows]


def of_channel(channel):
    rows = ChannelHour.objects.filter(channel=channel).order_by("-hour").values_list("hour", "delivered", "failed")
    return [(hour_number(NOW) - hour, delivered, failed) for hour, delivered, failed in rows]


def test_an_hour_is_counted_when_it_is_over(channel, clock):
    made(channel, timedelta(minutes=30))
    made(channel, HOUR)
    made(channel, HOUR, "failed")
    made(channel, HOUR, "cancelled")
    assert count_hours() == 1
    assert counted() == [(1, 1, 1)]
    assert of_channel(channel) == [(1, 1, 1)]
    clock.shift(20 * timedelta(minutes=1))
    count_hours()
    assert counted() == [(0, 1, 0), (1, 1, 1)]


def test_an_hour_that_ended_a_minute_ago_waits_for_what_is_being_committed(channel, clock):
    made(channel, HOUR)
    clock.move_to(NOW.replace(minute=1))
    assert count_hours() == 0
    clock.move_to(NOW.replace(minute=2))
    assert count_hours() == 1


def test_all_that_is_kept_is_counted_and_nothing_in_between(channel):
    ago = (1, 40, 700, KEPT - 2)
    for each in ago:
        made(channel, each * HOUR)
    made(channel, (KEPT + 30) * HOUR)
    assert count_hours() == len(ago)
    assert [hour for hour, *_ in counted()] == list(ago)
    assert count_hours() == 0


def test_the_oldest_come_first_when_the_time_is_short(channel, monkeypatch):
    for each in (1, 2, 3):
        made(channel, each * HOUR)
    ticks = iter([0.0, 0.0, 9.0])
    monkeypatch.setattr(hours.time, "monotonic", lambda: next(ticks, 9.0))
    assert count_hours(seconds=5) == 1
    assert [hour for hour, *_ in counted()] == [3]
    monkeypatch.undo()
    count_hours()
    assert [hour for hour, *_ in counted()] == [1, 2, 3]


def test_workspaces_and_channels_are_counted_apart(channel):
    stranger = factories.ChannelFactory()
    made(channel, HOUR)
    made(channel, HOUR)
    made(stranger, HOUR, "failed")
    count_hours()
    rows = DeliveryHour.objects.values_list("workspace", "delivered", "failed")
    assert set(rows) == {(channel.project.workspace_id, 2, 0), (stranger.project.workspace_id, 0, 1)}
    assert of_channel(stranger) == [(1, 0, 1)]


def test_a_deleted_channel_leaves_the_workspaces_numbers(channel):
    made(channel, HOUR)
    count_hours()
    channel.delete()
    assert counted() == [(1, 1, 0)]
    assert ChannelHour.objects.count() == 0


def test_what_was_committed_late_is_found_by_the_second_look(channel, clock):
    made(channel, HOUR)
    count_hours()
    made(channel, HOUR)
    clock.shift(hours.SECOND_LOOK)
    assert count_hours() == 1
    assert counted() == [(1, 2, 0)]
    assert DeliveryHour.objects.get().recount_at is None


def test_what_was_committed_late_is_found_where_nothing_else_was_made_in_the_hour(channel, clock):
    stranger = factories.ChannelFactory()
    made(channel, HOUR)
    made(stranger, 3 * HOUR)
    count_hours()
    made(stranger, HOUR)
    clock.shift(hours.SECOND_LOOK)
    count_hours()
    assert of_channel(stranger) == [(1, 1, 0), (3, 1, 0)]
    rows = DeliveryHour.objects.filter(workspace=stranger.project.workspace).order_by("-hour")
    assert list(rows.values_list("delivered", "recount_at")) == [(1, None), (1, None)]


def test_the_last_hours_do_not_wait_for_many_old_ones(channel, clock, monkeypatch):
    for each in range(1, 6):
        made(channel, each * HOUR, "retrying")
    count_hours()
    Delivery.objects.update(status="delivered", next_at=None, delivered_at=NOW)
    clock.shift(hours.SECOND_LOOK)
    monkeypatch.setattr(hours, "AT_ONCE", 2)
    count_hours()
    assert counted() == [(1, 1, 0), (2, 1, 0), (3, 0, 0), (4, 0, 0), (5, 0, 0)]


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_what_is_being_counted(channel, clock, monkeypatch):
    made(channel, HOUR)
    find, locked = hours._found, []

    def watched(*args):
        locked.append(connection.in_atomic_block)
        return find(*args)

    monkeypatch.setattr(hours, "_found", watched)
    count_hours()
    clock.shift(hours.SECOND_LOOK)
    count_hours()
    assert locked == [False, False]


@pytest.mark.django_db(transaction=True)
def test_a_channel_that_is_deleted_while_an_hour_is_counted_stops_nothing(project, monkeypatch, clock):
    kept, *gone = (factories.ChannelFactory(project=project) for _ in range(3))
    for each in (kept, *gone):
        made(each, HOUR)
    find = hours._found

    def find_and_lose_a_channel(*args):
        found = find(*args)
        if gone:
            delete_channel(SYSTEM, gone.pop())
        return found

    monkeypatch.setattr(hours, "_found", find_and_lose_a_channel)
    count_hours()
    assert counted() == [(1, 3, 0)]
    assert [row.channel for row in ChannelHour.objects.all()] == [kept]
    gone.append(factories.ChannelFactory(project=project))
    made(gone[0], HOUR)
    clock.shift(hours.SECOND_LOOK)
    count_hours()
    count_hours()
    assert counted() == [(1, 4, 0)]
    assert [row.channel for row in ChannelHour.objects.all()] == [kept]


def test_unfinished_ones_are_counted_when_they_are_finished(channel, clock):
    waiting = made(channel, HOUR, "retrying")
    count_hours()
    assert counted() == [(1, 0, 0)]
    clock.shift(hours.SECOND_LOOK)
    count_hours()
    assert DeliveryHour.objects.get().recount_at > NOW + hours.SECOND_LOOK
    Delivery.objects.filter(pk=waiting.pk).update(status="failed", next_at=None)
    clock.shift(hours.SELDOM)
    count_hours()
    assert counted()[-1] == (1, 0, 1)
    assert of_channel(channel)[-1] == (1, 0, 1)
    assert DeliveryHour.objects.get().recount_at is None


def settled(clock):
    count_hours()
    clock.shift(hours.SECOND_LOOK)
    count_hours()
    assert not DeliveryHour.objects.exclude(recount_at=None).exists()


def test_a_redelivered_one_is_counted_again(channel, clock):
    failed = made(channel, 5 * HOUR, "failed")
    settled(clock)
    redeliver(SYSTEM, failed)
    Delivery.objects.filter(pk=failed.pk).update(status=DeliveryStatus.DELIVERED, next_at=None, delivered_at=NOW)
    clock.shift(hours.SOON)
    count_hours()
    assert counted() == [(5, 1, 0)]
    assert of_channel(channel) == [(5, 1, 0)]


def test_recovered_ones_are_counted_again(channel, clock):
    made(channel, 5 * HOUR, "failed")
    made(channel, 30 * HOUR, "failed")
    settled(clock)
    start_recovery(SYSTEM, channel, NOW - 48 * HOUR)
    work_on_recoveries()
    clock.shift(hours.SOON)
    assert count_hours() == 2
    assert counted() == [(5, 0, 0), (30, 0, 0)]


def test_what_is_started_anew_while_it_is_counted_is_counted_once_more(channel, clock, monkeypatch):
    failed = made(channel, HOUR, "failed")
    count_hours()
    clock.shift(hours.SECOND_LOOK)
    find = hours._found

    def meanwhile(*args):
        found = find(*args)
        redeliver(SYSTEM, failed)
        return found

    monkeypatch.setattr(hours, "_found", meanwhile)
    count_hours()
    assert DeliveryHour.objects.get().recount_at == NOW + hours.SECOND_LOOK + hours.SOON


def test_what_the_plans_history_has_deleted_stays_counted(channel, clock, workspace):
    workspace.plan.history_days = 7
    workspace.plan.save()
    old, kept = made(channel, 17 * 24 * HOUR), made(channel, 10 * 24 * HOUR)
    made(channel, 10 * 24 * HOUR)
    count_hours()
    old.delete()
    kept.delete()
    clock.shift(hours.SECOND_LOOK)
    count_hours()
    assert [row[1:] for row in counted()] == [(1, 0), (1, 0)]
    assert not DeliveryHour.objects.exclude(recount_at=None).exists()


def test_totals_are_kept_as_long_as_the_longest_range_needs_them(channel, workspace):
    for model, owner, kept in (
        (DeliveryHour, {"workspace": workspace}, KEPT),
        (ChannelHour, {"channel": channel}, CHANNELS_KEPT),
    ):
        for ago in (kept, kept + 1):
            model.objects.create(**owner, hour=hour_number(NOW) - ago, delivered=1, failed=0)
        count_hours()
        assert [row.hour for row in model.objects.all()] == [hour_number(NOW) - kept]


@pytest.mark.django_db(transaction=True)
def test_they_go_with_their_workspace(channel, workspace):
    made(channel, HOUR)
    count_hours()
    workspace.closed_at = NOW
    workspace.save()
    assert delete_closed_workspaces() == 1
    assert (DeliveryHour.objects.count(), ChannelHour.objects.count()) == (0, 0)


def test_the_number_of_queries_depends_on_the_hours_alone(channel, django_assert_num_queries):
    for number in range(30):
        made(factories.ChannelFactory(project=channel.project), (1 + number % 2) * HOUR)
    # Twice: which hour, what is in it, and both tables between the ends of a savepoint. Five around that.
    with django_assert_num_queries(17):
        assert count_hours() == 2
