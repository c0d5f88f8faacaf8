"""Telling people of a failing channel, once per stage."""

from datetime import timedelta

import pytest
from django.core import mail

from aegisnotify.clock import now
from notifications.services.warnings import AT_ONCE, send_channel_warnings
from tests.factories import ChannelFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def failing(project):
    return ChannelFactory(
        project=project,
        name="Deploy hook",
        first_failure_at=now() - 4 * DAY,
        failing_since=now() - 3 * DAY,
        last_error="It answered 503.",
    )


def test_owner_and_admins_are_warned_half_way(failing, people):
    send_channel_warnings()
    assert {message.to[0] for message in mail.outbox} == {people.owner.email, people.admin.email}
    message = mail.outbox[0]
    assert message.subject == "[Acme Web] Deploy hook keeps failing"
    assert "It answered 503." in message.body
    assert "suspended on" in message.body
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"


def test_each_stage_is_told_once(failing, people):
    assert send_channel_warnings() == 1
    assert send_channel_warnings() == 0
    failing.refresh_from_db()
    failing.suspended_at, failing.suspended_reason = now(), "It has only failed for five days."
    failing.save()
    mail.outbox.clear()
    assert send_channel_warnings() == 1
    assert send_channel_warnings() == 0
    assert mail.outbox[0].subject == "[Acme Web] Deploy hook is suspended"
    assert "It has only failed for five days." in mail.outbox[0].body


def test_a_channel_that_is_gone_is_told_of_at_once(project, people):
    ChannelFactory(
        project=project, kind="discord", key="discord", suspended_at=now(), suspended_reason="The webhook was deleted."
    )
    assert send_channel_warnings() == 1


def test_chat_channels_are_not_warned_of_half_way(project, people):
    ChannelFactory(project=project, kind="slack", key="slack", failing_since=now() - 4 * DAY)
    assert send_channel_warnings() == 0
    assert mail.outbox == []


def test_dead_chat_channels_do_not_keep_a_webhook_from_being_warned_of(project, failing, people):
    for number in range(AT_ONCE):
        ChannelFactory(project=project, kind="slack", key=f"slack-{number}", failing_since=now() - 4 * DAY)
    failing.position = 99
    failing.save()
    assert send_channel_warnings() == 1


def test_an_unverified_admin_gets_no_mail(failing, people):
    people.admin.email_verified_at = None
    people.admin.save()
    send_channel_warnings()
    assert {message.to[0] for message in mail.outbox} == {people.owner.email}


def test_a_name_can_not_inject_headers_or_links(project, people):
    ChannelFactory(
        project=project,
        name="x https://evil.example/ <b>bold</b>",
        suspended_at=now(),
        suspended_reason="gone",
    )
    send_channel_warnings()
    message = mail.outbox[0]
    html = message.alternatives[0].content
    assert "<b>bold" not in html
    assert "https://evil.example" not in html
    assert "https://evil.example" not in message.body


def test_a_broken_mail_server_is_logged_and_not_tried_again_at_once(failing, people, monkeypatch, caplog):
    def fail(message):
        raise OSError

    monkeypatch.setattr("notifications.services.warnings.send_mail_now", fail)
    send_channel_warnings()
    assert "could not be mailed" in caplog.text
    assert send_channel_warnings() == 0
