"""Whatever changes a setting stands in the audit log: every service, and every way to it."""

import importlib
import inspect
import pkgutil
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.urls import reverse

from aegisnotify.clock import now
from notifications.addresses.links import confirmation_url
from notifications.delivery.recording import suspend
from notifications.models import AddressConfirmation, Channel
from projects.access import Role
from projects.actors import Source, person
from projects.models import AuditEntry, Workspace
from tests import factories
from tests.admin_walk import SECRETS
from tests.audit.rows import ROWS, UNRECORDED
from tests.notifications.api.callers import with_token

PACKAGES = ("projects.services", "notifications.services", "digests.services", "notifications.addresses.services")


def modules():
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield package
        for found in pkgutil.iter_modules(getattr(package, "__path__", ())):
            yield importlib.import_module(f"{name}.{found.name}")


def services():
    """The public functions of all modules of services, where they are defined."""
    return {
        f"{module.__name__}.{name}"
        for module in modules()
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    cache.clear()
    monkeypatch.setattr("notifications.delivery.wakeup.wake", lambda: None)
    monkeypatch.setattr("notifications.delivery.wakeup.wake_for_recovery", lambda: None)


@pytest.fixture
def scene(project, workspace, people):
    hook = factories.ChannelFactory(project=project, key="hook")
    factories.ChannelFactory(project=project, kind="email", key="email", position=1)
    return SimpleNamespace(
        actor=person(people.owner, Source.PAGE, "192.0.2.7"),
        workspace=workspace,
        project=project,
        owner=people.owner,
        member=workspace.memberships.get(role=Role.MEMBER),
        unverified=factories.UserFactory(email_verified_at=None),
        hook=hook,
        finished=factories.DeliveryFactory(channel=hook, occurrence__project=project, status="failed", next_at=None),
        waiting=factories.DeliveryFactory(channel=hook, occurrence__project=project),
    )


def test_every_service_has_a_row():
    known = {*ROWS, *UNRECORDED}
    assert services() - known == set(), "Give these a row in tests/audit/rows.py."
    assert known - services() == set(), "These are gone."
    assert not ROWS.keys() & UNRECORDED.keys()


@pytest.mark.parametrize("name", ROWS)
def test_what_it_changes_is_in_the_log(scene, name):
    row = ROWS[name]
    row.call(scene)
    entries = AuditEntry.objects.filter(action=row.action)
    assert entries, f"{name} left {list(AuditEntry.objects.values_list('action', flat=True))}"
    entry = entries.order_by("pk").last()
    assert entry.source == (row.source or Source.PAGE)
    if not row.source:
        assert (entry.actor, entry.address) == (scene.owner, "192.0.2.7")
    if row.inside:
        assert entry.workspace == scene.workspace
    assert entry.target_type
    assert entry.target_label
    if row.also:
        assert AuditEntry.objects.get(action=row.also).workspace is None
    for secret in (*SECRETS, factories.PASSWORD, "other-secret-path", "a long and good one"):
        assert secret not in str(entry.changes)


# --- Every way to a setting -----------------------------------------------------------------------------------------


def by_page(scene, client):
    client.force_login(scene.owner)
    address = reverse("project_general", args=[scene.project.slug])
    return client.post(f"{address}?ws=acme", {"name": "Shop", "slug": scene.project.slug, "base_url": ""})


def by_api(scene, client):
    return with_token(scene.workspace).patch("/notification-settings", {"events": {"run_failed": False}})


def by_admin(scene, client):
    client.force_login(factories.UserFactory(email="staff@example.com", is_staff=True, is_superuser=True))
    address = reverse("admin:projects_workspace_plan", args=[scene.workspace.pk])
    return client.post(address, {"plan": "business", "from": "pro"})


def by_link(scene, client):
    AddressConfirmation.objects.create(workspace=scene.workspace, email="ann@example.com")
    return client.post(confirmation_url(scene.workspace.pk, "ann@example.com"))


@pytest.mark.parametrize(
    ("way", "action", "source", "actor"),
    [
        (by_page, "project.updated", Source.PAGE, "owner"),
        (by_api, "workspace.flags_changed", Source.API, "ci"),
        (by_admin, "workspace.plan_changed", Source.ADMIN, "staff@example.com"),
        (by_link, "address.confirmed", Source.LINK, "ann@example.com"),
    ],
)
def test_the_way_and_the_actor_are_named(scene, client, way, action, source, actor):
    response = way(scene, client)
    assert response.status_code in (200, 302)
    entry = AuditEntry.objects.get(action=action)
    assert (entry.source, entry.workspace) == (source, scene.workspace)
    assert (scene.owner.email if actor == "owner" else actor) in entry.actor_label
    assert entry.changes


def test_what_the_system_does_by_itself_is_its_own(scene):
    from notifications.services.retention import sweep_histories

    suspend(scene.hook, "410 Gone")
    moment = now() - timedelta(days=200)
    factories.DeliveryFactory(
        channel=scene.hook,
        occurrence__project=scene.project,
        occurrence__received_at=moment,
        created_at=moment,
        status="failed",
        next_at=None,
    )
    sweep_histories()
    for action in ("channel.suspended", "workspace.history_deleted"):
        entry = AuditEntry.objects.get(action=action)
        assert (entry.source, entry.actor, entry.actor_label) == (Source.SYSTEM, None, "AegisNotify")
        assert entry.workspace == scene.workspace
    assert Channel.objects.get(pk=scene.hook.pk).suspended_reason == "410 Gone"
    assert Workspace.objects.get(pk=scene.workspace.pk).sweep_at > now()
