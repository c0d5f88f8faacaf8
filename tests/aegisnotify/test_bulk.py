"""Rows inserted past the ORM are the rows that the ORM would have inserted, on whichever database the suite runs."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.forms.models import model_to_dict

from aegisnotify import bulk
from aegisnotify.clock import now
from notifications.models import Attempt, Delivery, DeliveryStatus, Occurrence
from tests.factories import ChannelFactory, DeliveryFactory, OccurrenceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def portable(request, monkeypatch):
    """Each test runs on the database's own statements and through the ORM."""
    if request.param:
        monkeypatch.setattr(bulk, "_VENDORS", frozenset())


def pytest_generate_tests(metafunc):
    metafunc.parametrize("portable", [False, True], ids=["native", "portable"], indirect=True)


def made(occurrence, channel, **given):
    values = {
        "workspace_id": occurrence.workspace_id,
        "project_id": occurrence.project_id,
        "occurrence_id": occurrence.pk,
        "channel_id": channel.pk,
        "channel_key": channel.key,
        "kind": channel.kind,
        "event": "run_failed",
        "next_at": now(),
        "created_at": now(),
    }
    return bulk.new(Delivery, **values | given)


def test_a_new_row_has_the_defaults_of_its_model():
    occurrence = OccurrenceFactory()
    values = {"occurrence_id": occurrence.pk, "workspace_id": occurrence.workspace_id, "event": "run_failed"}
    fast, slow = bulk.new(Delivery, **values), Delivery(**values)
    assert model_to_dict(fast) == model_to_dict(slow)
    assert fast.pk
    assert fast.pk != slow.pk
    assert fast._state.adding


def test_a_column_that_is_none_is_refused():
    with pytest.raises(AssertionError):
        bulk.new(Delivery, project="a project, not its id")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"body": "quotes \" and ' and \\ and ü ✓ \U0001f6a8 %s {}", "recipient": "ann@example.com"},
        {"status": DeliveryStatus.HELD, "next_at": None, "status_reason": "x" * 500},
        {"channel_id": None, "step": 3, "attempt_count": 7},
    ],
)
def test_what_was_inserted_is_read_back(given):
    channel = ChannelFactory()
    row = made(OccurrenceFactory(project=channel.project), channel, **given)
    bulk.insert([row])
    stored = Delivery.objects.get()
    assert {field.attname: getattr(stored, field.attname) for field in Delivery._meta.concrete_fields} == {
        field.attname: getattr(row, field.attname) for field in Delivery._meta.concrete_fields
    }


def test_json_keeps_its_types():
    facts = {"text": 'a "quoted" ü\n', "number": 2**53 - 1, "half": 0.5, "none": None, "list": [True, {"a": []}]}
    row = OccurrenceFactory.build(project=ChannelFactory().project, facts=facts, decisions=[{"gates": [1, "two"]}])
    row.workspace = row.project.workspace
    assert bulk.insert_unknown([row]) == {row.pk}
    stored = Occurrence.objects.get()
    assert (stored.facts, stored.decisions) == (facts, [{"gates": [1, "two"]}])
    assert Occurrence.objects.filter(facts__half=0.5).exists()


def test_rows_with_keys_of_the_databases_own_are_inserted():
    delivery = DeliveryFactory()
    bulk.insert([Attempt(delivery=delivery, number=number, at=now(), outcome="ok") for number in (1, 2)])
    assert [attempt.number for attempt in delivery.attempts.all()] == [1, 2]


def test_what_is_known_is_left_alone_and_not_counted_as_inserted():
    known = OccurrenceFactory(facts={"id": "a", "first": True})
    same = OccurrenceFactory.build(
        project=known.project, workspace=known.workspace, source_id=known.source_id, facts={"id": "a"}
    )
    other = OccurrenceFactory.build(project=known.project, workspace=known.workspace)
    assert bulk.insert_unknown([same, other]) == {other.pk}
    assert Occurrence.objects.get(source_id=known.source_id).facts == {"id": "a", "first": True}
    assert Occurrence.objects.count() == 2


def test_too_long_a_text_is_refused_and_not_cut():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no lengths.")
    channel = ChannelFactory()
    row = made(OccurrenceFactory(project=channel.project), channel, channel_key="x" * 61)
    with pytest.raises(Exception, match="too long"), transaction.atomic():
        bulk.insert([row])


def test_a_broken_constraint_is_an_error():
    channel = ChannelFactory()
    occurrence = OccurrenceFactory(project=channel.project)
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert([made(occurrence, channel, status="nonsense")])


def test_no_rows_are_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        bulk.insert([])
        assert bulk.insert_unknown([]) == set()


def test_many_rows_are_one_statement(django_assert_max_num_queries):
    project = ChannelFactory().project
    rows = [OccurrenceFactory.build(project=project, workspace=project.workspace) for _ in range(300)]
    with django_assert_max_num_queries(5):
        assert len(bulk.insert_unknown(rows)) == 300
