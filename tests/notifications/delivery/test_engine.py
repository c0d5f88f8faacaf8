"""The engine from claim to settlement, with a scripted other side."""

import time
from datetime import timedelta

import pytest
import time_machine

from aegisnotify.clock import now
from notifications.channels.base import Answer, Trouble
from notifications.channels.slack import Slack
from notifications.delivery.engine import Engine
from notifications.models import AddressBounce, Attempt, Delivery, DeliveryStatus, OptOut
from tests.factories import ChannelFactory, DeliveryFactory, OccurrenceFactory, ProjectFactory
from tests.notifications.delivery.fakes import transport

pytestmark = pytest.mark.django_db


def run(made, **kwargs):
    engine = Engine(threads=2, make_transport=lambda: made)
    return engine.run(**{"budget": 5, "linger": 0.05, "wait_for_retries": False, **kwargs})


def test_a_due_webhook_is_delivered_with_its_stored_body():
    delivery = DeliveryFactory(body='{"event":"run_failed"}')
    made = transport(Answer(status=200, body="thanks", duration_ms=12))
    summary = run(made)
    assert (summary.claimed, summary.tried, summary.delivered) == (1, 1, 1)
    (post,) = made.http.posts
    assert post[0] == delivery.channel.config["url"]
    assert post[1] == b'{"event":"run_failed"}'
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count, delivery.next_at) == (DeliveryStatus.DELIVERED, 1, None)
    assert delivery.delivered_at is not None
    attempt = delivery.attempts.get()
    assert (attempt.number, attempt.outcome, attempt.status_code, attempt.response) == (1, "ok", 200, "thanks")


def test_a_receiver_that_answers_503_twice_gets_the_same_body_and_id_three_times():
    delivery = DeliveryFactory()
    made = transport(Answer(status=503), Answer(status=503), Answer(status=200))
    with time_machine.travel(now(), tick=True) as clock:
        for pause in (0, 7, 400):
            clock.shift(timedelta(seconds=pause))
            run(made)
    assert {post[1] for post in made.http.posts} == {delivery.body.encode()}
    assert [post[2]["X-AegisRunner-Delivery"] for post in made.http.posts] == [str(delivery.pk)] * 3
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == (DeliveryStatus.DELIVERED, 3)
    told = [(attempt.number, attempt.outcome, attempt.status_code) for attempt in delivery.attempts.all()]
    assert told == [(1, "retry", 503), (2, "retry", 503), (3, "ok", 200)]


def test_a_people_message_is_rendered_once_and_kept_for_its_retries():
    channel = ChannelFactory(kind="slack", key="slack")
    delivery = DeliveryFactory(channel=channel, occurrence__project=channel.project, body="")
    made = transport(Answer(status=503), Answer(status=200, body="ok"))
    with time_machine.travel(now(), tick=True) as clock:
        run(made)
        delivery.refresh_from_db()
        stored = delivery.body
        delivery.occurrence.facts["suite_name"] = "Renamed"
        delivery.occurrence.save()
        clock.shift(timedelta(seconds=7))
        run(made)
    assert [post[1].decode() for post in made.http.posts] == [stored, stored]
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.DELIVERED


def test_too_large_is_answered_with_a_smaller_message_in_the_same_try():
    channel = ChannelFactory(kind="slack", key="slack")
    delivery = DeliveryFactory(channel=channel, occurrence__project=channel.project, body="")
    made = transport(Answer(status=400, body="msg_blocks_too_long"), Answer(status=200, body="ok"))
    run(made)
    first, second = (post[1] for post in made.http.posts)
    assert len(second) < len(first)
    delivery.refresh_from_db()
    assert delivery.body == second.decode()
    assert delivery.attempts.count() == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"enabled": False}, "channel_off"),
        ({"paused_until": now() + timedelta(hours=1)}, "paused"),
        ({"suspended_at": now()}, "suspended"),
    ],
)
def test_what_waits_for_a_channel_that_stopped_is_cancelled_with_the_reason(change, reason):
    delivery = DeliveryFactory()
    type(delivery.channel).objects.filter(pk=delivery.channel_id).update(**change)
    made = transport()
    run(made)
    assert made.http.posts == []
    delivery.refresh_from_db()
    assert (delivery.status, delivery.status_reason, delivery.attempt_count) == (DeliveryStatus.CANCELLED, reason, 0)


@pytest.mark.parametrize("reason", ["unsubscribed", "bounced", "unconfirmed"])
def test_mail_that_waits_for_an_address_that_takes_none_any_more_is_cancelled(reason):
    project = ProjectFactory()
    owner = project.workspace.memberships.get().user
    channel = ChannelFactory(project=project, kind="email", key="email")
    delivery = DeliveryFactory(channel=channel, occurrence__project=project, recipient=owner.email, body="")
    match reason:
        case "unsubscribed":
            OptOut.objects.create(project=project, email=owner.email, created_at=now())
        case "bounced":
            AddressBounce.objects.create(email=owner.email, kind=AddressBounce.Kind.BOUNCED, at=now())
        case "unconfirmed":
            type(owner).objects.filter(pk=owner.pk).update(email_verified_at=None)
    made = transport()
    run(made)
    assert made.mail.messages == []
    delivery.refresh_from_db()
    assert (delivery.status, delivery.status_reason, delivery.attempt_count) == (DeliveryStatus.CANCELLED, reason, 0)


def test_what_waits_for_a_deleted_channel_is_cancelled():
    delivery = DeliveryFactory()
    delivery.channel.delete()
    run(transport())
    delivery.refresh_from_db()
    assert (delivery.status, delivery.status_reason) == (DeliveryStatus.CANCELLED, "channel_deleted")


def test_retry_after_pauses_the_whole_channel():
    channel = ChannelFactory()
    first = DeliveryFactory(channel=channel, occurrence__project=channel.project)
    run(transport(Answer(status=429, headers={"retry-after": "120"})))
    second = DeliveryFactory(channel=channel, occurrence__project=channel.project)
    made = transport()
    run(made)
    assert made.http.posts == []
    for delivery in (first, second):
        delivery.refresh_from_db()
        assert delivery.next_at > now() + timedelta(seconds=100)
    assert (second.status, second.attempt_count) == (DeliveryStatus.PENDING, 0)
    assert first.step == 0, "a 429 is no step of the ladder"


def test_a_gone_answer_suspends_the_channel_and_says_why():
    channel = ChannelFactory(kind="discord", key="discord")
    delivery = DeliveryFactory(channel=channel, occurrence__project=channel.project, body="")
    run(transport(Answer(status=404, body='{"code": 10015, "message": "Unknown Webhook"}')))
    channel.refresh_from_db()
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.FAILED
    assert channel.suspended_at is not None
    assert "deleted" in channel.suspended_reason
    assert channel.project.workspace.audit_entries.filter(action="channel.suspended", source="system").exists()


def test_successes_and_failures_show_in_the_channels_health():
    channel = ChannelFactory()
    DeliveryFactory(channel=channel, occurrence__project=channel.project)
    run(transport(Answer(status=500)))
    channel.refresh_from_db()
    assert channel.failures_in_a_row == 1
    assert channel.last_error
    DeliveryFactory(channel=channel, occurrence__project=channel.project)
    run(transport(Answer(status=200)))
    channel.refresh_from_db()
    assert channel.failures_in_a_row == 0
    assert channel.last_success_at is not None


def test_a_renderer_that_raises_ends_the_delivery_with_a_reason(monkeypatch, caplog):
    channel = ChannelFactory(kind="slack", key="slack")
    delivery = DeliveryFactory(channel=channel, occurrence__project=channel.project, body="")
    monkeypatch.setattr("notifications.channels.slack.Slack.render", lambda *args, **kwargs: 1 / 0)
    run(transport())
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.FAILED
    assert "could not be made" in delivery.status_reason
    assert "could not be rendered" in caplog.text


def test_a_message_that_can_not_be_made_says_nothing_of_its_channel(monkeypatch):
    channel = ChannelFactory(kind="slack", key="slack")
    delivery = DeliveryFactory(channel=channel, occurrence__project=channel.project, body="")
    monkeypatch.setattr("notifications.channels.slack.Slack.render", lambda *args, **kwargs: 1 / 0)
    run(transport())
    channel.refresh_from_db()
    assert (channel.failures_in_a_row, channel.breaker_failures, channel.last_error) == (0, 0, "")
    assert [attempt.outcome for attempt in delivery.attempts.all()] == ["failed"]


def test_a_short_form_that_can_not_be_made_ends_the_delivery(monkeypatch):
    channel = ChannelFactory(kind="slack", key="slack")
    delivery = DeliveryFactory(channel=channel, occurrence__project=channel.project, body="")
    render = Slack.render
    monkeypatch.setattr(
        Slack, "render", lambda *args, compact=False: 1 / 0 if compact else render(*args, compact=compact)
    )
    run(transport(Answer(status=400, body="msg_blocks_too_long")))
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.FAILED
    assert "could not be made" in delivery.status_reason


def test_a_fault_in_our_own_sending_code_is_neither_a_try_nor_a_step(monkeypatch):
    delivery = DeliveryFactory()

    def fail(url):
        raise ZeroDivisionError

    run(transport(fail))
    delivery.refresh_from_db()
    assert (delivery.status, delivery.step, delivery.attempt_count) == (DeliveryStatus.RETRYING, 0, 0)
    assert "fault of ours" in delivery.status_reason
    assert not delivery.attempts.exists()
    delivery.channel.refresh_from_db()
    assert delivery.channel.failures_in_a_row == 0


def test_a_sender_thread_survives_what_nobody_expected(monkeypatch):
    deliveries = [DeliveryFactory(), DeliveryFactory(), DeliveryFactory()]
    monkeypatch.setattr("notifications.delivery.engine.try_once", lambda *args: 1 / 0)
    run(transport())
    for delivery in deliveries:
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempt_count) == (DeliveryStatus.PENDING, 0)
        assert delivery.next_at > now() + timedelta(seconds=20)


def test_an_interrupted_try_is_told_of():
    delivery = DeliveryFactory()
    Delivery.objects.filter(pk=delivery.pk).update(
        status=DeliveryStatus.SENDING, lease_token=delivery.pk, attempt_count=1, next_at=now() - timedelta(seconds=1)
    )
    run(transport())
    told = list(Attempt.objects.filter(delivery=delivery).values_list("number", "outcome"))
    assert told == [(1, "interrupted"), (2, "ok")]


def test_a_breaker_that_opens_holds_what_was_claimed_already():
    channel = ChannelFactory()
    for occurrence in OccurrenceFactory.create_batch(80, project=channel.project):
        DeliveryFactory(channel=channel, occurrence=occurrence)

    def fail(url):
        time.sleep(0.02)
        return Answer(status=500)

    made = transport(fail)
    run(made)
    assert 10 <= len(made.http.posts) < 60
    untouched = channel.deliveries.filter(status=DeliveryStatus.PENDING)
    assert untouched.count() == 80 - len(made.http.posts)
    assert set(untouched.values_list("attempt_count", "step")) == {(0, 0)}
    assert untouched.filter(next_at__lte=now() + timedelta(seconds=15)).count() == 0


def test_our_own_faults_are_neither_tries_nor_steps():
    delivery = DeliveryFactory()
    run(transport(Answer(trouble=Trouble.OURS, detail="No file descriptors left.")))
    delivery.refresh_from_db()
    assert (delivery.status, delivery.step, delivery.attempt_count) == (DeliveryStatus.RETRYING, 0, 0)
    assert "our side" in delivery.status_reason
    assert not delivery.attempts.exists()


def test_the_answer_is_kept_without_our_secrets():
    delivery = DeliveryFactory()
    url = delivery.channel.config["url"]
    run(transport(Answer(status=500, body=f"could not handle {url} \x00 {'x' * 9000}")))
    attempt = delivery.attempts.get()
    assert url not in attempt.response
    assert len(attempt.response) <= 4096


def test_what_was_not_begun_is_given_back_uncounted():
    channel = ChannelFactory()
    occurrences = OccurrenceFactory.create_batch(3, project=channel.project)
    rows = [DeliveryFactory(channel=channel, occurrence=occurrence) for occurrence in occurrences]

    def stop_after_first(url):
        stop.set()
        return Answer(status=200)

    import threading

    stop = threading.Event()
    engine = Engine(threads=1, make_transport=lambda: transport(stop_after_first))
    engine._queues._bound = 1
    engine.run(budget=5, linger=0.05, stop=stop)
    states = sorted((row.status, row.attempt_count) for row in Delivery.objects.filter(pk__in=[r.pk for r in rows]))
    assert states[0][0] == "delivered"
    assert set(states[1:]) <= {("pending", 0), ("delivered", 1)}
    assert not Delivery.objects.filter(status=DeliveryStatus.SENDING).exists()
