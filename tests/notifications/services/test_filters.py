"""Flags and overrides: merging, replacing, versions, refusals that change nothing."""

import pytest

from aegisnotify.etags import etag
from notifications import catalog
from notifications.models import EventFlag, Override
from notifications.selectors.filters import project_filters, workspace_filters
from notifications.services.filters import change_project_filters, change_workspace_filters
from projects.actors import Source, person
from projects.errors import Invalid, PlanLimit, Stale
from projects.models import AuditEntry
from tests.factories import ChannelFactory, EventFlagFactory, OverrideFactory, WorkspaceFactory
from tests.factories import plan as seeded_plan

pytestmark = pytest.mark.django_db

DEFAULTS = catalog.default_flags()
ALL_ON = dict.fromkeys(catalog.names(), True)


@pytest.fixture
def actor(people):
    return person(people.admin, Source.PAGE)


@pytest.fixture
def slack(project):
    return ChannelFactory(project=project, kind="slack", key="slack")


def change(actor, project, new, **kwargs):
    result = change_project_filters(actor, project, new, **kwargs)
    project.refresh_from_db()
    assert result == project_filters(project)
    return result


def test_the_defaults_are_all_on_but_run_completed(project):
    assert project_filters(project) == {
        "events": DEFAULTS, "inherits_workspace_flags": True, "channel_filters": {},
    }  # fmt: skip
    assert workspace_filters(project.workspace) == {"events": DEFAULTS}


def test_a_projects_flags_follow_the_workspaces_until_it_has_its_own(actor, project):
    change_workspace_filters(actor, project.workspace, {"events": {"run_completed": True}})
    assert project_filters(project)["events"]["run_completed"] is True
    own = change(actor, project, {"events": {"run_failed": False}})
    assert own == {
        "events": {**DEFAULTS, "run_completed": True, "run_failed": False},
        "inherits_workspace_flags": False,
        "channel_filters": {},
    }
    change_workspace_filters(actor, project.workspace, {"events": {"run_completed": False}})
    assert project_filters(project)["events"]["run_completed"] is True


def test_going_back_to_the_workspaces_flags_drops_the_own_ones(actor, project):
    change(actor, project, {"events": {"run_failed": False}})
    assert change(actor, project, {"inherits_workspace_flags": True})["events"] == DEFAULTS
    assert not EventFlag.objects.filter(project=project).exists()


def test_overrides_merge_and_null_removes_one(actor, project, slack):
    ChannelFactory(project=project, kind="email", key="email")
    change(actor, project, {"channel_filters": {"slack": {"run_completed": False, "run_failed": True}}})
    change(actor, project, {"channel_filters": {"email": {"scheduled_runs": True}}})
    result = change(actor, project, {"channel_filters": {"slack": {"run_completed": None, "run_failed": False}}})
    assert result["channel_filters"] == {"slack": {"run_failed": False}, "email": {"scheduled_runs": True}}


def test_putting_replaces_everything(actor, project, slack):
    OverrideFactory(channel=slack, event="run_failed")
    result = change(
        actor,
        project,
        {
            "events": ALL_ON,
            "inherits_workspace_flags": False,
            "channel_filters": {"slack": {"ai_generated": False, "run_completed": None}},
        },
        replace=True,
    )
    assert result["channel_filters"] == {"slack": {"ai_generated": False}}
    assert result["events"] == ALL_ON


def test_putting_back_what_was_read_changes_nothing(actor, project, slack):
    OverrideFactory(channel=slack, event="run_failed")
    EventFlagFactory(workspace=project.workspace, event="run_completed", enabled=True)
    before = project_filters(project)
    assert change(actor, project, before, replace=True) == before
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("new", "field"),
    [
        ({"channel_filters": {"slak": {"run_failed": True}}}, "channel_filters.slak"),
        ({"channel_filters": {"slack": {"run_exploded": True}}}, "channel_filters.slack.run_exploded"),
        ({"channel_filters": {"slack": {"run_failed": "yes"}}}, "channel_filters.slack.run_failed"),
        ({"channel_filters": {"slack": {"run_failed": 1}}}, "channel_filters.slack.run_failed"),
        ({"channel_filters": {"slack": []}}, "channel_filters.slack"),
        ({"channel_filters": None}, "channel_filters"),
        ({"events": {"run_exploded": True}}, "events.run_exploded"),
        ({"events": {"notify_run_failed": True}}, "events.notify_run_failed"),
        ({"events": {"run_failed": None}}, "events.run_failed"),
        ({"events": []}, "events"),
        ({"inherits_workspace_flags": 1}, "inherits_workspace_flags"),
        ({"inherits_workspace_flags": True, "events": {"run_failed": False}}, "events"),
        ({"filters": {}}, "filters"),
    ],
)
def test_a_bad_change_is_refused_by_path_and_nothing_is_changed(actor, project, slack, new, field):
    good = {"channel_filters": {"slack": {"ai_generated": False}}} if "channel_filters" not in new else {}
    before = project_filters(project)
    with pytest.raises(Invalid) as caught:
        change_project_filters(actor, project, good | new)
    assert field in caught.value.fields
    assert project_filters(project) == before


@pytest.mark.parametrize("missing", ["events", "inherits_workspace_flags", "channel_filters", "events.run_failed"])
def test_putting_needs_all_parts(actor, project, missing):
    whole = {"events": dict(ALL_ON), "inherits_workspace_flags": False, "channel_filters": {}}
    part, _, event = missing.partition(".")
    if event:
        del whole[part][event]
    else:
        del whole[part]
    with pytest.raises(Invalid) as caught:
        change_project_filters(actor, project, whole, replace=True)
    assert set(caught.value.fields) == {missing}


def test_without_the_plans_right_overrides_can_not_be_written_but_flags_can(actor, project, slack):
    project.workspace.plan = seeded_plan("starter")
    project.workspace.save()
    with pytest.raises(PlanLimit) as caught:
        change_project_filters(
            actor, project, {"events": {"run_failed": False}, "channel_filters": {"slack": {"run_failed": True}}}
        )
    assert caught.value.details["limit"] == "per_channel_filters"
    assert project_filters(project)["events"] == DEFAULTS
    change(actor, project, {"events": {"run_failed": False}})


def test_a_stale_version_is_refused(actor, project):
    version = etag(project_filters(project))
    change_project_filters(actor, project, {"events": {"run_failed": False}}, if_match=version)
    with pytest.raises(Stale):
        change_project_filters(actor, project, {"events": {"run_failed": True}}, if_match=version)
    change_project_filters(actor, project, {"events": {"run_failed": True}}, if_match="*")


def test_who_changed_what_is_remembered_at_the_setting_and_in_the_audit(actor, project, slack):
    change(actor, project, {"channel_filters": {"slack": {"run_failed": False}}})
    change(actor, project, {"channel_filters": {"slack": {"run_failed": True}}})
    assert Override.objects.get().changed_by == actor.user
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.changes) == (
        "project.filters_changed", {"channel_filters.slack.run_failed": [False, True]},
    )  # fmt: skip


def test_an_unchanged_flag_keeps_its_author(actor, project, people):
    change_workspace_filters(person(people.owner, Source.PAGE), project.workspace, {"events": {"run_failed": False}})
    change_workspace_filters(actor, project.workspace, {"events": {**ALL_ON, "run_failed": False}}, replace=True)
    assert EventFlag.objects.get(event="run_failed").changed_by == people.owner


def test_workspaces_do_not_touch_each_other(actor, project):
    other = WorkspaceFactory()
    change_workspace_filters(actor, project.workspace, {"events": {"run_failed": False}})
    assert workspace_filters(other)["events"] == DEFAULTS


def test_naming_no_event_leaves_the_project_with_the_workspaces_flags(actor, project):
    assert change(actor, project, {"events": {}})["inherits_workspace_flags"] is True
    assert not EventFlag.objects.filter(project=project).exists()
    assert not AuditEntry.objects.exists()
