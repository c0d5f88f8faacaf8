"""Usage warnings: once per meter, threshold, month and cap, to the owner and the admins."""

import threading
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.core import mail
from django.db import connection

from aegisnotify.clock import now
from digests import tasks
from digests.models import Mailing, UsageThreshold
from digests.services import preferences
from digests.usage_warnings import words
from notifications.intake.recording import record
from projects.actors import SYSTEM
from projects.models import Plan
from projects.services.usage import count_usage
from projects.services.workspaces import change_plan
from projects.usage import Meter
from tests import factories
from tests.digests.scenes import outcomes

MOMENT = datetime(2026, 11, 21, 14, tzinfo=UTC)


@pytest.fixture
def moment():
    with time_machine.travel(MOMENT, tick=False) as clock:
        yield clock


def used(workspace, amount, meter=Meter.RUNS):
    count_usage(workspace.pk, meter, now(), amount)
    tasks.send_due()


def marks():
    return list(UsageThreshold.objects.order_by("pk").values_list("meter", "threshold", "cap", "by_plan"))


@pytest.mark.django_db
class TestThresholds:
    def test_each_mark_is_told_once(self, moment, workspace, people):
        used(workspace, 1999)
        assert mail.outbox == []
        used(workspace, 1)
        used(workspace, 1)
        assert {message.to[0] for message in mail.outbox} == {people.owner.email, people.admin.email}
        assert {message.subject for message in mail.outbox} == {"80% of this month's runs used (Acme QA)"}
        # As the switch in the preferences calls them.
        assert all("Stop usage warnings" in message.body for message in mail.outbox)
        used(workspace, 499)
        used(workspace, 50)
        assert [message.subject for message in mail.outbox[2:]] == ["All runs for this month are used (Acme QA)"] * 2
        assert marks() == [("runs", 80, 2500, False), ("runs", 100, 2500, False)]

    def test_a_jump_past_both_tells_only_of_the_last(self, moment, workspace, people):
        used(workspace, 2500)
        assert marks() == [("runs", 100, 2500, False)]
        assert len(mail.outbox) == 2

    def test_both_marks_between_two_turns_are_both_told(self, moment, workspace, people):
        count_usage(workspace.pk, Meter.RUNS, now(), 2000)
        used(workspace, 500)
        assert marks() == [("runs", 80, 2500, False), ("runs", 100, 2500, False)]

    def test_meters_and_months_are_apart(self, moment, workspace, people):
        used(workspace, 2000)
        used(workspace, 80, Meter.SCANS)
        moment.move_to(datetime(2026, 12, 1, tzinfo=UTC))
        used(workspace, 2000)
        assert [(meter, threshold) for meter, threshold, _, _ in marks()] == [("runs", 80), ("scans", 80), ("runs", 80)]

    @pytest.mark.parametrize("cap", [None, 0])
    def test_unlimited_and_zero_caps_never_warn(self, moment, workspace, people, cap):
        Plan.objects.filter(pk=workspace.plan_id).update(runs_per_month=cap)
        used(workspace, 100_000)
        assert (marks(), mail.outbox) == ([], [])

    def test_an_upgrade_arms_it_again_for_the_new_cap(self, moment, workspace, people):
        used(workspace, 2500)
        change_plan(SYSTEM, workspace, factories.plan("business"))
        tasks.send_due()
        assert len(mail.outbox) == 2
        used(workspace, 5500)
        assert marks()[-1] == ("runs", 80, 10_000, False)
        assert len(mail.outbox) == 4

    def test_a_downgrade_that_lands_above_a_mark_says_so(self, moment, workspace, people):
        used(workspace, 450)
        change_plan(SYSTEM, workspace, factories.plan("starter"))
        tasks.send_due()
        tasks.send_due()
        assert marks() == [("runs", 80, 500, True)]
        assert len(mail.outbox) == 2
        assert "The Starter plan has 500 runs a month" in mail.outbox[0].body
        assert "450 runs are used this month already" in mail.outbox[0].body

    def test_back_and_forth_between_plans_tells_nothing_twice(self, moment, workspace, people):
        used(workspace, 450)
        for code in ("starter", "pro", "starter", "pro"):
            change_plan(SYSTEM, workspace, factories.plan(code))
            workspace.refresh_from_db()
            tasks.send_due()
        assert len(mail.outbox) == 2

    def test_a_plan_that_changed_before_the_warning_went_out_stops_it(self, moment, workspace, people):
        count_usage(workspace.pk, Meter.RUNS, now(), 2000)
        change_plan(SYSTEM, workspace, factories.plan("business"))
        tasks.send_due()
        assert mail.outbox == []
        assert set(outcomes()) == {("usage", "skipped", "cap_changed")}

    def test_a_worker_that_was_down_over_the_month_s_end_does_not_warn_of_the_old_one(self, moment, workspace, people):
        count_usage(workspace.pk, Meter.RUNS, now(), 2000)
        moment.move_to(datetime(2026, 12, 2, tzinfo=UTC))
        tasks.send_due()
        assert set(outcomes()) == {("usage", "skipped", "too_late")}

    def test_who_stopped_them_gets_none_but_the_owner_hears_of_100_per_cent(self, moment, workspace, people):
        for person in (people.owner, people.admin):
            preferences.set_usage_warnings(SYSTEM, person, workspace, False)
        used(workspace, 2000)
        assert mail.outbox == []
        used(workspace, 500)
        (message,) = mail.outbox
        assert message.to == [people.owner.email]
        assert "As the owner you get the one at 100% in any case." in message.body

    def test_the_two_unverified_and_bounced_are_skipped(self, moment, workspace, people):
        people.admin.email_verified_at = None
        people.admin.save()
        used(workspace, 2000)
        assert sorted(outcomes()) == [("usage", "sent", ""), ("usage", "skipped", "unverified")]

    def test_counting_costs_one_statement(self, workspace, django_assert_num_queries):
        count_usage(workspace.pk, Meter.RUNS, now())
        with django_assert_num_queries(1):
            count_usage(workspace.pk, Meter.RUNS, now())


@pytest.mark.django_db(transaction=True)
def test_callers_at_once_over_the_edges_warn_once_for_each_mark():
    """The short form; `pytest -m chaos` has 10,000 runs from 16 processes."""
    project = factories.ProjectFactory(slug="shop", workspace__plan_code="free")
    workspace, callers, each = project.workspace, 5, 12
    errors = []

    def call(number):
        try:
            for run in range(each):
                body = {"id": f"{number}-{run}", "status": "passed"}
                record(workspace, {"event": "run_completed", "project": "shop", "run": body})
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=call, args=[number]) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    tasks.send_due()
    tasks.send_due()
    assert marks() == [("runs", 80, 50, False), ("runs", 100, 50, False)]
    assert Mailing.objects.filter(state="sent").count() == len(mail.outbox) == 2


def warning(**more):
    fields = {
        "workspace": "Acme QA",
        "plan": "Pro",
        "meter": Meter.RUNS,
        "threshold": 80,
        "used": 8004,
        "cap": 10_000,
        "by_plan": False,
        "resets_on": date(2026, 12, 1),
        "cap_on": date(2026, 11, 28),
    }
    return words.say(words.Warning(**{**fields, **more}))


def test_the_words():
    said = warning()
    assert said.heading == "80% of this month's runs are used"
    assert said.lead.startswith("At this month's pace you reach the cap on 28 November.")
    assert said.bar == "8,004 of 10,000 runs. Resets 1 December."
    full = warning(threshold=100, used=10_000, meter=Meter.SCANS)
    assert (full.heading, full.tone) == ("All 10,000 scans are used", "bad")


def test_where_it_goes_is_said_by_project_the_most_first():
    rows = words.where(Meter.RUNS, [("Docs", 1), ("Acme Web", 5320), ("Idle", 0)])
    assert rows == (("Acme Web", "5,320 runs"), ("Docs", "1 run"))
