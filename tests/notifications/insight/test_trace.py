"""Stored decisions, read with what became of them and what holds today."""

from datetime import timedelta

import pytest

from aegisnotify.clock import now
from notifications.delivery.recording import suspend
from notifications.insight.trace import stages_of, state_of_deliveries, trace
from notifications.intake.recording import record
from notifications.models import Attempt, Channel, Delivery, DeliveryStatus, Occurrence
from notifications.routing import GateName, Outcome
from notifications.services.channels import update_channel
from notifications.services.filters import change_project_filters, change_workspace_filters
from projects.actors import SYSTEM, Actor, Source, person
from projects.services.workspaces import change_plan
from tests import factories


def gate(name, passed=True, reason=None, event=None):
    return {"gate": name, "event": event, "passed": passed, "reason": reason}


OPEN = [gate("channel_enabled"), gate("not_paused"), gate("in_plan"), gate("channel_healthy")]


class TestStages:
    def test_a_clear_way(self):
        stages = stages_of([*OPEN, gate("filter", True, "flag_on", "run_failed")], Outcome.SENT, "run_failed")
        assert [stage.state for stage in stages] == ["pass"] * 5
        assert stages[4].filters[0].decides

    def test_an_override_that_lets_through_shows_as_such(self):
        stages = stages_of([*OPEN, gate("filter", True, "override_on", "run_failed")], Outcome.SENT, "run_failed")
        assert stages[4].state == "over"

    def test_only_the_first_stop_decides_and_the_rest_is_still_told(self):
        gates = [
            gate("channel_enabled"),
            gate("not_paused", False, "paused"),
            gate("in_plan"),
            gate("channel_healthy", False, "suspended"),
            gate("filter", False, "flag_off", "run_failed"),
        ]
        stages = stages_of(gates, Outcome.NOT_SENT, "run_failed")
        assert [stage.state for stage in stages] == ["pass", "stop", "clear", "blocked", "blocked"]
        assert [stage.decides for stage in stages] == [False, True, False, False, False]
        assert not any(line.decides for line in stages[4].filters)

    def test_the_filter_is_one_step_that_any_fired_event_opens(self):
        gates = [
            *OPEN,
            gate("filter", False, "override_off", "run_failed"),
            gate("filter", True, "flag_on", "run_completed"),
        ]
        stages = stages_of(gates, Outcome.SENT, "run_completed")
        assert stages[4].state == "pass"
        assert [(line.event, line.passed, line.decides) for line in stages[4].filters] == [
            ("run_failed", False, False),
            ("run_completed", True, True),
        ]

    def test_the_order_is_that_of_the_gates_however_they_were_stored(self):
        gates = [gate("recipient"), gate("filter", True, "flag_on", "run_failed"), *reversed(OPEN)]
        labels = [stage.label for stage in stages_of(gates, Outcome.SENT, "run_failed")]
        assert labels == ["Channel", "Pause", "Plan", "Health", "Filter", "Recipients"]
        assert len(labels) == len(GateName)

    def test_a_cancelled_run_asks_no_filter(self):
        stages = stages_of([*OPEN, gate("recipient")], Outcome.NOT_SENT, None)
        assert [stage.state for stage in stages] == ["pass"] * 5


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], None),
        (["delivered", "delivered"], "delivered"),
        (["delivered", "failed", "pending"], "failed"),
        (["delivered", "retrying"], "retrying"),
        (["cancelled", "delivered"], "cancelled"),
        (["held"], "held"),
    ],
)
def test_the_worst_delivery_speaks_for_a_channel(statuses, expected):
    assert state_of_deliveries(statuses) == expected


def failed_run(workspace, run_id="r1", **facts):
    return record(
        workspace,
        {
            "event": "run_completed",
            "project": "acme-web",
            "run": {"id": run_id, "status": "failed", "failed": 2, **facts},
        },
    ).occurrence


def row_of(occurrence):
    (row,) = traced(occurrence).rows
    return row


def traced(occurrence):
    loaded = Occurrence.objects.select_related("project__workspace__plan").get(pk=occurrence.pk)
    return trace(loaded, now())


@pytest.fixture
def channel(project):
    return factories.ChannelFactory(project=project, kind="slack", key="slack", name="#eng")


class TestRows:
    def test_nothing_changed_since(self, workspace, channel):
        row = row_of(failed_run(workspace))
        assert (row.name, row.kind_label, row.outcome, row.status) == ("#eng", "Slack", "sent", "pending")
        assert row.exists
        assert row.today == ""

    def test_a_delivered_message(self, workspace, channel):
        event = failed_run(workspace)
        Delivery.objects.update(
            status=DeliveryStatus.DELIVERED, next_at=None, delivered_at=event.received_at + timedelta(milliseconds=212)
        )
        row = row_of(event)
        assert (row.status, row.delivered, row.told[0].took_ms) == ("delivered", 1, 212)
        assert row.why.startswith("Sent: ")
        assert not row.lists_deliveries

    def test_a_failed_one_tells_what_the_other_side_said_last(self, workspace, channel):
        event = failed_run(workspace)
        Delivery.objects.update(status=DeliveryStatus.FAILED, next_at=None)
        for number, words in enumerate(
            ("Slack answered 503.", "Slack answered 404: the webhook was deleted."), start=1
        ):
            Attempt.objects.create(
                delivery=Delivery.objects.get(), number=number, at=now(), outcome="failed", error=words
            )
        row = row_of(event)
        assert (row.status, row.told[0].note) == ("failed", "Slack answered 404: the webhook was deleted.")
        assert row.why.startswith("Let through: ")

    def test_a_webhook_tells_every_event_the_most_specific_first(self, workspace, project):
        factories.ChannelFactory(project=project)
        factories.EventFlagFactory(workspace=workspace, event="run_completed", enabled=True)
        row = row_of(failed_run(workspace, trigger="schedule"))
        assert [told.event for told in row.told] == ["run_failed", "scheduled_runs", "run_completed"]
        assert row.lists_deliveries

    def test_recipients_that_could_not_be_written_to_are_named(self, workspace, project, people):
        email = factories.ChannelFactory(project=project, kind="email", key="email")
        factories.RecipientFactory(channel=email, email=people.owner.email)
        factories.RecipientFactory(channel=email, email="stranger@elsewhere.example")
        row = row_of(failed_run(workspace))
        assert [told.recipient for told in row.told] == [people.owner.email]
        assert [dict(silent) for silent in row.silent] == [
            {"email": "stranger@elsewhere.example", "state": "unconfirmed"}
        ]

    def test_a_setting_that_changed_since_shows_what_would_happen_today(self, workspace, channel):
        event = failed_run(workspace)
        Channel.objects.update(enabled=False)
        assert row_of(event).today == "Today it would not be sent: the channel is switched off."

    def test_a_channel_deleted_since_keeps_its_row(self, workspace, channel):
        event = failed_run(workspace)
        channel.delete()
        row = row_of(event)
        assert (row.name, row.exists, row.today) == ("#eng", False, "")

    def test_a_channel_added_since_stands_apart(self, workspace, channel, project):
        event = failed_run(workspace)
        factories.ChannelFactory(project=project, name="Ops")
        found = traced(event)
        assert len(found.rows) == 1
        assert [newcomer.name for newcomer in found.newcomers] == ["Ops"]
        assert found.newcomers[0].today.startswith("Today it would be sent: ")

    def test_a_cancelled_run(self, workspace, channel):
        event = record(
            workspace, {"event": "run_completed", "project": "acme-web", "run": {"id": "r2", "status": "cancelled"}}
        ).occurrence
        row = row_of(event)
        assert row.why == "Not sent: the run was cancelled, and a cancelled run fires no event."
        assert row.change is None

    def test_channels_are_counted_by_how_they_ended(self, workspace, channel, project):
        factories.ChannelFactory(project=project, enabled=False)
        factories.ChannelFactory(project=project, enabled=False)
        assert traced(failed_run(workspace)).counts == (("pending", 1), ("not_sent", 2))


class TestWhoChangedIt:
    @pytest.fixture
    def lena(self, people):
        people.admin.name = "Lena Ortiz"
        people.admin.save()
        return person(people.admin, Source.PAGE)

    def change_of(self, event):
        change = row_of(event).change
        return (change.who, change.what) if change else None

    def test_a_setting_nobody_ever_changed(self, workspace, channel):
        assert self.change_of(failed_run(workspace)) is None

    def test_an_override(self, workspace, channel, project, lena):
        change_project_filters(
            lena, project, {"channel_filters": {"slack": {"run_failed": False, "run_completed": False}}}
        )
        event = failed_run(workspace)
        assert self.change_of(event) == ("Lena Ortiz", "set run_failed to off for this channel")

    def test_an_override_that_was_reset_since(self, workspace, channel, project, lena):
        change_project_filters(
            lena, project, {"channel_filters": {"slack": {"run_failed": False, "run_completed": False}}}
        )
        event = failed_run(workspace)
        change_project_filters(SYSTEM, project, {"channel_filters": {"slack": {"run_failed": None}}})
        assert self.change_of(event) == ("AegisNotify", "reset run_failed for this channel")

    def test_the_workspaces_flag(self, workspace, channel, lena):
        change_workspace_filters(lena, workspace, {"events": {"run_failed": False}})
        assert self.change_of(failed_run(workspace)) == ("Lena Ortiz", "set the workspace's flag run_failed to off")

    def test_the_projects_own_flag(self, workspace, channel, project, lena):
        change_workspace_filters(SYSTEM, workspace, {"events": {"run_failed": False}})
        change_project_filters(lena, project, {"events": {"run_failed": True}})
        assert self.change_of(failed_run(workspace)) == ("Lena Ortiz", "set this project's flag run_failed to on")

    def test_a_flag_that_came_with_the_projects_own_set(self, workspace, channel, project, lena):
        change_project_filters(lena, project, {"events": {"crawl_completed": False}})
        assert self.change_of(failed_run(workspace)) == ("Lena Ortiz", "gave this project its own flags")

    def test_the_plan(self, workspace, channel):
        change_plan(Actor("staff@example.com", Source.ADMIN), workspace, factories.plan("free"))
        workspace.refresh_from_db()
        assert self.change_of(failed_run(workspace)) == ("staff@example.com", "changed the plan")

    def test_a_channel_that_was_switched_off(self, workspace, channel, lena):
        update_channel(lena, channel, enabled=False)
        assert self.change_of(failed_run(workspace)) == ("Lena Ortiz", "switched this channel off")

    def test_a_channel_that_was_suspended(self, workspace, channel):
        suspend(channel, "Slack answered 404.")
        assert self.change_of(failed_run(workspace)) == ("AegisNotify", "suspended this channel")


def test_the_number_of_queries_does_not_grow_with_the_channels(workspace, project, django_assert_max_num_queries):
    for number in range(12):
        kind = ("webhook", "slack", "email")[number % 3]
        channel = factories.ChannelFactory(project=project, kind=kind, enabled=number % 2 == 0)
        if kind == "email":
            factories.RecipientFactory(channel=channel, email=f"person{number}@elsewhere.example")
    event = Occurrence.objects.select_related("project__workspace__plan").get(pk=failed_run(workspace).pk)
    Delivery.objects.update(status=DeliveryStatus.FAILED, next_at=None)
    with django_assert_max_num_queries(16):
        assert len(trace(event, now()).rows) == 12
