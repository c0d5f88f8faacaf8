"""The Notifications page: flags, matrix, draft, what-if, coverage."""

import re
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.core.cache import cache
from django.urls import reverse

from aegisnotify.clock import now
from notifications import catalog
from notifications.models import Channel, EventFlag, FilterDraft, Override
from notifications.services.filters import change_project_filters, change_workspace_filters
from projects.actors import Source, person
from projects.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db

PAGE = "/notifications/?ws=acme"
CELL, SAVE, DISCARD = (f"/notifications/draft/{name}?ws=acme" for name in ("cell", "save", "discard"))
FIX = "/notifications/coverage/fix?ws=acme"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def slack(project):
    return factories.ChannelFactory(project=project, kind="slack", key="slack", name="#eng", position=1)


@pytest.fixture
def email(project):
    return factories.ChannelFactory(project=project, kind="email", key="email", name="QA mail", position=0)


@pytest.fixture
def admin(client, people, slack, email):
    """The client, signed in as an admin."""
    client.force_login(people.admin)
    return client


@pytest.fixture
def colleague(people):
    return person(people.owner, Source.PAGE)


def text(node):
    return re.sub(r" ([.,])", r"\1", " ".join(node.get_text(" ").split()))


def html(response):
    return BeautifulSoup(response.content, "html.parser")


def look(client, address=PAGE):
    response = client.get(address)
    assert response.status_code == 200
    return html(response)


def cell_of(page, channel, event):
    return page.find(id=f"c-{channel.pk}-{event}")


def stage(client, channel, event, value, **headers):
    return client.post(CELL, {"cell": f"{channel.pk}:{event}:{value}"}, **headers)


def set_flag(client, event, value, **data):
    return client.post(f"/notifications/draft/flag/{event}?ws=acme", {"value": value, **data})


def changes(user):
    draft = FilterDraft.objects.filter(user=user).first()
    return draft.changes if draft else {}


# --- What is shown


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
def test_every_member_sees_the_page(client, people, slack, role):
    client.force_login(getattr(people, role))
    assert "#eng" in text(look(client).find("main"))


def test_an_outsider_gets_404_and_an_anonymous_reader_signs_in(client, people, project):
    assert client.get(PAGE)["Location"].startswith("/login/?next=/notifications/")
    client.force_login(people.outsider)
    assert client.get(PAGE).status_code == 404


def test_a_cell_says_what_it_does_whose_word_that_is_and_what_a_click_makes_of_it(admin, slack, email):
    factories.OverrideFactory(channel=slack, event="run_failed", enabled=False)
    factories.OverrideFactory(channel=slack, event="run_completed", enabled=True)
    page = look(admin)
    states = {
        (channel.key, event): (cell["class"][1], cell["aria-checked"], cell["value"].rpartition(":")[2])
        for channel in (slack, email)
        for event in ("run_completed", "run_failed")
        for cell in [cell_of(page, channel, event)]
    }
    assert states == {
        ("slack", "run_completed"): ("oo", "true", "off"),
        ("slack", "run_failed"): ("of", "false", "on"),
        ("email", "run_completed"): ("if", "false", "on"),
        ("email", "run_failed"): ("io", "true", "off"),
    }
    assert cell_of(page, slack, "run_failed")["aria-label"] == "run_failed to #eng"
    assert page.find(id=f"x-{slack.pk}-run_failed")
    assert not page.find(id=f"x-{email.pk}-run_failed")


def test_a_channel_that_hears_of_failures_by_run_completed_says_so_at_the_cell(admin, slack, email):
    factories.OverrideFactory(channel=slack, event="run_failed", enabled=False)
    factories.OverrideFactory(channel=slack, event="run_completed", enabled=True)
    page = look(admin)
    assert text(page.find(id=f"covers-{slack.pk}")) == "pass or fail: covers failures too"
    assert text(page.find(id=f"covers-{email.pk}")) == ""


def test_flags_count_the_events_of_the_last_week(admin, project):
    for age in (1, 6, 8):
        factories.OccurrenceFactory(project=project, received_at=now() - timedelta(days=age))
    flags = {flag.code.get_text(): text(flag.select_one(".vol")) for flag in look(admin).select(".flag")}
    assert flags["run_failed"] == flags["run_completed"] == "2 events in the last 7 days"
    assert flags["crawl_completed"] == "0 events in the last 7 days"


def test_one_project_can_be_picked_and_one_that_is_not_there_is_404(admin, workspace, people):
    other = factories.ProjectFactory(workspace=workspace, name="Shop", slug="shop")
    factories.ChannelFactory(project=other, name="Shop hook")
    assert "Shop hook" in text(look(admin).find("main"))
    shown = text(look(admin, f"{PAGE}&project=shop").find("table"))
    assert "Shop hook" in shown
    assert "#eng" not in shown
    assert admin.get(f"{PAGE}&project=nowhere").status_code == 404


def test_htmx_gets_only_the_part_that_changes_but_a_whole_page_from_history(admin):
    part = admin.get(PAGE, **HTMX)
    assert html(part).find("main") is None
    assert html(part).find(id="filters")
    assert html(admin.get(PAGE, **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true")).find("main")


def test_names_are_text(admin, project):
    factories.ChannelFactory(project=project, kind="discord", key="d", name="<img src=x onerror=1>")
    assert look(admin).find("img") is None


def test_the_settings_entry_leads_to_the_page(admin):
    assert admin.get("/settings/notifications/?ws=acme")["Location"] == PAGE


# --- The draft, without JavaScript


def test_a_click_changes_the_draft_and_nothing_else(admin, people, slack):
    response = stage(admin, slack, "run_failed", "off")
    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert not Override.objects.exists()
    assert not AuditEntry.objects.exists()
    page = look(admin)
    assert cell_of(page, slack, "run_failed")["class"] == ["tri", "of"]
    assert "was inherited" in text(cell_of(page, slack, "run_failed").find_parent("td"))
    assert "Save 1 change" in text(page.find(id="draft"))


def test_the_same_click_twice_is_one_change(admin, people, slack):
    stage(admin, slack, "run_failed", "off")
    stage(admin, slack, "run_failed", "off")
    assert list(changes(people.admin).values()) == [False]


def test_going_back_to_what_is_saved_leaves_no_draft(admin, people, slack):
    stage(admin, slack, "run_failed", "off")
    stage(admin, slack, "run_failed", "inherit")
    assert not FilterDraft.objects.exists()


def test_saving_saves_everything_audits_it_and_ends_the_draft(admin, people, workspace, project, slack):
    stage(admin, slack, "run_failed", "off")
    stage(admin, slack, "run_completed", "on")
    set_flag(admin, "crawl_completed", "off")
    response = admin.post(SAVE, follow=True)
    assert "3 changes saved." in text(html(response).find(id="flash"))
    assert dict(Override.objects.values_list("event", "enabled")) == {"run_failed": False, "run_completed": True}
    assert EventFlag.objects.get(project=None).event == "crawl_completed"
    assert {(entry.action, entry.actor) for entry in AuditEntry.objects.all()} == {
        ("project.filters_changed", people.admin), ("workspace.flags_changed", people.admin),
    }  # fmt: skip
    assert not FilterDraft.objects.exists()


def test_saving_twice_saves_once(admin, slack):
    stage(admin, slack, "run_failed", "off")
    admin.post(SAVE)
    response = admin.post(SAVE, follow=True)
    assert "There was nothing left to save." in text(html(response).find(id="flash"))
    assert AuditEntry.objects.count() == 1


def test_several_projects_are_saved_in_one_go_or_not_at_all(admin, workspace, slack, colleague):
    shop = factories.ProjectFactory(workspace=workspace, name="Shop", slug="shop")
    hook = factories.ChannelFactory(project=shop)
    stage(admin, slack, "run_failed", "off")
    stage(admin, hook, "run_failed", "off")
    change_project_filters(colleague, shop, {"channel_filters": {hook.key: {"ai_generated": False}}})
    assert admin.post(SAVE).status_code == 412
    assert not Override.objects.filter(channel=slack).exists()
    assert FilterDraft.objects.exists()


def test_discarding_changes_nothing(admin, slack):
    stage(admin, slack, "run_failed", "off")
    admin.post(DISCARD)
    assert not FilterDraft.objects.exists()
    assert not Override.objects.exists()


def test_a_draft_is_kept_and_the_page_says_so(admin, people, slack):
    stage(admin, slack, "run_failed", "off")
    admin.get("/?ws=acme")
    page = look(admin)
    assert "is still here" in text(page.find(id="draft-kept"))
    assert "1 change not saved yet." in text(page.find(id="draft-kept"))


def test_a_draft_is_its_owners_alone(admin, client, people, slack):
    stage(admin, slack, "run_failed", "off")
    client.force_login(people.owner)
    assert cell_of(look(client), slack, "run_failed")["class"] == ["tri", "io"]


def test_a_deleted_channel_leaves_the_draft(admin, people, slack, email):
    stage(admin, slack, "run_failed", "off")
    stage(admin, email, "ai_generated", "off")
    slack.delete()
    assert "Save 1 change" in text(look(admin).find(id="draft"))
    admin.post(SAVE)
    assert Override.objects.get().channel == email


@pytest.mark.parametrize(
    "cell", ["", "x", "{slack}:run_failed", "{slack}:run_failed:maybe", "{slack}:coffee:on", "{other}:run_failed:on"]
)
def test_a_cell_that_is_not_there_is_404(admin, people, slack, cell):
    other = factories.ChannelFactory()
    response = admin.post(CELL, {"cell": cell.format(slack=slack.pk, other=other.pk)})
    assert response.status_code == 404
    assert changes(people.admin) == {}


# --- The draft, with htmx


def test_with_htmx_a_click_answers_with_the_cell_and_the_draft_bar(admin, slack):
    response = stage(admin, slack, "run_failed", "off", **HTMX)
    part = html(response)
    assert response.status_code == 200
    assert cell_of(part, slack, "run_failed")["class"] == ["tri", "of"]
    assert part.find(id="draft")["hx-swap-oob"] == "outerHTML"
    assert part.find(id="draft-said")["hx-swap-oob"] == "innerHTML"
    assert part.find("table") is None


def test_with_htmx_the_note_at_run_completed_follows_the_cell_beside_it(admin, slack):
    factories.OverrideFactory(channel=slack, event="run_completed", enabled=True)
    part = html(stage(admin, slack, "run_failed", "off", **HTMX))
    note = part.find(id=f"covers-{slack.pk}")
    assert note["hx-swap-oob"] == "outerHTML"
    assert text(note) == "pass or fail: covers failures too"
    own = html(stage(admin, slack, "run_completed", "off", **HTMX))
    assert "hx-swap-oob" not in own.find(id=f"covers-{slack.pk}").attrs


def test_with_htmx_saving_answers_with_everything_and_a_toast(admin, slack):
    stage(admin, slack, "run_failed", "off")
    response = admin.post(SAVE, **HTMX)
    assert response["HX-Retarget"] == "#filters"
    assert "1 change saved." in response["HX-Trigger-After-Settle"]
    part = html(response)
    assert part.find(id="draft").name == "div"
    assert part.find(id="h-matrix").has_attr("autofocus")


def test_an_expired_session_leads_htmx_to_the_sign_in_and_back_to_the_page(client, slack):
    response = stage(client, slack, "run_failed", "off", **HTMX, HTTP_HX_CURRENT_URL=f"http://testserver{PAGE}")
    assert response.status_code == 200
    assert response["HX-Redirect"] == "/login/?next=/notifications/%3Fws%3Dacme"


# --- What-if


def test_the_bar_says_what_the_last_week_would_have_been(admin, project, slack, email, people):
    factories.OccurrenceFactory.create_batch(3, project=project)
    stage(admin, slack, "run_failed", "off")
    bar = text(look(admin).find(id="draft"))
    assert "the 3 events of the last 7 days would have produced 3 messages instead of 6" in bar
    assert "No failure of the last 7 days would have been missed." in bar
    assert "#eng run_failed off" in bar
    assert "3 → 0" in bar


def test_the_bar_names_failures_that_nobody_would_hear_of_and_the_gap_that_opens(admin, project, slack, email):
    lost = factories.OccurrenceFactory(project=project)
    set_flag(admin, "run_failed", "off")
    set_flag(admin, "scheduled_runs", "off")
    page = look(admin)
    bar = text(page.find(id="draft"))
    assert "1 failure of the last 7 days would have reached nobody any more." in bar
    assert page.find("a", href=f"/events/{lost.pk}/why/?ws=acme")
    assert "No channel hears about failed scheduled runs in Acme Web" in bar
    assert page.find(id="h-coverage") is None


def test_members_and_viewers_may_try_filters_and_are_told_who_can_save(client, people, slack):
    for person_ in (people.member, people.viewer):
        client.force_login(person_)
        stage(client, slack, "run_failed", "off")
        bar = look(client).find(id="draft")
        assert "Only the owner and admins of this workspace can change settings" in text(bar)
        assert "Save" not in [text(button) for button in bar.find_all("button")]
        assert client.post(SAVE).status_code == 403
    assert not Override.objects.exists()


# --- Somebody else saved meanwhile


def test_a_colleagues_save_in_between_shows_both_and_loses_nothing(admin, people, project, slack, email, colleague):
    stage(admin, slack, "run_failed", "off")
    stage(admin, slack, "ai_generated", "off")
    filters = {"slack": {"run_failed": True}, "email": {"crawl_completed": False}}
    change_project_filters(colleague, project, {"channel_filters": filters})
    response = admin.post(SAVE)
    assert response.status_code == 412
    page = html(response)
    assert text(page.find(id="h-stale")) == f"{people.owner} changed filters since you began"
    rows = [[text(each) for each in row.find_all(["th", "td"])] for row in page.select(".stale tbody tr")]
    assert sorted(rows) == [
        ["crawl_completed to QA mail in Acme Web", "Inherited", "Off", "–"],
        ["run_failed to #eng in Acme Web", "Inherited", "On", "Off"],
    ]
    assert Override.objects.get(channel=slack).enabled is True
    assert len(changes(people.admin)) == 2


def decide(client, resolve, seen=None):
    page = look(client)
    seen = seen or page.find("input", attrs={"name": "seen"})["value"]
    return client.post(SAVE, {"resolve": resolve, "seen": seen})


def test_saving_mine_too_keeps_what_they_changed_elsewhere(admin, project, slack, email, colleague):
    stage(admin, slack, "run_failed", "off")
    filters = {"slack": {"run_failed": True}, "email": {"crawl_completed": False}}
    change_project_filters(colleague, project, {"channel_filters": filters})
    assert decide(admin, "mine").status_code == 302
    assert {(each.channel.key, each.event, each.enabled) for each in Override.objects.all()} == {
        ("slack", "run_failed", False), ("email", "crawl_completed", False),
    }  # fmt: skip
    assert not FilterDraft.objects.exists()


def test_keeping_theirs_drops_only_what_differs(admin, people, project, slack, colleague):
    stage(admin, slack, "run_failed", "off")
    stage(admin, slack, "ai_generated", "off")
    change_project_filters(colleague, project, {"channel_filters": {"slack": {"run_failed": True}}})
    decide(admin, "theirs")
    assert Override.objects.get().enabled is True
    assert [path.rpartition(":")[2] for path in changes(people.admin)] == ["ai_generated"]
    assert admin.post(SAVE).status_code == 302
    assert dict(Override.objects.values_list("event", "enabled")) == {"run_failed": True, "ai_generated": False}


def test_a_decision_on_what_changed_once_more_is_asked_again(admin, project, slack, colleague):
    stage(admin, slack, "run_failed", "off")
    change_project_filters(colleague, project, {"channel_filters": {"slack": {"run_failed": True}}})
    seen = look(admin).find("input", attrs={"name": "seen"})["value"]
    change_project_filters(colleague, project, {"channel_filters": {"slack": {"ai_generated": False}}})
    assert decide(admin, "mine", seen).status_code == 412
    assert Override.objects.get(event="run_failed").enabled is True


def test_the_workspaces_flags_are_versioned_too(admin, workspace, slack, colleague):
    set_flag(admin, "run_failed", "off")
    change_workspace_filters(colleague, workspace, {"events": {"run_completed": True}})
    assert admin.post(SAVE).status_code == 412
    assert "run_completed, the workspace's flag" in text(look(admin).select_one(".stale"))


def test_a_flag_that_a_colleague_changed_is_news_for_a_draft_of_cells_that_inherit_it(
    admin, workspace, slack, colleague
):
    stage(admin, slack, "ai_generated", "off")
    change_workspace_filters(colleague, workspace, {"events": {"run_failed": False}})
    assert admin.post(SAVE).status_code == 412


def test_a_save_elsewhere_does_not_disturb(admin, workspace, slack, colleague):
    stage(admin, slack, "run_failed", "off")
    shop = factories.ProjectFactory(workspace=workspace)
    hook = factories.ChannelFactory(project=shop)
    change_project_filters(colleague, shop, {"channel_filters": {hook.key: {"run_failed": False}}})
    assert admin.post(SAVE).status_code == 302
    assert Override.objects.count() == 2


def test_with_htmx_a_stale_save_shows_both_too(admin, project, slack, colleague):
    stage(admin, slack, "run_failed", "off")
    change_project_filters(colleague, project, {"channel_filters": {"slack": {"run_failed": True}}})
    response = admin.post(SAVE, **HTMX)
    assert response.status_code == 412
    assert html(response).find(id="h-stale").has_attr("autofocus")
    assert response["HX-Retarget"] == "#filters"


# --- Own flags


def test_a_project_gets_its_own_flags_and_goes_back(admin, people, project, slack):
    follow = f"{reverse('draft_inheritance')}?ws=acme"
    admin.post(follow, {"project": "acme-web", "follow": "no"})
    set_flag(admin, "run_failed", "off", owner=str(project.pk), project="acme-web")
    page = look(admin, f"{PAGE}&project=acme-web")
    assert cell_of(page, slack, "run_failed")["class"] == ["tri", "if"]
    assert page.find(id="f-run_failed")["aria-checked"] == "false"
    admin.post(SAVE)
    project.refresh_from_db()
    assert project.inherits_workspace_flags is False
    stored = dict(EventFlag.objects.filter(project=project).values_list("event", "enabled"))
    assert stored == {**catalog.default_flags(), "run_failed": False}

    admin.post(follow, {"project": "acme-web", "follow": "yes"})
    assert cell_of(look(admin), slack, "run_failed")["class"] == ["tri", "io"]
    admin.post(SAVE)
    project.refresh_from_db()
    assert project.inherits_workspace_flags is True
    assert not EventFlag.objects.exists()


def test_giving_own_flags_and_taking_them_back_leaves_no_draft(admin, project):
    follow = f"{reverse('draft_inheritance')}?ws=acme"
    admin.post(follow, {"project": "acme-web", "follow": "no"})
    set_flag(admin, "run_failed", "off", owner=str(project.pk))
    admin.post(follow, {"project": "acme-web", "follow": "yes"})
    assert not FilterDraft.objects.exists()


def test_own_flags_start_from_the_workspaces_as_drafted(admin, people, project):
    set_flag(admin, "run_completed", "on")
    admin.post(f"{reverse('draft_inheritance')}?ws=acme", {"project": "acme-web", "follow": "no"})
    admin.post(SAVE)
    assert EventFlag.objects.get(project=project, event="run_completed").enabled is True


# --- Plans


@pytest.fixture
def starter(workspace):
    workspace.plan = factories.plan("starter")
    workspace.save()


def test_below_pro_cells_are_shown_and_not_editable_and_the_page_says_which_plan_has_them(admin, slack, starter):
    factories.OverrideFactory(channel=slack, event="run_failed", enabled=False)
    page = look(admin)
    assert "Per-channel filters are part of Pro" in text(page.select_one(".lockrow"))
    assert page.select("table button") == []
    row = page.find("a", string="#eng").find_parent("tr")
    assert "override Off is stored, not applied on Starter" in text(row)
    assert [cell["class"] for cell in row.select(".tri")][1] == ["tri", "locked", "io"]


def test_below_pro_a_posted_cell_is_402_with_the_sentence(admin, people, slack, starter):
    response = stage(admin, slack, "run_failed", "off")
    assert response.status_code == 402
    assert "Per-channel filters are not part of the Starter plan." in text(html(response).find(role="alert"))
    assert changes(people.admin) == {}


def test_below_pro_flags_can_still_be_changed(admin, slack, starter):
    set_flag(admin, "crawl_completed", "off")
    assert admin.post(SAVE).status_code == 302
    assert EventFlag.objects.get().event == "crawl_completed"


def test_a_draft_of_filters_outlives_a_downgrade_and_is_refused_with_the_sentence(admin, workspace, people, slack):
    stage(admin, slack, "run_failed", "off")
    workspace.plan = factories.plan("starter")
    workspace.save()
    response = admin.post(SAVE)
    assert response.status_code == 402
    assert "They come with Pro." in text(html(response).find(role="alert"))
    assert changes(people.admin)


# --- Coverage


def warnings_on(page):
    return [text(item.select_one(".grow")) for item in page.select("section[aria-labelledby=h-coverage] li")]


def fix(client, page, number=0):
    form = page.select("section[aria-labelledby=h-coverage] form")[number]
    return client.post(FIX, {"warning": form.find("input", attrs={"name": "warning"})["value"]})


def test_without_a_gap_there_is_no_warning(admin):
    assert warnings_on(look(admin)) == []


def test_a_gap_is_shown_with_the_button_that_closes_it(admin, project, slack, email):
    Channel.objects.filter(pk=email.pk).update(enabled=False)
    Channel.objects.filter(pk=slack.pk).update(paused_until=now() + timedelta(hours=1))
    page = look(admin)
    assert warnings_on(page) == [
        "Every channel for failed runs in Acme Web is stopped: QA mail is switched off and #eng is paused."
    ]
    response = fix(admin, page)
    assert response["Location"] == PAGE
    email.refresh_from_db()
    assert email.enabled is True
    assert AuditEntry.objects.get().action == "channel.updated"
    assert warnings_on(look(admin)) == []


def test_a_second_click_on_a_fix_changes_nothing(admin, slack, email):
    Channel.objects.update(enabled=False)
    page = look(admin)
    fix(admin, page)
    fix(admin, page)
    assert AuditEntry.objects.count() == 1


def test_a_flag_is_fixed_for_the_whole_workspace(admin, slack, email):
    for event in ("run_failed", "scheduled_runs"):
        factories.EventFlagFactory(workspace=slack.project.workspace, event=event, enabled=False)
    page = look(admin)
    assert warnings_on(page) == [
        "No channel hears about failed scheduled runs in Acme Web, nor about other failed runs."
    ]
    fix(admin, page)
    assert EventFlag.objects.get(event="run_failed").enabled is True


def test_a_fix_does_not_make_ones_own_draft_stale(admin, people, slack, email):
    factories.EventFlagFactory(workspace=slack.project.workspace, event="run_failed", enabled=False)
    stage(admin, slack, "ai_generated", "off")
    fix(admin, look(admin))
    assert EventFlag.objects.get(event="run_failed").enabled is True
    assert admin.post(SAVE).status_code == 302
    assert Override.objects.get().event == "ai_generated"


def test_who_may_not_make_the_change_sees_the_gap_without_its_button(client, people, slack, email):
    Channel.objects.filter(pk=email.pk).update(enabled=False)
    Channel.objects.filter(pk=slack.pk).update(enabled=False)
    client.force_login(people.admin)
    posted = {"warning": look(client).find("input", attrs={"name": "warning"})["value"]}
    for person_ in (people.member, people.viewer):
        client.force_login(person_)
        page = look(client)
        assert len(warnings_on(page)) == 1
        assert page.select("section[aria-labelledby=h-coverage] form") == []
        assert client.post(FIX, posted).status_code == 403
    assert not Channel.objects.filter(enabled=True).exists()


def test_a_member_may_resume_a_paused_channel(client, people, slack):
    Channel.objects.filter(pk=slack.pk).update(paused_until=now() + timedelta(hours=1))
    client.force_login(people.member)
    fix(client, look(client))
    slack.refresh_from_db()
    assert slack.paused_until is None


def test_a_fix_that_the_plan_has_no_room_for_is_402_with_the_sentence(admin, workspace, project, slack, email):
    workspace.plan = factories.plan("free")
    workspace.save()
    Channel.objects.filter(pk=email.pk).delete()
    Channel.objects.filter(pk=slack.pk).update(enabled=False)
    response = fix(admin, look(admin))
    assert response.status_code == 402
    assert "The Free plan has no chat channels per project" in text(html(response).find(role="alert"))


# --- Bounds


def many_channels(workspace, count):
    projects = [factories.ProjectFactory(workspace=workspace) for _ in range(4)]
    for number in range(count):
        kind = ("email", "webhook", "slack")[number % 3]
        channel = factories.ChannelFactory(project=projects[number % 4], kind=kind, key=f"c{number}")
        factories.OverrideFactory(channel=channel, event="run_failed", enabled=bool(number % 2))
        if kind == "email":
            factories.RecipientFactory(channel=channel)
    for project in projects:
        factories.OccurrenceFactory(project=project)


def test_the_number_of_queries_does_not_grow_with_two_hundred_channels(
    client, people, workspace, slack, django_assert_max_num_queries
):
    workspace.plan = factories.plan("business")
    workspace.save()
    many_channels(workspace, 200)
    client.force_login(people.admin)
    client.get(PAGE)
    with django_assert_max_num_queries(20):
        page = look(client)
    assert len(page.select("[data-tri]")) == 50 * 5
    with django_assert_max_num_queries(32):
        assert stage(client, slack, "run_failed", "off", **HTMX).status_code == 200
    with django_assert_max_num_queries(22):
        look(client)


def test_many_channels_come_in_pages_and_a_form_leads_back_to_its_page(client, people, workspace, slack):
    workspace.plan = factories.plan("business")
    workspace.save()
    many_channels(workspace, 60)
    client.force_login(people.admin)
    first, second = look(client), look(client, f"{PAGE}&page=2")
    ids = [{cell["id"] for cell in page.select("[data-tri]")} for page in (first, second)]
    assert [len(each) for each in ids] == [250, 55]
    assert not ids[0] & ids[1]
    assert "Page 2 of 2" in text(second)
    cell = second.select_one("[data-tri]")
    posted = {each["name"]: each["value"] for each in second.select("#cells > input")} | {"cell": cell["value"]}
    response = client.post(CELL, posted)
    assert response["Location"] == f"{PAGE}&page=2"
    assert look(client, response["Location"]).find(id=cell["id"])["aria-checked"] != cell["aria-checked"]


def test_ids_on_the_page_are_unique(admin, slack):
    stage(admin, slack, "run_failed", "off")
    ids = [node["id"] for node in look(admin).find_all(id=True)]
    assert len(ids) == len(set(ids))


class TestHowFarTheWhatIfLooksBack:
    @pytest.fixture
    def old_failures(self, project):
        for age in (1, 20, 40):
            factories.OccurrenceFactory(project=project, received_at=now() - timedelta(days=age))

    def bar(self, admin, slack, days):
        place = {"cell": f"{slack.pk}:run_failed:off", "days": days, "project": "acme-web"}
        address = admin.post(CELL, place)["Location"]
        page = look(admin, address)
        return address, page, text(page.find(id="draft"))

    def test_a_week_or_a_month(self, admin, slack, email, old_failures):
        address, _, week = self.bar(admin, slack, "")
        assert "days" not in address
        assert "the 1 event of the last 7 days would have produced 1 message instead of 2" in week
        address, page, month = self.bar(admin, slack, "30")
        assert address.endswith("&days=30")
        assert "the 2 events of the last 30 days would have produced 2 messages instead of 4" in month
        assert page.find(id="days-30")["aria-current"] == "true"
        assert "2 events in the last 30 days" in text(page)
        assert "project=acme-web" in page.find(id="days-7")["href"]
        assert page.select_one("#draft input[name=days]")["value"] == "30"

    def test_at_most_what_the_plan_keeps(self, admin, workspace, slack, email, old_failures):
        workspace.plan = factories.plan("free")
        workspace.save()
        page = look(admin, f"{PAGE}&days=30")
        assert page.find(id="days-30") is None
        assert "1 event in the last 7 days" in text(page)

    @pytest.mark.parametrize("days", ["0", "8", "-1", "abc", "9" * 50])
    def test_other_numbers_mean_a_week(self, admin, days):
        assert "in the last 7 days" in text(look(admin, f"{PAGE}&days={days}"))


def _add_channel(client, query=""):
    head = html(client.get(f"{PAGE}{query}")).select_one(".page-head")
    return [link["href"] for link in head.find_all("a") if "/channels/new" in link["href"]]


def test_a_channel_is_added_to_the_only_project_or_to_one_that_is_chosen(admin, workspace, project):
    assert _add_channel(admin) == [f"/p/{project.slug}/channels/new?ws=acme"]
    shop = factories.ProjectFactory(workspace=workspace, name="Shop", slug="shop")
    both = [f"/p/{slug}/channels/new?ws=acme" for slug in (project.slug, shop.slug)]
    # The same whatever project is looked at: choosing another one does not draw the head anew.
    assert _add_channel(admin) == _add_channel(admin, "&project=shop") == both


def test_of_many_projects_the_rest_is_on_the_projects_page(admin, workspace):
    for number in range(11):
        factories.ProjectFactory(workspace=workspace, name=f"Shop {number}")
    assert len(_add_channel(admin)) == 10
    head = html(admin.get(PAGE)).select_one(".page-head")
    assert text(head.select_one('a[href="/projects/?ws=acme"]')) == "All 12 projects"


@pytest.mark.parametrize(("role", "count"), [("owner", 1), ("admin", 1), ("member", 0), ("viewer", 0)])
def test_who_is_offered_to_add_a_channel(client, people, slack, role, count):
    client.force_login(getattr(people, role))
    assert len(_add_channel(client)) == count


def test_a_stale_draft_leaves_one_main_action(admin, slack, colleague, workspace):
    stage(admin, slack, "run_failed", "off")
    change_workspace_filters(colleague, workspace, {"events": {"run_completed": True}})
    main = look(admin).find("main")
    assert text(main.find("a", href="#h-stale")) == "Look at both"
    assert [text(each) for each in main.select(".btn.primary")] == ["Save my 1 change too"]
