"""The coverage check over the API."""

from datetime import timedelta

import pytest

from aegisnotify.clock import now
from notifications.models import EventFlag
from projects.models import AuditEntry, Plan
from projects.scopes import Scope
from tests import factories
from tests.notifications.api.callers import error_of, with_token

pytestmark = pytest.mark.django_db

PROJECT = "/projects/acme-web/notification-settings/coverage"
WORKSPACE = "/notification-settings/coverage"


@pytest.fixture
def slack(project):
    return factories.ChannelFactory(project=project, kind="slack", key="slack", name="#eng")


def follow(api, fix):
    """Send the request that a fix is."""
    send = {"PATCH": api.patch, "POST": api.post}[fix["method"]]
    return send(fix["path"].removeprefix("/api/v1"), fix["body"])


def test_without_a_gap_there_is_nothing_to_say(api, slack):
    for path in (PROJECT, WORKSPACE):
        response = api.get(path)
        assert (response.status_code, response.json()) == (200, {"warnings": []})


def test_a_gap_is_told_with_the_request_that_closes_it(api, project, slack):
    factories.OverrideFactory(channel=slack, event="run_failed", enabled=False)
    factories.OverrideFactory(channel=slack, event="scheduled_runs", enabled=False)
    assert api.get(PROJECT).json() == {
        "warnings": [
            {
                "code": "failed_runs_unheard",
                "message": f"No channel hears about failed scheduled runs in {project.name}, nor about other failed "
                "runs.",
                "grave": True,
                "projects": ["acme-web"],
                "channels": [],
                "fix": {
                    "summary": "Let #eng follow the flag run_failed",
                    "method": "PATCH",
                    "path": "/api/v1/projects/acme-web/notification-settings",
                    "body": {"channel_filters": {"slack": {"run_failed": None}}},
                },
            }
        ]
    }


def switch_off(project, slack):
    slack.enabled = False
    slack.save()


def pause(project, slack):
    slack.paused_until = now() + timedelta(hours=1)
    slack.save()


def turn_the_flags_off(project, slack):
    for event in ("run_failed", "scheduled_runs"):
        EventFlag.objects.create(workspace=project.workspace, event=event, enabled=False)


def turn_own_flags_off(project, slack):
    project.inherits_workspace_flags = False
    project.save()
    for event in ("run_failed", "scheduled_runs", "run_completed"):
        EventFlag.objects.create(workspace=project.workspace, project=project, event=event, enabled=False)


def override(project, slack):
    for event in ("run_failed", "scheduled_runs"):
        factories.OverrideFactory(channel=slack, event=event, enabled=False)


@pytest.mark.parametrize("gap", [switch_off, pause, turn_the_flags_off, turn_own_flags_off, override])
@pytest.mark.parametrize("path", [PROJECT, WORKSPACE])
def test_what_a_fix_says_closes_the_gap(api, project, slack, gap, path):
    gap(project, slack)
    (warning,) = api.get(path).json()["warnings"]
    assert warning["grave"]
    assert follow(api, warning["fix"]).status_code == 200
    assert api.get(path).json() == {"warnings": []}


def test_two_channels_with_one_url_are_named_by_their_keys(api, project, slack):
    factories.ChannelFactory(project=project, kind="slack", key="slack-2", name="#qa", position=1)
    project.channels.update(target_fingerprint="the same")
    (warning,) = api.get(PROJECT).json()["warnings"]
    assert (warning["code"], warning["channels"]) == ("same_target", ["slack", "slack-2"])
    assert warning["fix"]["body"] == {"enabled": False}
    assert warning["fix"]["path"] == "/api/v1/projects/acme-web/channels/slack-2"


def test_where_somebody_has_to_choose_there_is_no_fix(api, project):
    (warning,) = api.get(PROJECT).json()["warnings"]
    assert (warning["code"], warning["fix"]) == ("no_channel", None)


def test_a_gap_of_several_projects_is_one_warning_of_the_workspace_and_one_of_each_project(api, project, slack):
    shop = factories.ProjectFactory(workspace=project.workspace, name="Shop", slug="shop")
    factories.ChannelFactory(project=shop, kind="slack", key="slack")
    turn_the_flags_off(project, slack)
    (warning,) = api.get(WORKSPACE).json()["warnings"]
    assert sorted(warning["projects"]) == ["acme-web", "shop"]
    (warning,) = api.get(PROJECT).json()["warnings"]
    assert warning["projects"] == ["acme-web"]
    assert "Shop" not in warning["message"]


def test_on_a_plan_without_channel_filters_the_flag_is_what_is_offered(api, project, slack):
    turn_the_flags_off(project, slack)
    Plan.objects.filter(pk=project.workspace.plan_id).update(per_channel_filters=False)
    (warning,) = api.get(PROJECT).json()["warnings"]
    assert warning["fix"]["path"] == "/api/v1/notification-settings"
    assert warning["fix"]["body"] == {"events": {"run_failed": True}}


def test_it_changes_nothing(api, project, slack):
    turn_the_flags_off(project, slack)
    api.get(PROJECT)
    assert not AuditEntry.objects.exists()


def test_a_token_needs_settings_read_and_one_of_a_project_sees_that_project_alone(workspace, project, slack):
    factories.ProjectFactory(workspace=workspace, slug="shop")
    assert error_of(with_token(workspace, Scope.EVENTS_WRITE).get(PROJECT)) == (403, "forbidden")
    limited = with_token(workspace, Scope.SETTINGS_READ, project=project)
    assert limited.get(PROJECT).status_code == 200
    assert error_of(limited.get("/projects/shop/notification-settings/coverage")) == (404, "not_found")
    assert error_of(limited.get(WORKSPACE)) == (403, "forbidden")


def test_the_number_of_queries_does_not_grow_with_channels_and_projects(
    api, workspace, project, django_assert_max_num_queries
):
    for number in range(6):
        other = factories.ProjectFactory(workspace=workspace, slug=f"p-{number}")
        factories.ChannelFactory(project=other, key="a")
        factories.ChannelFactory(project=project, key=f"c-{number}", position=number)
    for path in (PROJECT, WORKSPACE):
        with django_assert_max_num_queries(18):
            assert api.get(path).status_code == 200
