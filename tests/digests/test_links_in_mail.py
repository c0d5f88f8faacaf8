"""Every link of every mail that we send: mail scanners, previews and prefetching browsers open them, and nothing may
come of it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.test import Client

from aegisnotify import mail as mails
from aegisnotify.clock import now
from digests import tasks
from digests.models import Mailing, MailingKind, MailingState, NudgeClock, UsageThreshold, WeeklySubscription
from notifications.addresses.services import request_confirmations
from notifications.delivery.preparing import prepare
from notifications.delivery.sending import real_transport, try_once
from notifications.intake.recording import record
from notifications.models import Delivery, DeliveryStatus
from notifications.services.warnings import send_channel_warnings
from projects.access import Role
from projects.actors import SYSTEM, Source, person
from projects.models import User
from projects.services import accounts, invitations, members
from projects.usage import Meter, period_of
from tests import factories

pytestmark = pytest.mark.django_db

OURS = re.compile(r"http://testserver[^\s\"'<>]*")
# Signing in and out and looking around leave their marks there, which is no choice of anybody's.
TRACES = {"Session", "PersonActivity"}
PREFETCH = {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Moz": "prefetch"}


def everything():
    """All that is stored, but for the traces and the workspace that somebody looked at last."""
    return {
        model.__name__: sorted(str({k: v for k, v in row.items() if k != "last_workspace_id"}) for row in rows)
        for model in apps.get_models()
        if model.__name__ not in TRACES
        for rows in [model.objects.values()]
    }


@pytest.fixture
def templates(monkeypatch):
    """Notes the templates that mails are made of."""
    used, render = set(), mails.render_to_string

    def noting(name, values):
        used.add(name)
        return render(name, values)

    monkeypatch.setattr(mails, "render_to_string", noting)
    return used


@pytest.fixture
def every_mail(templates, project, workspace, people, django_capture_on_commit_callbacks):
    """Sends every mail there is, through what sends it in real life; the messages."""
    moment = now()
    run = {"event": "run_completed", "project": project.slug, "run": {"id": "1", "status": "failed", "failed": 1}}
    factories.ChannelFactory(
        project=project,
        first_failure_at=moment - timedelta(days=4),
        failing_since=moment - timedelta(days=3),
        last_error="It answered 503.",
    )
    email = factories.ChannelFactory(project=project, kind="email", key="email")
    factories.RecipientFactory(channel=email, email=people.owner.email)
    daily = factories.ChannelFactory(
        project=project, kind="email", key="daily", mode="daily_digest", digest_time="08:00"
    )
    factories.RecipientFactory(channel=daily, email=people.owner.email)
    leaving = factories.MembershipFactory(workspace=workspace)
    factories.RecipientFactory(channel=email, email=leaving.user.email)
    quiet = factories.MembershipFactory(
        workspace=factories.WorkspaceFactory(owner=None), role=Role.ADMIN, user__date_joined=moment - timedelta(days=8)
    )
    type(quiet).objects.filter(pk=quiet.pk).update(created_at=moment - timedelta(days=8))
    factories.ProjectFactory(workspace=quiet.workspace)
    unverified = factories.UserFactory(email_verified_at=None)
    with django_capture_on_commit_callbacks(execute=True):
        accounts.send_verification(unverified)
        accounts.request_password_reset(people.member.email, None)
        accounts.request_email_change(SYSTEM, people.admin, "new@example.com")
        accounts.change_password(SYSTEM, people.viewer, "another long password")
        members.leave(SYSTEM, leaving)
        invitations.invite(person(people.owner, Source.PAGE), workspace, email="guest@example.com", role="member")
        request_confirmations(SYSTEM, workspace, ["stranger@example.com"])
        send_channel_warnings()
        record(workspace, run)
        for item in prepare(Delivery.objects.filter(kind="email", status=DeliveryStatus.PENDING)):
            try_once(item.job, real_transport())
        tasks.clocks.keep(moment)
        type(daily.digest_clock).objects.update(next_at=moment)
        WeeklySubscription.objects.create(user=people.owner, workspace=workspace, enabled=True, next_at=moment)
        NudgeClock.objects.create(user=quiet.user, quiet_since=moment - timedelta(days=8), next_at=moment)
        UsageThreshold.objects.create(
            workspace=workspace, meter=Meter.RUNS, period=period_of(moment), threshold=80, cap=2500, reached_at=moment
        )
        tasks.send_due()
        tasks.keep_books()
    return mail.outbox


def test_no_link_of_any_mail_changes_anything_by_being_opened(every_mail, templates, project):
    folder = Path(settings.BASE_DIR) / "templates" / "emails"
    parts = {"base.html", "base.txt", "style.html"}
    assert templates == {f"emails/{path.name}" for path in folder.iterdir() if path.name not in parts}
    sent = set(Mailing.objects.filter(state=MailingState.SENT).values_list("kind", flat=True))
    assert sent == set(MailingKind.values), [*Mailing.objects.values_list("kind", "state", "reason")]

    links = {}
    for message in every_mail:
        html = message.alternatives[0][0].replace("&amp;", "&")
        found = {link.rstrip(".,;)") for link in OURS.findall(message.body + html)}
        assert found, message.subject
        links |= dict.fromkeys(found, message.to[0])
    before = everything()
    for link in links:
        for method, headers in (("get", {}), ("head", {}), ("get", PREFETCH)):
            opened(Client(), link, method, headers)
    assert everything() == before
    for address in set(links.values()) & set(User.objects.values_list("email", flat=True)):
        reader = Client()
        reader.force_login(User.objects.get(email=address))
        before = everything()
        for link in [link for link, to in links.items() if to == address]:
            opened(reader, link, "get", PREFETCH)
        assert everything() == before


def opened(client, link, method, headers):
    response = getattr(client, method)(link, headers=headers)
    # Some pages take no HEAD: that changes nothing either.
    fine = (200, 302, 405) if method == "head" else (200, 302)
    assert response.status_code in fine, f"{method} {link}: {response.status_code}"
