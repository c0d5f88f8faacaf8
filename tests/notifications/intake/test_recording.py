"""Recording: one transaction, once, whatever the callers do."""

import itertools
import threading
from datetime import timedelta

import pytest
from django.db import connections

from aegisnotify.clock import now
from notifications.intake import recording
from notifications.intake.recording import record, record_batch
from notifications.models import Channel, Delivery, DeliveryStatus, Occurrence
from notifications.services.channels import delete_channel
from projects.actors import SYSTEM
from projects.errors import Invalid, NotFound
from projects.models import UsageCounter
from tests.factories import ChannelFactory, OverrideFactory, ProjectFactory, RecipientFactory, WorkspaceFactory


@pytest.fixture(autouse=True)
def wake_ups(monkeypatch):
    """How often the background was woken."""
    calls = []
    monkeypatch.setattr("notifications.delivery.wakeup.wake", lambda: calls.append(1))
    return calls


@pytest.fixture
def slack(project):
    return ChannelFactory(project=project, kind="slack", key="slack", position=1)


@pytest.fixture
def hook(project):
    channel = ChannelFactory(project=project, kind="webhook", key="webhook", position=2)
    OverrideFactory(channel=channel, event="run_completed", enabled=True)
    return channel


@pytest.fixture
def email(project):
    return ChannelFactory(project=project, kind="email", key="email", position=0)


def failed_scheduled(**facts):
    return {
        "event": "run_failed",
        "project": "acme-web",
        "run": {"id": "r1", "suite_name": "Checkout", "status": "failed", "failed": 1, "trigger": "schedule", **facts},
    }


def test_a_failed_scheduled_run_tells_people_once_and_machines_per_event(project, email, slack, hook, people):
    recorded = record(project.workspace, failed_scheduled())
    assert not recorded.duplicate
    assert recorded.occurrence.fired_events == ["run_failed", "scheduled_runs", "run_completed"]
    rows = Delivery.objects.order_by("channel_key", "event")
    assert [(row.channel_key, row.event, row.recipient) for row in rows] == [
        ("email", "run_failed", people.owner.email),
        ("slack", "run_failed", ""),
        ("webhook", "run_completed", ""),
        ("webhook", "run_failed", ""),
        ("webhook", "scheduled_runs", ""),
    ]
    assert {row.status for row in rows} == {DeliveryStatus.PENDING}


def test_each_channel_has_its_decision_with_gates_and_deliveries(project, email, slack, hook):
    slack.enabled = False
    slack.save()
    decisions = {d["channel"]: d for d in record(project.workspace, failed_scheduled()).occurrence.decisions}
    assert {key: (d["outcome"], d["reason"]) for key, d in decisions.items()} == {
        "email": ("sent", "flag_on"),
        "slack": ("not_sent", "channel_off"),
        "webhook": ("sent", "flag_on"),
    }
    assert len(decisions["webhook"]["deliveries"]) == 3
    assert set(decisions["webhook"]["deliveries"]) == {str(pk) for pk in hook.deliveries.values_list("pk", flat=True)}
    assert decisions["slack"]["gates"][0] == {
        "gate": "channel_enabled", "event": None, "passed": False, "reason": "channel_off",
    }  # fmt: skip


def test_webhooks_of_a_project_share_the_bytes_of_an_event(project, hook):
    other = ChannelFactory(project=project, key="webhook-2")
    record(project.workspace, failed_scheduled())
    bodies = {row.body for row in Delivery.objects.filter(event="run_failed", channel__in=[hook, other])}
    assert len(bodies) == 1
    assert '"suite_name":"Checkout"' in bodies.pop()


def test_one_delivery_per_confirmed_recipient(project, email, people):
    for address in (people.member.email, "stranger@example.org", people.admin.email):
        RecipientFactory(channel=email, email=address)
    record(project.workspace, failed_scheduled())
    assert set(email.deliveries.values_list("recipient", flat=True)) == {people.member.email, people.admin.email}


def test_a_repeat_answers_with_the_first_result_and_creates_nothing(project, hook):
    first = record(project.workspace, failed_scheduled())
    again = record(project.workspace, failed_scheduled(status="passed", failed=0) | {"event": "run_completed"})
    assert again.duplicate
    assert again.occurrence.pk == first.occurrence.pk
    assert again.occurrence.decisions == first.occurrence.decisions
    assert again.occurrence.facts["status"] == "failed"
    assert Delivery.objects.count() == 3
    assert UsageCounter.objects.get().used == 1


def test_the_same_id_is_another_occurrence_in_another_project_or_of_another_kind(project, hook):
    other = ProjectFactory(workspace=project.workspace, slug="other")
    record(project.workspace, failed_scheduled())
    record(project.workspace, failed_scheduled() | {"project": other.slug})
    crawl = {"event": "crawl_completed", "project": "acme-web", "crawl": {"id": "r1", "status": "completed"}}
    record(project.workspace, crawl)
    assert Occurrence.objects.count() == 3


def test_a_cancelled_run_is_recorded_and_counted_but_tells_nobody(project, hook, slack):
    payload = failed_scheduled(status="cancelled") | {"event": "run_completed"}
    occurrence = record(project.workspace, payload).occurrence
    assert occurrence.fired_events == []
    assert {d["reason"] for d in occurrence.decisions} == {"run_cancelled"}
    assert not Delivery.objects.exists()
    assert UsageCounter.objects.get().used == 1


@pytest.mark.parametrize(
    ("payload", "meters"),
    [
        (failed_scheduled(), {"runs": 1}),
        ({"event": "crawl_completed", "project": "acme-web", "crawl": {"id": 1, "status": "failed"}}, {"scans": 1}),
        ({"event": "ai_generated", "project": "acme-web", "generation": {"id": 1}}, {}),
    ],
)
def test_runs_and_scans_are_counted_generations_are_not(project, payload, meters):
    record(project.workspace, payload)
    assert dict(UsageCounter.objects.values_list("meter", "used")) == meters


def test_a_project_is_found_by_slug_and_by_id(project):
    assert record(project.workspace, failed_scheduled() | {"project": str(project.pk)}).occurrence.project == project


def test_another_workspaces_project_does_not_exist(project):
    with pytest.raises(NotFound) as caught:
        record(WorkspaceFactory(), failed_scheduled())
    assert caught.value.details == {"fields": {"project": ["Unknown project."]}}
    assert not Occurrence.objects.exists()


def test_a_caller_limited_to_a_project_has_no_other(project):
    other = ProjectFactory(workspace=project.workspace)
    with pytest.raises(NotFound):
        record(project.workspace, failed_scheduled(), only=other)


def test_the_background_is_woken_after_the_commit_and_only_for_work(
    project, hook, wake_ups, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        record(project.workspace, failed_scheduled())
        assert wake_ups == []
    assert wake_ups == [1]
    with django_capture_on_commit_callbacks(execute=True):
        record(project.workspace, failed_scheduled())
    assert wake_ups == [1]


def test_a_failure_between_occurrence_and_deliveries_leaves_nothing(project, hook, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(recording, "count_usage", fail)
    with pytest.raises(RuntimeError):
        record(project.workspace, failed_scheduled())
    assert not Occurrence.objects.exists()
    assert not Delivery.objects.exists()


class TestLateSchedules:
    """The one exception: a later report that names scheduled_runs adds that event, once."""

    def manual(self, event="run_completed", **facts):
        payload = failed_scheduled(**facts) | {"event": event}
        del payload["run"]["trigger"]
        return payload

    def test_webhooks_that_have_it_on_get_it(self, project, hook):
        record(project.workspace, self.manual())
        late = record(project.workspace, self.manual("scheduled_runs"))
        assert late.duplicate
        assert late.occurrence.fired_events == ["run_failed", "scheduled_runs", "run_completed"]
        assert set(hook.deliveries.values_list("event", flat=True)) == {
            "run_failed", "run_completed", "scheduled_runs",
        }  # fmt: skip
        (decision,) = late.occurrence.decisions
        assert len(decision["deliveries"]) == 3

    def test_people_who_were_told_are_not_told_again(self, project, slack):
        record(project.workspace, self.manual())
        record(project.workspace, self.manual("scheduled_runs"))
        assert slack.deliveries.count() == 1

    def test_people_who_were_not_told_yet_and_have_it_on_are_told(self, project, slack):
        OverrideFactory(channel=slack, event="run_failed", enabled=False)
        first = record(project.workspace, self.manual()).occurrence
        assert first.decisions[0]["outcome"] == "not_sent"
        late = record(project.workspace, self.manual("scheduled_runs")).occurrence
        (decision,) = late.decisions
        assert (decision["outcome"], decision["event"]) == ("sent", "scheduled_runs")
        assert slack.deliveries.get().event == "scheduled_runs"

    def test_what_only_a_pause_kept_from_people_can_be_recovered(self, project, slack):
        OverrideFactory(channel=slack, event="run_failed", enabled=False)
        slack.paused_until = now() + timedelta(hours=1)
        slack.save()
        first = record(project.workspace, self.manual()).occurrence
        assert (first.decisions[0]["reason"], first.decisions[0]["recoverable"]) == ("paused", False)
        late = record(project.workspace, self.manual("scheduled_runs")).occurrence
        (decision,) = late.decisions
        assert (decision["outcome"], decision["reason"], decision["event"]) == ("not_sent", "paused", "scheduled_runs")
        assert decision["recoverable"]
        assert decision["deliveries"] == []

    def test_its_gate_stands_among_the_others(self, project, hook):
        record(project.workspace, self.manual())
        (decision,) = record(project.workspace, self.manual("scheduled_runs")).occurrence.decisions
        asked = [gate["event"] for gate in decision["gates"] if gate["gate"] == "filter"]
        assert asked == ["run_failed", "scheduled_runs", "run_completed"]

    def test_it_happens_once(self, project, hook):
        for payload in (self.manual(), self.manual("scheduled_runs"), self.manual("scheduled_runs")):
            record(project.workspace, payload)
        assert hook.deliveries.filter(event="scheduled_runs").count() == 1
        assert UsageCounter.objects.get().used == 1

    def test_a_cancelled_run_stays_silent(self, project, hook):
        record(project.workspace, self.manual(status="cancelled", failed=0))
        late = record(project.workspace, self.manual("scheduled_runs", status="cancelled", failed=0)).occurrence
        assert late.fired_events == []
        assert not Delivery.objects.exists()


class TestBatches:
    def test_results_come_in_order_and_bad_items_harm_no_others(self, project, hook):
        results = record_batch(
            project.workspace,
            [
                failed_scheduled(id="a"),
                {"event": "run_failed", "project": "acme-web"},
                failed_scheduled(id="b") | {"project": "nobody"},
                failed_scheduled(id="a"),
                failed_scheduled(id="c"),
            ],
        )
        assert not results[0].duplicate
        assert isinstance(results[1], Invalid)
        assert isinstance(results[2], NotFound)
        assert results[3].duplicate
        assert results[3].occurrence == results[0].occurrence
        assert not results[4].duplicate
        assert UsageCounter.objects.get().used == 2

    def test_a_batch_may_add_the_late_event_to_its_own_occurrence(self, project, hook):
        run = {"id": "a", "status": "failed"}
        _, late = record_batch(
            project.workspace,
            [
                {"event": "run_completed", "project": "acme-web", "run": run},
                {"event": "scheduled_runs", "project": "acme-web", "run": run},
            ],
        )
        assert late.duplicate
        assert "scheduled_runs" in late.occurrence.fired_events
        assert hook.deliveries.count() == 3

    def test_a_large_batch_takes_a_bounded_number_of_queries(self, project, hook, django_assert_max_num_queries):
        with django_assert_max_num_queries(40):
            record_batch(project.workspace, [failed_scheduled(id=str(number)) for number in range(200)])
        assert Occurrence.objects.count() == 200


def test_one_event_takes_few_queries(project, email, slack, hook, django_assert_max_num_queries):
    with django_assert_max_num_queries(9):
        record(project.workspace, failed_scheduled())


@pytest.mark.django_db(transaction=True)
def test_two_callers_reporting_the_same_at_once_make_one_occurrence():
    project = ProjectFactory(slug="acme-web")
    ChannelFactory(project=project)
    results, errors = [], []
    rounds, callers = 50, 2
    barrier = threading.Barrier(callers)

    def call():
        try:
            for number in range(rounds):
                barrier.wait(timeout=20)
                results.append(record(project.workspace, failed_scheduled(id=f"run-{number}")))
        except Exception as error:
            errors.append(error)
            barrier.abort()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Occurrence.objects.count() == rounds
    assert sorted(result.duplicate for result in results) == [False] * rounds + [True] * rounds
    # run_failed and scheduled_runs are on for the webhook, run_completed is off.
    assert Delivery.objects.count() == 2 * rounds
    assert UsageCounter.objects.get().used == rounds


@pytest.mark.django_db(transaction=True)
def test_an_event_whose_channel_is_deleted_after_it_was_read_is_told_to_the_others(monkeypatch):
    project = ProjectFactory(slug="acme-web")
    kept, gone = ChannelFactory(project=project), ChannelFactory(project=project)
    read = recording.load

    def read_and_lose_a_channel(*args, **kwargs):
        loaded = read(*args, **kwargs)
        for channel in Channel.objects.filter(pk=gone.pk):
            delete_channel(SYSTEM, channel)
        return loaded

    monkeypatch.setattr(recording, "load", read_and_lose_a_channel)
    recorded = record(project.workspace, failed_scheduled())
    assert not recorded.duplicate
    assert {delivery.channel_id for delivery in Delivery.objects.all()} == {kept.pk}
    assert {decision["channel_id"] for decision in recorded.occurrence.decisions} == {str(kept.pk)}
    assert UsageCounter.objects.get().used == 1


@pytest.mark.django_db(transaction=True)
def test_events_go_on_while_channels_come_and_go():
    project = ProjectFactory(slug="acme-web")
    kept = ChannelFactory(project=project)
    errors, deleted = [], threading.Event()

    def report():
        try:
            for number in itertools.count():
                record(project.workspace, failed_scheduled(id=f"run-{number}"))
                if deleted.is_set():
                    break
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=report)
    thread.start()
    try:
        for _ in range(20):
            delete_channel(SYSTEM, ChannelFactory(project=project))
    finally:
        deleted.set()
        thread.join()
    assert errors == []
    assert kept.deliveries.values("occurrence").distinct().count() == Occurrence.objects.count()
