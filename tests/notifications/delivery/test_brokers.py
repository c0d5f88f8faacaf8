"""django-q's brokers, patient with an outage and with a queue for each cluster."""

from datetime import timedelta

import pytest
import redis
from django.db import OperationalError
from django_q.conf import Conf
from django_q.models import OrmQ

from aegisnotify.clock import now
from notifications.delivery import brokers
from notifications.delivery.brokers import OrmBroker, RedisBroker, listen_as, own_queue


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(brokers.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(brokers, "_own_queue", "")
    monkeypatch.setattr(brokers, "_on_round", None)


class Server:
    """Redis as far as the broker uses it."""

    def __init__(self):
        self.lists = {}
        self.expires = {}
        self.is_away = False

    def blpop(self, keys, timeout):
        if self.is_away:
            raise redis.ConnectionError
        for key in keys:
            if self.lists.get(key):
                return key.encode(), self.lists[key].pop(0)
        return None

    def rpush(self, key, value):
        self.lists.setdefault(key, []).append(value)

    def expire(self, key, seconds):
        self.expires[key] = seconds

    def set(self, *args):
        raise redis.TimeoutError


@pytest.fixture
def server(monkeypatch):
    made = Server()
    monkeypatch.setattr(RedisBroker, "get_connection", staticmethod(lambda list_key=None: made))
    return made


@pytest.fixture
def orm(monkeypatch):
    monkeypatch.setattr(Conf, "ORM", "default")


def test_redis_that_is_away_costs_one_line_and_is_asked_again(server, caplog):
    caplog.set_level("INFO")
    broker = RedisBroker()
    server.is_away = True
    assert [broker.dequeue() for _ in range(5)] == [None] * 5
    server.is_away = False
    broker.enqueue("task")
    assert broker.dequeue() == [(None, "task")]
    assert [record.getMessage() for record in caplog.records] == [
        "The broker does not answer (ConnectionError). It is asked every second.",
        "The broker answers again.",
    ]


def test_a_cluster_takes_heartbeats_from_its_own_queue_first(server):
    for queue, task in ((None, "shared"), (own_queue("ours"), "ours"), (own_queue("theirs"), "theirs")):
        RedisBroker(queue).enqueue(task)
    listen_as("ours", on_round=lambda: None)
    broker = RedisBroker()
    assert [broker.dequeue() for _ in range(3)] == [[(None, "ours")], [(None, "shared")], None]
    assert list(server.expires) == [f"django_q:{own_queue(name)}:q" for name in ("ours", "theirs")]


def test_the_sentinel_makes_its_round_whether_or_not_the_broker_hears_of_it(server):
    rounds = []
    listen_as("ours", on_round=lambda: rounds.append(1))
    broker = RedisBroker()
    broker.set_stat("key", "value", 3)
    broker.set_stat("key", "value", 3)
    assert len(rounds) == 2


def test_a_cluster_starts_without_its_broker(server):
    server.is_away = True
    assert RedisBroker().ping()


@pytest.mark.django_db
def test_the_orm_broker_takes_tasks_from_both_queues_once(orm):
    for queue, task in ((None, "shared"), (own_queue("ours"), "ours"), (own_queue("theirs"), "theirs")):
        OrmBroker(queue).enqueue(task)
    listen_as("ours", on_round=lambda: None)
    broker = OrmBroker()
    taken = [broker.dequeue() for _ in range(3)]
    assert [task for tasks in taken[:2] for _, task in tasks] == ["shared", "ours"]
    assert taken[2] is None


@pytest.mark.django_db
def test_heartbeats_of_clusters_that_are_gone_are_tidied_up(orm):
    shared, old = OrmBroker(), OrmBroker(own_queue("gone"))
    shared.enqueue("shared")
    old.enqueue("heartbeat")
    OrmQ.objects.update(lock=now() - timedelta(hours=1))
    OrmBroker(own_queue("ours")).enqueue("heartbeat")
    assert set(OrmQ.objects.values_list("key", flat=True)) == {Conf.CLUSTER_NAME, own_queue("ours")}


def test_a_database_that_is_away_is_asked_again(orm, monkeypatch):
    def fail(list_key=None):
        raise OperationalError

    monkeypatch.setattr(OrmBroker, "get_connection", staticmethod(lambda list_key=None: None))
    broker = OrmBroker()
    monkeypatch.setattr(broker, "get_connection", fail)
    assert broker.dequeue() is None
