"""The engine against receivers and deliveries that misbehave."""

import itertools
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from aegisnotify.clock import now
from notifications.channels import registry
from notifications.channels.base import Answer, Reading, Trouble, Verdict
from notifications.delivery import outbox, preparing
from notifications.delivery.breaker import HOLD
from notifications.delivery.health import Heard
from notifications.delivery.recording import write_health
from notifications.models import Channel, Delivery, DeliveryStatus
from projects.models import AuditEntry
from tests.factories import ChannelFactory, DeliveryFactory, OccurrenceFactory
from tests.notifications.delivery.fakes import transport
from tests.notifications.delivery.test_engine import run

pytestmark = pytest.mark.django_db


def deliveries(channel, count, **fields):
    return [
        DeliveryFactory(channel=channel, occurrence=OccurrenceFactory(project=channel.project), **fields)
        for _ in range(count)
    ]


class TestBreaker:
    def test_a_channel_that_mostly_fails_is_held_without_using_up_tries(self):
        channel = ChannelFactory()
        deliveries(channel, 10)
        run(transport(Answer(status=500)))
        (waiting,) = deliveries(channel, 1)
        made = transport()
        run(made)
        assert made.http.posts == []
        waiting.refresh_from_db()
        assert (waiting.status, waiting.attempt_count) == (DeliveryStatus.PENDING, 0)
        assert now() < waiting.next_at <= now() + HOLD

    def test_after_30_seconds_one_probe_goes_and_a_good_one_lets_the_rest_follow(self):
        channel = ChannelFactory()
        deliveries(channel, 10)
        run(transport(Answer(status=500)))
        Delivery.objects.all().delete()
        with time_machine.travel(now() + HOLD + timedelta(seconds=1), tick=True) as clock:
            deliveries(channel, 3)
            made = transport(Answer(status=500))
            run(made)
            assert len(made.http.posts) == 1
            clock.shift(HOLD + timedelta(seconds=8))
            made = transport(Answer(status=200))
            run(made)
            assert len(made.http.posts) == 1, "the others were claimed beside the probe and wait for its answer"
            clock.shift(HOLD)
            run(made)
        assert set(Delivery.objects.values_list("status", flat=True)) == {DeliveryStatus.DELIVERED}

    def test_two_processes_share_one_probe(self):
        channel = ChannelFactory(breaker_open_until=now() - timedelta(seconds=1))
        (first,), (second,) = deliveries(channel, 1), deliveries(channel, 1)
        stale = preparing.prepare([first])[0]
        assert stale.job is not None
        other = preparing.prepare([second])[0]
        assert other.job is None
        assert other.settled.uncount


class TestPace:
    @pytest.fixture(autouse=True)
    def slow_pace(self, monkeypatch):
        """A pace that a slow machine can't overtake. Slack's own is asserted below."""
        assert registry.get("slack").pace == timedelta(seconds=1)
        monkeypatch.setattr(type(registry.get("slack")), "pace", timedelta(minutes=1))

    def test_a_paced_target_gets_its_messages_one_after_the_other(self):
        channel = ChannelFactory(kind="slack", key="slack")
        rows = deliveries(channel, 4, body="{}")
        made = transport(Answer(status=200, body="ok"))
        run(made)
        assert len(made.http.posts) == 1
        waits = sorted(Delivery.objects.filter(status="pending").values_list("next_at", flat=True))
        assert [later - earlier for earlier, later in itertools.pairwise(waits)] == [timedelta(minutes=1)] * 2
        with time_machine.travel(now(), tick=True) as clock:
            for sent in (2, 3, 4):
                clock.shift(timedelta(minutes=1))
                run(made)
                assert len(made.http.posts) == sent
        assert len(made.http.posts) == len(rows)

    def test_channels_that_share_a_url_share_its_pace(self):
        one = ChannelFactory(kind="slack", key="one", target_fingerprint="f" * 64)
        two = ChannelFactory(kind="slack", key="two", target_fingerprint="f" * 64)
        deliveries(one, 1, body="{}")
        deliveries(two, 1, body="{}")
        made = transport(Answer(status=200, body="ok"))
        run(made)
        assert len(made.http.posts) == 1

    def test_a_slot_that_passed_long_ago_is_not_used_for_a_burst(self):
        channel = ChannelFactory(kind="slack", key="slack")
        deliveries(channel, 5, body="{}", slot_at=now() - timedelta(minutes=1))
        made = transport(Answer(status=200, body="ok"))
        run(made)
        assert len(made.http.posts) == 1

    def test_discord_is_left_alone_when_its_answer_says_that_nothing_remains(self):
        channel = ChannelFactory(kind="discord", key="discord")
        deliveries(channel, 3, body="{}")
        answer = Answer(status=200, body="{}", headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "1.5"})
        made = transport(answer)
        run(made, linger=0.05)
        assert len(made.http.posts) <= 2, "two threads may have been under way at once"
        channel.refresh_from_db()
        assert channel.not_before > now()


class TestPoison:
    def claimed_by_the_dead(self, interruptions, **fields):
        row = DeliveryFactory(**fields)
        Delivery.objects.filter(pk=row.pk).update(
            status=DeliveryStatus.SENDING,
            lease_token=row.pk,
            next_at=now() - timedelta(seconds=1),
            attempt_count=interruptions + 1,
            interruptions=interruptions,
        )
        return row

    def test_a_delivery_that_kills_its_process_again_and_again_ends_as_failed(self):
        row = self.claimed_by_the_dead(4)
        made = transport()
        run(made)
        assert made.http.posts == []
        row.refresh_from_db()
        assert row.status == DeliveryStatus.FAILED
        assert "died 5 times in a row" in row.status_reason

    def test_suspects_are_tried_one_at_a_time(self):
        rows = [self.claimed_by_the_dead(1), self.claimed_by_the_dead(1)]
        prepared = preparing.prepare(_claim())
        assert sum(item.job is not None for item in prepared) == 1
        (waiting,) = [item.settled for item in prepared if item.settled is not None]
        assert waiting.uncount
        assert waiting.id in {row.pk for row in rows}

    def test_an_innocent_one_is_delivered_and_its_count_forgotten(self):
        row = self.claimed_by_the_dead(3)
        run(transport())
        row.refresh_from_db()
        assert (row.status, row.interruptions) == (DeliveryStatus.DELIVERED, 0)


def _claim():
    return outbox.claim(10, uuid.uuid4(), now())


class TestFailingForDays:
    def test_a_webhook_that_only_failed_for_five_days_is_suspended(self):
        start = now()
        channel = ChannelFactory(first_failure_at=start - timedelta(days=6), failing_since=start - timedelta(days=5))
        deliveries(channel, 1)
        run(transport(Answer(status=500)))
        channel.refresh_from_db()
        assert channel.suspended_at is not None
        assert "only failed since" in channel.suspended_reason
        assert AuditEntry.objects.filter(action="channel.suspended", source="system").exists()

    def test_a_success_stops_the_clock(self):
        channel = ChannelFactory(
            first_failure_at=now() - timedelta(days=4), failing_since=now() - timedelta(days=3), warned_stage="half"
        )
        deliveries(channel, 1)
        run(transport(Answer(status=200)))
        channel.refresh_from_db()
        assert (channel.first_failure_at, channel.failing_since, channel.warned_stage) == (None, None, "")

    def test_a_redelivery_of_something_old_may_be_limited_again(self):
        row = DeliveryFactory(created_at=now() - timedelta(days=30), restarted_at=now())
        run(transport(Answer(status=429)))
        row.refresh_from_db()
        assert row.status == DeliveryStatus.RETRYING


def test_a_healthy_channels_row_is_not_written_for_every_message(django_assert_max_num_queries):
    channel = ChannelFactory(last_success_at=now())
    deliveries(channel, 5)
    before = Channel.objects.get(pk=channel.pk).changed_at
    run(transport(Answer(status=200)))
    channel.refresh_from_db()
    assert channel.changed_at == before, "health is no change of a setting"
    assert channel.last_success_at is not None


def test_a_channel_that_no_key_opens_waits_and_stops_nobody_else(caplog):
    broken, fine = ChannelFactory(), ChannelFactory()
    with connection.cursor() as cursor:
        stored = Channel._meta.pk.get_db_prep_value(broken.pk, connection)
        cursor.execute(
            f"UPDATE {Channel._meta.db_table} SET config = 'encrypted by a lost key' WHERE id = %s", [stored]
        )
    (waiting,), (sent,) = deliveries(broken, 1), deliveries(fine, 1)
    made = transport()
    run(made)
    waiting.refresh_from_db()
    sent.refresh_from_db()
    assert (waiting.status, waiting.attempt_count) == (DeliveryStatus.PENDING, 0)
    assert sent.status == DeliveryStatus.DELIVERED
    assert "no key" in caplog.text


def test_our_own_faults_are_given_up_when_the_news_is_old():
    row = DeliveryFactory(created_at=now() - timedelta(days=5))
    run(transport(Answer(trouble=Trouble.OURS, detail="No file descriptors left.")))
    row.refresh_from_db()
    assert row.status == DeliveryStatus.FAILED


def test_a_gone_url_suspends_its_channel():
    channel = ChannelFactory(target_fingerprint="this")
    deliveries(channel, 1)
    run(transport(Answer(status=410)))
    channel.refresh_from_db()
    assert channel.suspended_at is not None


@pytest.mark.parametrize(
    "reading",
    [
        Reading(Verdict.FAILED, "It is gone.", gone=True),
        Reading(Verdict.RETRY, "It answered 500."),
        Reading(Verdict.OK, "Fine."),
    ],
)
def test_what_an_url_answered_that_was_replaced_meanwhile_says_nothing_of_the_new_one(reading):
    channel = ChannelFactory(target_fingerprint="new")
    write_health({channel.pk: [Heard(now(), reading, "old")]})
    channel.refresh_from_db()
    assert channel.suspended_at is None
    assert (channel.failures_in_a_row, channel.last_error, channel.last_success_at) == (0, "", None)
