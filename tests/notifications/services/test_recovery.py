"""Recovering what a channel missed."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection

from aegisnotify import bulk
from aegisnotify.clock import now
from notifications.intake import recording
from notifications.intake.recording import record
from notifications.models import Channel, Delivery, DeliveryStatus, Occurrence, RecoveryJob
from notifications.services import recovery
from notifications.services.deliveries import CANCELLED_BY_STAFF
from notifications.services.recovery import LATE, LEASE, start_recovery, work_on_recoveries
from projects.actors import SYSTEM
from projects.errors import Conflict, Invalid, PlanLimit
from tests.factories import ChannelFactory, DeliveryFactory, OccurrenceFactory
from tests.factories import plan as seeded_plan

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def hook(project):
    return ChannelFactory(project=project, key="webhook")


def report(project, number, status="failed"):
    payload = {"event": "run_completed", "project": project.slug, "run": {"id": f"run-{number}", "status": status}}
    return record(project.workspace, payload).occurrence


def recover(channel, since=HOUR):
    job = start_recovery(SYSTEM, channel, now() - since)
    work_on_recoveries()
    job.refresh_from_db()
    return job


def test_failed_and_cancelled_deliveries_start_again(hook):
    occurrence = OccurrenceFactory(project=hook.project)
    rows = {
        status: DeliveryFactory(
            channel=hook, occurrence=occurrence, event=f"e-{status}", status=status, next_at=None, step=5
        )
        for status in ("failed", "cancelled", "delivered", "held")
    }
    job = recover(hook)
    assert job.status == RecoveryJob.Status.DONE
    assert job.sent == 2
    for status, row in rows.items():
        row.refresh_from_db()
        if status in ("failed", "cancelled"):
            assert (row.status, row.step) == (DeliveryStatus.PENDING, 0)
            assert row.restarted_at is not None
        else:
            assert row.status == status


def test_what_a_pause_held_back_is_delivered_with_todays_url_and_told_in_the_trace(project, hook):
    Channel.objects.filter(pk=hook.pk).update(paused_until=now() + HOUR)
    occurrence = report(project, 1)
    assert not Delivery.objects.exists()
    Channel.objects.filter(pk=hook.pk).update(paused_until=None)
    job = recover(Channel.objects.get(pk=hook.pk))
    assert job.sent == 1
    delivery = Delivery.objects.get()
    assert (delivery.event, delivery.status, delivery.occurrence) == ("run_failed", DeliveryStatus.PENDING, occurrence)
    assert '"event":"run_failed"' in delivery.body
    occurrence.refresh_from_db()
    (decision,) = occurrence.decisions
    assert (decision["outcome"], decision["reason"]) == ("not_sent", "paused")
    assert decision["deliveries"] == [str(delivery.pk)]
    assert decision["recovered_at"]


def test_what_a_filter_or_a_switch_stopped_stays_stopped(project, hook):
    Channel.objects.filter(pk=hook.pk).update(enabled=False)
    report(project, 1)
    Channel.objects.filter(pk=hook.pk).update(enabled=True)
    report(project, 2, status="passed")
    assert recover(Channel.objects.get(pk=hook.pk)).sent == 0
    assert not Delivery.objects.exists()


def test_email_goes_to_those_who_may_be_written_to_today(project, people):
    channel = ChannelFactory(project=project, kind="email", key="email", paused_until=now() + HOUR)
    report(project, 1)
    Channel.objects.filter(pk=channel.pk).update(paused_until=None)
    recover(Channel.objects.get(pk=channel.pk))
    assert Delivery.objects.get().recipient == people.owner.email


def test_recovering_twice_sends_nothing_twice(project, hook):
    Channel.objects.filter(pk=hook.pk).update(paused_until=now() + HOUR)
    report(project, 1)
    Channel.objects.filter(pk=hook.pk).update(paused_until=None)
    channel = Channel.objects.get(pk=hook.pk)
    recover(channel)
    Delivery.objects.update(status=DeliveryStatus.DELIVERED, next_at=None, delivered_at=now())
    assert recover(channel).sent == 0
    assert Delivery.objects.count() == 1


def test_what_somebody_else_delivered_meanwhile_is_neither_counted_nor_noted(project, hook):
    Channel.objects.filter(pk=hook.pk).update(paused_until=now() + HOUR)
    occurrence = report(project, 1)
    Channel.objects.filter(pk=hook.pk).update(paused_until=None)
    there = DeliveryFactory(
        channel=hook, occurrence=occurrence, event="run_failed", status="delivered", next_at=None, delivered_at=now()
    )
    job = recover(Channel.objects.get(pk=hook.pk))
    new = Delivery.objects.exclude(pk=there.pk)
    assert job.sent == new.count()
    occurrence.refresh_from_db()
    (decision,) = (each for each in occurrence.decisions if each["channel_id"] == str(hook.pk))
    assert sorted(decision["deliveries"]) == sorted(str(row.pk) for row in Delivery.objects.all())


def test_a_step_that_can_not_be_done_ends_the_job_and_says_so(project, hook, caplog):
    occurrence = report(project, 1)
    broken = [{"channel_id": str(hook.pk), "recoverable": True, "deliveries": []}]
    Occurrence.objects.filter(pk=occurrence.pk).update(decisions=broken)
    job = recover(hook)
    assert job.status == RecoveryJob.Status.FAILED
    assert "fault of ours" in job.error
    assert job.finished_at is not None
    assert "could not be done" in caplog.text
    start_recovery(SYSTEM, hook, now() - HOUR)


def test_a_process_that_comes_back_after_its_lease_does_not_reopen_a_job(hook):
    DeliveryFactory(channel=hook, status="failed", next_at=None)
    start_recovery(SYSTEM, hook, now() - HOUR)
    stale = recovery._take()
    RecoveryJob.objects.update(status="failed", error="The channel is off.", finished_at=now())
    assert not recovery._step(stale)
    stale.refresh_from_db()
    assert (stale.status, stale.sent) == ("failed", 0)


def test_a_channel_that_is_deleted_under_a_job_ends_the_work_quietly(hook, caplog):
    start_recovery(SYSTEM, hook, now() - HOUR)
    taken = recovery._take()
    hook.delete()
    assert not recovery._step(taken)
    assert caplog.text == ""


def test_what_is_older_than_the_moment_or_younger_than_the_job_is_left_alone(hook):
    old = DeliveryFactory(channel=hook, status="failed", next_at=None, created_at=now() - 2 * HOUR)
    job = start_recovery(SYSTEM, hook, now() - HOUR)
    young = DeliveryFactory(channel=hook, status="failed", next_at=None, created_at=now() + timedelta(seconds=1))
    work_on_recoveries()
    job.refresh_from_db()
    assert job.sent == 0
    for row in (old, young):
        row.refresh_from_db()
        assert row.status == DeliveryStatus.FAILED


def test_progress_is_seen_step_by_step(hook, monkeypatch):
    monkeypatch.setattr(recovery, "STEP", 2)
    for _ in range(5):
        DeliveryFactory(channel=hook, occurrence__project=hook.project, status="failed", next_at=None)
    job = start_recovery(SYSTEM, hook, now() - HOUR)
    assert (job.total, job.done, job.status) == (10, 0, "queued")
    seen = []
    while work_on_recoveries(steps=1):
        job.refresh_from_db()
        seen.append(job.done)
    assert seen == [2, 4, 5, 7, 9, 10, 10]
    assert (job.status, job.sent) == ("done", 5)
    assert job.finished_at is not None


def test_one_job_at_a_time_per_channel(hook):
    start_recovery(SYSTEM, hook, now() - HOUR)
    with pytest.raises(Conflict):
        start_recovery(SYSTEM, hook, now() - HOUR)
    start_recovery(SYSTEM, ChannelFactory(), now() - HOUR)


def test_a_job_whose_process_died_is_taken_over_after_its_lease(hook):
    DeliveryFactory(channel=hook, status="failed", next_at=None)
    job = start_recovery(SYSTEM, hook, now() - HOUR)
    assert recovery._take().pk == job.pk
    assert work_on_recoveries() == 0
    with time_machine.travel(now() + LEASE + timedelta(seconds=1), tick=True):
        work_on_recoveries()
    job.refresh_from_db()
    assert (job.status, job.sent) == ("done", 1)


def test_a_channel_that_stops_meanwhile_ends_the_job_with_the_reason(hook):
    job = start_recovery(SYSTEM, hook, now() - HOUR)
    Channel.objects.filter(pk=hook.pk).update(enabled=False)
    work_on_recoveries()
    job.refresh_from_db()
    assert job.status == "failed"
    assert "off" in job.error


@pytest.mark.parametrize(
    "change",
    [{"enabled": False}, {"paused_until": now() + HOUR}, {"suspended_at": now(), "suspended_reason": "gone"}],
)
def test_a_channel_that_can_not_send_can_not_be_recovered(hook, change):
    Channel.objects.filter(pk=hook.pk).update(**change)
    with pytest.raises(Conflict):
        start_recovery(SYSTEM, Channel.objects.get(pk=hook.pk), now() - HOUR)


def test_over_the_plan_and_in_the_future_are_refused(hook):
    with pytest.raises(Invalid):
        start_recovery(SYSTEM, hook, now() + HOUR)
    hook.project.workspace.plan = seeded_plan("free")
    hook.project.workspace.save()
    with pytest.raises(PlanLimit):
        start_recovery(SYSTEM, hook, now() - HOUR)


def test_a_channel_that_collects_gets_what_it_missed_with_its_next_digest(project, workspace):
    paused = now() + timedelta(minutes=1)
    channel = ChannelFactory(
        project=project, kind="email", mode="daily_digest", digest_time="08:00", paused_until=paused
    )
    failed = DeliveryFactory(channel=channel, occurrence__project=project, status="failed", next_at=None)
    missed = report(project, 1)
    assert missed.decisions[0]["recoverable"]
    Channel.objects.update(paused_until=None)
    channel.refresh_from_db()
    assert recover(channel).sent == 2
    for delivery in (failed, missed.deliveries.get()):
        delivery.refresh_from_db()
        assert (delivery.status, delivery.next_at) == (DeliveryStatus.HELD, None)


def scheduled(project, number):
    payload = {
        "event": "scheduled_runs",
        "project": project.slug,
        "run": {"id": f"run-{number}", "status": "failed", "trigger": "schedule"},
    }
    return record(project.workspace, payload).occurrence


def events_of(channel):
    return sorted(channel.deliveries.values_list("event", flat=True))


@pytest.mark.parametrize(
    ("paused_at_first", "told", "missed"),
    [
        (True, ["scheduled_runs"], ["run_failed"]),
        (False, ["run_failed"], ["scheduled_runs"]),
    ],
)
def test_a_webhook_that_was_paused_at_one_of_two_reports_gets_what_it_missed_then(
    project, hook, paused_at_first, told, missed
):
    for paused, tell in ((paused_at_first, report), (not paused_at_first, scheduled)):
        Channel.objects.filter(pk=hook.pk).update(paused_until=now() + HOUR if paused else None)
        occurrence = tell(project, 1)
    assert events_of(hook) == told
    (decision,) = occurrence.decisions
    assert (decision["outcome"], decision["recoverable"], decision["missed"]) == ("sent", True, missed)
    Channel.objects.filter(pk=hook.pk).update(paused_until=None)
    assert recover(hook).sent == 1
    assert events_of(hook) == sorted([*told, *missed])
    occurrence.refresh_from_db()
    (decision,) = occurrence.decisions
    assert len(decision["deliveries"]) == 2
    assert not decision["recoverable"]
    assert recover(hook).sent == 0


def test_a_people_s_channel_that_was_told_of_the_late_event_missed_nothing(project):
    slack = ChannelFactory(project=project, kind="slack", key="slack", paused_until=now() + HOUR)
    report(project, 1)
    Channel.objects.filter(pk=slack.pk).update(paused_until=None)
    scheduled(project, 1)
    assert events_of(slack) == ["scheduled_runs"]
    slack.refresh_from_db()
    assert recover(slack).sent == 0


class TestStoredLate:
    """What is decided while the channel is stopped, and stored after the job has passed its place."""

    def recovered_meanwhile(self, monkeypatch, hook):
        """A recovery from beginning to end between the decision on an event and its storing."""
        jobs = []
        record_all = recording._record_all

        def recover_first(*args):
            Channel.objects.filter(pk=hook.pk).update(paused_until=None)
            jobs.append(recover(Channel.objects.get(pk=hook.pk)))
            return record_all(*args)

        monkeypatch.setattr(recording, "_record_all", recover_first)
        Channel.objects.filter(pk=hook.pk).update(paused_until=now() + HOUR)
        return jobs

    def test_an_event_is_found_when_the_job_looks_again(self, project, hook, monkeypatch):
        jobs = self.recovered_meanwhile(monkeypatch, hook)
        occurrence = report(project, 1)
        (job,) = jobs
        assert (job.status, job.sent) == (RecoveryJob.Status.DONE, 0)
        work_on_recoveries()
        assert not Delivery.objects.exists(), "it gives the late ones time"
        with time_machine.travel(now() + LATE, tick=True):
            work_on_recoveries()
            delivery = Delivery.objects.get()
            assert (delivery.occurrence, delivery.status) == (occurrence, DeliveryStatus.PENDING)
            job.refresh_from_db()
            assert (job.status, job.done, job.total, job.sent) == (RecoveryJob.Status.DONE, 0, 0, 1)
            assert work_on_recoveries() == 0, "once"

    def test_a_delivery_that_was_cancelled_for_the_old_pause_starts_again_and_no_other(self, hook):
        stopped, by_hand, failed = (DeliveryFactory(channel=hook, status="sending", lease_token=uuid4()) for _ in "123")
        job = recover(hook)
        for row, status, reason in (
            (stopped, "cancelled", "paused"),
            (by_hand, "cancelled", CANCELLED_BY_STAFF),
            (failed, "failed", "It answered 400."),
        ):
            Delivery.objects.filter(pk=row.pk).update(
                status=status, status_reason=reason, next_at=None, lease_token=None
            )
        with time_machine.travel(now() + LATE, tick=True):
            work_on_recoveries()
        assert [row.pk for row in Delivery.objects.filter(status="pending")] == [stopped.pk]
        job.refresh_from_db()
        assert job.sent == 1

    def test_a_channel_that_stops_before_that_is_left_alone(self, hook):
        job = recover(hook)
        Channel.objects.filter(pk=hook.pk).update(enabled=False)
        with time_machine.travel(now() + LATE, tick=True):
            assert work_on_recoveries() == 1
            assert work_on_recoveries() == 0
        job.refresh_from_db()
        assert job.status == RecoveryJob.Status.DONE

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time.")
    def test_two_processes_meet_and_nothing_is_missed(self, project, hook, monkeypatch):
        Channel.objects.filter(pk=hook.pk).update(paused_until=now() + HOUR)
        inserted, go_on = threading.Event(), threading.Event()
        insert_unknown = bulk.insert_unknown

        def insert_and_wait(rows):
            keys = insert_unknown(rows)
            inserted.set()
            go_on.wait(10)
            return keys

        monkeypatch.setattr("notifications.intake.recording.bulk.insert_unknown", insert_and_wait)

        def store():
            report(project, 1)
            connection.close()

        thread = threading.Thread(target=store)
        thread.start()
        assert inserted.wait(10)
        monkeypatch.setattr("notifications.intake.recording.bulk.insert_unknown", insert_unknown)
        Channel.objects.filter(pk=hook.pk).update(paused_until=None)
        assert recover(Channel.objects.get(pk=hook.pk)).status == RecoveryJob.Status.DONE
        go_on.set()
        thread.join()
        assert Occurrence.objects.exists()
        assert not Delivery.objects.exists()
        with time_machine.travel(now() + LATE, tick=True):
            work_on_recoveries()
        assert Delivery.objects.get().status == DeliveryStatus.PENDING
