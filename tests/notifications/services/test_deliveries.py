"""Redelivering."""

from datetime import timedelta

import pytest

from aegisnotify.clock import now
from notifications.models import DeliveryStatus, OptOut
from notifications.services.deliveries import redeliver
from projects.actors import SYSTEM
from projects.errors import Conflict, PlanLimit
from tests.factories import ChannelFactory, DeliveryFactory, ProjectFactory
from tests.factories import plan as seeded_plan

pytestmark = pytest.mark.django_db


def finished(status=DeliveryStatus.FAILED, **fields):
    return DeliveryFactory(status=status, next_at=None, attempt_count=10, step=9, **fields)


@pytest.mark.parametrize("status", ["delivered", "failed", "cancelled"])
def test_a_finished_delivery_starts_its_ladder_again_under_the_same_id(status):
    delivery = finished(status)
    again = redeliver(SYSTEM, delivery)
    assert again.pk == delivery.pk
    assert (again.status, again.step, again.attempt_count) == (DeliveryStatus.PENDING, 0, 10)
    assert again.next_at <= now()
    assert again.body == delivery.body


@pytest.mark.parametrize("status", ["pending", "retrying", "held"])
def test_an_unfinished_one_is_a_conflict(status):
    delivery = DeliveryFactory(status=status, next_at=None if status == "held" else now())
    with pytest.raises(Conflict):
        redeliver(SYSTEM, delivery)


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": False},
        {"suspended_at": now(), "suspended_reason": "gone"},
        {"paused_until": now() + timedelta(hours=1)},
    ],
)
def test_a_channel_that_can_not_send_is_a_conflict(change):
    delivery = finished()
    for name, value in change.items():
        setattr(delivery.channel, name, value)
    delivery.channel.save()
    with pytest.raises(Conflict):
        redeliver(SYSTEM, delivery)
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.FAILED


def test_a_deleted_channel_is_a_conflict():
    delivery = finished()
    delivery.channel.delete()
    with pytest.raises(Conflict):
        redeliver(SYSTEM, delivery)


def test_a_channel_over_the_plan_is_refused():
    delivery = finished()
    delivery.workspace.plan = seeded_plan("free")
    delivery.workspace.save()
    with pytest.raises(PlanLimit) as caught:
        redeliver(SYSTEM, delivery)
    assert caught.value.details["limit"] == "webhooks"


def test_mail_is_not_sent_again_to_somebody_who_opted_out():
    project = ProjectFactory()
    owner = project.workspace.memberships.get().user
    channel = ChannelFactory(project=project, kind="email", key="email")
    delivery = finished(channel=channel, occurrence__project=project, recipient=owner.email)
    OptOut.objects.create(project=project, email=owner.email, created_at=now())
    with pytest.raises(Conflict, match="unsubscribed"):
        redeliver(SYSTEM, delivery)
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.FAILED
