"""Notification settings of workspaces and projects: merging, replacing, versions, plans."""

import pytest

from notifications import catalog
from notifications.models import EventFlag, Override
from projects.models import AuditEntry
from projects.scopes import Scope
from tests import factories
from tests.notifications.api.callers import error_of, fields_of, signed_in, with_token

pytestmark = pytest.mark.django_db

PROJECT = "/projects/acme-web/notification-settings"
WORKSPACE = "/notification-settings"
DEFAULTS = {
    "run_completed": False,
    "run_failed": True,
    "scheduled_runs": True,
    "crawl_completed": True,
    "ai_generated": True,
}


@pytest.fixture
def slack(project):
    return factories.ChannelFactory(project=project, kind="slack", key="slack")


@pytest.fixture
def email(project):
    return factories.ChannelFactory(project=project, kind="email", key="email")


def nothing_changed():
    return not EventFlag.objects.exists() and not Override.objects.exists() and not AuditEntry.objects.exists()


# --- Reading


def test_a_project_starts_with_the_workspaces_flags(api, slack):
    response = api.get(PROJECT)
    assert response.status_code == 200
    assert response.json() == {"events": DEFAULTS, "inherits_workspace_flags": True, "channel_filters": {}}
    assert api.get(WORKSPACE).json() == {"events": DEFAULTS}


def test_the_version_changes_with_the_settings_and_only_with_them(api, slack):
    for path in (PROJECT, WORKSPACE):
        first = api.get(path)["ETag"]
        assert first.startswith('"')
        assert first.endswith('"')
        assert api.get(path)["ETag"] == first
        changed = api.patch(path, {"events": {"run_completed": True}})
        assert changed["ETag"] == api.get(path)["ETag"] != first
        assert api.patch(path, {"events": {"run_completed": True}})["ETag"] == changed["ETag"]


def test_an_inheriting_project_has_another_version_when_the_workspace_changes(api, project):
    before = api.get(PROJECT)["ETag"]
    api.patch(WORKSPACE, {"events": {"run_failed": False}})
    assert api.get(PROJECT).json()["events"]["run_failed"] is False
    assert api.get(PROJECT)["ETag"] != before


# --- The workspace


def test_patch_merges_flags_and_put_replaces_them(api, workspace):
    patched = api.patch(WORKSPACE, {"events": {"run_completed": True}})
    assert patched.status_code == 200
    assert patched.json() == {"events": {**DEFAULTS, "run_completed": True}}
    wanted = dict.fromkeys(DEFAULTS, False)
    assert api.put(WORKSPACE, {"events": wanted}).json() == {"events": wanted}
    assert api.get(WORKSPACE).json() == {"events": wanted}
    assert AuditEntry.objects.first().source == "api"


@pytest.mark.parametrize("path", [WORKSPACE, PROJECT])
@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"events": {"coffee_ready": True}}, "events.coffee_ready"),
        ({"events": {"notify_run_failed": True}}, "events.notify_run_failed"),
        ({"events": {"run_failed": "true"}}, "events.run_failed"),
        ({"events": {"run_failed": 1}}, "events.run_failed"),
        ({"events": {"run_failed": None}}, "events.run_failed"),
        ({"events": []}, "events"),
        ({"events": None}, "events"),
        ({"flags": {}}, "flags"),
        ({"events": {"run_failed": False}, "id": 5}, "id"),
    ],
)
def test_bad_flags_are_named_and_nothing_is_changed(api, project, path, method, body, field):
    assert field in fields_of(getattr(api, method)(path, body))
    assert nothing_changed()


def test_put_needs_every_flag(api, workspace):
    missing = set(fields_of(api.put(WORKSPACE, {"events": {"run_failed": True}})))
    assert missing == {f"events.{name}" for name in catalog.names() if name != "run_failed"}
    assert "events" in fields_of(api.put(WORKSPACE, {}))


# --- The project


def test_patching_events_of_an_inheriting_project_copies_the_flags_first(api, project):
    api.patch(WORKSPACE, {"events": {"crawl_completed": False}})
    body = api.patch(PROJECT, {"events": {"run_completed": True}}).json()
    assert body["inherits_workspace_flags"] is False
    assert body["events"] == {**DEFAULTS, "crawl_completed": False, "run_completed": True}
    api.patch(WORKSPACE, {"events": {"run_failed": False}})
    assert api.get(PROJECT).json()["events"] == body["events"]


def test_a_project_can_go_back_to_the_workspaces_flags(api, project):
    api.patch(PROJECT, {"events": {"run_completed": True}})
    body = api.patch(PROJECT, {"inherits_workspace_flags": True}).json()
    assert body == {"events": DEFAULTS, "inherits_workspace_flags": True, "channel_filters": {}}


def test_patch_merges_overrides_and_null_removes_one(api, slack, email):
    api.patch(PROJECT, {"channel_filters": {"slack": {"run_completed": False, "run_failed": True}}})
    body = api.patch(PROJECT, {"channel_filters": {"email": {"scheduled_runs": True}}}).json()
    assert body["channel_filters"] == {
        "slack": {"run_completed": False, "run_failed": True},
        "email": {"scheduled_runs": True},
    }
    assert body["inherits_workspace_flags"] is True
    body = api.patch(PROJECT, {"channel_filters": {"slack": {"run_completed": None}}}).json()
    assert body["channel_filters"] == {"slack": {"run_failed": True}, "email": {"scheduled_runs": True}}
    body = api.patch(PROJECT, {"channel_filters": {"email": {"scheduled_runs": None, "run_failed": None}}}).json()
    assert body["channel_filters"] == {"slack": {"run_failed": True}}
    assert api.get("/projects/acme-web/channels/slack").json()["overrides"] == {"run_failed": True}


def test_put_replaces_all_three_parts(api, slack, email):
    api.patch(PROJECT, {"channel_filters": {"slack": {"run_failed": True}}})
    wanted = {
        "events": {**DEFAULTS, "run_completed": True},
        "inherits_workspace_flags": False,
        "channel_filters": {"email": {"run_failed": False}},
    }
    response = api.put(PROJECT, wanted)
    assert response.status_code == 200
    assert response.json() == wanted == api.get(PROJECT).json()


@pytest.mark.parametrize("part", ["events", "inherits_workspace_flags", "channel_filters"])
def test_put_needs_all_parts(api, slack, part):
    body = api.get(PROJECT).json()
    del body[part]
    assert part in fields_of(api.put(PROJECT, body))


def test_what_was_read_can_be_put_back(api, slack):
    for change in (
        {"channel_filters": {"slack": {"run_failed": False}}},
        {"events": {"ai_generated": False}},
        {"inherits_workspace_flags": True},
    ):
        api.patch(PROJECT, change)
        read = api.get(PROJECT)
        written = api.put(PROJECT, read.json(), HTTP_IF_MATCH=read["ETag"])
        assert (written.status_code, written.json(), written["ETag"]) == (200, read.json(), read["ETag"])


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"slack-2": {"run_failed": True}}, "channel_filters.slack-2"),
        ({"slack": {"coffee_ready": True}}, "channel_filters.slack.coffee_ready"),
        ({"slack": {"run_failed": "off"}}, "channel_filters.slack.run_failed"),
        ({"slack": {"run_failed": 0}}, "channel_filters.slack.run_failed"),
        ({"slack": True}, "channel_filters.slack"),
        ({"slack": None}, "channel_filters.slack"),
        ([], "channel_filters"),
    ],
)
def test_bad_filters_are_named_and_nothing_is_changed(api, slack, filters, field):
    body = {"events": {"run_failed": False}, "channel_filters": filters}
    assert field in fields_of(api.patch(PROJECT, body))
    assert nothing_changed()


def test_a_channel_of_another_project_is_unknown(api, project):
    factories.ChannelFactory(project__workspace=project.workspace, key="elsewhere")
    response = api.patch(PROJECT, {"channel_filters": {"elsewhere": {"run_failed": True}}})
    assert set(fields_of(response)) == {"channel_filters.elsewhere"}


# --- Versions


@pytest.mark.parametrize("path", [PROJECT, WORKSPACE])
@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_stale_version_is_refused_and_nothing_is_changed(api, project, path, method):
    read = api.get(path)
    api.patch(path, {"events": {"ai_generated": False}})
    current = api.get(path)
    body = {**read.json(), "events": dict.fromkeys(DEFAULTS, False)}
    if "inherits_workspace_flags" in body:
        body["inherits_workspace_flags"] = False
    response = getattr(api, method)(path, body, HTTP_IF_MATCH=read["ETag"])
    assert error_of(response) == (412, "stale")
    assert api.get(path).json() == current.json()
    for version in (current["ETag"], "*", f'"other", {current["ETag"]}'):
        assert getattr(api, method)(path, body, HTTP_IF_MATCH=version).status_code == 200
        api.patch(path, {"events": {"ai_generated": False}} | current.json())
        assert api.get(path)["ETag"] == current["ETag"]


@pytest.mark.parametrize("version", ['"nonsense"', "nonsense", "", 'W/"nonsense"'])
def test_what_is_no_version_matches_nothing(api, project, version):
    response = api.patch(PROJECT, {"events": {"run_failed": False}}, HTTP_IF_MATCH=version)
    assert error_of(response) == (412, "stale")
    assert nothing_changed()


# --- Plans


def test_without_the_right_overrides_stay_shown_and_can_not_be_written(api, workspace, slack):
    factories.OverrideFactory(channel=slack, event="run_failed", enabled=False)
    workspace.plan = factories.plan("starter")
    workspace.save()
    read = api.get(PROJECT).json()
    assert read["channel_filters"] == {"slack": {"run_failed": False}}
    for body in ({"slack": {"run_failed": True}}, {"slack": {"run_failed": None}}):
        response = api.patch(PROJECT, {"events": {"ai_generated": False}, "channel_filters": body})
        assert error_of(response) == (402, "plan_limit")
        assert response.json()["error"]["details"] == {
            "limit": "per_channel_filters", "allowed": 0, "used": 0, "plan": "starter",
        }  # fmt: skip
    assert error_of(api.put(PROJECT, {**read, "channel_filters": {}})) == (402, "plan_limit")
    assert api.get(PROJECT).json() == read
    # Flags are part of every plan, also written together with the filters as they are.
    assert api.put(PROJECT, read).status_code == 200
    assert api.patch(PROJECT, {"events": {"ai_generated": False}}).status_code == 200


# --- Who may


@pytest.mark.parametrize("path", [PROJECT, WORKSPACE])
@pytest.mark.parametrize(
    ("role", "read", "written"),
    [("owner", 200, 200), ("admin", 200, 200), ("member", 200, 403), ("viewer", 200, 403)],
)
def test_the_role_decides(people, project, path, role, read, written):
    caller = signed_in(getattr(people, role))
    assert caller.get(path).status_code == read
    for method in ("patch", "put"):
        body = {**caller.get(path).json(), "events": dict.fromkeys(DEFAULTS, True)}
        if "inherits_workspace_flags" in body:
            body["inherits_workspace_flags"] = False
        response = getattr(caller, method)(path, body)
        assert response.status_code == written
    assert EventFlag.objects.exists() is (written == 200)


def test_somebody_outside_does_not_find_the_project(people, project):
    caller = signed_in(people.outsider)
    for response in (caller.get(PROJECT), caller.patch(PROJECT, {}), caller.put(PROJECT, {})):
        assert error_of(response) == (404, "not_found")
    # Their own workspace's flags are theirs to change, and nobody else's.
    assert caller.patch(WORKSPACE, {"events": {"run_failed": False}}).status_code == 200
    assert EventFlag.objects.get().workspace == people.outsider.memberships.get().workspace


@pytest.mark.parametrize("path", [PROJECT, WORKSPACE])
def test_each_operation_asks_for_its_scope(project, path):
    reader = with_token(project.workspace, Scope.SETTINGS_READ)
    assert reader.get(path).status_code == 200
    for method in ("put", "patch"):
        assert error_of(getattr(reader, method)(path, {})) == (403, "forbidden")
    writer = with_token(project.workspace, Scope.SETTINGS_WRITE)
    assert error_of(writer.get(path)) == (403, "forbidden")
    assert writer.patch(path, {}).status_code == 200


def test_a_token_of_one_project_has_no_say_in_the_workspace(project):
    factories.ProjectFactory(workspace=project.workspace, slug="shop")
    api = with_token(project.workspace, project=project)
    assert api.patch(PROJECT, {"events": {"run_failed": False}}).status_code == 200
    assert error_of(api.get("/projects/shop/notification-settings")) == (404, "not_found")
    for response in (api.get(WORKSPACE), api.patch(WORKSPACE, {}), api.put(WORKSPACE, {})):
        assert error_of(response) == (403, "forbidden")


@pytest.mark.parametrize("slash", ["", "/"])
def test_addresses_work_with_and_without_a_trailing_slash(api, project, slash):
    for path in (PROJECT, WORKSPACE):
        assert api.get(f"{path}{slash}").status_code == 200
        assert api.patch(f"{path}{slash}", {}).status_code == 200
        assert api.put(f"{path}{slash}", api.get(path).json()).status_code == 200


def test_a_project_is_also_named_by_its_id(api, project):
    assert api.get(f"/projects/{project.pk}/notification-settings").json() == api.get(PROJECT).json()
