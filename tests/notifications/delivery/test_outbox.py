"""Claiming and settling: the SQL of the queue, on whichever database the suite runs."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from aegisnotify.clock import now
from notifications.delivery import outbox
from notifications.delivery.outbox import LEASE, Settled
from notifications.models import Attempt, Delivery, DeliveryStatus
from notifications.models.deliveries import ENDS_TO_LOOK_AT, UNFINISHED, status_among
from tests.factories import DeliveryFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def portable(request, monkeypatch):
    """Each test runs on the database's own statements and on the portable ones."""
    if request.param:
        monkeypatch.setattr(outbox, "_claim_postgresql", outbox._claim_portable)
        monkeypatch.setattr(outbox, "_claim_sqlite", outbox._claim_portable)
        monkeypatch.setattr(outbox, "_settle_postgresql", outbox._settle_portable)
        monkeypatch.setattr(outbox, "_settle_sqlite", outbox._settle_portable)


def pytest_generate_tests(metafunc):
    metafunc.parametrize("portable", [False, True], ids=["native", "portable"], indirect=True)


def claim(limit=10, moment=None, **kwargs):
    token = uuid.uuid4()
    return token, outbox.claim(limit, token, moment or now(), **kwargs)


def test_a_due_delivery_is_claimed_once():
    delivery = DeliveryFactory()
    token, rows = claim()
    assert [row.pk for row in rows] == [delivery.pk]
    assert claim()[1] == []
    delivery.refresh_from_db()
    assert (delivery.status, delivery.lease_token, delivery.attempt_count) == (DeliveryStatus.SENDING, token, 1)


def test_the_claimed_row_carries_what_is_stored():
    delivery = DeliveryFactory(body='{"ü": "✓"}', recipient="ann@example.com", step=3, attempt_count=4)
    _, (row,) = claim()
    delivery.refresh_from_db()
    fields = [field.attname for field in delivery._meta.concrete_fields]
    assert {name: getattr(row, name) for name in fields} == {name: getattr(delivery, name) for name in fields}
    assert row.get_deferred_fields() == set()


def test_what_is_not_due_stays():
    DeliveryFactory(next_at=now() + timedelta(seconds=5))
    DeliveryFactory(status=DeliveryStatus.DELIVERED, next_at=None)
    DeliveryFactory(status=DeliveryStatus.HELD, next_at=None)
    assert claim()[1] == []


def test_the_longest_due_go_first():
    moment = now()
    late = DeliveryFactory(next_at=moment - timedelta(seconds=1))
    early = DeliveryFactory(next_at=moment - timedelta(seconds=9))
    assert [row.pk for row in claim(limit=1)[1]] == [early.pk]
    assert [row.pk for row in claim(limit=1)[1]] == [late.pk]


def test_an_expired_lease_is_due_again_and_marked_as_interrupted():
    delivery = DeliveryFactory()
    _, (first,) = claim()
    assert not first.interrupted
    _, (second,) = claim(moment=now() + LEASE + timedelta(seconds=1))
    assert second.pk == delivery.pk
    assert second.interrupted
    assert second.attempt_count == 2


def test_a_renewed_lease_does_not_expire():
    DeliveryFactory()
    token, (row,) = claim()
    later = now() + LEASE
    outbox.renew(token, [row.pk], later)
    assert claim(moment=later + timedelta(seconds=1))[1] == []


def test_excluded_channels_wait():
    slow, quick = DeliveryFactory(), DeliveryFactory()
    assert [row.pk for row in claim(without_channels=[slow.channel_id])[1]] == [quick.pk]


def test_a_delivery_whose_channel_is_gone_is_claimed_beside_an_exclusion():
    orphan = DeliveryFactory(channel=None, channel_key="gone", kind="webhook")
    other = DeliveryFactory()
    claimed = {row.pk for row in claim(without_channels=[other.channel_id])[1]}
    assert orphan.pk in claimed


def test_settling_stores_each_result():
    good, bad = DeliveryFactory(body="keep"), DeliveryFactory(body="")
    token, _ = claim()
    moment = now()
    ours = outbox.settle(
        token,
        [
            Settled(good.pk, DeliveryStatus.DELIVERED, 0, None, delivered_at=moment),
            Settled(bad.pk, DeliveryStatus.RETRYING, 1, moment + timedelta(minutes=5), body="“ü”", reason="503"),
        ],
    )
    assert ours == {good.pk, bad.pk}
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.status, good.next_at, good.lease_token, good.body) == (DeliveryStatus.DELIVERED, None, None, "keep")
    assert good.delivered_at == moment
    assert (bad.status, bad.step, bad.next_at, bad.body) == (
        DeliveryStatus.RETRYING, 1, moment + timedelta(minutes=5), "“ü”",
    )  # fmt: skip
    assert (bad.status_reason, bad.attempt_count, bad.delivered_at) == ("503", 1, None)


def test_a_settlement_tells_of_the_tries():
    good, bad = DeliveryFactory(), DeliveryFactory()
    token, _ = claim()
    results = [Settled(row.pk, DeliveryStatus.DELIVERED, 0, None, delivered_at=now()) for row in (good, bad)]
    tries = [
        Attempt(delivery=row, number=1, at=now(), status_code=200, outcome="ok", response=response)
        for row, response in ((good, '{"said": "ok \\ %s"}'), (bad, "“ü”"))
    ]
    outbox.settle(token, results, tries)
    assert [row.attempts.get().response for row in (good, bad)] == ['{"said": "ok \\ %s"}', "“ü”"]


def test_tries_alone_are_told_too():
    delivery = DeliveryFactory()
    assert outbox.settle(uuid.uuid4(), [], [Attempt(delivery=delivery, number=1, at=now(), outcome="ok")]) == set()
    assert delivery.attempts.count() == 1


def test_where_a_try_cannot_be_told_nothing_is_settled():
    delivery = DeliveryFactory()
    token, _ = claim()
    nonsense = Attempt(delivery=delivery, number=1, at=now(), outcome="nonsense")
    with pytest.raises(IntegrityError), transaction.atomic():
        outbox.settle(token, [Settled(delivery.pk, DeliveryStatus.DELIVERED, 0, None)], [nonsense])
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.SENDING


def test_giving_back_uncounts_the_try():
    delivery = DeliveryFactory()
    token, _ = claim()
    outbox.settle(token, [Settled(delivery.pk, DeliveryStatus.PENDING, 0, now(), uncount=True)])
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == (DeliveryStatus.PENDING, 0)


def test_a_lost_lease_settles_nothing():
    delivery = DeliveryFactory()
    old, _ = claim()
    new, _ = claim(moment=now() + LEASE + timedelta(seconds=1))
    assert outbox.settle(old, [Settled(delivery.pk, DeliveryStatus.FAILED, 0, None)]) == set()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.lease_token) == (DeliveryStatus.SENDING, new)


def test_the_next_due_moment_is_found():
    assert outbox.next_due() is None
    delivery = DeliveryFactory(next_at=now() + timedelta(minutes=3))
    assert outbox.next_due() == delivery.next_at


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a table of a few rows without an index")
@pytest.mark.parametrize(("statuses", "index"), [(UNFINISHED, "delivery_due"), (ENDS_TO_LOOK_AT, "delivery_by_end")])
def test_what_is_rare_is_found_by_its_partial_index(statuses, index):
    order = "next_at" if statuses is UNFINISHED else "-pk"
    # With its values as parameters the whole table is read: several times a second, by whoever waits for work.
    rows = Delivery.objects.filter(status_among(statuses)).order_by(order)
    assert index in rows.explain()
