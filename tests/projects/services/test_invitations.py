"""Invitations: single use, bound to the address, 7 days, within the plan; also when two come at once."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection

from aegisnotify.clock import now
from projects.access import Role
from projects.actors import Source, person
from projects.errors import Conflict, Forbidden, Invalid, NotFound, PlanLimit, ServiceError, TooMany
from projects.models import Invitation, Membership
from projects.services import invitations
from tests import factories
from tests.projects.account_scenes import link_in, mails_to


@pytest.fixture
def workspace(db):
    return factories.WorkspaceFactory(name="Acme QA", plan_code="pro")


@pytest.fixture
def owner(workspace):
    return workspace.memberships.get().user


@pytest.fixture
def invite(workspace, owner, django_capture_on_commit_callbacks):
    """Invite an address; the token of the mail that it got."""

    def invite(email="ann@example.com", role="member", again=None):
        actor = person(owner, Source.PAGE)
        with django_capture_on_commit_callbacks(execute=True):
            if again:
                invitations.send_again(actor, again)
            else:
                invitations.invite(actor, workspace, email=email, role=role)
        return link_in(mails_to(email.strip().lower())[-1]).split("/")[2]

    return invite


def accept(token, user):
    return invitations.accept(person(user, Source.LINK), token, user)


class TestInviting:
    def test_the_link_is_mailed_and_only_its_hash_is_stored(self, workspace, owner, invite):
        token = invite(" Ann@Example.com ")
        stored = Invitation.objects.get()
        assert stored.email == "ann@example.com"
        assert stored.expires_at - stored.created_at == timedelta(days=7)
        assert token not in str(Invitation.objects.values_list())
        (message,) = mail.outbox
        assert f"{owner.name} invites you" in message.body

    def test_the_workspaces_name_can_not_become_a_link_in_the_mail(self, workspace, invite):
        workspace.name = "Win at https://evil.example now"
        workspace.save()
        invite()
        assert "https://evil.example" not in mail.outbox[0].body
        assert "https://evil.example" not in mail.outbox[0].subject

    @pytest.mark.parametrize(
        ("values", "field"), [({"email": "ann"}, "email"), ({"role": "owner"}, "role"), ({"role": "x"}, "role")]
    )
    def test_bad_values(self, invite, values, field):
        with pytest.raises(Invalid) as refusal:
            invite(**values)
        assert list(refusal.value.fields) == [field]

    def test_members_and_the_already_invited_are_not_invited(self, workspace, owner, invite):
        with pytest.raises(Conflict, match="member already"):
            invite(owner.email)
        invite()
        with pytest.raises(Conflict, match="open invitation"):
            invite()

    def test_an_expired_one_makes_room(self, workspace, invite):
        first = invite()
        with time_machine.travel(now() + timedelta(days=7, seconds=1)):
            second = invite()
            assert invitations.find(first) is None
            assert invitations.find(second)

    def test_nobody_invites_before_their_own_address_is_verified(self, owner, invite):
        owner.email_verified_at = None
        owner.save()
        with pytest.raises(Forbidden):
            invite()
        assert mail.outbox == []

    def test_open_invitations_use_a_place(self, workspace, invite):
        for number in range(4):
            invite(f"user{number}@example.com")
        with pytest.raises(PlanLimit) as refusal:
            invite("one-more@example.com")
        assert refusal.value.exceeded.details == {"limit": "members", "allowed": 5, "used": 5, "plan": "pro"}
        invitations.revoke(person(workspace.memberships.get().user, Source.PAGE), Invitation.objects.first())
        assert invite("one-more@example.com")

    def test_an_address_gets_five_a_day_from_all_workspaces(self, invite):
        for _ in range(5):
            other = factories.WorkspaceFactory()
            actor = person(other.memberships.get().user, Source.PAGE)
            invitations.invite(actor, other, email="ann@example.com", role="member")
        with pytest.raises(TooMany):
            invite()


class TestSendingAgain:
    def test_a_new_link_replaces_the_old_one(self, invite):
        first = invite()
        with time_machine.travel(now() + timedelta(days=6)):
            second = invite(again=Invitation.objects.get())
            assert invitations.find(first) is None
            assert invitations.find(second).expires_at > now() + timedelta(days=6)

    def test_it_waits_a_minute_and_ends_after_five_mails(self, invite):
        invite()
        with pytest.raises(TooMany, match="less than a minute"):
            invite(again=Invitation.objects.get())
        with time_machine.travel(now(), tick=False) as clock:
            for _ in range(4):
                clock.shift(61)
                invite(again=Invitation.objects.get())
            clock.shift(61)
            with pytest.raises(TooMany, match="often enough"):
                invite(again=Invitation.objects.get())

    def test_an_expired_one_needs_a_place_again(self, workspace, invite):
        invite()
        for _ in range(4):
            factories.MembershipFactory(workspace=workspace)
        with time_machine.travel(now() + timedelta(days=8)), pytest.raises(PlanLimit):
            invite(again=Invitation.objects.get())


class TestAccepting:
    @pytest.fixture
    def ann(self, db):
        return factories.UserFactory(email="ann@example.com", email_verified_at=None)

    def test_makes_a_member_in_the_role_and_verifies_the_address(self, workspace, invite, ann):
        assert accept(invite(role="viewer"), ann).role == Role.VIEWER
        ann.refresh_from_db()
        assert ann.email_verified_at
        assert workspace.audit_entries.get(action="member.joined").changes == {"role": [None, "viewer"]}

    def test_works_once(self, workspace, invite, ann):
        token = invite()
        accept(token, ann)
        workspace.memberships.filter(user=ann).delete()
        with pytest.raises(NotFound):
            accept(token, ann)

    def test_is_for_that_address_only(self, workspace, invite):
        token = invite()
        with pytest.raises(Forbidden, match="is for ann@"):
            accept(token, factories.UserFactory())
        assert invitations.find(token)

    @pytest.mark.parametrize("end", ["expired", "revoked", "unknown"])
    def test_links_that_open_nothing(self, owner, invite, ann, end):
        token = invite()
        if end == "revoked":
            invitations.revoke(person(owner, Source.PAGE), Invitation.objects.get())
        if end == "unknown":
            token = "\udcff" + token[1:]
        with (
            time_machine.travel(now() + timedelta(days=7 if end == "expired" else 0, seconds=1)),
            pytest.raises(NotFound),
        ):
            accept(token, ann)
        assert not ann.memberships.exists()

    def test_a_plan_that_has_shrunk_has_no_place(self, workspace, invite, ann):
        token = invite()
        workspace.plan = factories.plan("free")
        workspace.save()
        with pytest.raises(PlanLimit):
            accept(token, ann)
        assert invitations.find(token)

    def test_what_was_used_can_not_be_withdrawn(self, owner, invite, ann):
        accept(invite(), ann)
        with pytest.raises(Conflict):
            invitations.revoke(person(owner, Source.PAGE), Invitation.objects.get())


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def at_once(self, *changes):
        results, barrier = [], threading.Barrier(len(changes))

        def run(change):
            barrier.wait()
            try:
                results.append(change())
            except ServiceError as refusal:
                results.append(type(refusal))
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=[change]) for change in changes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def test_one_of_two_gets_the_last_place(self):
        workspace = factories.WorkspaceFactory(plan_code="pro")
        actor = person(workspace.memberships.get().user, Source.PAGE)
        people, tokens = [], []
        for name in ("ann", "bob"):
            people.append(factories.UserFactory(email=f"{name}@example.com"))
            invitations.invite(actor, workspace, email=f"{name}@example.com", role="member")
            tokens.append(link_in(mail.outbox[-1]).split("/")[2])
        for _ in range(3):
            factories.MembershipFactory(workspace=workspace)
        results = self.at_once(*(lambda pair=pair: accept(*pair) for pair in zip(tokens, people, strict=True)))
        assert results.count(PlanLimit) == 1
        assert workspace.memberships.count() == 5

    def test_one_of_two_invitations_gets_the_last_place(self):
        workspace = factories.WorkspaceFactory(plan_code="pro")
        actor = person(workspace.memberships.get().user, Source.PAGE)
        for _ in range(3):
            factories.MembershipFactory(workspace=workspace)
        results = self.at_once(
            *(
                lambda name=name: invitations.invite(actor, workspace, email=f"{name}@example.com", role="member")
                for name in ("ann", "bob")
            )
        )
        assert results.count(PlanLimit) == 1
        assert Invitation.objects.count() == 1

    def test_a_link_followed_twice_makes_one_member(self):
        workspace = factories.WorkspaceFactory(plan_code="pro")
        ann = factories.UserFactory(email="ann@example.com")
        actor = person(workspace.memberships.get().user, Source.PAGE)
        invitations.invite(actor, workspace, email="ann@example.com", role="member")
        token = link_in(mail.outbox[-1]).split("/")[2]
        results = self.at_once(lambda: accept(token, ann), lambda: accept(token, ann))
        assert results.count(NotFound) == 1
        assert Membership.objects.filter(user=ann).count() == 1
