"""Deleting history beyond the plan, and showing none of it."""

import threading
from datetime import UTC, timedelta

import pytest
from django.db import connection, connections
from django.urls import reverse

from aegisnotify.clock import now
from notifications.history import history
from notifications.intake.recording import record
from notifications.models import Attempt, Delivery, DeliveryStatus, Occurrence
from notifications.selectors.activity import activity
from notifications.selectors.deliveries import deliveries_of, find_delivery
from notifications.selectors.occurrences import find_occurrence, occurrences_of
from notifications.selectors.overview import overview
from notifications.services import recovery, retention
from notifications.services.retention import sweep_histories
from projects.actors import SYSTEM, Source
from projects.models import AuditEntry, Workspace
from projects.services.workspaces import change_plan
from tests import factories


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(retention, "PAUSE", 0)


def aged(project, days, **fields):
    """A delivery, its occurrence and an attempt, so many days old."""
    moment = now() - timedelta(days=days)
    occurrence = factories.OccurrenceFactory(
        project=project, received_at=moment, occurred_at=moment, decisions=[{"channel": "webhook"}]
    )
    values = {"status": DeliveryStatus.DELIVERED, "next_at": None, "delivered_at": moment} | fields
    delivery = factories.DeliveryFactory(occurrence=occurrence, created_at=moment, **values)
    Attempt.objects.create(delivery=delivery, number=1, at=moment, outcome="ok")
    return delivery


def on(code, **fields):
    return factories.ProjectFactory(workspace__plan_code=code, **fields)


def test_what_the_plan_keeps_stays_and_the_rest_goes(db):
    project = on("starter")
    young, old = aged(project, 30.9), aged(project, 31.1)
    assert sweep_histories() == 2
    assert list(Delivery.objects.all()) == [young]
    assert list(Attempt.objects.values_list("delivery", flat=True)) == [young.pk]
    assert list(Occurrence.objects.all()) == [young.occurrence]
    bare = Occurrence.keys.get(pk=old.occurrence_id)
    assert (bare.forgotten, bare.facts, bare.decisions, bare.source_id) == (True, {}, [], old.occurrence.source_id)


def test_detail_stays_fifteen_days_on_a_plan_that_shows_seven(db):
    project = on("free")
    kept, gone = aged(project, 14), aged(project, 15.1)
    sweep_histories()
    assert list(Delivery.objects.all()) == [kept]
    assert not Delivery.objects.filter(pk=gone.pk).exists()


def test_an_unlimited_history_is_never_touched(db):
    aged(on("enterprise"), 3000)
    assert sweep_histories() == 0
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("status", ["pending", "retrying", "held"])
def test_what_is_not_finished_stays_with_what_it_is_about(db, status):
    delivery = aged(on("free"), 60, status=status, next_at=None if status == "held" else now(), delivered_at=None)
    assert sweep_histories() == 0
    assert Delivery.objects.get() == delivery
    assert Occurrence.objects.get().facts


def test_a_report_of_a_forgotten_run_is_known_and_tells_nobody(db, monkeypatch):
    monkeypatch.setattr("notifications.delivery.wakeup.wake", lambda: None)
    project = on("free", slug="shop")
    factories.ChannelFactory(project=project)
    payload = {"event": "run_failed", "project": "shop", "run": {"id": "r1", "status": "failed"}}
    first = record(project.workspace, payload).occurrence
    Delivery.objects.update(status="delivered", next_at=None, created_at=now() - timedelta(days=60))
    Occurrence.objects.update(received_at=now() - timedelta(days=60))
    sweep_histories()
    assert not Delivery.objects.exists()

    again = record(project.workspace, payload)
    assert (again.duplicate, again.occurrence.pk, again.occurrence.decisions) == (True, first.pk, [])
    scheduled = payload | {"event": "scheduled_runs"}
    assert record(project.workspace, scheduled).duplicate
    assert not Delivery.objects.exists()
    assert Occurrence.keys.count() == 1


def test_keys_go_after_four_hundred_days(db):
    project = on("free")
    young, old = aged(project, 399), aged(project, 401)
    sweep_histories()
    assert list(Occurrence.keys.all()) == [young.occurrence]
    assert not Occurrence.keys.filter(pk=old.occurrence_id).exists()


def test_it_is_written_into_the_audit_log_once_and_repeating_does_nothing(db):
    project = on("free")
    for _ in range(3):
        aged(project, 60)
    sweep_histories()
    entry = AuditEntry.objects.get(action="workspace.history_deleted")
    assert (entry.source, entry.workspace) == (Source.SYSTEM, project.workspace)
    assert entry.changes["deliveries"] == [3, 0]
    assert entry.changes["events"] == [3, 0]
    Workspace.objects.update(sweep_at=now())
    assert sweep_histories() == 0
    assert AuditEntry.objects.count() == 1


def test_a_workspace_is_swept_once_a_day(db):
    project = on("free")
    sweep_histories()
    aged(project, 60)
    assert sweep_histories() == 0
    Workspace.objects.update(sweep_at=now() - timedelta(seconds=1))
    assert sweep_histories() == 2


def test_it_goes_in_batches_and_goes_on_where_time_was_over(db, monkeypatch):
    project = on("free")
    for _ in range(5):
        aged(project, 60)
    clock = iter(range(1000))
    monkeypatch.setattr(retention.time, "monotonic", lambda: next(clock))
    assert sweep_histories(seconds=3, batch=2) == 4
    assert Delivery.objects.count() == 1
    assert sweep_histories(seconds=100, batch=2) == 6
    assert not Delivery.objects.exists()
    assert Occurrence.keys.filter(forgotten=True).count() == 5


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_delete_each_row_once(monkeypatch):
    project = on("free")
    for _ in range(30):
        aged(project, 60)
    kept = history(7, now())
    dealt, errors = [], []
    together = threading.Barrier(3)

    def work():
        try:
            together.wait(10)
            while done := retention.delete_deliveries(project.workspace, kept, 4):
                dealt.append(done)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors
    assert sum(dealt) == 30
    assert not Delivery.objects.exists()


def test_a_taken_workspace_is_left_to_whoever_took_it(db, monkeypatch):
    aged(on("free"), 60)
    seen = Workspace.objects.get()
    Workspace.objects.filter(pk=seen.pk).update(sweep_at=now() - timedelta(hours=1))
    original = retention._sweep

    def overtaken(*args):
        pytest.fail("swept twice")

    def first(workspace, *args):
        monkeypatch.setattr(retention, "_sweep", overtaken)
        assert sweep_histories() == 0
        return original(workspace, *args)

    monkeypatch.setattr(retention, "_sweep", first)
    assert sweep_histories() == 2


def test_a_smaller_plan_hides_at_once_and_deletes_a_week_later(db):
    project = on("business")
    aged(project, 60)
    change_plan(SYSTEM, project.workspace, factories.plan("free"))
    assert sweep_histories() == 0
    workspace = Workspace.objects.select_related("plan").get()
    assert not deliveries_of(workspace).exists()
    change_plan(SYSTEM, workspace, factories.plan("business"))
    workspace = Workspace.objects.select_related("plan").get()
    assert deliveries_of(workspace).count() == 1
    Workspace.objects.update(plan=factories.plan("free"), sweep_at=now())
    assert sweep_histories() == 2


def test_selectors_show_only_the_plans_history(db):
    project = on("free")
    young, old = aged(project, 6.9), aged(project, 7.1)
    workspace = project.workspace
    assert list(deliveries_of(workspace)) == [young]
    assert list(deliveries_of(workspace, project=project)) == [young]
    assert list(occurrences_of(workspace)) == [young.occurrence]
    assert find_delivery(workspace, old.pk) is None
    assert find_occurrence(workspace, old.occurrence_id) is None
    assert find_occurrence(workspace, young.occurrence_id) == young.occurrence
    Occurrence.objects.update(decisions=[])
    assert [line.occurrence for line in activity(project).lines] == [young.occurrence]
    assert [line.occurrence for line in overview(workspace, now(), UTC).events] == [young.occurrence]


def test_pages_of_what_the_plan_no_longer_shows_are_not_there(client, db):
    project = on("free")
    client.force_login(project.workspace.memberships.get().user)
    young, old = aged(project, 6), aged(project, 8)
    Occurrence.objects.update(decisions=[])
    for delivery, status in ((young, 200), (old, 404)):
        assert client.get(reverse("delivery", args=[delivery.pk])).status_code == status
        assert client.get(reverse("event_why", args=[delivery.occurrence_id])).status_code == status


def test_recovering_goes_no_further_back_than_the_plan_shows(db, monkeypatch):
    monkeypatch.setattr("notifications.delivery.wakeup.wake", lambda: None)
    project = on("free")
    old = aged(project, 10, channel__kind="email", status="failed", delivered_at=None)
    job = recovery.start_recovery(SYSTEM, old.channel, now() - timedelta(days=12))
    assert job.since >= now() - timedelta(days=7, seconds=5)
    assert job.total == 0


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads tables of a few rows without an index")
def test_batches_are_found_by_an_index(db):
    workspace = on("free").workspace
    kept = history(7, now())
    keys = Occurrence.keys.filter(workspace=workspace, forgotten=True, received_at__lt=kept.known_since)
    assert "occurrence_forgotten" in keys.order_by("received_at").explain()
    old = Occurrence.objects.filter(workspace=workspace, received_at__lt=kept.kept_since)
    assert "occurrence_by_workspace" in old.order_by("received_at", "pk").explain()
