"""What a daily digest carried goes with the history it belongs to; that the digest was sent stays known."""

from datetime import timedelta

from aegisnotify.clock import now
from digests.models import Mailing, MailingItem
from notifications.models import Delivery
from notifications.services.retention import sweep_histories
from tests import factories


def test_items_of_old_digests_are_deleted_with_their_deliveries(db):
    moment = now() - timedelta(days=200)
    delivery = factories.DeliveryFactory(
        channel__kind="email", status="delivered", next_at=None, created_at=moment, occurrence__received_at=moment
    )
    mailing = Mailing.objects.create(
        key="daily", kind="daily", recipient="ann@example.com", due_at=moment, created_at=moment, finished_at=moment,
        state="sent", workspace=delivery.workspace, channel=delivery.channel,
    )  # fmt: skip
    MailingItem.objects.create(delivery=delivery, mailing=mailing)
    assert sweep_histories() == 2
    assert not Delivery.objects.exists()
    assert not MailingItem.objects.exists()
    assert Mailing.objects.get() == mailing
