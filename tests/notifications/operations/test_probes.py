"""/healthz and /readyz."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from aegisnotify.clock import now
from notifications.models import WorkerSeen
from notifications.operations import readiness
from notifications.operations.workers import say_worker_is_there, workers_seen
from tests import factories


def test_healthz_says_that_the_process_answers_without_asking_the_database(client):
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_readyz_is_ok_with_a_worker_and_nothing_late(client):
    say_worker_is_there()
    body = client.get("/readyz").json()
    assert body == {"status": "ok", "database": "ok", "broker": "ok", "workers": 1, "oldest_due_seconds": None}


@pytest.mark.django_db
def test_without_a_worker_it_is_ready_and_degraded(client):
    WorkerSeen.objects.create(name="gone:1", seen_at=now() - timedelta(minutes=2))
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"], response.json()["workers"]) == (200, "degraded", 0)


@pytest.mark.django_db
def test_a_delivery_that_waits_too_long_degrades(client):
    say_worker_is_there()
    delivery = factories.DeliveryFactory(next_at=now() - timedelta(seconds=10))
    assert client.get("/readyz").json()["status"] == "ok"
    delivery.next_at = now() - timedelta(seconds=90)
    delivery.save()
    body = client.get("/readyz").json()
    assert body["status"] == "degraded"
    assert 90 <= body["oldest_due_seconds"] < 100


@pytest.mark.django_db
def test_a_delivery_of_later_is_not_due(client):
    factories.DeliveryFactory(next_at=now() + timedelta(minutes=5))
    assert client.get("/readyz").json()["oldest_due_seconds"] is None


@pytest.mark.django_db
def test_a_broker_that_is_away_degrades(client, monkeypatch):
    say_worker_is_there()

    def away():
        raise ConnectionError

    monkeypatch.setattr(readiness, "get_broker", away)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"], response.json()["broker"]) == (200, "degraded", "down")


def test_without_database_it_is_not_ready(client, monkeypatch):
    def away():
        raise OperationalError("connection to server at postgres://u:p4ssw0rd@db failed")

    monkeypatch.setattr(readiness, "workers_seen", away)
    monkeypatch.setattr(connection, "vendor", "other")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "status": "down", "database": "down", "broker": "unknown", "workers": 0, "oldest_due_seconds": None
    }  # fmt: skip


@pytest.mark.django_db
def test_workers_are_forgotten_after_an_hour():
    WorkerSeen.objects.create(name="old:1", seen_at=now() - timedelta(hours=2))
    say_worker_is_there()
    say_worker_is_there()
    assert WorkerSeen.objects.count() == workers_seen() == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_they_are_read_only(client, path):
    assert client.post(path).status_code == 405
