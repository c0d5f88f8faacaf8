"""Digests, reminders and warnings as a real mail server gets them."""

import socket
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from bs4 import BeautifulSoup

from aegisnotify import signed_links
from aegisnotify.clock import now
from digests import links, tasks
from digests.models import ChannelClock, NudgeClock
from notifications.addresses.links import EVENT_MAIL
from notifications.intake.recording import record
from notifications.services.channels import create_channel
from projects.actors import SYSTEM
from projects.models import Project, Workspace
from projects.services.usage import count_usage
from projects.usage import Meter
from tests.digests.scenes import ran, subscribed

pytestmark = pytest.mark.django_db

EVIL = '<script>alert(1)</script>\r\nBcc: victim@example.com\r\n\r\n<img src="https://evil.example/x"> www.evil.example'
LONG = EVIL + "ﷺ" * 300


class Inbox:
    def __init__(self):
        self.messages = []

    async def handle_DATA(self, server, session, envelope):
        self.messages.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


@pytest.fixture
def inbox(settings):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    handler = Inbox()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield handler
    controller.stop()


def weekly(project, user):
    ran(project, 3, failed=2, suite=LONG, failures=[{"name": LONG, "message": LONG}])
    for number in range(25):
        ran(project, 1, failed=1, suite=f"{LONG}{number}")
    subscribed(user, project.workspace)
    return links.WEEKLY


def daily(project, user):
    channel = create_channel(
        SYSTEM, project, kind="email", mode="daily_digest", digest_time="08:00", recipients=[user.email]
    ).channel
    for number in range(60):
        failed = number % 2
        facts = {"id": f"{number}", "suite_name": LONG, "status": "failed" if failed else "passed", "failed": failed}
        facts["failures"] = [{"name": LONG, "message": LONG}]
        record(project.workspace, {"event": "scheduled_runs", "project": project.slug, "run": facts})
    ChannelClock.objects.filter(channel=channel).update(next_at=now())
    return EVENT_MAIL


def nudge(project, user):
    ran(project, 1, suite=LONG)
    tasks.keep_books()
    NudgeClock.objects.exclude(user=user).delete()
    long_ago = now() - timedelta(days=8)
    from digests.models import DailyTotal
    from notifications.models import Occurrence
    from projects.models import Membership, User

    User.objects.update(date_joined=long_ago, last_login=None)
    Membership.objects.update(created_at=long_ago)
    Occurrence.objects.update(received_at=long_ago, occurred_at=long_ago)
    DailyTotal.objects.update(last_at=long_ago)
    NudgeClock.objects.update(quiet_since=long_ago, next_at=now())
    return links.NUDGES


def usage(project, user):
    count_usage(project.workspace_id, Meter.RUNS, now(), 2000)
    return links.USAGE


@pytest.mark.parametrize("make", [weekly, daily, nudge, usage])
def test_every_mail_is_complete_harmless_and_can_be_stopped(inbox, project, people, make):
    Project.objects.filter(pk=project.pk).update(name=EVIL[:120])
    Workspace.objects.filter(pk=project.workspace_id).update(name=EVIL[:120])
    project = Project.objects.select_related("workspace__plan").get(pk=project.pk)
    scope = make(project, people.owner)
    tasks.send_due()
    tasks.keep_books()
    mine = [message for to, message in inbox.messages if to == [people.owner.email]]
    (message,) = mine
    assert message["To"] == people.owner.email
    assert message["Bcc"] is None
    assert "\n" not in message["Subject"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].startswith("<mailing-")
    assert message["List-ID"]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = message["List-Unsubscribe"].strip().strip("<>")
    token = url.rstrip("/").rpartition("/")[2]
    assert signed_links.scope_of(token) == scope
    signed_links.read(scope, token)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    text, html = (part.get_content() for part in message.iter_parts())
    assert len(html.encode()) < 80_000
    assert url in text
    soup = BeautifulSoup(html, "html.parser")
    assert soup.find_all(["script", "img", "link", "iframe"]) == []
    assert all(anchor["href"].startswith("http://testserver/") for anchor in soup.find_all("a"))
    assert "url(" not in html
    assert "www.evil.example" not in html
    # The text says what the HTML says.
    for heading in soup.find_all(["h1", "h2"]):
        assert heading.get_text().strip().upper() in text.upper()
    for anchor in soup.find_all("a"):
        assert anchor["href"] in text
