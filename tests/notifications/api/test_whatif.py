"""What-if over the API."""

from datetime import timedelta

import pytest

from aegisnotify.clock import now
from notifications.models import Delivery, EventFlag, Override
from projects.models import AuditEntry
from projects.scopes import Scope
from tests import factories
from tests.notifications.api.callers import error_of, fields_of, signed_in, with_token

pytestmark = pytest.mark.django_db

PATH = "/projects/acme-web/notification-settings/what-if"


@pytest.fixture
def slack(project):
    return factories.ChannelFactory(project=project, kind="slack", key="slack")


@pytest.fixture
def failures(project):
    return [factories.OccurrenceFactory(project=project, received_at=now() - timedelta(hours=age)) for age in (3, 2, 1)]


def test_it_answers_in_the_documented_shape(api, slack, failures):
    response = api.post(PATH, {"channel_filters": {"slack": {"run_failed": False}}, "days": 7})
    assert response.status_code == 200
    assert response.json() == {
        "occurrences": 3,
        "channels": [{"channel": "slack", "now": 3, "proposed": 0}],
        "failures_no_longer_heard": [str(failure.pk) for failure in reversed(failures)],
        "failures_no_longer_heard_count": 3,
    }


def test_without_a_proposal_nothing_differs(api, slack, failures):
    assert api.post(PATH).json()["channels"] == [{"channel": "slack", "now": 3, "proposed": 3}]


def test_flags_and_filters_are_tried_together_and_merge_with_what_is_set(api, project, slack, failures):
    factories.OverrideFactory(channel=slack, event="run_completed", enabled=True)
    hook = factories.ChannelFactory(project=project, key="hook", position=1)
    body = {"events": {"run_failed": False}, "channel_filters": {"hook": {"run_completed": True}}}
    answer = api.post(PATH, body).json()
    assert answer["channels"] == [
        {"channel": "slack", "now": 3, "proposed": 3},
        {"channel": hook.key, "now": 3, "proposed": 3},
    ]
    answer = api.post(PATH, body | {"channel_filters": {"slack": {"run_completed": None}}}).json()
    assert [channel["proposed"] for channel in answer["channels"]] == [0, 0]
    assert answer["failures_no_longer_heard_count"] == 3


def test_nothing_is_changed_by_it(api, slack, failures):
    api.post(PATH, {"events": {"run_failed": False}, "channel_filters": {"slack": {"run_failed": True}}})
    assert not EventFlag.objects.exists()
    assert not Override.objects.exists()
    assert not Delivery.objects.exists()
    assert not AuditEntry.objects.exists()


def test_at_most_a_hundred_failures_are_named_the_newest_first(api, project, slack):
    moment = now()
    rows = [
        factories.OccurrenceFactory.build(
            project=project, workspace=project.workspace, received_at=moment - timedelta(minutes=age)
        )
        for age in range(103)
    ]
    type(rows[0]).objects.bulk_create(rows)
    answer = api.post(PATH, {"events": {"run_failed": False}}).json()
    assert answer["failures_no_longer_heard_count"] == 103
    assert answer["failures_no_longer_heard"] == [str(row.pk) for row in rows[:100]]


@pytest.mark.parametrize(
    ("plan", "days", "seen"), [("pro", 7, 1), ("pro", 30, 2), ("pro", 1, 0), ("free", 30, 1), ("starter", 30, 2)]
)
def test_it_looks_back_as_far_as_asked_and_the_plan_keeps(api, workspace, project, plan, days, seen):
    workspace.plan = factories.plan(plan)
    workspace.save()
    factories.ChannelFactory(project=project, kind="email", key="email")
    for age in (2, 20, 40):
        factories.OccurrenceFactory(project=project, received_at=now() - timedelta(days=age))
    assert api.post(PATH, {"days": days}).json()["occurrences"] == seen


def test_other_projects_are_left_out(api, workspace, slack, failures):
    other = factories.ProjectFactory(workspace=workspace)
    factories.OccurrenceFactory(project=other)
    assert api.post(PATH).json()["occurrences"] == 3


def test_without_the_plans_right_filters_decide_nothing(api, workspace, slack, failures):
    workspace.plan = factories.plan("starter")
    workspace.save()
    answer = api.post(PATH, {"channel_filters": {"slack": {"run_failed": False}}}).json()
    assert answer["channels"] == [{"channel": "slack", "now": 3, "proposed": 3}]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"events": {"coffee_ready": True}}, "events.coffee_ready"),
        ({"events": {"run_failed": 1}}, "events.run_failed"),
        ({"events": None}, "events"),
        ({"channel_filters": {"slak": {}}}, "channel_filters.slak"),
        ({"channel_filters": {"slack": {"run_failed": "off"}}}, "channel_filters.slack.run_failed"),
        ({"channel_filters": []}, "channel_filters"),
        ({"days": 0}, "days"),
        ({"days": 31}, "days"),
        ({"days": "7"}, "days"),
        ({"days": True}, "days"),
        ({"days": None}, "days"),
        ({"inherits_workspace_flags": True}, "inherits_workspace_flags"),
    ],
)
def test_a_bad_proposal_is_named_by_its_path(api, slack, body, field):
    assert set(fields_of(api.post(PATH, body))) == {field}


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
def test_every_member_may_ask(people, slack, role):
    assert signed_in(getattr(people, role)).post(PATH).status_code == 200


def test_a_token_needs_the_scope_to_read_settings(workspace, slack):
    assert with_token(workspace, Scope.SETTINGS_READ).post(PATH).status_code == 200
    assert error_of(with_token(workspace, Scope.SETTINGS_WRITE).post(PATH)) == (403, "forbidden")


def test_outsiders_learn_nothing(people, slack):
    assert error_of(signed_in(people.outsider).post(PATH)) == (404, "not_found")
