"""Test messages."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache

from aegisnotify.clock import now
from notifications.channels.base import Answer
from notifications.models import Channel, Delivery
from notifications.services import testing
from notifications.services.testing import send_test
from projects.actors import SYSTEM
from projects.errors import Conflict, Invalid, PlanLimit, TooMany
from projects.models import AuditEntry, UsageCounter
from tests.factories import ChannelFactory, DeliveryFactory, RecipientFactory
from tests.factories import plan as seeded_plan
from tests.notifications.delivery.fakes import transport

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_counts():
    cache.clear()


def send(channel, event="run_failed", answer=None):
    made = transport(answer or Answer(status=200, body="ok", duration_ms=7))
    return send_test(SYSTEM, channel, event, make_transport=lambda: made), made


@pytest.mark.parametrize("event", ["run_completed", "run_failed", "scheduled_runs", "crawl_completed", "ai_generated"])
def test_a_webhook_gets_a_signed_sample_marked_as_a_test(event):
    result, made = send(ChannelFactory(), event)
    assert (result.ok, result.status_code, result.response, result.duration_ms) == (True, 200, "ok", 7)
    ((_, body, headers),) = made.http.posts
    assert json.loads(body)["event"] == event
    assert json.loads(body)["test"] is True
    assert headers["X-AegisRunner-Signature"].startswith("sha256=")


def test_nothing_is_recorded_or_counted():
    send(ChannelFactory())
    assert not Delivery.objects.exists()
    assert not UsageCounter.objects.exists()


@pytest.mark.parametrize(
    "change", [{"enabled": False}, {"paused_until": now() + timedelta(hours=1)}, {"suspended_at": now()}]
)
def test_it_works_while_the_channel_is_off_paused_or_suspended(change):
    result, _ = send(ChannelFactory(**change))
    assert result.ok


def test_a_good_test_lifts_a_suspension_and_a_bad_one_does_not():
    channel = ChannelFactory(suspended_at=now(), suspended_reason="gone", failures_in_a_row=3)
    bad, _ = send(channel, answer=Answer(status=500, body="no"))
    channel.refresh_from_db()
    assert not bad.ok
    assert channel.suspended_at is not None
    send(channel)
    channel.refresh_from_db()
    assert (channel.suspended_at, channel.failures_in_a_row) == (None, 0)
    assert AuditEntry.objects.latest("pk").changes["suspended"] == [True, False]


def test_a_good_test_forgets_what_the_breaker_counted():
    moment = now()
    channel = ChannelFactory(
        breaker_window_at=moment, breaker_tries=9, breaker_failures=9, breaker_open_until=moment + timedelta(seconds=20)
    )
    send(channel)
    channel.refresh_from_db()
    counted = (channel.breaker_window_at, channel.breaker_tries, channel.breaker_failures, channel.breaker_open_until)
    assert counted == (None, 0, 0, None)


def test_a_good_test_ends_the_wait_that_the_other_side_asked_for(django_capture_on_commit_callbacks):
    until = now() + timedelta(hours=5)
    channel = ChannelFactory(not_before=until)
    waiting = DeliveryFactory(channel=channel, next_at=until)
    on_its_ladder = DeliveryFactory(channel=channel, status="retrying", next_at=until + timedelta(hours=1))
    elsewhere = DeliveryFactory(next_at=until)
    with django_capture_on_commit_callbacks(execute=True):
        send(channel)
    for row in (waiting, on_its_ladder, elsewhere):
        row.refresh_from_db()
    assert waiting.next_at <= now()
    assert (on_its_ladder.next_at, elsewhere.next_at) == (until + timedelta(hours=1), until)


def test_email_goes_to_the_confirmed_recipients_only(project, people):
    channel = ChannelFactory(project=project, kind="email", key="email")
    for address in (people.member.email, "stranger@example.org"):
        RecipientFactory(channel=channel, email=address)
    result, made = send(channel)
    assert result.ok
    assert [message.to for message in made.mail.messages] == [[people.member.email]]


def test_a_slow_mail_server_is_not_waited_for_once_for_every_address(project, people, monkeypatch):
    monkeypatch.setattr(testing, "PATIENCE", 0)
    channel = ChannelFactory(project=project, kind="email", key="email")
    for person in (people.member, people.admin, people.viewer):
        RecipientFactory(channel=channel, email=person.email)
    result, made = send(channel)
    assert len(made.mail.messages) == 1
    assert result.reading.endswith("The mail server is slow: 2 of 3 addresses were not tried.")


def test_an_unconfirmed_address_gets_nothing(project):
    channel = ChannelFactory(project=project, kind="email", key="email")
    RecipientFactory(channel=channel, email="stranger@example.org")
    with pytest.raises(Conflict):
        send(channel)


def test_over_the_plan_limit_it_is_refused():
    channel = ChannelFactory()
    channel.project.workspace.plan = seeded_plan("free")
    channel.project.workspace.save()
    with pytest.raises(PlanLimit):
        send(channel)


@pytest.mark.parametrize("event", ["", None, "run_exploded", ["run_failed"]])
def test_an_unknown_event_is_invalid(event):
    with pytest.raises(Invalid):
        send(ChannelFactory(), event)


def test_ten_a_minute_are_enough():
    channel = ChannelFactory()
    for _ in range(10):
        send(channel)
    with pytest.raises(TooMany):
        send(channel)
    send(ChannelFactory())


def test_the_answer_is_shown_without_our_secrets():
    channel = ChannelFactory()
    url = channel.config["url"]
    result, _ = send(channel, answer=Answer(status=500, body=f"cannot POST {url}"))
    assert url not in result.response


@pytest.mark.parametrize("answer", [Answer(status=200, body="ok"), Answer(status=500, body="no")])
def test_what_an_url_answers_that_is_replaced_meanwhile_says_nothing_of_the_new_one(answer):
    channel = ChannelFactory(suspended_at=now(), suspended_reason="gone", target_fingerprint="old")

    def replaced_while_it_answers(url):
        Channel.objects.filter(pk=channel.pk).update(target_fingerprint="new")
        return answer

    send(channel, answer=replaced_while_it_answers)
    channel.refresh_from_db()
    assert (channel.suspended_reason, channel.last_error, channel.last_success_at) == ("gone", "", None)
    assert AuditEntry.objects.get().action == "channel.tested"
