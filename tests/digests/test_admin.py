"""What staff see of digests, reminders and warnings: everything, and nothing to change."""

from datetime import time

import pytest

from aegisnotify.clock import now
from digests.models import (
    ChannelClock,
    DailyTotal,
    Mailing,
    MailingItem,
    NudgeClock,
    NudgeOptOut,
    PersonActivity,
    UsageOptOut,
    UsageThreshold,
    WeeklySubscription,
    WorkspaceOptOut,
)
from projects.usage import period_of
from tests import factories
from tests.admin_walk import address, models_of, opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client):
    client.force_login(factories.UserFactory(email="staff@example.com", is_staff=True, is_superuser=True))
    return client


def rows(count):
    """So many of everything."""
    for _ in range(count):
        delivery = factories.DeliveryFactory(channel__kind="email")
        workspace, user, moment = delivery.workspace, factories.UserFactory(), now()
        mailing = Mailing.objects.create(
            key=user.email, kind="daily", recipient=user.email, user=user, workspace=workspace,
            channel=delivery.channel, due_at=moment, created_at=moment, state="skipped", reason="paused",
            finished_at=moment,
        )  # fmt: skip
        MailingItem.objects.create(delivery=delivery, mailing=mailing)
        WeeklySubscription.objects.create(user=user, workspace=workspace)
        WorkspaceOptOut.objects.create(workspace=workspace, created_at=moment, created_by=user)
        UsageOptOut.objects.create(user=user, workspace=workspace, created_at=moment)
        NudgeOptOut.objects.create(user=user, created_at=moment)
        PersonActivity.objects.create(user=user, seen_at=moment, last_project=delivery.project)
        NudgeClock.objects.create(user=user, quiet_since=moment, next_at=moment)
        DailyTotal.objects.create(project=delivery.project, day=moment.date(), last_at=moment)
        ChannelClock.objects.create(
            channel=delivery.channel, at=time(8), time_zone="UTC", next_at=moment, covered_until=moment
        )
        UsageThreshold.objects.create(
            workspace=workspace, meter="runs", period=period_of(moment), threshold=80, cap=50, reached_at=moment
        )


def test_lists_and_rows_open_and_cost_the_same_for_many(client):
    rows(1)
    first = {model: opened(client, address(model, "changelist"))[1] for model in models_of("digests")}
    assert len(first) == 11
    rows(4)
    for model, queries in first.items():
        assert opened(client, address(model, "changelist"))[1] == queries, model
        opened(client, address(model, "change", model.objects.first().pk))


def test_nothing_can_be_changed(client):
    rows(1)
    for model in models_of("digests"):
        assert client.get(address(model, "add")).status_code == 403
        assert client.post(address(model, "delete", model.objects.first().pk)).status_code == 403


def test_a_mailing_says_what_became_of_it_and_what_it_carried(client):
    rows(1)
    mailing = Mailing.objects.get()
    page, _ = opened(client, address(Mailing, "change", mailing.pk))
    assert "The channel is paused" in page
    assert str(mailing.items.get().delivery_id) in page


@pytest.mark.parametrize("query", ["state=skipped", "reason=paused", "kind=daily", "q=nobody@example.com"])
def test_mailings_can_be_filtered(client, query):
    rows(1)
    name, _, value = query.partition("=")
    filtered = query if name == "q" else f"{name}__exact={value}"
    page, _ = opened(client, f"{address(Mailing, 'changelist')}?{filtered}")
    assert (Mailing.objects.get().recipient in page) == (name != "q")
