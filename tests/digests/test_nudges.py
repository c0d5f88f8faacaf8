"""Reminders after 7 and 30 quiet days, then silence."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache

from aegisnotify.clock import now
from digests import tasks
from digests.activity import note
from digests.models import Mailing, MailingKind, NudgeClock, PersonActivity
from digests.nudges.decisions import LastRun, decide, say
from digests.services import preferences
from projects.actors import SYSTEM
from tests import factories
from tests.digests.scenes import outcomes, ran

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.mark.parametrize(
    ("days", "stage", "expected"),
    [
        (6.9, 0, None),
        (7, 0, 7),
        (20, 0, 7),
        (20, 7, None),
        (30, 7, 30),
        # Late past 30 with the first one unsent: only the second.
        (30, 0, 30),
        (37, 0, 30),
        (45, 30, None),
    ],
)
def test_which_one_is_due(days, stage, expected):
    decision = decide(START, stage, START + timedelta(days=days))
    assert (decision.stage, decision.too_late) == (expected, False)
    assert decision.next_at > START + timedelta(days=days)


@pytest.mark.parametrize("stage", [0, 7])
def test_later_than_37_days_it_is_too_late(stage):
    decision = decide(START, stage, START + 37 * DAY + timedelta(seconds=1))
    assert (decision.stage, decision.too_late) == (30, True)


def test_it_waits_while_a_digest_went_out_in_the_last_day():
    moment = START + 8 * DAY
    digest = moment - timedelta(hours=5)
    decision = decide(START, 0, moment, digest)
    assert (decision.stage, decision.next_at) == (None, digest + DAY)
    assert decide(START, 0, digest + DAY, digest).stage == 7


def test_the_words():
    last = LastRun(date(2026, 11, 17), "Checkout flow", 14, 14)
    said = say("Acme Web", 7, last)
    assert said.subject == "Acme Web has not been tested for 7 days"
    assert said.lead.startswith("Your last run in Acme Web was Checkout flow on 17 November: 14 of 14 passed.")
    assert say("Acme Web", 9, None).subject == "Acme Web has not been tested yet"


@pytest.fixture
def clock(db):
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def person(clock, workspace, project):
    """The workspace's owner, alone in it."""
    user = workspace.memberships.get().user
    tasks.keep_books()
    return user


def days_later(clock, days):
    clock.move_to(START + days * DAY + timedelta(minutes=10))
    tasks.keep_books()


class TestSending:
    def test_one_after_7_days_one_after_30_then_silence(self, clock, person, project):
        for days in (6, 7, 8, 20, 29, 30, 31, 40, 100):
            days_later(clock, days)
        assert [row.facts["stage"] for row in Mailing.objects.order_by("pk")] == [7, 30]
        assert [message.to for message in mail.outbox] == [[person.email]] * 2

    def test_activity_starts_the_count_again(self, clock, person, project):
        days_later(clock, 7)
        clock.move_to(START + 10 * DAY)
        note(person)
        for days in (16, 17, 18, 39, 40, 41):
            days_later(clock, days)
        assert [row.facts["stage"] for row in Mailing.objects.order_by("pk")] == [7, 7, 30]

    def test_a_run_in_a_workspace_keeps_its_people_active(self, clock, person, project):
        clock.move_to(START + 5 * DAY)
        ran(project)
        tasks.keep_books()
        days_later(clock, 11)
        assert mail.outbox == []
        days_later(clock, 12)
        assert "Your last run in Acme Web was Checkout flow on 7 March: 5 of 5 passed." in mail.outbox[0].body

    def test_late_past_30_days_only_the_last_one(self, clock, person):
        days_later(clock, 33)
        assert [row.facts["stage"] for row in Mailing.objects.all()] == [30]

    def test_later_than_37_days_none(self, clock, person):
        days_later(clock, 38)
        assert outcomes() == [("nudge", "skipped", "too_late")]
        days_later(clock, 70)
        assert len(outcomes()) == 1

    @pytest.mark.parametrize(
        ("prepare", "reason"),
        [
            (lambda user, workspace: preferences.set_nudges(SYSTEM, user, False), "unsubscribed"),
            (
                lambda user, workspace: preferences.set_workspace_unsubscribed(SYSTEM, workspace, True),
                "workspace_unsubscribed",
            ),
            (lambda user, workspace: user.memberships.all().delete(), "no_workspace"),
        ],
    )
    def test_who_gets_none(self, clock, person, workspace, prepare, reason):
        prepare(person, workspace)
        days_later(clock, 7)
        assert outcomes() == [("nudge", "skipped", reason)]

    def test_another_workspace_may_still_remind(self, clock, person, workspace):
        other = factories.ProjectFactory(name="Other site", workspace__owner=False)
        factories.MembershipFactory(workspace=other.workspace, user=person)
        preferences.set_workspace_unsubscribed(SYSTEM, workspace, True)
        clock.move_to(START)
        days_later(clock, 7)
        assert "Other site" in mail.outbox[0].subject

    def test_it_links_to_the_last_project_that_was_opened_and_may_still_be_seen(self, clock, person, workspace):
        opened = factories.ProjectFactory(workspace=workspace, name="Opened", slug="opened")
        gone = factories.ProjectFactory(name="Gone", slug="gone", workspace__owner=False)
        note(person, opened)
        days_later(clock, 7)
        assert f"/p/opened/?ws={workspace.slug}" in mail.outbox[0].body
        PersonActivity.objects.update(last_project=gone)
        days_later(clock, 30)
        assert "gone" not in mail.outbox[1].body

    def test_it_waits_for_a_digest_of_the_last_day(self, clock, person, workspace):
        clock.move_to(START + 7 * DAY)
        Mailing.objects.create(
            key="w", kind=MailingKind.WEEKLY, recipient=person.email, user=person, due_at=now(), created_at=now(),
            state="sent", finished_at=now(),
        )  # fmt: skip
        days_later(clock, 7)
        assert mail.outbox == []
        days_later(clock, 8)
        assert len(mail.outbox) == 1

    def test_the_queries_do_not_grow_with_the_people(self, clock, workspace, project, django_assert_max_num_queries):
        factories.MembershipFactory.create_batch(8, workspace=workspace)
        tasks.keep_books()
        clock.move_to(START + 7 * DAY + timedelta(minutes=10))
        with django_assert_max_num_queries(70 + 9 * 9):
            assert tasks.keep_books() == 9
        assert NudgeClock.objects.filter(stage=7).count() == 9


class TestActivity:
    def get(self, client, capture, address):
        with capture(execute=True):
            client.get(address)

    def test_a_page_is_noted_at_most_every_ten_minutes(
        self, client, clock, people, workspace, django_capture_on_commit_callbacks
    ):
        client.force_login(people.member)
        for minutes, noted in ((0, 0), (5, 0), (11, 11)):
            if minutes > 10:
                cache.clear()
            clock.move_to(START + timedelta(minutes=minutes))
            self.get(client, django_capture_on_commit_callbacks, f"/?ws={workspace.slug}")
            assert PersonActivity.objects.get(user=people.member).seen_at == START + timedelta(minutes=noted)

    def test_the_project_that_was_opened_is_remembered(
        self, client, people, project, workspace, django_capture_on_commit_callbacks
    ):
        client.force_login(people.member)
        for address in (f"/p/{project.slug}/?ws={workspace.slug}", f"/?ws={workspace.slug}"):
            self.get(client, django_capture_on_commit_callbacks, address)
            assert PersonActivity.objects.get(user=people.member).last_project == project

    def test_using_the_api_while_signed_in_counts(self, client, people, workspace, django_capture_on_commit_callbacks):
        client.force_login(people.member)
        self.get(client, django_capture_on_commit_callbacks, "/api/v1/usage")
        assert PersonActivity.objects.filter(user=people.member).exists()

    def test_a_broken_cache_costs_a_write_and_no_page(self, db, monkeypatch):
        def broken(*args):
            raise ConnectionError

        monkeypatch.setattr("digests.activity.cache.get", broken)
        user = factories.UserFactory()
        note(user)
        assert PersonActivity.objects.filter(user=user).exists()
