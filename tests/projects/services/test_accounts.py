"""Accounts: made, verified, moved to another address, given another password."""

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.db import transaction

from aegisnotify import signed_links
from notifications.addresses.selectors import confirmed_addresses
from notifications.models import AddressConfirmation
from projects import links
from projects.actors import Actor, Source, person
from projects.errors import Conflict, Invalid, NotFound, TooMany
from projects.models import AuditEntry, User
from projects.services import accounts, members
from tests import factories

LINK = Actor("somebody", Source.LINK)


@pytest.fixture(autouse=True)
def no_earlier_tries(db):
    cache.clear()


@pytest.fixture
def sent(django_capture_on_commit_callbacks):
    """Run something, and return the mails that went out after its commit."""

    def run(change):
        before = len(mail.outbox)
        with django_capture_on_commit_callbacks(execute=True):
            change()
        return mail.outbox[before:]

    return run


def create(**values):
    given = {
        "email": "ann@example.com",
        "password": factories.PASSWORD,
        "name": "Ann",
        "time_zone": "Europe/Berlin",
        "address": "203.0.113.7",
    }
    return accounts.create_account(**{**given, **values})


class TestCreating:
    def test_an_account_starts_unverified_and_gets_one_mail(self, sent):
        (message,) = sent(lambda: create(email=" Ann@Example.com "))
        user = User.objects.get(email="ann@example.com")
        assert user.email_verified_at is None
        assert user.check_password(factories.PASSWORD)
        assert message.to == ["ann@example.com"]
        assert message.extra_headers["Auto-Submitted"] == "auto-generated"

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"email": "ann"}, "email"),
            ({"email": ""}, "email"),
            ({"password": "short"}, "password"),
            ({"password": "ann@example.com"}, "password"),
            ({"password": "1234567890"}, "password"),
            ({"time_zone": "Mars/Olympus"}, "time_zone"),
            ({"name": "x" * 121}, "name"),
        ],
    )
    def test_bad_values_are_named_and_nothing_is_made(self, sent, values, field):
        def refused():
            with pytest.raises(Invalid) as refusal:
                create(**values)
            assert list(refusal.value.fields) == [field]

        assert sent(refused) == []
        assert not User.objects.exists()

    def test_an_address_has_one_account(self):
        factories.UserFactory(email="ann@example.com")
        with pytest.raises(Invalid, match="There is an account with this address"):
            create(email="ANN@example.com")

    def test_one_place_makes_ten_accounts_an_hour(self):
        for number in range(10):
            create(email=f"user{number}@example.net")
        with pytest.raises(TooMany):
            create(email="one-more@example.net")
        assert create(email="one-more@example.net", address="203.0.113.8")


class TestVerifying:
    @pytest.fixture
    def user(self):
        return factories.UserFactory(email="ann@example.com", email_verified_at=None)

    def test_verifying_twice_is_once(self, user):
        assert accounts.verify_email(LINK, user, "ann@example.com")
        assert not accounts.verify_email(LINK, user, "ann@example.com")
        assert AuditEntry.objects.filter(action="user.email_verified").count() == 1

    def test_a_link_for_an_earlier_address_verifies_nothing(self, user):
        with pytest.raises(NotFound):
            accounts.verify_email(LINK, user, "earlier@example.com")
        user.refresh_from_db()
        assert user.email_verified_at is None

    def test_the_mail_goes_out_once_a_minute_and_five_times_a_day(self, user, settings):
        # Redis lets counts expire by its own clock, which can't be moved.
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
        with time_machine.travel("2026-04-28 10:00Z", tick=False) as clock:
            results = []
            for _ in range(7):
                results.append(accounts.send_verification(user))
                assert not accounts.send_verification(user)
                clock.shift(61)
        assert results == [True] * 5 + [False] * 2

    def test_who_is_verified_gets_none(self):
        assert not accounts.send_verification(factories.UserFactory())


class TestChangingTheAddress:
    @pytest.fixture
    def user(self, people):
        people.member.email = "old@example.com"
        people.member.save()
        return people.member

    def request(self, user, email="new@example.com"):
        accounts.request_email_change(person(user, Source.PAGE), user, email)

    def claims(self, user, email="new@example.com"):
        token = links.email_change_url(user, email).rstrip("/").rpartition("/")[2]
        return signed_links.read(links.CHANGE_EMAIL, token)

    def test_nothing_changes_before_the_new_address_agreed_and_the_old_one_is_told(self, user, sent):
        new, old = sent(lambda: self.request(user))
        assert (new.to, old.to) == (["new@example.com"], ["old@example.com"])
        assert "n•••@example.com" in old.body
        assert "Nothing has changed yet" in old.body
        assert "new@example.com" not in old.body
        user.refresh_from_db()
        assert user.email == "old@example.com"

    def test_an_old_address_that_was_never_verified_gets_no_mail(self, user, sent):
        user.email_verified_at = None
        user.save()
        assert [message.to for message in sent(lambda: self.request(user))] == [["new@example.com"]]

    @pytest.mark.parametrize("email", ["nonsense", "old@example.com", "taken@example.com"])
    def test_addresses_that_cannot_be(self, user, email):
        factories.UserFactory(email="taken@example.com")
        with pytest.raises(Invalid):
            self.request(user, email)

    def test_five_requests_a_day(self, user):
        for number in range(5):
            self.request(user, f"new{number}@example.com")
        with pytest.raises(TooMany):
            self.request(user)

    def test_the_change_takes_the_confirmation_along_and_tells_admins(self, user, workspace, project, people, sent):
        channel = factories.ChannelFactory(project=project, kind="email", name="QA team")
        factories.RecipientFactory(channel=channel, email="old@example.com")
        AddressConfirmation.objects.create(workspace=workspace, email="old@example.com", confirmed_at=user.date_joined)
        mails = sent(lambda: accounts.change_email(LINK, user, self.claims(user)))
        user.refresh_from_db()
        assert user.email == "new@example.com"
        assert confirmed_addresses(workspace.pk, ["old@example.com", "new@example.com"]) == {"new@example.com"}
        told = {message.to[0]: message for message in mails}
        assert set(told) == {"old@example.com", people.owner.email, people.admin.email}
        assert "QA team (Acme Web)" in told[people.admin.email].body
        assert workspace.audit_entries.get(action="member.email_changed").changes == {
            "email": ["old@example.com", "new@example.com"]
        }

    def test_admins_hear_nothing_of_an_address_that_no_channel_writes_to(self, user, sent):
        mails = sent(lambda: accounts.change_email(LINK, user, self.claims(user)))
        assert [message.to for message in mails] == [["old@example.com"]]

    def test_a_new_password_withdraws_the_request(self, user):
        claims = self.claims(user)
        accounts.change_password(person(user, Source.PAGE), user, "another good password")
        with pytest.raises(Conflict, match="withdrawn"):
            accounts.change_email(LINK, user, claims)

    def test_an_account_that_took_the_address_meanwhile_keeps_it(self, user):
        factories.UserFactory(email="new@example.com")
        with pytest.raises(Conflict, match="Another account"):
            accounts.change_email(LINK, user, self.claims(user))


class TestPasswords:
    @pytest.fixture
    def user(self):
        return factories.UserFactory(email="ann@example.com")

    @pytest.mark.parametrize("email", ["ann@example.com", " ANN@example.com "])
    def test_a_reset_is_mailed_to_the_account(self, user, email, sent):
        assert [m.to for m in sent(lambda: accounts.request_password_reset(email, None))] == [["ann@example.com"]]

    def test_it_goes_to_an_address_that_was_never_verified_too(self, user, sent):
        user.email_verified_at = None
        user.save()
        assert len(sent(lambda: accounts.request_password_reset("ann@example.com", None))) == 1

    @pytest.mark.parametrize("reason", ["unknown", "inactive", "unusable"])
    def test_for_others_nothing_is_sent_and_nothing_is_said(self, user, reason, sent):
        if reason == "inactive":
            User.objects.update(is_active=False)
        elif reason == "unusable":
            user.set_unusable_password()
            user.save()
        else:
            user.delete()
        assert sent(lambda: accounts.request_password_reset("ann@example.com", None)) == []

    def test_an_address_gets_three_an_hour_silently(self, user, sent):
        def ask():
            for number in range(5):
                accounts.request_password_reset("ann@example.com", f"203.0.113.{number}")

        assert len(sent(ask)) == 3

    def test_a_client_asks_twenty_times_an_hour_for_whatever_address(self):
        for number in range(20):
            accounts.request_password_reset(f"user{number}@example.com", "203.0.113.7")
        with pytest.raises(TooMany):
            accounts.request_password_reset("another@example.com", "203.0.113.7")

    def test_a_reset_verifies_the_address_and_tells(self, user, sent):
        user.email_verified_at = None
        user.save()
        (notice,) = sent(lambda: accounts.reset_password(LINK, user, "another good password"))
        user.refresh_from_db()
        assert user.email_verified_at
        assert user.check_password("another good password")
        assert "Your password was changed" in notice.subject

    def test_a_weak_password_changes_nothing(self, user):
        with pytest.raises(Invalid):
            accounts.change_password(person(user, Source.PAGE), user, "password")
        user.refresh_from_db()
        assert user.check_password(factories.PASSWORD)

    def test_neither_password_stands_in_the_audit_log(self, user):
        accounts.change_password(person(user, Source.PAGE), user, "another good password")
        entry = AuditEntry.objects.get(action="user.password_changed")
        assert "another" not in str(entry.changes)
        assert factories.PASSWORD not in str(entry.changes)

    def test_ten_wrong_passwords_end_the_tries_and_a_right_one_forgives(self, user):
        for _ in range(9):
            with pytest.raises(Invalid):
                accounts.check_password(user, "wrong")
        accounts.check_password(user, factories.PASSWORD)
        for _ in range(10):
            with pytest.raises(Invalid):
                accounts.check_password(user, "wrong")
        with pytest.raises(TooMany):
            accounts.check_password(user, factories.PASSWORD)


def test_a_profile_keeps_its_zone_when_it_is_unknown(db):
    user = factories.UserFactory(time_zone="Asia/Tokyo")
    with pytest.raises(Invalid):
        accounts.update_profile(person(user, Source.PAGE), user, name="Ann", time_zone="Nowhere")
    accounts.update_profile(person(user, Source.PAGE), user, name="Ann", time_zone="US/Eastern")
    user.refresh_from_db()
    assert (user.name, user.time_zone) == ("Ann", "US/Eastern")


def test_nobody_but_verified_people_is_told_of_who_left(people, workspace, sent):
    User.objects.filter(pk=people.owner.pk).update(email_verified_at=None)
    membership = workspace.memberships.get(user=people.member)
    mails = sent(lambda: members.leave(person(people.member, Source.PAGE), membership))
    assert [message.to for message in mails] == [[people.admin.email]]


def test_a_change_that_is_rolled_back_sends_nothing(sent):
    @transaction.atomic
    def fail():
        create()
        raise ZeroDivisionError

    def refused():
        with pytest.raises(ZeroDivisionError):
            fail()

    assert sent(refused) == []
