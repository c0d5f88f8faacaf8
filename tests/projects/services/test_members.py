"""Members: roles, leaving, handing over; the address of whoever leaves."""

import pytest
from django.core import mail

from notifications.addresses.selectors import recipient_states
from notifications.models import AddressBounce, AddressConfirmation
from notifications.routing import RecipientState
from projects.access import Role
from projects.actors import Source, person
from projects.errors import Conflict, Forbidden, Invalid
from projects.models import Membership
from projects.services import members
from tests import factories


@pytest.fixture(autouse=True)
def committed(django_capture_on_commit_callbacks):
    """Mail goes out after the commit."""
    members_mail = django_capture_on_commit_callbacks

    def run(change):
        with members_mail(execute=True):
            return change()

    return run


def of(workspace, user):
    return workspace.memberships.get(user=user)


def by(user):
    return person(user, Source.PAGE)


class TestRoles:
    @pytest.mark.parametrize("role", ["admin", "member", "viewer"])
    def test_a_role_can_be_given(self, workspace, people, role):
        members.change_role(by(people.owner), of(workspace, people.viewer), role)
        assert of(workspace, people.viewer).role == role

    @pytest.mark.parametrize("role", ["owner", "king", ""])
    def test_ownership_and_nonsense_cannot(self, workspace, people, role):
        with pytest.raises(Invalid):
            members.change_role(by(people.owner), of(workspace, people.viewer), role)

    def test_the_owners_role_stays(self, workspace, people):
        with pytest.raises(Conflict):
            members.change_role(by(people.admin), of(workspace, people.owner), "viewer")

    def test_who_changed_it_from_what_is_recorded_once(self, workspace, people):
        for _ in range(2):
            members.change_role(by(people.admin), of(workspace, people.viewer), "member")
        entry = workspace.audit_entries.get(action="member.role_changed")
        assert entry.changes == {"role": ["viewer", "member"]}
        assert entry.actor == people.admin


class TestLeaving:
    @pytest.mark.parametrize("way", ["leave", "remove_member"])
    def test_the_owner_stays(self, workspace, people, way):
        with pytest.raises(Conflict, match="handed over"):
            getattr(members, way)(by(people.owner), of(workspace, people.owner))
        assert of(workspace, people.owner)

    def test_whoever_was_removed_meanwhile_can_not_be_removed_again(self, workspace, people):
        membership = of(workspace, people.member)
        members.remove_member(by(people.owner), membership)
        with pytest.raises(Conflict):
            members.remove_member(
                by(people.admin), Membership(pk=membership.pk, workspace=workspace, user=people.member)
            )

    def test_the_address_is_unconfirmed_wherever_it_is_a_recipient(self, workspace, project, people):
        email = people.member.email
        channel = factories.ChannelFactory(project=project, kind="email", name="QA team")
        factories.RecipientFactory(channel=channel, email=email)
        AddressConfirmation.objects.create(workspace=workspace, email=email, confirmed_at=people.member.date_joined)
        assert members.leave(by(people.member), of(workspace, people.member)) == ("QA team (Acme Web)",)
        assert recipient_states(workspace.pk, project.pk, [email]) == {email: RecipientState.UNCONFIRMED}

    def test_owner_and_admins_are_told_but_not_whoever_did_it(self, workspace, project, people, committed):
        channel = factories.ChannelFactory(project=project, kind="email", name="QA team")
        factories.RecipientFactory(channel=channel, email=people.member.email)
        committed(lambda: members.remove_member(by(people.admin), of(workspace, people.member)))
        (message,) = mail.outbox
        assert message.to == [people.owner.email]
        assert f"was removed by {people.admin.email}" in message.body
        assert "QA team (Acme Web)" in message.body
        assert "http://testserver/settings/members/?ws=acme" in message.body

    def test_whoever_leaves_gets_no_mail_about_it(self, workspace, people, committed):
        committed(lambda: members.leave(by(people.admin), of(workspace, people.admin)))
        assert [message.to for message in mail.outbox] == [[people.owner.email]]
        assert "No channel has this address as a recipient." in mail.outbox[0].body

    def test_no_mail_goes_where_mail_bounced(self, workspace, people, committed):
        AddressBounce.objects.create(email=people.owner.email, kind="bounced", at=people.owner.date_joined)
        committed(lambda: members.leave(by(people.member), of(workspace, people.member)))
        assert [message.to for message in mail.outbox] == [[people.admin.email]]

    def test_other_workspaces_are_not_touched(self, workspace, people):
        other = factories.MembershipFactory(user=people.member)
        members.leave(by(people.member), of(workspace, people.member))
        assert Membership.objects.filter(pk=other.pk).exists()
        assert not other.workspace.audit_entries.exists()


class TestHandingOver:
    def test_owner_and_heir_change_places(self, workspace, people):
        members.hand_over(by(people.owner), workspace, of(workspace, people.viewer))
        assert of(workspace, people.viewer).role == Role.OWNER
        assert of(workspace, people.owner).role == Role.ADMIN
        assert workspace.audit_entries.get(action="workspace.handed_over").changes["owner"] == [
            people.owner.email,
            people.viewer.email,
        ]

    def test_only_the_owner_can_and_only_once(self, workspace, people):
        with pytest.raises(Forbidden):
            members.hand_over(by(people.admin), workspace, of(workspace, people.admin))
        members.hand_over(by(people.owner), workspace, of(workspace, people.admin))
        with pytest.raises(Forbidden):
            members.hand_over(by(people.owner), workspace, of(workspace, people.viewer))

    @pytest.mark.parametrize("reason", ["unverified", "inactive", "oneself", "elsewhere"])
    def test_heirs_that_cannot_be(self, workspace, people, reason):
        heir = of(workspace, people.owner if reason == "oneself" else people.member)
        if reason == "unverified":
            people.member.email_verified_at = None
        if reason == "inactive":
            people.member.is_active = False
        people.member.save()
        if reason == "elsewhere":
            heir = factories.MembershipFactory()
        with pytest.raises(Conflict):
            members.hand_over(by(people.owner), workspace, heir)
        assert of(workspace, people.owner).role == Role.OWNER
