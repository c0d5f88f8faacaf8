"""Opting out of a project's event mail, and remembering bounces."""

import uuid

import pytest

from notifications.addresses import services
from notifications.models import AddressBounce, OptOut
from projects.actors import Actor, Source
from projects.errors import NotFound
from projects.models import AuditEntry

pytestmark = pytest.mark.django_db

ANN = "ann@example.com"
LINK = Actor(ANN, Source.LINK)
BOUNCED, COMPLAINED = AddressBounce.Kind.BOUNCED, AddressBounce.Kind.COMPLAINED


def test_opting_out_twice_is_opting_out_once(project):
    assert services.opt_out(LINK, project.pk, " Ann@example.com") is True
    assert services.opt_out(LINK, str(project.pk), ANN) is False
    assert OptOut.objects.get().email == ANN
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.source, entry.actor_label, entry.target_label) == (
        "address.opted_out",
        "link",
        ANN,
        ANN,
    )
    assert entry.changes == {"event_mail": [True, False]}
    assert (entry.workspace, entry.project_id) == (project.workspace, project.pk)


def test_opting_in_again_undoes_it(project):
    services.opt_out(LINK, project.pk, ANN)
    assert services.opt_in(LINK, project.pk, ANN) is True
    assert services.opt_in(LINK, project.pk, ANN) is False
    assert not OptOut.objects.exists()
    assert sorted(AuditEntry.objects.values_list("action", flat=True)) == ["address.opted_in", "address.opted_out"]


@pytest.mark.parametrize("missing", [uuid.UUID(int=1), "not-an-id"])
def test_a_project_that_is_gone_is_not_found(project, missing):
    for service in (services.opt_out, services.opt_in):
        with pytest.raises(NotFound):
            service(LINK, missing, ANN)


def test_the_first_bounce_stays():
    assert services.mark_bounced(ANN.upper(), BOUNCED, "550 no\r\nsuch user " + "x" * 600) is True
    assert services.mark_bounced(ANN, BOUNCED, "another") is False
    row = AddressBounce.objects.get()
    assert (row.email, row.kind) == (ANN, "bounced")
    assert row.detail.startswith("550 no such user")
    assert len(row.detail) == 500


def test_a_complaint_replaces_a_bounce_and_not_the_other_way_round():
    services.mark_bounced(ANN, BOUNCED)
    assert services.mark_bounced(ANN, COMPLAINED, "spam") is True
    assert services.mark_bounced(ANN, COMPLAINED) is False
    assert services.mark_bounced(ANN, BOUNCED) is False
    assert (AddressBounce.objects.get().kind, AddressBounce.objects.get().detail) == ("complained", "spam")
