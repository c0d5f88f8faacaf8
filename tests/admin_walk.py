"""Looking at every page of the admin: rows of every model, and how many queries their pages take."""

from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from aegisnotify.clock import now
from notifications.models import (
    AddressBounce,
    AddressConfirmation,
    Attempt,
    ChannelHour,
    DeliveryHour,
    FilterDraft,
    OptOut,
    RecoveryJob,
    TargetPace,
)
from projects.models import AuditEntry, Invitation, Plan, UsageCounter
from projects.usage import Meter, period_of
from tests import factories

# Nothing of these may stand in any page: parts of the factories' URLs and secrets, and of bodies.
SECRETS = ("slacksecret", "discord-token", "teamssig", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "signed-link")


def fill(count, prefix="row"):
    """`count` rows of every model, each with rows of its own around it."""
    kinds = list(factories.CONFIGS)
    for number in range(count):
        delivery = factories.DeliveryFactory(
            channel__kind=kinds[number % len(kinds)], body="https://notify.example.com/unsubscribe/signed-link"
        )
        workspace, project, channel = delivery.workspace, delivery.project, delivery.channel
        email, person = f"{prefix}{number}@example.com", factories.UserFactory()
        TargetPace.objects.create(fingerprint=email, next_at=now())
        FilterDraft.objects.create(user=person, workspace=workspace, started_at=now(), updated_at=now())
        RecoveryJob.objects.create(workspace=workspace, channel=channel, since=now(), until=now())
        Attempt.objects.create(delivery=delivery, number=1, at=now(), outcome="ok", response="ok")
        factories.MembershipFactory(workspace=workspace)
        factories.RecipientFactory(channel=channel)
        factories.OverrideFactory(channel=channel, changed_by=person)
        factories.EventFlagFactory(workspace=workspace, project=project, changed_by=person)
        factories.TokenFactory(workspace=workspace, project=project, created_by=person)
        AddressConfirmation.objects.create(workspace=workspace, email=email, requested_by=person)
        Invitation.objects.create(
            workspace=workspace,
            email=email,
            role="member",
            digest=email,
            invited_by=person,
            created_at=now(),
            expires_at=now(),
            sent_at=now(),
        )
        DeliveryHour.objects.create(workspace=workspace, hour=495_000, delivered=3, failed=1)
        ChannelHour.objects.create(channel=channel, hour=495_000, delivered=3, failed=1)
        OptOut.objects.create(project=project, email=email, created_at=now())
        AddressBounce.objects.create(email=email, kind="bounced", at=now())
        Plan.objects.create(code=f"{prefix}-{number}", name=f"Plan {number}", position=100)
        UsageCounter.objects.create(workspace=workspace, period=period_of(now()), meter=Meter.RUNS, used=number)
        AuditEntry.objects.create(
            workspace=workspace,
            actor=person,
            at=now(),
            actor_label="Ann",
            source="page",
            action="channel.updated",
            target_type="channel",
            target_id=str(channel.pk),
            target_label="Slack",
        )


def models_of(app):
    return [model for model in admin.site._registry if model._meta.app_label == app]


def address(model, view, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def opened(client, url):
    """The page's HTML and how many queries it took."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    assert response.status_code == 200, f"{url}: {response.status_code}"
    return response.content.decode(), len(queries)


def messages_of(response):
    return [str(message) for message in response.context["messages"]]
