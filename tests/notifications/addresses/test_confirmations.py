"""Asking addresses for their agreement: once, rarely, and nothing else before they gave it."""

import re

import pytest
import time_machine
from django.core import mail
from django.urls import reverse

from aegisnotify.clock import now
from notifications.addresses import links, services
from notifications.addresses.selectors import recipient_states
from notifications.models import AddressBounce, AddressConfirmation
from notifications.routing import RecipientState
from projects.actors import Source, person
from projects.errors import NotFound
from projects.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db

ANN = "ann@example.com"


@pytest.fixture
def actor(people):
    return person(people.admin, Source.PAGE)


@pytest.fixture
def ask(actor, workspace, django_capture_on_commit_callbacks):
    def ask(*emails, of=workspace):
        with django_capture_on_commit_callbacks(execute=True):
            return services.request_confirmations(actor, of, emails)

    return ask


def state(project, email=ANN):
    return recipient_states(project.workspace_id, project.pk, [email])[email]


def link_in(message):
    return re.search(r"http://testserver(/confirm-address/\S+)", message.body)[1]


def test_a_new_address_gets_one_mail_that_says_who_asks(ask, workspace, people):
    assert ask(" Ann@Example.com") == (ANN,)
    [message] = mail.outbox
    assert message.to == [ANN]
    assert message.subject == "Confirm notifications from Acme QA"
    assert "Acme QA" in message.body
    assert link_in(message)
    html = message.alternatives[0].content
    assert link_in(message) in html
    assert "Nothing is sent before you agree" in html
    row = AddressConfirmation.objects.get()
    assert (row.workspace, row.email, row.requested_by, row.confirmed_at) == (workspace, ANN, people.admin, None)
    entry = AuditEntry.objects.get(action="address.confirmation_requested")
    assert (entry.actor, entry.target_label, entry.workspace) == (people.admin, ANN, workspace)


def test_the_mail_goes_out_after_the_commit(actor, workspace, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        services.request_confirmations(actor, workspace, [ANN])
    assert mail.outbox == []
    assert len(callbacks) == 1


def test_addresses_that_need_no_confirmation_get_none(ask, workspace, people):
    AddressConfirmation.objects.create(workspace=workspace, email="yes@example.com", confirmed_at=now())
    services.mark_bounced("gone@example.com", AddressBounce.Kind.BOUNCED)
    assert ask(people.owner.email, people.viewer.email, "yes@example.com", "gone@example.com") == ()
    assert mail.outbox == []
    assert AddressConfirmation.objects.count() == 1


def test_an_unverified_member_is_asked(ask, workspace):
    member = factories.MembershipFactory(workspace=workspace, user__email_verified_at=None).user
    assert ask(member.email) == (member.email,)


def test_nobody_is_asked_twice_within_a_minute(ask):
    with time_machine.travel("2026-11-24 10:00:00Z", tick=False) as clock:
        assert ask(ANN, ANN.upper()) == (ANN,)
        clock.shift(59)
        assert ask(ANN) == ()
        clock.shift(1)
        assert ask(ANN) == (ANN,)
    assert len(mail.outbox) == 2


def test_nobody_is_asked_more_than_three_times_a_day_by_a_workspace(ask):
    with time_machine.travel("2026-11-24 20:00:00Z", tick=False) as clock:
        for expected in [(ANN,)] * 3 + [()] * 3:
            assert ask(ANN) == expected
            clock.shift(600)
        clock.move_to("2026-11-24 23:59:00Z")
        assert ask(ANN) == ()
        clock.move_to("2026-11-25 00:00:00Z")
        assert ask(ANN) == (ANN,)


def test_nobody_is_asked_more_than_ten_times_a_day_by_all_workspaces(ask):
    workspaces = factories.WorkspaceFactory.create_batch(5)
    with time_machine.travel("2026-11-24 10:00:00Z", tick=False) as clock:
        for _ in range(3):
            for workspace in workspaces:
                ask(ANN, of=workspace)
            clock.shift(600)
    assert len(mail.outbox) == 10


def test_one_limited_address_does_not_stop_the_others(ask):
    ask(ANN)
    assert ask(ANN, "bob@example.com") == ("bob@example.com",)


def test_a_mail_server_that_is_down_does_not_fail_the_request(ask, settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert ask(ANN) == (ANN,)
    assert "could not be sent" in caplog.text


def test_a_workspace_name_can_not_become_a_message_of_its_own(ask, workspace):
    workspace.name = "You won! https://evil.example\r\nBcc: x@example.com <b>" + "x" * 100
    ask(ANN)
    [message] = mail.outbox
    assert message.recipients() == [ANN]
    assert len(message.subject) < 100
    assert "\n" not in message.subject
    for part in (message.body, message.alternatives[0].content):
        assert "https://evil" not in part
        assert "evil.example" not in part
    assert "<b>" not in message.alternatives[0].content


def test_the_link_shows_the_request_and_changes_nothing(ask, client, project):
    ask(ANN)
    for method in (client.get, client.head):
        response = method(link_in(mail.outbox[0]))
        assert response.status_code == 200
        assert state(project) is RecipientState.UNCONFIRMED
    page = client.get(link_in(mail.outbox[0])).content.decode()
    assert "Acme QA" in page
    assert "a•••@example.com" in page
    assert ANN not in page
    assert "Confirm this address" in page


def test_the_button_confirms_without_cookies_and_again_does_no_harm(ask, client, project):
    ask(ANN)
    client.handler.enforce_csrf_checks = True
    url = link_in(mail.outbox[0])
    for _ in range(2):
        response = client.post(url)
        assert response.status_code == 200
        assert "Your address is confirmed" in response.content.decode()
    assert state(project) is RecipientState.CONFIRMED
    entry = AuditEntry.objects.get(action="address.confirmed")
    assert (entry.actor_label, entry.source, entry.address) == (ANN, "link", "127.0.0.1")
    assert "Your address is confirmed" in client.get(url).content.decode()
    assert ask(ANN) == ()


def test_the_link_works_for_seven_days(ask, client, project):
    with time_machine.travel("2026-11-24 10:00:00Z", tick=False) as clock:
        ask(ANN)
        url = link_in(mail.outbox[0])
        clock.move_to("2026-12-01 09:59:00Z")
        assert client.get(url).status_code == 200
        clock.move_to("2026-12-01 10:01:00Z")
        response = client.post(url)
    assert response.status_code == 404
    assert "expired" in response.content.decode()
    assert state(project) is RecipientState.UNCONFIRMED


def test_an_unsubscribe_link_confirms_nothing(client, project):
    token = links.unsubscribe_url(project.pk, ANN).rstrip("/").rpartition("/")[2]
    response = client.post(reverse("confirm_address", args=[token]))
    assert response.status_code == 404
    assert "not valid" in response.content.decode()


def test_a_forgotten_confirmation_makes_the_address_unconfirmed(actor, workspace, project):
    AddressConfirmation.objects.create(workspace=workspace, email=ANN, confirmed_at=now())
    elsewhere = factories.ProjectFactory()
    AddressConfirmation.objects.create(workspace=elsewhere.workspace, email=ANN, confirmed_at=now())
    assert services.forget_confirmation(actor, workspace, ANN.upper()) is True
    assert state(project) is RecipientState.UNCONFIRMED
    assert state(elsewhere) is RecipientState.CONFIRMED
    assert services.forget_confirmation(actor, workspace, ANN) is False
    entry = AuditEntry.objects.get(action="address.confirmation_forgotten")
    assert entry.changes == {"confirmed": [True, False]}


def test_a_link_of_a_forgotten_request_confirms_nothing(ask, actor, workspace, client, project):
    ask(ANN)
    services.forget_confirmation(actor, workspace, ANN)
    response = client.post(link_in(mail.outbox[0]))
    assert response.status_code == 404
    assert "withdrawn" in response.content.decode()
    assert state(project) is RecipientState.UNCONFIRMED
    with pytest.raises(NotFound):
        services.confirm_address(actor, workspace.pk, ANN)
