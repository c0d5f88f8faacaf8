"""What a try writes into the log: ids to look for, and what came of it."""

import json
import logging

import pytest

from aegisnotify.logs import JsonFormatter
from notifications.channels.base import Answer
from notifications.delivery.engine import Engine
from notifications.intake.recording import record
from tests import factories
from tests.notifications.delivery.fakes import transport

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries():
    """The lines of sending and intake, as the JSON they become, from DEBUG on."""
    found, handler = [], logging.Handler()
    handler.setFormatter(JsonFormatter())
    handler.emit = lambda record: found.append(json.loads(handler.format(record)))
    loggers = [logging.getLogger(f"notifications.{name}") for name in ("delivery.sending", "intake.recording")]
    for each in loggers:
        each.addHandler(handler)
        each.setLevel(logging.DEBUG)
    yield found
    for each in loggers:
        each.removeHandler(handler)
        each.setLevel(logging.NOTSET)


@pytest.mark.parametrize(("status", "level"), [(200, "DEBUG"), (503, "INFO"), (410, "INFO")])
def test_a_try_names_its_delivery_and_its_occurrence(entries, status, level):
    delivery = factories.DeliveryFactory()
    made = transport(Answer(status=status, body="https://hooks.example.com/aegis"))
    Engine(threads=1, make_transport=lambda: made).run(budget=5, linger=0, wait_for_retries=False)
    (entry,) = entries
    assert (entry["delivery_id"], entry["occurrence_id"]) == (str(delivery.pk), str(delivery.occurrence_id))
    assert entry["level"] == level
    assert entry["message"].startswith("run_failed by webhook: ")
    assert str(status) in entry["message"]


def test_an_event_is_named_when_it_is_recorded(entries, project):
    payload = {"event": "run_failed", "project": project.slug, "run": {"id": "r-1", "status": "failed"}}
    recorded = record(project.workspace, payload)
    record(project.workspace, payload)
    (entry,) = entries
    assert entry["occurrence_id"] == str(recorded.occurrence.pk)
    assert "run_failed" in entry["message"]
