"""Claims, hand-overs and their outcomes: nothing is sent twice, and everything has a reason."""

import smtplib
import uuid
from datetime import timedelta

import pytest
from anymail.exceptions import AnymailAPIError
from django.core import mail
from django.core.management import call_command
from django_q.models import Schedule

from aegisnotify.clock import now
from digests import handing_over, mailings, schedules, tasks
from digests.handing_over import Outcome
from digests.models import Mailing, MailingKind, WeeklySubscription
from digests.pipeline import Run
from digests.weekly.sending import Weekly
from notifications.models import AddressBounce
from tests import factories
from tests.digests.scenes import outcomes, ran, subscribed

pytestmark = pytest.mark.django_db
SEND = "aegisnotify.mail.DjangoMailClient.send_once"
READY = "aegisnotify.mail.DjangoMailClient.ready"


def raising(error):
    def function(*args):
        raise error

    return function


def retry_now():
    Mailing.objects.filter(state="claimed").update(lease_until=now() - timedelta(seconds=1))


@pytest.fixture
def due(project, workspace, people):
    ran(project)
    return subscribed(people.member, workspace)


def test_a_server_that_can_t_be_reached_is_tried_three_times(due, monkeypatch):
    monkeypatch.setattr(READY, raising(ConnectionRefusedError()))
    for tries in (1, 2):
        assert tasks.send_due() == 0
        assert list(Mailing.objects.values_list("state", "tries")) == [("claimed", tries)]
        # Not before its time.
        tasks.send_due()
        assert Mailing.objects.get().tries == tries
        retry_now()
    tasks.send_due()
    assert outcomes() == [("weekly", "failed", "mail_server")]
    monkeypatch.undo()
    tasks.send_due()
    assert mail.outbox == []


def test_one_that_is_taken_at_the_second_try_is_sent_once(due, monkeypatch):
    monkeypatch.setattr(SEND, raising(smtplib.SMTPDataError(451, b"later")))
    tasks.send_due()
    assert Mailing.objects.get().detail.startswith("The mail server asked to try again later")
    monkeypatch.undo()
    retry_now()
    assert tasks.send_due() == 1
    assert (len(mail.outbox), outcomes()) == (1, [("weekly", "sent", "")])


def test_an_answer_that_never_came_is_no_reason_to_send_again(due, monkeypatch):
    monkeypatch.setattr(SEND, raising(smtplib.SMTPServerDisconnected()))
    tasks.send_due()
    monkeypatch.undo()
    retry_now()
    tasks.send_due()
    assert (mail.outbox, outcomes()) == ([], [("weekly", "failed", "interrupted")])


def test_an_address_that_does_not_exist_is_remembered(due, people, monkeypatch):
    refusal = smtplib.SMTPRecipientsRefused({people.member.email: (550, b"5.1.1 no such user")})
    monkeypatch.setattr(SEND, raising(refusal))
    tasks.send_due()
    assert outcomes() == [("weekly", "failed", "refused")]
    assert AddressBounce.objects.get().email == people.member.email


def test_a_mail_that_can_t_be_made_leaves_the_others_alone(due, project, workspace, people, monkeypatch):
    subscribed(people.viewer, workspace)
    made = Weekly.make

    def fails_for_the_member(self, rows, moment):
        for row, mail_of_row in made(self, rows, moment):
            if row.user_id == people.member.pk:
                raise ValueError("a fault of ours")
            yield row, mail_of_row

    monkeypatch.setattr(Weekly, "make", fails_for_the_member)
    assert tasks.send_due() == 1
    for _ in range(2):
        retry_now()
        tasks.send_due()
    assert sorted(outcomes()) == [("weekly", "failed", "fault"), ("weekly", "sent", "")]


def test_all_wait_when_the_server_is_away(project, workspace, monkeypatch):
    ran(project)
    for member in factories.MembershipFactory.create_batch(3, workspace=workspace):
        subscribed(member.user, workspace)
    calls = []
    monkeypatch.setattr(READY, lambda client: calls.append(1) or raising(TimeoutError())())
    tasks.send_due()
    # One timeout, not one for each of a hundred.
    assert len(calls) == 1
    assert outcomes() == [("weekly", "claimed", "")] * 3


def test_a_process_that_is_told_to_stop_gives_back_what_it_claimed(due):
    run = Run([Weekly()], stop=lambda: True)
    run.claim_and_send(Weekly())
    row = Mailing.objects.get()
    assert (row.state, row.tries) == ("claimed", 0)
    assert row.lease_until <= now()
    assert tasks.send_due() == 1


class TestStates:
    @pytest.fixture
    def row(self, workspace, people):
        return mailings.store([self.made(people.member, workspace)])[0]

    def made(self, user, workspace, **fields):
        moment = now()
        return mailings.claimed(
            MailingKind.WEEKLY, "one", user.email, token=uuid.uuid4(), due_at=moment, moment=moment, user=user,
            workspace=workspace, window_start=moment, window_end=moment, **fields,
        )  # fmt: skip

    def test_a_period_has_one_mailing(self, row, workspace, people):
        assert mailings.store([self.made(people.member, workspace)]) == []

    def test_only_the_one_who_claimed_it_begins(self, row):
        other = Mailing.objects.get()
        other.lease_token = uuid.uuid4()
        assert not mailings.begin(other, "x", now())
        assert mailings.begin(row, "x", now())
        assert not mailings.begin(Mailing.objects.get(), "x", now())

    def test_what_was_being_handed_over_is_never_claimed_again(self, row):
        mailings.begin(row, "x", now())
        later = now() + timedelta(hours=1)
        assert mailings.reclaim(10, uuid.uuid4(), later) == []
        assert [lost.pk for lost in mailings.lost(10, later)] == [row.pk]

    def test_a_lease_that_is_over_may_be_claimed_again(self, row):
        assert mailings.reclaim(10, uuid.uuid4(), now()) == []
        again = mailings.reclaim(10, uuid.uuid4(), now() + mailings.LEASE)
        assert [(each.pk, each.claims) for each in again] == [(row.pk, 2)]
        assert not mailings.begin(row, "x", now())

    def test_what_processes_die_with_is_taken_alone_and_given_up_in_the_end(self, row, workspace, people):
        other = mailings.claimed(
            MailingKind.WEEKLY, "two", people.admin.email, token=uuid.uuid4(), due_at=now(), moment=now(),
            user=people.admin, workspace=workspace,
        )  # fmt: skip
        mailings.store([other])
        taken = [len(mailings.reclaim(10, uuid.uuid4(), now() + number * timedelta(hours=1))) for number in range(1, 5)]
        assert taken == [2, 2, 1, 1]
        Mailing.objects.update(claims=mailings.MOST_CLAIMS)
        assert len(mailings.lost(10, now() + timedelta(hours=9))) == 2


@pytest.mark.parametrize(
    ("error", "begun", "outcome"),
    [
        (ConnectionRefusedError(), False, Outcome.LATER),
        (TimeoutError(), False, Outcome.LATER),
        (smtplib.SMTPAuthenticationError(535, b"no"), False, Outcome.LATER),
        (smtplib.SMTPDataError(451, b"later"), True, Outcome.LATER),
        (smtplib.SMTPDataError(554, b"spam"), True, Outcome.REFUSED),
        (smtplib.SMTPSenderRefused(421, b"too many", "a@b.c"), True, Outcome.LATER),
        (smtplib.SMTPServerDisconnected(), True, Outcome.UNKNOWN),
        (TimeoutError(), True, Outcome.UNKNOWN),
        (RuntimeError(), True, Outcome.UNKNOWN),
        (ValueError("bad header"), True, Outcome.REFUSED),
        (AnymailAPIError("no answer"), True, Outcome.UNKNOWN),
    ],
)
def test_what_an_error_means(error, begun, outcome):
    assert handing_over.reading(error, begun=begun).outcome is outcome


class TestSchedules:
    def test_they_are_made_kept_and_mended(self):
        Schedule.objects.all().delete()
        assert schedules.keep_schedules() == 2
        assert schedules.keep_schedules() == 0
        Schedule.objects.filter(func="digests.tasks.send_due").update(minutes=90, next_run=now() + timedelta(days=9))
        assert schedules.keep_schedules() == 1
        row = Schedule.objects.get(func="digests.tasks.send_due")
        assert (row.minutes, row.repeats) == (1, -1)
        assert row.next_run <= now() + timedelta(minutes=1)

    def test_a_double_one_goes(self):
        schedules.keep_schedules()
        first = Schedule.objects.get(func="digests.tasks.send_due")
        Schedule.objects.create(func="digests.tasks.send_due", schedule_type="I", minutes=1)
        assert schedules.keep_schedules() == 1
        assert Schedule.objects.get(func="digests.tasks.send_due").pk == first.pk

    def test_migrating_makes_them(self):
        assert Schedule.objects.filter(func__startswith="digests.tasks.").count() == 2

    def test_what_they_call_exists(self):
        assert {wanted.func for wanted in schedules.WANTED} == {
            f"{function.__module__}.{function.__name__}" for function in (tasks.send_due, tasks.keep_books)
        }


class TestBackstop:
    def test_it_leaves_the_cluster_its_time(self, due):
        assert tasks.send_overdue() == 0

    def test_what_is_minutes_late_the_worker_sends_itself(self, due):
        WeeklySubscription.objects.update(next_at=now() - timedelta(minutes=6))
        assert tasks.send_overdue() == 1


class TestCommand:
    def test_a_dry_run_says_who_would_get_what_and_why_not_and_changes_nothing(
        self, due, project, workspace, people, capsys
    ):
        subscribed(people.viewer, workspace)
        AddressBounce.objects.create(email=people.viewer.email, kind="bounced", at=now())
        before = list(WeeklySubscription.objects.order_by("pk").values())
        call_command("send_digests", "--dry-run")
        said = capsys.readouterr().out
        assert f"{people.member.email} would get “Acme QA: 100% passed last week”" in said
        assert f"{people.viewer.email} would not get the weekly digest: mail to the address bounced" in said
        assert "1 would be sent, 1 skipped." in said
        assert (mail.outbox, outcomes()) == ([], [])
        assert list(WeeklySubscription.objects.order_by("pk").values()) == before

    def test_by_hand_it_sends_what_is_due(self, due, capsys):
        call_command("send_digests")
        assert capsys.readouterr().out == "1 sent.\n"
        assert len(mail.outbox) == 1
