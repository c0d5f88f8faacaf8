"""Starting, renaming and deleting workspaces."""

import pytest
from django.core.cache import cache

from notifications.models import Attempt, Channel, Delivery, Occurrence
from notifications.services import closing
from projects.access import Role
from projects.actors import Source, person
from projects.errors import Forbidden, Invalid, TooMany
from projects.models import AuditEntry, User, Workspace
from projects.services import workspaces
from projects.services.tokens import find_token
from tests import factories


@pytest.fixture(autouse=True)
def no_earlier_tries(db):
    cache.clear()


def start(owner, **values):
    given = {"name": "Acme QA", "project": "Acme Web", "base_url": ""}
    return workspaces.start_own_workspace(person(owner, Source.PAGE), owner=owner, **{**given, **values})


class TestStarting:
    def test_on_free_with_a_project_that_mails_the_owner(self):
        owner = factories.UserFactory(time_zone="Asia/Tokyo")
        workspace = start(owner)
        assert (workspace.plan.code, workspace.time_zone, workspace.slug) == ("free", "Asia/Tokyo", "acme-qa")
        assert workspace.memberships.get().role == Role.OWNER
        channel = Channel.objects.get(project__workspace=workspace)
        assert (channel.kind, channel.enabled, channel.project.slug) == ("email", True, "acme-web")
        owner.refresh_from_db()
        assert owner.last_workspace == workspace

    def test_a_taken_name_gets_another_slug(self):
        assert [start(factories.UserFactory()).slug for _ in range(2)] == ["acme-qa", "acme-qa-2"]

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"name": " "}, "name"),
            ({"name": "x" * 121}, "name"),
            ({"project": ""}, "project"),
            ({"base_url": "ftp://example.com"}, "base_url"),
        ],
    )
    def test_bad_values_make_nothing(self, values, field):
        with pytest.raises(Invalid) as refusal:
            start(factories.UserFactory(), **values)
        assert field in refusal.value.fields
        assert not Workspace.objects.exists()

    def test_ten_a_day(self):
        owner = factories.UserFactory()
        for _ in range(10):
            start(owner)
        with pytest.raises(TooMany):
            start(owner)


def test_renaming_keeps_the_links(workspace, people):
    actor = person(people.admin, Source.PAGE)
    workspaces.update_workspace(actor, workspace, {"name": "Acme", "time_zone": "Europe/Paris"})
    workspace.refresh_from_db()
    assert (workspace.name, workspace.time_zone, workspace.slug) == ("Acme", "Europe/Paris", "acme")
    assert workspace.audit_entries.get(action="workspace.updated").changes == {
        "name": ["Acme QA", "Acme"],
        "time_zone": ["UTC", "Europe/Paris"],
    }


@pytest.mark.parametrize("new", [{"name": ""}, {"time_zone": "Mars/Olympus"}])
def test_bad_settings_change_nothing(workspace, people, new):
    with pytest.raises(Invalid):
        workspaces.update_workspace(person(people.owner, Source.PAGE), workspace, new)
    assert not workspace.audit_entries.exists()


def close(workspace, owner):
    workspaces.delete_workspace(person(owner, Source.PAGE), workspace, typed_name="Acme QA")


@pytest.fixture
def full(workspace, project):
    """A workspace with five deliveries and what belongs to them."""
    channel = factories.ChannelFactory(project=project)
    for number in range(5):
        delivery = factories.DeliveryFactory(
            occurrence=factories.OccurrenceFactory(project=project, forgotten=number == 0),
            channel=channel,
            recipient=str(number),
        )
        Attempt.objects.create(delivery=delivery, number=1, at=delivery.created_at, outcome="ok")
    return workspace


class TestDeleting:
    def test_is_gone_for_everybody_at_once(self, client, full, project, people):
        token = factories.TokenFactory(workspace=full)
        client.force_login(people.member)
        close(full, people.owner)
        assert client.get("/?ws=acme").status_code == 404
        assert client.get(f"/events/{Occurrence.objects.first().pk}/why/").status_code == 404
        assert find_token(token.text) is None
        assert not Channel.objects.filter(project__workspace=full, enabled=True).exists()
        assert not Workspace.objects.filter(slug="acme").exists()
        assert User.objects.filter(pk=people.member.pk).exists()
        assert AuditEntry.objects.get(action="workspace.deleted").workspace is None

    def test_its_name_is_free_for_another(self, full, people):
        close(full, people.owner)
        assert start(people.owner, name="Acme").slug == "acme"

    def test_its_rows_go_in_the_background_and_nobody_elses(self, full, people, monkeypatch):
        monkeypatch.setattr(closing, "STEP", 2)
        monkeypatch.setattr(closing, "PAUSE", 0)
        AuditEntry.objects.create(workspace=full, at=full.created_at, source="page", action="x")
        other = factories.DeliveryFactory()
        close(full, people.owner)
        assert Delivery.objects.count() == 6
        assert closing.delete_closed_workspaces() == 1
        assert list(Delivery.objects.all()) == [other]
        assert list(Occurrence.keys.all()) == [other.occurrence]
        assert list(Workspace.objects.exclude(memberships__user=people.outsider)) == [other.workspace]
        assert not Attempt.objects.exists()
        assert list(AuditEntry.objects.values_list("action", flat=True)) == ["workspace.deleted"]
        assert closing.delete_closed_workspaces() == 0

    def test_goes_on_where_time_was_over(self, full, people, monkeypatch):
        monkeypatch.setattr(closing, "STEP", 2)
        close(full, people.owner)
        assert closing.delete_closed_workspaces(seconds=0) == 0
        assert Delivery.objects.count() == 3
        assert closing.delete_closed_workspaces() == 1
        assert not Delivery.objects.exists()

    def test_an_open_workspace_is_never_touched(self, full):
        assert closing.delete_closed_workspaces() == 0
        assert closing._step(full.pk) is None
        assert Delivery.objects.count() == 5

    @pytest.mark.parametrize("name", ["acme qa", "Acme", ""])
    def test_takes_its_name_as_it_is(self, workspace, people, name):
        with pytest.raises(Invalid):
            workspaces.delete_workspace(person(people.owner, Source.PAGE), workspace, typed_name=name)
        assert Workspace.objects.filter(pk=workspace.pk).exists()

    def test_is_for_the_owner(self, workspace, people):
        with pytest.raises(Forbidden):
            workspaces.delete_workspace(person(people.admin, Source.PAGE), workspace, typed_name="Acme QA")
