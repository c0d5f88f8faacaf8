"""Drafts of filters: staging, inheriting, what they would do, and what others changed meanwhile."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications import catalog, drafts
from notifications.drafts import Base, ProjectState, State
from notifications.routing import ChannelState, Settings
from projects.entitlements import Category

DEFAULTS = catalog.default_flags()
FLAG = drafts.workspace_flag("run_failed")
CELL = drafts.cell("p1", "c1", "run_failed")


def channel(id, **overrides):
    return ChannelState(id=id, key=f"key-{id}", name=id, kind="slack", category=Category.CHAT, overrides=overrides)


def project(id="p1", *channels, inherits=True, **flags):
    chosen = {**DEFAULTS, **flags}
    return ProjectState(id, inherits, Settings(chosen, filters_in_plan=True, channels=channels or (channel("c1"),)))


def state(*projects, **flags):
    return State({**DEFAULTS, **flags}, projects or (project(),))


def test_a_change_is_kept_until_it_is_back_at_the_saved_value():
    saved = state(project("p1", channel("c1", run_failed=False)))
    values = drafts.all_values(saved)
    once = drafts.stage({}, values, {CELL: True})
    assert once == {CELL: True}
    assert drafts.stage(once, values, {CELL: None}) == {CELL: None}
    assert drafts.stage(once, values, {CELL: False}) == {}


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        (FLAG, "workspace"),
        (drafts.own_flag("p1", "run_failed"), "p1"),
        (drafts.inherits("p1"), "p1"),
        (CELL, "p1"),
    ],
)
def test_a_scope_is_what_is_saved_as_one(path, scope):
    assert drafts.scope_of(path) == scope


def test_own_flags_start_from_what_holds_in_the_draft():
    saved = state()
    changes = drafts.stage_inheritance({FLAG: False}, saved, "p1", follow=False)
    assert drafts.effective_flags(saved, changes, "p1") == {**DEFAULTS, "run_failed": False}
    changes = drafts.stage(changes, drafts.all_values(saved), {FLAG: True})
    assert drafts.effective_flags(saved, changes)["run_failed"] is True
    assert drafts.effective_flags(saved, changes, "p1")["run_failed"] is False


def test_following_again_forgets_the_own_flags_of_the_draft():
    saved = state(project(inherits=False, run_failed=False))
    changes = drafts.stage({}, drafts.all_values(saved), {drafts.own_flag("p1", "ai_generated"): False})
    changes = drafts.stage_inheritance(changes, saved, "p1", follow=True)
    assert changes == {drafts.inherits("p1"): True}
    assert drafts.effective_flags(saved, changes, "p1") == DEFAULTS


def test_a_projects_settings_stay_the_same_object_where_nothing_of_it_changes():
    saved = state(project("p1"), project("p2", channel("c2")))
    found = drafts.proposed(saved, {CELL: False})
    assert found["p1"].channels[0].overrides == {"run_failed": False}
    assert found["p2"] is saved.projects[1].settings


def test_the_workspaces_flags_reach_only_projects_that_follow_them():
    saved = state(project("p1"), project("p2", inherits=False))
    found = drafts.proposed(saved, {FLAG: False})
    assert [found[id].flags["run_failed"] for id in ("p1", "p2")] == [False, True]


def test_what_is_asked_for_has_the_shape_of_the_api():
    saved = state(project("p1", channel("c1", ai_generated=True)), project("p2", inherits=False))
    changes = {
        FLAG: False,
        CELL: True,
        drafts.cell("p1", "c1", "ai_generated"): None,
        drafts.inherits("p2"): True,
    }
    assert drafts.requests(saved, changes) == {
        "workspace": {"events": {"run_failed": False}},
        "p1": {"channel_filters": {"key-c1": {"run_failed": True, "ai_generated": None}}},
        "p2": {"inherits_workspace_flags": True},
    }


@pytest.mark.parametrize(
    "gone",
    [
        drafts.cell("p1", "deleted", "run_failed"),
        drafts.cell("deleted", "c1", "run_failed"),
        drafts.inherits("deleted"),
        drafts.own_flag("p1", "run_failed"),
    ],
)
def test_what_is_gone_leaves_the_draft(gone):
    assert drafts.prune({gone: False, CELL: False, FLAG: True}, state()) == {CELL: False}


def test_what_others_changed_is_told_with_both_values():
    before = state(project("p1", channel("c1")))
    base = {"p1": Base("v1", "2026-11-24T06:00:00+00:00", drafts.values_of(before, "p1"))}
    after = state(project("p1", channel("c1", run_failed=True, ai_generated=False)))
    found = {item.path: item for item in drafts.differences(base, after, {CELL: False})}
    assert set(found) == {CELL, drafts.cell("p1", "c1", "ai_generated")}
    assert (found[CELL].before, found[CELL].now, found[CELL].mine) == (None, True, False)
    assert found[CELL].contested
    assert not found[drafts.cell("p1", "c1", "ai_generated")].in_draft


def test_the_same_change_by_both_is_not_contested():
    base = {"p1": Base("v1", "", drafts.values_of(state(), "p1"))}
    after = state(project("p1", channel("c1", run_failed=False)))
    (item,) = drafts.differences(base, after, {CELL: False})
    assert not item.contested


def test_a_project_that_inherits_has_the_workspaces_flags_among_its_settings():
    assert drafts.values_of(state(), "p1")[FLAG] is True
    assert FLAG not in drafts.values_of(state(project(inherits=False)), "p1")


paths = st.sampled_from(
    [drafts.workspace_flag(event) for event in catalog.names()]
    + [drafts.cell("p1", "c1", event) for event in catalog.names()]
)
steps = st.lists(st.tuples(paths, st.sampled_from([True, False, None])), max_size=12)


@settings(max_examples=60, deadline=None)
@given(steps=steps, overrides=st.dictionaries(st.sampled_from(catalog.names()), st.booleans()))
def test_whatever_is_clicked_the_draft_holds_what_differs_and_its_settings_are_the_last_clicks(steps, overrides):
    saved = state(project("p1", channel("c1", **overrides)))
    values = drafts.all_values(saved)
    changes, last = {}, {}
    for path, value in steps:
        value = bool(value) if path.startswith("flag:") else value
        changes = drafts.stage(changes, values, {path: value})
        last[path] = value
    assert all(values.get(path) != value for path, value in changes.items())
    assert drafts.prune(changes, saved) == changes
    proposed = drafts.proposed(saved, changes)["p1"]
    for path, value in last.items():
        event = path.rpartition(":")[2]
        told = proposed.flags[event] if path.startswith("flag:") else proposed.channels[0].overrides.get(event)
        assert told == value
