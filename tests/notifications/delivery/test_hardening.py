"""The engine against receivers and deliveries that misbehave."""

import itertools
import threading
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
from notifications.delivery.engine import Engine
from notifications.delivery.health import Heard
from notifications.delivery.recording import write_health
from notifications.delivery.released import release_what_is_left
from notifications.models import Channel, Delivery, DeliveryStatus
from notifications.services.pausing import resume_channel
from projects.actors import SYSTEM
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

    def test_what_piles_up_behind_it_looks_again_by_its_age_and_one_in_time_for_the_probe(self):
        channel = ChannelFactory(breaker_open_until=now() + HOLD)
        old = now() - timedelta(hours=4)
        rows = deliveries(channel, 3, created_at=old, next_at=now())
        run(transport())
        waits = sorted(Delivery.objects.values_list("next_at", flat=True))
        assert waits[0] == channel.breaker_open_until
        assert all(wait > now() + timedelta(minutes=29) for wait in waits[1:])
        assert len(waits) == len(rows)

    def test_what_waits_for_it_is_due_when_it_closes(self, django_capture_on_commit_callbacks):
        channel = ChannelFactory(breaker_open_until=now() + HOLD)
        deliveries(channel, 2, created_at=now() - timedelta(hours=4))
        deliveries(channel, 1, created_at=now() - timedelta(hours=4), status="retrying", attempt_count=3)
        run(transport())
        late = Delivery.objects.filter(next_at__gt=now() + timedelta(minutes=20))
        assert late.count() == 2
        # One that failed waits on its own ladder, one for a slot.
        (on_its_ladder,) = deliveries(channel, 1, status="retrying", next_at=now() + timedelta(hours=1))
        (for_its_slot,) = deliveries(channel, 1, next_at=now() + timedelta(hours=1))
        with time_machine.travel(now() + HOLD, tick=True):
            with django_capture_on_commit_callbacks(execute=True):
                run(transport())
            assert set(late.values_list("pk", flat=True)) == {on_its_ladder.pk, for_its_slot.pk}
            assert Delivery.objects.filter(next_at__lte=now()).count() == 2
            run(transport())
        assert Delivery.objects.filter(status=DeliveryStatus.DELIVERED).count() == 3
        assert not Delivery.objects.filter(behind_breaker=True).exists()

    def test_what_is_more_than_a_batch_follows(self, monkeypatch):
        monkeypatch.setattr(outbox, "RELEASED", 2)
        closed, opened = ChannelFactory(), ChannelFactory(breaker_open_until=now() + HOLD)
        for channel in (closed, opened):
            deliveries(channel, 5, behind_breaker=True, next_at=now() + timedelta(hours=1))
        (on_its_ladder,) = deliveries(closed, 1, status="retrying", next_at=now() + timedelta(hours=1))
        assert outbox.release(closed.pk, now(), most=2) == 2
        assert release_what_is_left() == 3
        assert release_what_is_left() == 0
        due = Delivery.objects.filter(next_at__lte=now())
        assert set(due.values_list("channel", flat=True)) == {closed.pk}
        assert due.count() == 5
        on_its_ladder.refresh_from_db()
        assert on_its_ladder.next_at > now()

    def test_resuming_by_hand_lets_everything_follow_that_waited_for_it(self, django_capture_on_commit_callbacks):
        channel = ChannelFactory(breaker_open_until=now() + HOLD, suspended_at=now())
        deliveries(channel, 1, status="retrying", behind_breaker=True, next_at=now() + timedelta(hours=1))
        (on_its_ladder,) = deliveries(channel, 1, status="retrying", next_at=now() + timedelta(hours=1))
        with django_capture_on_commit_callbacks(execute=True):
            resume_channel(SYSTEM, channel)
        (left,) = Delivery.objects.filter(next_at__gt=now())
        assert left == on_its_ladder

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
    def claimed_by_the_dead(self, interruptions, begun=True, **fields):
        row = DeliveryFactory(**fields)
        Delivery.objects.filter(pk=row.pk).update(
            status=DeliveryStatus.SENDING,
            lease_token=row.pk,
            next_at=now() - timedelta(seconds=1),
            attempt_count=interruptions + 1,
            interruptions=interruptions,
            begun=begun,
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

    def test_from_the_first_batch_on_it_takes_five_deaths(self, monkeypatch):
        """Its process dies under it, and with it everything that the process knew."""
        (poison,), others = deliveries(ChannelFactory(), 1), deliveries(ChannelFactory(), 3)
        deaths = 0

        class Died(BaseException):
            pass

        def die(rows):
            if any(row.pk == poison.pk for row in rows):
                raise Died
            return prepare(rows)

        prepare = preparing.prepare
        monkeypatch.setattr("notifications.delivery.engine.prepare", die)
        with time_machine.travel(now(), tick=True) as clock:
            for _ in range(30):
                poison.refresh_from_db()
                if poison.interruptions == 4 and poison.begun:
                    monkeypatch.setattr("notifications.delivery.engine.prepare", prepare)
                try:
                    run(transport())
                except Died:
                    deaths += 1
                clock.shift(outbox.LEASE)
        poison.refresh_from_db()
        assert (poison.status, deaths) == (DeliveryStatus.FAILED, 5)
        assert [attempt.outcome for attempt in poison.attempts.all()] == ["interrupted"] * 5
        for row in others:
            row.refresh_from_db()
            assert row.status == DeliveryStatus.DELIVERED

    def test_what_was_claimed_by_the_dead_and_not_begun_counts_as_no_try(self):
        row = self.claimed_by_the_dead(4, begun=False)
        (claimed,) = _claim()
        assert (claimed.interruptions, claimed.interrupted, claimed.attempt_count) == (4, False, 5)
        Delivery.objects.filter(pk=row.pk).update(next_at=now() - timedelta(seconds=1))
        made = transport()
        run(made)
        row.refresh_from_db()
        assert (row.status, row.interruptions, row.attempt_count) == (DeliveryStatus.DELIVERED, 0, 5)
        assert [attempt.outcome for attempt in row.attempts.all()] == ["ok"]

    def test_suspects_are_tried_one_at_a_time(self):
        rows = [self.claimed_by_the_dead(1), self.claimed_by_the_dead(1)]
        engine = Engine(threads=1, make_transport=transport)
        assert engine._claim()
        assert len(engine._held) == 1
        (waiting,) = Delivery.objects.exclude(pk__in=engine._held)
        assert waiting.pk in {row.pk for row in rows}
        assert (waiting.status, waiting.attempt_count, waiting.interruptions) == (DeliveryStatus.RETRYING, 2, 2)
        # The other has its turn when the first one is done.
        Delivery.objects.filter(pk=waiting.pk).update(next_at=now())
        assert engine._claim()
        assert waiting.pk not in engine._held
        engine.run(budget=5, linger=0.3, wait_for_retries=False)
        assert set(Delivery.objects.values_list("status", flat=True)) == {DeliveryStatus.DELIVERED}

    def test_a_suspect_that_no_sender_would_take_at_once_is_not_begun(self):
        row = self.claimed_by_the_dead(2)
        engine = Engine(threads=2, make_transport=transport)
        host = preparing.prepare([row])[0].host
        for number in range(2):
            engine._queues.put(host, number)
            engine._queues.take()
        assert engine._claim()
        row.refresh_from_db()
        assert (row.status, row.interruptions, row.attempt_count) == (DeliveryStatus.RETRYING, 3, 3)
        assert now() < row.next_at <= now() + timedelta(seconds=1)

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


class TestLeases:
    def claimed(self, engine, rows):
        """The engine after a claim, with nothing sent yet."""
        assert engine._claim()
        assert engine._held.keys() == {row.pk for row in rows}

    def test_what_waits_here_is_renewed_and_not_claimed_again_after_the_database_was_away(self):
        rows = deliveries(ChannelFactory(), 3)
        engine = Engine(threads=2, make_transport=transport)
        self.claimed(engine, rows)
        Delivery.objects.update(next_at=now() - timedelta(seconds=1))
        engine._renewed -= 31
        assert not engine._claim()
        assert engine.summary.claimed == 3
        assert not Delivery.objects.filter(next_at__lt=now() + timedelta(seconds=25)).exists()

    def test_what_somebody_else_has_claimed_meanwhile_is_not_sent_here(self):
        rows = deliveries(ChannelFactory(), 2)
        made = transport()
        engine = Engine(threads=1, make_transport=lambda: made)
        self.claimed(engine, rows)
        taken, kept = rows
        Delivery.objects.filter(pk=taken.pk).update(lease_token=uuid.uuid4())
        engine._renewed -= 31
        engine.run(budget=5, linger=0.05, wait_for_retries=False)
        assert [headers["X-AegisRunner-Delivery"] for _, _, headers in made.http.posts] == [str(kept.pk)]
        taken.refresh_from_db()
        assert taken.status == DeliveryStatus.SENDING

    def test_nothing_is_sent_under_a_lease_that_may_have_ended(self):
        rows = deliveries(ChannelFactory(), 1)
        engine = Engine(threads=1, make_transport=transport)
        self.claimed(engine, rows)
        engine._renewed -= 31
        (prepared,) = engine._held.values()
        assert engine._send("example.com", prepared, transport()).tried is None

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"enabled": False}, DeliveryStatus.CANCELLED),
            ({"paused_until": now() + timedelta(hours=1)}, DeliveryStatus.CANCELLED),
            ({"target_fingerprint": "another"}, DeliveryStatus.DELIVERED),
        ],
    )
    def test_what_waits_for_long_heeds_what_became_of_its_channel(self, change, status):
        channel = ChannelFactory()
        (row,) = rows = deliveries(channel, 1)
        made = transport()
        engine = Engine(threads=1, make_transport=lambda: made)
        self.claimed(engine, rows)
        url = f"{channel.config['url']}/new"
        Channel.objects.filter(pk=channel.pk).update(**change, config={**channel.config, "url": url})
        engine._renewed -= 11
        engine._renew()
        engine.run(budget=5, linger=0.05, wait_for_retries=False)
        row.refresh_from_db()
        assert row.status == status
        assert [post[0] for post in made.http.posts] == ([url] if status == DeliveryStatus.DELIVERED else [])


def test_a_result_that_can_not_be_stored_takes_none_along(monkeypatch, caplog):
    bad, good = deliveries(ChannelFactory(), 2)
    settle = outbox.settle

    def settle_all_but_bad(token, results, attempts=()):
        if any(attempt.delivery_id == bad.pk for attempt in attempts):
            raise ValueError("no text that a database takes")
        return settle(token, results, attempts)

    monkeypatch.setattr(outbox, "settle", settle_all_but_bad)
    made = transport()
    run(made)
    for row in (bad, good):
        row.refresh_from_db()
    assert (bad.status, good.status) == (DeliveryStatus.DELIVERED, DeliveryStatus.DELIVERED)
    assert "could not be stored" in bad.status_reason
    assert (bad.attempts.count(), good.attempts.count()) == (0, 1)
    assert len(made.http.posts) == 2
    assert "could not be stored" in caplog.text


class TestNotPrepared:
    def test_one_that_can_not_be_prepared_fails_alone(self, monkeypatch, caplog):
        bad, good = deliveries(ChannelFactory(), 2)
        job = preparing._job
        monkeypatch.setattr(preparing, "_job", lambda row, *rest: 1 / 0 if row.pk == bad.pk else job(row, *rest))
        run(transport())
        for row in (bad, good):
            row.refresh_from_db()
        assert (bad.status, good.status) == (DeliveryStatus.FAILED, DeliveryStatus.DELIVERED)
        assert "fault of ours" in bad.status_reason
        assert "could not be prepared" in caplog.text

    def test_a_channel_deleted_while_its_new_secret_comes_due_stops_nobody(self, monkeypatch):
        moment = now() - timedelta(seconds=1)
        channel = ChannelFactory(secret_activates_at=moment)
        (row,), (other,) = deliveries(channel, 1), deliveries(ChannelFactory(), 1)

        def gone(channel):
            raise Channel.DoesNotExist

        monkeypatch.setattr(preparing, "activate_due_secret", gone)
        run(transport())
        for each in (row, other):
            each.refresh_from_db()
        assert (row.status_reason, other.status) == ("channel_deleted", DeliveryStatus.DELIVERED)


@pytest.mark.django_db(transaction=True)
def test_a_project_deleted_during_a_try_costs_the_others_nothing():
    channel, other = ChannelFactory(), ChannelFactory()
    deliveries(channel, 1)
    (row,) = deliveries(other, 1)
    engine = Engine(threads=1, make_transport=transport)
    assert engine._claim()
    channel.project.delete()
    engine.run(budget=5, linger=0.05, wait_for_retries=False)
    row.refresh_from_db()
    assert row.status == DeliveryStatus.DELIVERED
    assert [attempt.outcome for attempt in row.attempts.all()] == ["ok"]


class TestQuiet:
    def test_a_channel_that_was_put_to_work_again_is_sent_to_at_once(self):
        channel = ChannelFactory()
        deliveries(channel, 1)
        made = transport(Answer(status=429, headers={"retry-after": "3600"}), Answer(status=200))
        engine = Engine(threads=1, make_transport=lambda: made)
        threading.Thread(target=engine._send_jobs, daemon=True).start()
        engine._claim()
        while not engine._settle(wait=1):
            pass
        engine._quiet.heed(engine._health.write())
        Channel.objects.filter(pk=channel.pk).update(not_before=None)
        (row,) = deliveries(channel, 1)
        engine.run(budget=5, linger=0.05, wait_for_retries=False)
        row.refresh_from_db()
        assert row.status == DeliveryStatus.DELIVERED

    def test_a_new_url_is_sent_to_whatever_the_old_one_asked_for(self):
        channel = ChannelFactory(target_fingerprint="old")
        deliveries(channel, 1)
        made = transport(Answer(status=429, headers={"retry-after": "3600"}), Answer(status=200))
        engine = Engine(threads=1, make_transport=lambda: made)
        threading.Thread(target=engine._send_jobs, daemon=True).start()
        engine._claim()
        # Its owner replaces the URL before the answer is written to the channel's row.
        Channel.objects.filter(pk=channel.pk).update(target_fingerprint="new")
        while not engine._settle(wait=1):
            pass
        (row,) = deliveries(channel, 1)
        engine.run(budget=5, linger=0.05, wait_for_retries=False)
        row.refresh_from_db()
        assert row.status == DeliveryStatus.DELIVERED

    def test_a_limit_of_our_address_holds_all_channels_of_the_host(self):
        project = ChannelFactory(kind="discord", key="first", target_host="discord.com").project
        second = ChannelFactory(kind="discord", key="second", target_host="discord.com", project=project)
        slack = ChannelFactory(kind="slack", key="slack", target_host="hooks.slack.com", project=project)
        first = project.channels.get(key="first")
        rows = [*deliveries(first, 1, body=""), *deliveries(second, 1, body=""), *deliveries(slack, 1, body="{}")]
        limited = Answer(status=429, body='{"message": "limited", "retry_after": 120, "global": true}')
        made = transport(lambda url: Answer(status=200, body="ok") if "slack" in url else limited)
        engine = Engine(threads=1, make_transport=lambda: made)
        engine.run(budget=5, linger=0.05, wait_for_retries=False)
        assert sum("discord" in post[0] for post in made.http.posts) == 1
        for row in rows:
            row.refresh_from_db()
        # Rows made in one millisecond are claimed in any order: either of the two may be the one that was posted.
        assert {row.status for row in rows[:2]} == {DeliveryStatus.RETRYING, DeliveryStatus.PENDING}
        assert rows[2].status == DeliveryStatus.DELIVERED
        for channel in (first, second, slack):
            channel.refresh_from_db()
        assert first.not_before > now() + timedelta(seconds=100)
        assert second.not_before > now() + timedelta(seconds=100)
        assert slack.not_before is None
