"""The state of an address as a recipient of a project's mail."""

import pytest

from aegisnotify.clock import now
from notifications.addresses.selectors import recipient_states
from notifications.addresses.services import mark_bounced
from notifications.models import AddressBounce, AddressConfirmation, OptOut
from notifications.routing import RecipientState
from tests import factories

pytestmark = pytest.mark.django_db

BOUNCED, COMPLAINED = AddressBounce.Kind.BOUNCED, AddressBounce.Kind.COMPLAINED


def confirm(workspace, email, at=True):
    AddressConfirmation.objects.create(workspace=workspace, email=email, confirmed_at=now() if at else None)


def state(project, email):
    return recipient_states(project.workspace_id, project.pk, [email])[email]


def test_a_stranger_is_unconfirmed(project):
    assert state(project, "stranger@example.com") is RecipientState.UNCONFIRMED


def test_a_verified_member_is_confirmed_in_that_workspace_only(project, people):
    other = factories.ProjectFactory()
    assert state(project, people.viewer.email) is RecipientState.CONFIRMED
    assert state(other, people.viewer.email) is RecipientState.UNCONFIRMED
    assert state(project, people.outsider.email) is RecipientState.UNCONFIRMED


def test_a_member_who_did_not_verify_the_address_is_unconfirmed(project):
    member = factories.MembershipFactory(workspace=project.workspace, user__email_verified_at=None).user
    assert state(project, member.email) is RecipientState.UNCONFIRMED


def test_a_confirmation_counts_for_its_workspace(project):
    confirm(project.workspace, "ann@example.com")
    assert state(project, "ann@example.com") is RecipientState.CONFIRMED
    assert state(factories.ProjectFactory(), "ann@example.com") is RecipientState.UNCONFIRMED


def test_asking_is_not_confirming(project):
    confirm(project.workspace, "ann@example.com", at=None)
    assert state(project, "ann@example.com") is RecipientState.UNCONFIRMED


def test_opting_out_counts_for_its_project(project, people):
    sibling = factories.ProjectFactory(workspace=project.workspace)
    OptOut.objects.create(project=project, email=people.owner.email, created_at=now())
    assert state(project, people.owner.email) is RecipientState.UNSUBSCRIBED
    assert state(sibling, people.owner.email) is RecipientState.CONFIRMED


@pytest.mark.parametrize("kind", [BOUNCED, COMPLAINED])
def test_a_bounce_or_complaint_counts_everywhere(project, people, kind):
    mark_bounced(people.owner.email, kind)
    assert state(project, people.owner.email) is RecipientState.BOUNCED


def test_bounced_comes_before_unsubscribed_before_unconfirmed(project):
    OptOut.objects.create(project=project, email="ann@example.com", created_at=now())
    assert state(project, "ann@example.com") is RecipientState.UNSUBSCRIBED
    mark_bounced("ann@example.com", BOUNCED)
    assert state(project, "ann@example.com") is RecipientState.BOUNCED


def test_many_addresses_cost_one_query(project, people, django_assert_num_queries):
    confirm(project.workspace, "ann@example.com")
    mark_bounced("gone@example.com", BOUNCED)
    emails = [people.owner.email, "ann@example.com", "gone@example.com", *(f"x{n}@example.com" for n in range(200))]
    with django_assert_num_queries(1):
        states = recipient_states(project.workspace_id, project.pk, emails)
    assert len(states) == 203
    assert [states[email] for email in emails[:4]] == [
        RecipientState.CONFIRMED,
        RecipientState.CONFIRMED,
        RecipientState.BOUNCED,
        RecipientState.UNCONFIRMED,
    ]


def test_addresses_are_normalised_and_none_costs_nothing(project, people, django_assert_num_queries):
    assert recipient_states(project.workspace_id, project.pk, [f" {people.owner.email.upper()}"]) == {
        people.owner.email: RecipientState.CONFIRMED
    }
    with django_assert_num_queries(0):
        assert recipient_states(project.workspace_id, project.pk, []) == {}
