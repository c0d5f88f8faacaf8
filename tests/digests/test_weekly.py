"""The weekly digest: who gets it, for which window, and what it says."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail

from aegisnotify.clock import now
from digests import tasks
from digests.models import Mailing, WeeklySubscription
from digests.services import preferences
from digests.weekly import report as reports
from digests.weekly.report import Counts, Gauge, Project, Report, TopFailure
from digests.weekly.sending import send_now
from notifications.models import AddressBounce
from projects.actors import SYSTEM
from projects.errors import Conflict
from tests import factories
from tests.digests.scenes import outcomes, ran, subscribed

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def test_it_tells_of_the_week_and_moves_to_the_next(project, workspace, people):
    ran(project, 10, failed=3)
    row = subscribed(people.member, workspace)
    assert tasks.send_due() == 1
    (message,) = mail.outbox
    assert message.to == [people.member.email]
    assert message.subject == "Acme QA: 70% passed last week"
    assert "Checkout flow: 3 failures" in message.body
    assert "Acme Web · pays with saved card" in message.body
    row.refresh_from_db()
    assert row.next_at > now()
    assert row.covered_until is not None
    assert outcomes() == [("weekly", "sent", "")]
    assert tasks.send_due() == 0


def test_a_week_with_nothing_is_skipped_and_recorded(project, workspace, people):
    subscribed(people.member, workspace)
    assert tasks.send_due() == 0
    assert outcomes() == [("weekly", "skipped", "nothing_happened")]


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda user, workspace: user.memberships.all().delete(), "not_a_member"),
        (lambda user, workspace: setattr(user, "email_verified_at", None), "unverified"),
        (lambda user, workspace: setattr(user, "is_active", False), "inactive"),
        (
            lambda user, workspace: AddressBounce.objects.create(email=user.email, kind="bounced", at=now()),
            "bounced",
        ),
        (
            lambda user, workspace: preferences.set_workspace_unsubscribed(SYSTEM, workspace, True),
            "workspace_unsubscribed",
        ),
    ],
)
def test_who_may_not_get_it_is_skipped_with_the_reason(project, workspace, people, prepare, reason):
    ran(project)
    subscribed(people.member, workspace)
    prepare(people.member, workspace)
    people.member.save()
    assert tasks.send_due() == 0
    assert outcomes() == [("weekly", "skipped", reason)]


def test_more_than_a_day_late_is_skipped_and_the_next_one_covers_both(project, workspace, people):
    ran(project)
    row = subscribed(people.member, workspace)
    WeeklySubscription.objects.update(next_at=now() - timedelta(hours=25))
    start = row.covered_until
    tasks.send_due()
    assert outcomes() == [("weekly", "skipped", "too_late")]
    row.refresh_from_db()
    assert row.covered_until == start
    with time_machine.travel(row.next_at + timedelta(seconds=5), tick=False):
        assert tasks.send_due() == 1
    assert Mailing.objects.get(state="sent").window_start == start


def test_a_day_late_is_still_sent(project, workspace, people):
    ran(project)
    subscribed(people.member, workspace)
    WeeklySubscription.objects.update(next_at=now() - timedelta(hours=23))
    assert tasks.send_due() == 1


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
def test_windows_follow_each_other_across_clock_changes_and_changes_of_mind(project, workspace, people, zone):
    """A worker that looks late, a subscriber who moves and changes the day: no gap, no overlap, one for each week."""
    with time_machine.travel(datetime(2027, 2, 20, 12, tzinfo=UTC), tick=False) as clock:
        row = subscribed(people.member, workspace, due=False, time_zone=zone)
        for week in range(9):
            row.refresh_from_db()
            clock.move_to(row.next_at + timedelta(minutes=3 * week))
            ran(project, suite=f"week {week}", at=now() - timedelta(minutes=1))
            tasks.send_due()
            if week == 3:
                preferences.set_weekly(SYSTEM, people.member, workspace, weekday=4)
            if week == 6:
                preferences.set_weekly(SYSTEM, people.member, workspace, time_zone="Asia/Kathmandu")
    sent = list(Mailing.objects.filter(state="sent").order_by("window_end"))
    assert len(sent) == 9
    assert all(earlier.window_end == later.window_start for earlier, later in pairwise(sent))
    weeks = {row.due_at.astimezone(ZoneInfo(zone)).isocalendar()[:2] for row in sent}
    assert len(weeks) == 9


def test_whoever_switched_it_off_meanwhile_gets_none(project, workspace, people):
    ran(project)
    subscribed(people.member, workspace)
    preferences.set_weekly(SYSTEM, people.member, workspace, enabled=False)
    assert tasks.send_due() == 0
    assert outcomes() == []


def test_switching_it_off_and_on_tells_nothing_twice(project, workspace, people):
    ran(project)
    row = subscribed(people.member, workspace)
    tasks.send_due()
    row.refresh_from_db()
    covered = row.covered_until
    preferences.set_weekly(SYSTEM, people.member, workspace, enabled=False)
    row = preferences.set_weekly(SYSTEM, people.member, workspace, enabled=True)
    assert row.covered_until >= covered


def test_one_can_be_asked_for_now_without_touching_the_next(project, workspace, people):
    ran(project)
    row = subscribed(people.member, workspace, due=False)
    assert send_now(people.member, workspace).state == "sent"
    again = WeeklySubscription.objects.get(pk=row.pk)
    assert (again.next_at, again.covered_until) == (row.next_at, row.covered_until)
    with pytest.raises(Conflict):
        send_now(people.member, workspace)


def test_the_queries_do_not_grow_with_the_readers(project, workspace, django_assert_max_num_queries):
    ran(project, 5, failed=1)
    for member in factories.MembershipFactory.create_batch(12, workspace=workspace):
        subscribed(member.user, workspace)
    WeeklySubscription.objects.update(next_at=now(), covered_until=now() - WEEK)
    # What is read once, and for each reader: begin, sent, and the transaction around it.
    with django_assert_max_num_queries(45 + 12 * 4):
        assert tasks.send_due() == 12


def report(*projects, **more):
    moment = datetime(2026, 11, 23, 8, tzinfo=UTC)
    return Report(workspace="Acme QA", start=moment - WEEK, end=moment, projects=projects, **more)


def named(name, runs=0, failed=0, before=(0, 0), scans=0, last_at=None):
    return Project(name, Counts(runs, failed, scans), Counts(*before), last_at)


def test_the_words_of_the_mock():
    said = reports.say(
        report(
            named("Acme Web", 151, 10, (130, 5), scans=37),
            named("Checkout API", 87, 4, (84, 4)),
            named("Docs site", last_at=datetime(2026, 11, 11, 9, tzinfo=UTC)),
            top_failures=(
                TopFailure("Checkout flow", "Acme Web", 8, "pays with saved card"),
                TopFailure("Refunds API", "Checkout API", 4, "partial refund"),
            ),
            gauges=(Gauge("Runs this month", 8004, 10_000),),
        ),
        ZoneInfo("Europe/Madrid"),
    )
    assert said.subject == "Acme QA: 94.1% passed last week, down 1.6 points"
    assert said.kicker == "Weekly digest · 16 to 22 November"
    assert said.heading == "94.1% of runs passed"
    assert said.lead.startswith("Down 1.6 points from the week before, mostly Checkout flow.")
    assert [(row.name, row.value, row.detail) for row in said.counts] == [
        ("Runs", "238", "+11%"),
        ("Scans", "37", "none before"),
        ("Pass rate", "94.1%", "-1.6 pts"),
    ]
    assert said.failures[0].value == "8 failures"
    assert said.projects[0].value == "151 runs, 93.3%"
    assert (said.quiet[0].value, said.quiet[0].detail) == ("12 days quiet", "Last run or scan 11 November")
    assert said.gauges[0].value == "8,004 of 10,000 (80%)"


@pytest.mark.parametrize(
    ("projects", "heading", "subject"),
    [
        ([named("A", 3)], "All 3 runs passed", "Acme QA: 100% passed last week"),
        ([named("A", 1)], "The only run passed", "Acme QA: 100% passed last week"),
        # One failure of 2,000 is not "all".
        ([named("A", 2000, 1)], "99.9% of runs passed", "Acme QA: 99.9% passed last week"),
        ([named("A", scans=2)], "No runs this week", "Acme QA: 2 scans last week"),
        ([named("A", 10, 1, (10, 2))], "90% of runs passed", "Acme QA: 90% passed last week, up 10 points"),
        ([named("A", 100, 2, (100, 3))], "98% of runs passed", "Acme QA: 98% passed last week, up 1 point"),
    ],
)
def test_the_verdict(projects, heading, subject):
    said = reports.say(report(*projects), ZoneInfo("UTC"))
    assert (said.heading, said.subject) == (heading, subject)


def test_weeks_that_details_no_longer_reach_are_compared_by_the_daily_totals(project, workspace, people):
    from digests.models import DailyTotal

    today = now().date()
    ran(project, 2)
    DailyTotal.objects.create(
        project=project, day=today - timedelta(days=20), runs=4, failed=1, last_at=now() - timedelta(days=20)
    )
    row = subscribed(people.member, workspace)
    WeeklySubscription.objects.filter(pk=row.pk).update(covered_until=now() - timedelta(days=13))
    assert tasks.send_due() == 1
    assert "up 25 points" in mail.outbox[0].subject
