"""A workspace with one of everything that an address can name, and the addresses there are."""

import hashlib
from datetime import timedelta

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from aegisnotify.clock import now
from notifications.addresses import links as address_links
from notifications.models import AddressConfirmation, RecoveryJob
from projects import links as account_links
from projects.models import Invitation
from tests import factories

# Parameters that name no thing of a workspace.
FREE = frozenset({"event", "token", "uidb64"})


class World:
    """`parameters` holds a thing of the workspace for each parameter that addresses have, `links` whole addresses, and
    `sessions` one of each person."""

    invitation_token = "token-of-the-invitation"
    recipient = "recipient@example.com"

    def __init__(self, project, people):
        workspace = project.workspace
        workspace.plan = factories.plan("business")
        workspace.save()
        self.project, self.workspace, self.people = project, workspace, people
        self.tomorrow = (now() + timedelta(days=1)).isoformat()
        self.yesterday = (now() - timedelta(days=1)).isoformat()
        self.email_channel = factories.ChannelFactory(project=project, kind="email", key="email", name="Mail")
        self.hook = factories.ChannelFactory(project=project, key="hook", name="Hook", position=1)
        self.heir = workspace.memberships.get(user=people.admin)
        AddressConfirmation.objects.create(workspace=workspace, email=self.recipient)
        delivery = factories.DeliveryFactory(
            occurrence__project=project, channel=self.hook, status="failed", next_at=None
        )
        job = RecoveryJob.objects.create(
            workspace=workspace, channel=self.email_channel, since=now(), until=now(), status="done"
        )
        invitation = Invitation.objects.create(
            workspace=workspace,
            email="invited@example.com",
            role="member",
            digest=hashlib.sha256(self.invitation_token.encode()).hexdigest(),
            created_at=now() - timedelta(hours=1),
            sent_at=now() - timedelta(hours=1),
            expires_at=now() + timedelta(days=1),
        )
        self.parameters = {
            "slug": project.slug,
            "channel_id": self.hook.pk,
            "key": self.hook.key,
            "delivery_id": delivery.pk,
            "event_id": delivery.occurrence_id,
            "job_id": job.pk,
            "token_id": factories.TokenFactory(workspace=workspace).pk,
            "member_id": workspace.memberships.get(user=people.member).pk,
            "invitation_id": invitation.pk,
        }
        stranger = factories.UserFactory()
        self.links = {
            "verify_email": account_links.verification_url(stranger),
            "email_change": account_links.email_change_url(stranger, "moved@example.com"),
            "password_reset_confirm": account_links.password_reset_url(stranger),
            "invitation": account_links.invitation_url(self.invitation_token),
            "confirm_address": address_links.confirmation_url(workspace.pk, self.recipient),
            "unsubscribe": address_links.unsubscribe_url(project.pk, self.recipient),
            "api-unknown": "/api/nothing",
        }
        self.sessions = {name: _session_of(user) for name, user in vars(people).items()}


def _session_of(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value


def addresses(patterns=None, prefix=""):
    """(route, pattern) of every page and every endpoint of the API; the admin site is tested apart."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, pattern
        elif isinstance(pattern, URLResolver) and pattern.namespace != "admin":
            yield from addresses(pattern.url_patterns, route)
