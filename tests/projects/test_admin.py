from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models.signals import post_migrate
from django.urls import reverse

from aegisnotify.admin import COUNT_LIMIT
from aegisnotify.clock import now
from projects.access import Role
from projects.actors import Source, person
from projects.models import ApiToken, AuditEntry, Membership, Plan, Project, UsageCounter, User, Workspace
from projects.services.audit import record
from projects.services.staff import SUPPORT, let_support_look
from projects.services.tokens import find_token
from projects.usage import period_of
from tests import factories
from tests.admin_walk import SECRETS, address, fill, messages_of, models_of, opened

PASSWORD = "a long and good one"


@pytest.fixture
def staff(db):
    return factories.UserFactory(email="staff@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def client(client, staff):
    client.force_login(staff)
    return client


def last_entry(action):
    entry = AuditEntry.objects.get(action=action)
    assert (entry.source, entry.actor_label, entry.address) == (Source.ADMIN, "staff@example.com", "127.0.0.1")
    return entry


@pytest.mark.parametrize("app", ["projects", "notifications", "digests"])
def test_every_model_is_in_the_admin(app):
    assert set(models_of(app)) == set(apps.get_app_config(app).get_models())


def test_every_page_of_people_and_plans_opens_with_as_many_queries_for_thirty_rows_as_for_three(client):
    fill(3)
    few = {model: opened(client, address(model, "changelist"))[1] for model in models_of("projects")}
    fill(27, prefix="more")
    for model in models_of("projects"):
        page, queries = opened(client, address(model, "changelist"))
        assert queries <= few[model], model
        assert queries <= 8, model
        row = model.objects.order_by("-pk")[0]
        change_page, queries = opened(client, address(model, "change", row.pk))
        assert queries <= 20, model
        for secret in (*SECRETS, *ApiToken.objects.values_list("digest", flat=True)):
            assert secret not in page, model
            assert secret not in change_page, model


@pytest.mark.parametrize("model", [User, Plan, Workspace, Project])
def test_what_staff_makes_has_a_page_for_it(client, model):
    page, _queries = opened(client, address(model, "add"))
    assert 'type="submit"' in page


@pytest.mark.parametrize("model", [ApiToken, AuditEntry, Membership, UsageCounter])
def test_what_staff_only_reads_has_none(client, model):
    assert client.get(address(model, "add")).status_code == 403


@pytest.mark.parametrize("model", models_of("projects"), ids=lambda model: model.__name__)
def test_nobody_deletes_people_workspaces_plans_or_history(client, model):
    fill(1)
    row = model.objects.all()[0]
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


def test_pages_of_other_packages_in_the_admin_open_too(client):
    others = [model for model in admin.site._registry if model._meta.app_label not in ("projects", "notifications")]
    for model in others:
        opened(client, address(model, "changelist"))


def test_a_list_counts_no_further_than_ten_thousand(rf, staff):
    request = rf.get("/")
    request.user = staff
    model_admin = admin.site._registry[AuditEntry]
    paginator = model_admin.get_paginator(request, AuditEntry.objects.all(), 50)
    assert f"LIMIT {COUNT_LIMIT}" in str(paginator.object_list.order_by().values("pk")[:COUNT_LIMIT].query)
    assert paginator.count == AuditEntry.objects.count()


# --- People ---------------------------------------------------------------------------------------------------------


def new_user(**fields):
    return {"email": "Ann@Example.com", "name": "Ann", "time_zone": "Europe/Berlin", "usable_password": "true"} | {
        "password1": PASSWORD,
        "password2": PASSWORD,
        **fields,
    }


def test_a_person_is_created_with_a_lower_case_address_nobody_has_verified(client):
    response = client.post(address(User, "add"), new_user())
    assert response.status_code == 302
    user = User.objects.get(email="ann@example.com")
    assert user.check_password(PASSWORD)
    assert user.email_verified_at is None
    entry = last_entry("user.created")
    assert entry.target_id == str(user.pk)
    assert PASSWORD not in str(entry.changes)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"email": "staff@example.com"}, "User with this Email already exists."),
        ({"email": "STAFF@example.com"}, "User with this Email already exists."),
        ({"time_zone": "Mars/Olympus"}, "is not an IANA time zone"),
        ({"password1": "short", "password2": "short"}, "at least 10 characters"),
    ],
)
def test_a_bad_person_is_refused_in_the_form(client, fields, sentence):
    response = client.post(address(User, "add"), new_user(**fields))
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert User.objects.count() == 1


def test_changes_of_a_person_are_audited_field_by_field(client):
    user = factories.UserFactory(name="Ann", time_zone="UTC")
    response = client.post(
        address(User, "change", user.pk), {"name": "Ann B.", "time_zone": "Europe/Berlin", "is_staff": "on"}
    )
    assert response.status_code == 302
    user.refresh_from_db()
    assert (user.name, user.is_active, user.is_staff) == ("Ann B.", False, True)
    assert last_entry("user.updated").changes == {
        "name": ["Ann", "Ann B."],
        "time_zone": ["UTC", "Europe/Berlin"],
        "is_active": [True, False],
        "is_staff": [False, True],
    }


def test_saving_without_a_change_is_not_audited(client):
    user = factories.UserFactory()
    client.post(address(User, "change", user.pk), {"name": user.name, "time_zone": "UTC", "is_active": "on"})
    assert not AuditEntry.objects.exists()


def test_the_address_cannot_be_changed_here(client):
    user = factories.UserFactory(email="ann@example.com")
    client.post(
        address(User, "change", user.pk), {"name": "A", "time_zone": "UTC", "is_active": "on", "email": "x@example.com"}
    )
    user.refresh_from_db()
    assert (user.email, user.name) == ("ann@example.com", "A")


def test_setting_a_password_is_audited_without_it(client):
    user = factories.UserFactory()
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    response = client.post(url, {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD})
    assert response.status_code == 302
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert last_entry("user.password_set").changes == {"password": ["•••", "•••"]}


def test_a_refused_password_is_not_audited(client):
    user = factories.UserFactory()
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    response = client.post(url, {"usable_password": "true", "password1": "short", "password2": "short"})
    assert "at least 10 characters" in response.content.decode()
    assert not AuditEntry.objects.exists()


def test_staff_with_the_right_to_change_people_cannot_become_a_superuser(client, staff, django_user_model):
    from django.contrib.auth.models import Permission

    clerk = factories.UserFactory(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client.force_login(clerk)
    client.post(
        address(User, "change", clerk.pk),
        {"name": "Clerk", "time_zone": "UTC", "is_active": "on", "is_staff": "on", "is_superuser": "on"},
    )
    clerk.refresh_from_db()
    assert (clerk.name, clerk.is_superuser) == ("Clerk", False)
    assert client.post(address(User, "change", staff.pk), {"name": "x", "time_zone": "UTC"}).status_code == 403
    password = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(reverse("admin:auth_user_password_change", args=[staff.pk]), password).status_code == 403


def test_every_spelling_of_an_address_signs_in_to_the_admin(client):
    client.logout()
    response = client.post(
        reverse("admin:login"), {"username": "Staff@Example.com", "password": factories.PASSWORD, "next": "/admin/"}
    )
    assert response.status_code == 302


# --- Plans ----------------------------------------------------------------------------------------------------------


def plan_form(plan, **changes):
    names = [field.name for field in Plan._meta.fields if field.name not in ("id", "code")]
    values = {name: getattr(plan, name) for name in names} | changes
    return {name: "" if value is None else value for name, value in values.items() if value is not False}


def test_a_changed_limit_of_a_plan_is_audited(client):
    pro = factories.plan("pro")
    response = client.post(address(Plan, "change", pro.pk), plan_form(pro, webhooks=None, members=7))
    assert response.status_code == 302
    pro.refresh_from_db()
    assert (pro.webhooks, pro.members, pro.code) == (None, 7, "pro")
    assert last_entry("plan.updated").changes == {"webhooks": [3, None], "members": [5, 7]}


def test_a_plan_with_a_shorter_history_deletes_it_a_week_later(client, workspace):
    pro = workspace.plan
    client.post(address(Plan, "change", pro.pk), plan_form(pro, history_days=60))
    workspace.refresh_from_db()
    assert workspace.sweep_at > now() + timedelta(days=6)


def test_a_new_plan_is_audited(client):
    client.post(address(Plan, "add"), {"code": "school", "name": "School", "position": 9, "webhooks": 2})
    assert last_entry("plan.created").changes["webhooks"] == [None, 2]


# --- Workspaces -----------------------------------------------------------------------------------------------------


def test_a_workspace_is_created_with_its_owner(client):
    owner = factories.UserFactory()
    pro = factories.plan("pro")
    response = client.post(
        address(Workspace, "add"), {"name": "Acme QA", "owner": owner.pk, "plan": pro.pk, "time_zone": "UTC"}
    )
    assert response.status_code == 302
    workspace = Workspace.objects.get(slug="acme-qa")
    assert workspace.memberships.get().role == Role.OWNER
    assert workspace.memberships.get().user == owner
    assert last_entry("workspace.created").workspace == workspace


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"slug": "acme"}, "Workspace with this Slug already exists."),
        ({"time_zone": "Mars/Olympus"}, "is not an IANA time zone"),
        ({"owner": ""}, "This field is required."),
    ],
)
def test_a_bad_workspace_is_refused_in_the_form(client, workspace, fields, sentence):
    owner = factories.UserFactory()
    form = {"name": "Acme", "owner": owner.pk, "plan": workspace.plan.pk, "time_zone": "UTC"} | fields
    response = client.post(address(Workspace, "add"), form)
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert Workspace.objects.count() == 1


def test_a_workspace_is_renamed_and_keeps_its_plan(client, workspace):
    free = factories.plan("free")
    form = {"plan": free.pk, "name": "Other", "time_zone": "UTC"}
    assert client.post(address(Workspace, "change", workspace.pk), form).status_code == 302
    workspace.refresh_from_db()
    assert (workspace.plan.code, workspace.name) == ("pro", "Other")
    assert last_entry("workspace.updated").changes == {"name": ["Acme QA", "Other"]}


def plan_page(workspace):
    return reverse("admin:projects_workspace_plan", args=[workspace.pk])


def test_the_page_of_a_workspace_shows_usage_members_and_ways_on(client, workspace, people):
    UsageCounter.objects.create(workspace=workspace, period=period_of(now()), meter="runs", used=1250)
    page, queries = opened(client, address(Workspace, "change", workspace.pk))
    assert "1,250 runs of 2,500 (50 %)" in page
    for email in (people.owner.email, people.viewer.email):
        assert email in page or people.owner.name in page
    for link in (
        plan_page(workspace),
        f"{address(Project, 'changelist')}?q=acme",
        "/admin/notifications/delivery/?q=acme",
        "/admin/notifications/channel/?q=acme",
        "/?ws=acme",
    ):
        assert f'href="{link}"' in page, link
    assert queries <= 14


def test_another_plan_is_previewed_and_nothing_changes_by_looking(client, workspace, project):
    email = factories.ChannelFactory(project=project, kind="email", key="email", name="Email")
    for key in ("hook", "hook-2"):
        factories.ChannelFactory(project=project, key=key, name=f"Orders {key}")
    factories.OverrideFactory(channel=email)
    response = client.get(plan_page(workspace), {"plan": "starter"})
    change = response.context["change"]
    lost = {(effect.where, effect.what): effect.then for effect in change.effects if effect.worse}
    assert lost[("Acme Web", "Webhook channel Orders hook-2 (hook-2)")] == "over the plan limit: kept, and sent nothing"
    assert lost[("Workspace", "Filters per channel (1 set)")] == "kept, and not applied"
    assert lost[("Workspace", "History")].startswith("30 days: older events and deliveries are hidden at once")
    assert ("Acme Web", "Webhook channel Orders hook (hook)") not in lost
    assert not any("Email" in what for _, what in lost)
    assert "Move Acme QA to Starter" in response.content.decode()
    workspace.refresh_from_db()
    assert workspace.plan.code == "pro"
    assert not AuditEntry.objects.exists()


def test_the_confirmed_plan_goes_through_the_service(client, workspace):
    response = client.post(plan_page(workspace), {"plan": "free", "from": "pro"}, follow=True)
    assert messages_of(response) == ["Acme QA is on Free now."]
    workspace.refresh_from_db()
    assert workspace.plan.code == "free"
    assert last_entry("workspace.plan_changed").changes == {"plan": ["pro", "free"]}


def test_a_preview_that_was_overtaken_is_shown_again(client, workspace):
    Workspace.objects.update(plan=factories.plan("business"))
    response = client.post(plan_page(workspace), {"plan": "free", "from": "pro"})
    assert messages_of(response) == ["The plan was changed meanwhile. This is what changes now."]
    assert response.context["change"].plan.code == "free"
    workspace.refresh_from_db()
    assert workspace.plan.code == "business"


def test_a_preview_of_a_large_workspace_takes_as_many_queries_as_one_of_a_small(client, workspace):
    def queries():
        return opened(client, plan_page(workspace) + "?plan=starter")[1]

    factories.ChannelFactory(project__workspace=workspace)
    few = queries()
    for _ in range(4):
        project = factories.ProjectFactory(workspace=workspace)
        for _ in range(3):
            factories.ChannelFactory(project=project)
    assert queries() == few <= 16


def test_an_upgrade_brings_channels_back(client, workspace, project):
    Workspace.objects.update(plan=factories.plan("starter"))
    for key in ("hook", "hook-2"):
        factories.ChannelFactory(project=project, key=key)
    change = client.get(plan_page(workspace), {"plan": "pro"}).context["change"]
    assert change.losses == 0
    back = [effect for effect in change.effects if effect.where == "Acme Web"]
    assert [effect.then for effect in back] == ["gets messages"]


def test_the_audit_log_of_a_workspace_is_exported_whole(client, workspace, people):
    record(person(people.owner, Source.PAGE), "workspace.updated", workspace, workspace=workspace)
    response = client.get(reverse("admin:projects_workspace_audit", args=[workspace.pk]))
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("at,actor,source,")
    assert "workspace.updated" in text
    assert response["Content-Disposition"].startswith('attachment; filename="audit-acme-')


# --- Support --------------------------------------------------------------------------------------------------------


@pytest.fixture
def support(db):
    """Somebody of the group that migrations make. Tests with real transactions flush it away."""
    group, _ = Group.objects.get_or_create(name=SUPPORT)
    let_support_look()
    user = factories.UserFactory(is_staff=True)
    user.groups.add(group)
    return user


def test_support_sees_every_list_and_changes_nothing(client, support, workspace):
    client.force_login(support)
    fill(1)
    models = [model for app in ("projects", "notifications", "digests") for model in models_of(app)]
    assert Workspace in models
    for model in models:
        page, _queries = opened(client, address(model, "changelist"))
        assert 'name="action"' not in page, model
        assert client.get(address(model, "add")).status_code == 403
    for row in (workspace, workspace.plan):
        page, _queries = opened(client, address(type(row), "change", row.pk))
        assert 'name="_save"' not in page
        assert "Change plan" not in page
        assert client.post(address(type(row), "change", row.pk), {"name": "x"}).status_code == 403
    assert client.get(plan_page(workspace)).status_code == 403
    assert client.post(plan_page(workspace), {"plan": "free", "from": "pro"}).status_code == 403
    workspace.refresh_from_db()
    assert workspace.plan.code == "pro"


def test_a_deleted_group_stays_deleted(db):
    Group.objects.filter(name=SUPPORT).delete()
    let_support_look()
    assert not Group.objects.filter(name=SUPPORT).exists()


def test_support_sees_tables_of_later_migrations_too(db):
    group, _ = Group.objects.get_or_create(name=SUPPORT)
    group.permissions.clear()
    post_migrate.send(apps.get_app_config("auth"), app_config=apps.get_app_config("auth"))
    codes = set(group.permissions.values_list("codename", flat=True))
    assert {"view_plan", "view_delivery", "view_workspace"} <= codes
    assert not {code for code in codes if not code.startswith("view_")}


# --- The audit log --------------------------------------------------------------------------------------------------


def test_entries_are_found_by_actor_workspace_and_target(client, workspace, people):
    wanted = record(person(people.owner, Source.PAGE), "workspace.updated", workspace, workspace=workspace)
    record(person(people.outsider, Source.PAGE), "user.updated", people.outsider, workspace=None)
    for term in (people.owner.email.upper(), "acme", str(workspace.pk)):
        response = client.get(address(AuditEntry, "changelist"), {"q": term})
        assert list(response.context["cl"].result_list) == [wanted], term


# --- Projects -------------------------------------------------------------------------------------------------------


def test_a_project_is_created_with_its_first_email_channel(client, workspace):
    response = client.post(address(Project, "add"), {"workspace": workspace.pk, "name": "Shop", "base_url": ""})
    assert response.status_code == 302
    created = Project.objects.get(slug="shop")
    assert created.channels.get().kind == "email"
    assert last_entry("project.created").project_id == created.pk


def test_a_project_is_changed_and_audited(client, project):
    form = {"name": "Acme Shop", "slug": "acme-web", "base_url": "https://acme.example"}
    response = client.post(address(Project, "change", project.pk), form)
    assert response.status_code == 302
    project.refresh_from_db()
    assert project.name == "Acme Shop"
    assert last_entry("project.updated").changes["name"] == ["Acme Web", "Acme Shop"]


def test_a_project_over_the_plan_is_refused_with_the_sentence(client, workspace):
    workspace.plan = factories.plan("free")
    workspace.save()
    response = client.post(address(Project, "add"), {"workspace": workspace.pk, "name": "Second", "base_url": ""})
    assert response.status_code == 200
    assert "Choose a larger plan to add one." in response.content.decode()
    assert Project.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_a_taken_slug_is_refused_beside_the_field(client, project):
    factories.ProjectFactory(workspace=project.workspace, slug="shop")
    form = {"name": "Acme Web", "slug": "shop", "base_url": ""}
    response = client.post(address(Project, "change", project.pk), form)
    assert response.status_code == 200
    assert "This workspace already has a project “shop”" in response.context["adminform"].form.errors["slug"][0]
    project.refresh_from_db()
    assert project.slug == "acme-web"


def test_a_project_is_found_by_its_id(client, project):
    factories.ProjectFactory(name="Other")
    page, _queries = opened(client, address(Project, "changelist") + f"?q={project.pk}")
    assert "Acme Web" in page
    assert "Other" not in page


# --- Tokens ---------------------------------------------------------------------------------------------------------


def test_selected_tokens_are_revoked(client, workspace):
    first, second = factories.TokenFactory(workspace=workspace), factories.TokenFactory(workspace=workspace)
    response = client.post(
        address(ApiToken, "changelist"), {"action": "revoke", "_selected_action": [first.pk]}, follow=True
    )
    assert messages_of(response) == ["Revoked: 1. They open nothing from now on."]
    assert find_token(first.text) is None
    assert find_token(second.text) == second
    assert last_entry("token.revoked").target_id == str(first.pk)


def test_staff_that_may_only_look_cannot_revoke(client, workspace):
    from django.contrib.auth.models import Permission

    token = factories.TokenFactory(workspace=workspace)
    clerk = factories.UserFactory(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_apitoken"))
    client.force_login(clerk)
    client.post(address(ApiToken, "changelist"), {"action": "revoke", "_selected_action": [token.pk]}, follow=True)
    assert find_token(token.text) == token
