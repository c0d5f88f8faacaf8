"""The daily digest of an email channel: it holds, and sends one mail to each recipient at its time."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail

from aegisnotify.clock import now
from digests import tasks
from digests.daily import report as reports
from digests.daily.report import Item, Tally
from digests.models import ChannelClock, Mailing, MailingItem
from notifications.addresses.services import opt_out
from notifications.catalog import OccurrenceKind
from notifications.intake.recording import record
from notifications.models import Channel, Delivery
from notifications.services.channels import create_channel, delete_channel, update_channel
from notifications.services.deliveries import redeliver
from notifications.services.pausing import pause_channel
from projects.actors import SYSTEM
from projects.services.workspaces import update_workspace
from tests.digests.scenes import outcomes

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 11, 24, 6, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


@pytest.fixture
def channel(clock, project, people):
    return create_channel(
        SYSTEM,
        project,
        kind="email",
        mode="daily_digest",
        digest_time="08:00",
        recipients=[people.owner.email, people.member.email],
    ).channel


def happened(workspace, name, status="passed", **run):
    facts = {"id": name, "status": status, "suite_name": name, "passed": 3, "failed": int(status == "failed"), **run}
    return record(workspace, {"event": "scheduled_runs", "project": "acme-web", "run": facts}).occurrence


def statuses():
    return sorted(Delivery.objects.values_list("status", "status_reason"))


def test_what_happens_is_held_and_goes_out_in_one_mail_at_its_time(clock, channel, workspace, people):
    happened(workspace, "Nightly smoke")
    happened(workspace, "Refunds", "failed", failures=[{"name": "partial refund", "message": "no"}])
    record(
        workspace,
        {"event": "crawl_completed", "project": "acme-web", "crawl": {"id": "c", "status": "completed", "pages": 7}},
    )
    assert {status for status, _ in statuses()} == {"held"}
    assert tasks.send_due() == 0
    clock.move_to(MORNING.replace(hour=8, minute=1))
    assert tasks.send_due() == 2
    assert {message.to[0] for message in mail.outbox} == {people.owner.email, people.member.email}
    message = mail.outbox[0]
    assert message.subject == "[Acme Web] 1 of 2 runs passed, 1 scan"
    assert "Refunds: 1 of 4 failed" in message.body
    assert "partial refund" in message.body
    assert "/why/" in message.body
    assert statuses() == [("delivered", "")] * 6
    delivery = Delivery.objects.first()
    assert (delivery.attempt_count, delivery.attempts.get().outcome) == (1, "accepted")
    assert tasks.send_due() == 0


def test_nothing_held_no_mail(clock, channel):
    clock.move_to(MORNING.replace(hour=9))
    tasks.send_due()
    assert (mail.outbox, outcomes()) == ([], [])
    assert ChannelClock.objects.get().next_at == datetime(2026, 11, 25, 8, tzinfo=UTC)


def test_switching_back_sends_what_is_held_as_one_last_digest(clock, channel, workspace):
    happened(workspace, "Nightly smoke")
    update_channel(SYSTEM, channel, mode="immediate")
    assert tasks.send_due() == 2
    assert "This is the last daily digest of Acme Web" in mail.outbox[0].body
    # What was being taken in when the mode ended.
    late = happened(workspace, "Committed late")
    Delivery.objects.filter(occurrence=late).update(status="held", next_at=None)
    clock.move_to(MORNING + timedelta(minutes=2))
    assert tasks.send_due() == 2
    clock.move_to(MORNING + timedelta(minutes=20))
    tasks.send_due()
    assert not ChannelClock.objects.exists()


def test_a_worker_that_was_down_for_days_sends_one(clock, channel, workspace):
    happened(workspace, "Tuesday")
    clock.move_to(MORNING + timedelta(days=3))
    happened(workspace, "Friday")
    assert tasks.send_due() == 2
    assert "Tuesday" in mail.outbox[0].body
    assert "Friday" in mail.outbox[0].body


@pytest.mark.parametrize("zone", ["America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_one_for_each_day_across_clock_changes_and_changes_of_time_and_zone(clock, channel, workspace, zone):
    update_workspace(SYSTEM, workspace, {"time_zone": zone})
    tasks.send_due()
    clock.move_to(datetime(2027, 3, 9, tzinfo=UTC))
    tasks.send_due()
    for day in range(8):
        happened(workspace, f"day {day}")
        if day == 3:
            update_channel(SYSTEM, Channel.objects.get(pk=channel.pk), digest_time="21:30")
        if day == 5:
            workspace.refresh_from_db()
            update_workspace(SYSTEM, workspace, {"time_zone": "Pacific/Apia"})
            tasks.send_due()
        clock.move_to(ChannelClock.objects.get().next_at + timedelta(minutes=day))
        tasks.send_due()
    sent = list(Mailing.objects.filter(recipient=mail.outbox[0].to[0]).order_by("window_end"))
    assert {row.state for row in sent} == {"sent"}
    assert len(sent) == 8
    assert all(earlier.window_end == later.window_start for earlier, later in pairwise(sent))
    # Each occurrence stands in exactly one digest.
    assert MailingItem.objects.count() == Delivery.objects.filter(status="delivered").count() == 16


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        (lambda channel: update_channel(SYSTEM, channel, enabled=False), "channel_off"),
        (lambda channel: pause_channel(SYSTEM, channel, now() + timedelta(days=2)), "paused"),
        (lambda channel: Channel.objects.filter(pk=channel.pk).update(suspended_at=now()), "suspended"),
    ],
)
def test_a_stopped_channel_cancels_what_it_held(clock, channel, workspace, stop, reason):
    happened(workspace, "Nightly smoke")
    stop(channel)
    clock.move_to(MORNING + timedelta(hours=3))
    assert tasks.send_due() == 0
    assert statuses() == [("cancelled", reason)] * 2
    assert set(outcomes()) == {("daily", "skipped", reason)}


def test_a_deleted_channel_cancels_what_it_held(clock, channel, workspace):
    happened(workspace, "Nightly smoke")
    delete_channel(SYSTEM, channel)
    tasks.send_due()
    assert statuses() == [("cancelled", "channel_deleted")] * 2


def test_an_address_that_opted_out_gets_none_and_the_others_do(clock, channel, workspace, project, people):
    happened(workspace, "Nightly smoke")
    opt_out(SYSTEM, project.pk, people.member.email)
    clock.move_to(MORNING + timedelta(hours=3))
    assert tasks.send_due() == 1
    assert statuses() == [("cancelled", "unsubscribed"), ("delivered", "")]


def test_a_failed_digest_fails_its_deliveries_which_can_be_sent_again(clock, channel, workspace, monkeypatch):
    happened(workspace, "Nightly smoke")
    clock.move_to(MORNING + timedelta(hours=3))

    def died(*args):
        raise ConnectionResetError

    monkeypatch.setattr("aegisnotify.mail.DjangoMailClient.send_once", died)
    assert tasks.send_due() == 0
    assert {status for status, _ in statuses()} == {"failed"}
    assert set(outcomes()) == {("daily", "failed", "interrupted")}
    assert redeliver(SYSTEM, Delivery.objects.first()).status == "pending"


def test_times_are_the_reader_s(clock, channel, workspace, people):
    people.member.time_zone = "Asia/Kathmandu"
    people.member.save()
    happened(workspace, "Nightly smoke")
    clock.move_to(MORNING + timedelta(hours=3))
    tasks.send_due()
    body = next(message.body for message in mail.outbox if message.to == [people.member.email])
    assert "11:45" in body


def test_the_queries_for_a_digest_do_not_grow_with_what_it_holds(clock, channel, workspace, django_assert_num_queries):
    counts = []
    for size in (3, 12):
        for number in range(size):
            happened(workspace, f"{size}-{number}")
        clock.move_to(ChannelClock.objects.get().next_at + timedelta(minutes=1))
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            assert tasks.send_due() == 2
        counts.append(len(captured))
    assert counts[0] == counts[1]


def item(name, status="passed", **facts):
    facts = {"id": name, "suite_name": name, "status": status, **facts}
    return Item(OccurrenceKind.RUN, facts, datetime(2026, 11, 24, 2, 47, tzinfo=UTC))


def test_the_words():
    said = reports.say(
        "Acme Web",
        Tally(runs=30, failed_runs=1),
        [item("Refunds API", "failed", passed=21, failed=1, failures=[{"name": "partial refund"}])]
        + [item(f"Suite {number}", passed=14) for number in range(20)],
        ZoneInfo("Europe/Madrid"),
        MORNING.date(),
    )
    assert said.subject == "[Acme Web] 29 of 30 runs passed"
    assert said.lead == "1 failed run. Everything else finished well."
    failed, passed, *_ = said.groups
    row = failed.rows[0]
    assert (row.name, row.value, row.detail) == ("Refunds API", "1 of 22 failed", "03:47 · partial refund")
    assert (passed.rows[0].value, passed.hidden) == ("14 of 14", 9)


def test_a_channel_without_a_clock_gets_one(project):
    channel = Channel.objects.create(
        project=project, kind="email", key="daily", name="Daily", mode="daily_digest", digest_time=time(8)
    )
    tasks.send_due()
    assert ChannelClock.objects.get().channel == channel
