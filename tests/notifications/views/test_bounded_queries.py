"""No list asks the database more often because it has more rows: counted for every list of the pages and the API."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aegisnotify.clock import now
from notifications.intake.recording import record
from notifications.models import Attempt, Delivery, RecoveryJob
from projects.models import AuditEntry, Invitation, Project
from tests import factories

LISTS = (
    "/?ws=acme",
    "/notifications/?ws=acme",
    "/notifications/?ws=acme&project=acme-web",
    "/deliveries/?ws=acme",
    "/deliveries/?ws=acme&project=acme-web&status=failed",
    "/deliveries/?ws=acme&event=run_failed",
    "/deliveries/?ws=acme&event=ai_generated&project=acme-web&status=delivered",
    "/deliveries/?ws=acme&show=held_back",
    "/deliveries/rows?ws=acme",
    "/events/{event}/why/?ws=acme",
    "/explain/?ws=acme&project=acme-web&event=run_failed&result=failed",
    "/usage/?ws=acme",
    "/projects/?ws=acme",
    "/p/acme-web/?ws=acme",
    "/p/acme-web/config/integrations/notifications/?ws=acme",
    "/settings/members/?ws=acme",
    "/settings/tokens/?ws=acme",
    "/settings/audit/?ws=acme",
    "/settings/email/?ws=acme",
    "/profile/",
    "/api/v1/projects",
    "/api/v1/projects/acme-web/channels",
    "/api/v1/projects/acme-web/notification-settings",
    "/api/v1/events",
    "/api/v1/deliveries",
    "/api/v1/usage",
)
MOST = 25


def add(workspace, count, prefix):
    """`count` more of everything that a list can have."""
    kinds = list(factories.CONFIGS)
    acme = workspace.projects.get(slug="acme-web")
    for number in range(count):
        project = factories.ProjectFactory(workspace=workspace)
        for owner in (acme, project):
            kind = kinds[number % len(kinds)]
            channel = factories.ChannelFactory(
                project=owner,
                kind=kind,
                enabled=bool(number % 3),
                paused_until=now() + timedelta(hours=1) if number % 2 else None,
                failures_in_a_row=number,
            )
            factories.OverrideFactory(channel=channel, event="crawl_completed")
            if kind == "email":
                factories.RecipientFactory(channel=channel)
            RecoveryJob.objects.create(workspace=workspace, channel=channel, since=now(), until=now(), status="done")
        person = factories.MembershipFactory(workspace=workspace).user
        factories.TokenFactory(workspace=workspace, project=project, created_by=person)
        Invitation.objects.create(
            workspace=workspace,
            email=f"{prefix}{number}@example.com",
            role="member",
            digest=f"{prefix}{number}",
            invited_by=person,
            created_at=now(),
            sent_at=now(),
            expires_at=now() + timedelta(days=1),
        )
        AuditEntry.objects.create(
            workspace=workspace,
            project_id=project.pk,
            actor=person,
            at=now(),
            actor_label=str(person),
            source="page",
            action="channel.updated",
            target_type="channel",
            target_id=str(channel.pk),
            target_label=channel.name,
            changes={"enabled": [True, False]},
        )
    for number in range(count):
        for project in Project.objects.filter(workspace=workspace):
            report = {"id": f"{prefix}{number}", "status": "failed"}
            record(workspace, {"event": "run_failed", "project": project.slug, "run": report})
    for place, delivery in enumerate(Delivery.objects.filter(attempts=None)):
        status = ("failed", "delivered", "retrying")[place % 3]
        Delivery.objects.filter(pk=delivery.pk).update(
            status=status,
            attempt_count=1,
            next_at=now() if status == "retrying" else None,
            delivered_at=now() if status == "delivered" else None,
        )
        Attempt.objects.create(delivery=delivery, number=1, at=now(), outcome="failed", error="It answered 500.")


def counted(client, event):
    counts = {}
    for address in LISTS:
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address.format(event=event))
        assert response.status_code == 200, address
        counts[address] = len(queries)
    return counts


@pytest.mark.django_db
def test_more_rows_take_no_more_queries(client, people, workspace, project):
    workspace.plan = factories.plan("enterprise")
    workspace.save()
    client.force_login(people.owner, backend="django.contrib.auth.backends.ModelBackend")
    add(workspace, 3, "a")
    event = Delivery.objects.filter(project=project).first().occurrence_id
    counted(client, event)
    few = counted(client, event)
    add(workspace, 3, "b")
    assert counted(client, event) == few
    assert {address: count for address, count in few.items() if count > MOST} == {}
