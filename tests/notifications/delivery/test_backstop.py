"""The worker delivers by itself what nobody else does, and the processes that deliver survive what goes wrong."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError

from aegisnotify.clock import now
from notifications.delivery import backstop, sender, standby, tasks
from notifications.delivery.backstop import Backstop
from notifications.delivery.stopping import Flag
from tests.factories import DeliveryFactory


@pytest.fixture
def done(monkeypatch):
    """What was done, in order: "drain" or "wake"."""
    made = []
    monkeypatch.setattr(backstop.Engine, "run", lambda self, **kwargs: made.append("drain"))
    monkeypatch.setattr(backstop.wakeup, "wake", lambda: made.append("wake"))
    return made


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("overdue", "expected"),
    [(None, []), (-60, []), (0.1, []), (1, ["wake"]), (2.4, ["wake"]), (2.6, ["drain"]), (3600, ["drain"])],
)
def test_what_is_a_little_late_is_told_to_the_cluster_and_what_is_late_is_delivered(done, overdue, expected):
    if overdue is not None:
        DeliveryFactory(next_at=now() - timedelta(seconds=overdue))
    Backstop(threading.Event()).look()
    assert done == expected


@pytest.mark.django_db
def test_a_delivery_whose_process_died_is_late_when_its_lease_has_ended(done):
    delivery = DeliveryFactory(next_at=now() - timedelta(seconds=3))
    type(delivery).objects.update(status="sending", lease_token=delivery.pk)
    Backstop(threading.Event()).look()
    assert done == ["drain"]


def test_a_database_that_is_away_costs_one_line(done, monkeypatch, caplog):
    caplog.set_level("INFO")
    away = True

    def next_due():
        if away:
            raise OperationalError

    monkeypatch.setattr(backstop.outbox, "next_due", next_due)
    monkeypatch.setattr(backstop, "close_old_connections", lambda: None)
    looking = Backstop(threading.Event())
    for _ in range(5):
        looking.look()
    away = False
    looking.look()
    assert [record.getMessage() for record in caplog.records] == [
        "The database is away (OperationalError). It is asked again and again.",
        "The database is back.",
    ]


def test_an_engine_that_fails_does_not_end_the_backstop(monkeypatch, caplog):
    monkeypatch.setattr(backstop.outbox, "next_due", lambda: 1 / 0)
    monkeypatch.setattr(backstop, "close_old_connections", lambda: None)
    stop = threading.Event()
    stop.set()
    Backstop(stop).look()
    assert "It looks again." in caplog.text


def test_an_engine_that_fails_does_not_end_the_sender(monkeypatch, caplog):
    monkeypatch.setattr(sender, "PAUSE", 0)
    stop = threading.Event()
    runs = []

    def run(self, **kwargs):
        runs.append(kwargs)
        if len(runs) == 3:
            stop.set()
            return
        raise ValueError("unexpected")

    monkeypatch.setattr(sender.Engine, "run", run)
    sender.deliver_until(stop)
    assert runs == [{"budget": None, "linger": None, "stop": stop}] * 3
    assert caplog.text.count("had to begin anew") == 2


class Away:
    def run(self, **kwargs):
        raise OperationalError


def test_a_task_says_in_one_line_that_the_database_is_away(monkeypatch, caplog):
    monkeypatch.setattr(tasks.Engine, "run", Away.run)
    assert tasks.deliver_due() == 0
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "What is due stays due." in caplog.text


def test_a_process_that_was_told_to_stop_begins_no_drain(monkeypatch):
    monkeypatch.setattr(tasks, "stopping", Flag())
    tasks.stopping.set()
    monkeypatch.setattr(tasks.Engine, "run", Away.run)
    assert tasks.deliver_due() == 0


class Notes:
    def __init__(self):
        self.said = b""

    def note(self, byte):
        self.said += byte


def test_the_standby_says_whether_the_broker_took_a_heartbeat(monkeypatch, caplog):
    caplog.set_level("INFO")
    is_away = True

    def enqueue(name, *, broker):
        assert broker.list_key.endswith("ours")
        if is_away:
            raise ConnectionError

    class Broker:
        def __init__(self, list_key):
            self.list_key = list_key

        def hurry(self):
            pass

    monkeypatch.setattr(standby, "get_broker", Broker)
    monkeypatch.setattr(standby, "async_task", enqueue)
    link = Notes()
    heartbeats = standby.Heartbeats(link, "ours")
    for is_away in (False, True, True, False):  # noqa: B007 - read by enqueue
        heartbeats.send()
    assert link.said == standby.ACCEPTED + standby.REFUSED * 2 + standby.ACCEPTED
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
