"""Bounces and complaints as mail providers really report them, through anymail's webhooks."""

import base64
import hashlib
import hmac
import json

import pytest
from django.core import mail
from django.test import override_settings
from django.urls import reverse

from notifications.addresses.selectors import recipient_states
from notifications.checks import mail_report_secrets_are_strong, mail_reports_are_taken
from notifications.models import AddressBounce
from notifications.routing import RecipientState
from tests import factories

pytestmark = [
    pytest.mark.django_db,
    # anymail says so of SendGrid, whose webhooks have not changed since.
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]

ANN = "ann@example.com"
SECRET, OLD = "esp:a-long-random-secret", "esp:the-secret-before-that"
MAILGUN_KEY = "mailgun-signing-key"


@pytest.fixture(autouse=True)
def anymail(settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET, OLD], "MAILGUN_WEBHOOK_SIGNING_KEY": MAILGUN_KEY}


@pytest.fixture
def client(client):
    client.handler.enforce_csrf_checks = True
    return client


def post(client, provider, payload, secret=SECRET):
    headers = {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"} if secret else {}
    url = reverse("mail_report", args=[provider])
    body = payload if isinstance(payload, str) else json.dumps(payload)
    return client.post(url, body, content_type="application/json", headers=headers)


def postmark(kind="HardBounce", record="Bounce", email="Ann@Example.com"):
    return {
        "RecordType": record,
        "ID": 4323372036854775807,
        "Type": kind,
        "TypeCode": 1,
        "Name": "Hard bounce",
        "Tag": "run_failed",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "ServerID": 23,
        "MessageStream": "outbound",
        "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        "Email": email,
        "From": "notify@example.com",
        "BouncedAt": "2026-11-20T16:33:54.9070259Z",
        "DumpAvailable": True,
        "Inactive": True,
        "CanActivate": True,
        "Subject": "[Acme Web] Checkout flow failed: 3 of 18 tests",
        "Metadata": {"delivery_id": "0193c0de-0000-7000-8000-000000000000"},
    }


def sendgrid(event="bounce", kind="bounce", email=ANN):
    return {
        "email": email,
        "timestamp": 1763656434,
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "event": event,
        "category": ["run_failed"],
        "sg_event_id": "6g4ZI7SA-xmRDv57GoPIPw==",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "reason": "550 5.1.1 The email account that you tried to reach does not exist",
        "status": "5.1.1",
        "type": kind,
        "tls": 1,
    }


def mailgun(event="failed", severity="permanent", reason="bounce", key=MAILGUN_KEY):
    timestamp, token = "1763656434", "06c96bafc3f42a66b9edd546347a2fe18dc23461fe80dc52f0"
    signed = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": timestamp, "token": token, "signature": signed},
        "event-data": {
            "event": event,
            "id": "pVqXGJWhTzysS9GpwF2hlQ",
            "timestamp": 1763656434.0,
            "severity": severity,
            "reason": reason,
            "log-level": "error",
            "recipient": ANN,
            "tags": ["run_failed"],
            "user-variables": {},
            "message": {"headers": {"to": ANN, "message-id": "20261120155054.1@example.com", "from": "n@example.com"}},
            "delivery-status": {"code": 550, "message": "No such mailbox", "description": "", "attempt-no": 1},
        },
    }


@pytest.mark.parametrize(
    ("provider", "payload", "kind", "detail"),
    [
        ("postmark", postmark(), "bounced", "Postmark: smtp;550 5.1.1 The email account"),
        ("postmark", postmark("SpamComplaint", "SpamComplaint"), "complained", "Postmark: "),
        ("sendgrid", [sendgrid()], "bounced", "SendGrid: 550 5.1.1 The email account"),
        ("sendgrid", [sendgrid("spamreport")], "complained", "SendGrid: "),
        ("mailgun", mailgun(), "bounced", "Mailgun: No such mailbox"),
        ("mailgun", mailgun("complained"), "complained", "Mailgun: "),
    ],
)
def test_a_report_stops_mail_to_its_address(client, project, provider, payload, kind, detail):
    response = post(client, provider, payload)
    assert response.status_code == 200
    assert not response.cookies
    bounce = AddressBounce.objects.get()
    assert (bounce.email, bounce.kind) == (ANN, kind)
    assert bounce.detail.startswith(detail)
    assert recipient_states(project.workspace_id, project.pk, [ANN]) == {ANN: RecipientState.BOUNCED}


@pytest.mark.parametrize(
    ("provider", "payload"),
    [
        ("postmark", postmark("SoftBounce")),
        ("postmark", postmark("Transient")),
        ("postmark", {**postmark(), "RecordType": "Delivery"}),
        ("sendgrid", [sendgrid(kind="blocked")]),
        ("sendgrid", [sendgrid("delivered"), sendgrid("open"), sendgrid("deferred")]),
        ("sendgrid", []),
        ("mailgun", mailgun(severity="temporary", reason="generic")),
        ("mailgun", mailgun("delivered")),
    ],
)
def test_what_passes_by_itself_stops_nothing(client, provider, payload):
    assert post(client, provider, payload).status_code == 200
    assert not AddressBounce.objects.exists()


def test_reports_come_twice_and_in_any_order(client):
    for payload in ([sendgrid()], [sendgrid("spamreport")], [sendgrid()], [sendgrid("spamreport")]):
        assert post(client, "sendgrid", payload).status_code == 200
    assert AddressBounce.objects.get().kind == AddressBounce.Kind.COMPLAINED


def test_many_in_one_report_are_all_taken(client):
    assert post(client, "sendgrid", [sendgrid(email=f"a{n}@example.com") for n in range(30)]).status_code == 200
    assert AddressBounce.objects.count() == 30


@pytest.mark.parametrize(
    "email", ["", None, "nobody", "a" * 250 + "@example.com", "a\nb@example.com", "<a@example.com>"]
)
def test_what_is_no_address_is_answered_and_forgotten(client, email):
    assert post(client, "postmark", postmark(email=email)).status_code == 200
    assert not AddressBounce.objects.exists()


def test_an_address_that_nobody_uses_is_remembered(client, project):
    """Its owner complained; adding it again must not start the mail again."""
    post(client, "postmark", postmark("SpamComplaint", "SpamComplaint", "stranger@example.com"))
    states = recipient_states(project.workspace_id, project.pk, ["stranger@example.com"])
    assert states == {"stranger@example.com": RecipientState.BOUNCED}


def test_both_secrets_of_a_rotation_are_taken(client):
    assert post(client, "postmark", postmark(), OLD).status_code == 200
    assert AddressBounce.objects.exists()


@pytest.mark.parametrize("secret", [None, "", "esp:", "esp:wrong", SECRET[:-1], SECRET + "x", "é:ü"])
@pytest.mark.parametrize("provider", ["postmark", "sendgrid"])
def test_without_the_secret_nothing_is_taken(client, provider, secret):
    payload = postmark() if provider == "postmark" else [sendgrid()]
    response = post(client, provider, payload, secret)
    assert response.status_code == 403
    assert SECRET not in response.content.decode()
    assert not AddressBounce.objects.exists()


def test_a_wrong_signature_is_refused_too(client):
    assert post(client, "mailgun", mailgun(key="somebody else's")).status_code == 403
    assert not AddressBounce.objects.exists()


@pytest.mark.parametrize("unset", [{}, {"WEBHOOK_SECRET": []}, {"WEBHOOK_SECRET": ""}, {"WEBHOOK_SECRET": None}])
@pytest.mark.parametrize("provider", ["postmark", "mailgun"])
def test_while_no_secret_is_set_everything_is_refused(client, settings, unset, provider):
    """Mailgun's reports are signed, and are refused all the same: one rule for all."""
    settings.ANYMAIL = {**unset, "MAILGUN_WEBHOOK_SIGNING_KEY": MAILGUN_KEY}
    payload = postmark() if provider == "postmark" else mailgun()
    for secret in (SECRET, ":", ""):
        response = post(client, provider, payload, secret)
        assert response.status_code == 403
        assert "ANYMAIL_WEBHOOK_SECRET" in response.content.decode()
    assert not AddressBounce.objects.exists()


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"text"', "[[]]", '{"RecordType": "Bounce", "Type": []}'])
@pytest.mark.parametrize("provider", ["postmark", "sendgrid"])
def test_what_is_no_report_is_refused_in_a_sentence(client, provider, body):
    response = post(client, provider, body)
    assert response.status_code in (200, 400)
    assert not AddressBounce.objects.exists()


def test_settings_that_lack_the_providers_key_are_said(client, settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET]}
    assert post(client, "mailgun", mailgun()).status_code == 503


@pytest.mark.parametrize("provider", ["unknown", "base", "urls"])
def test_other_providers_are_not_found(client, provider):
    assert post(client, provider, {}).status_code == 404


@pytest.mark.parametrize(
    "provider",
    ["amazon_ses", "brevo", "mailersend", "mailgun", "mailjet", "mailtrap", "mandrill", "postal", "postmark", "resend",
     "sendgrid", "sparkpost", "unisender_go"],
)  # fmt: skip
def test_every_provider_of_anymail_has_its_address(client, settings, provider):
    settings.ANYMAIL |= {
        f"{provider.upper()}_{key}": "c2VjcmV0"
        for key in ("API_KEY", "SIGNING_SECRET", "WEBHOOK_KEY", "API_TOKEN", "WEBHOOK_SIGNING_SECRET")
    }
    assert client.head(reverse("mail_report", args=[provider])).status_code in (200, 503)


def test_mail_about_the_password_still_goes(client, people, django_capture_on_commit_callbacks):
    post(client, "postmark", postmark(email=people.member.email))
    client.handler.enforce_csrf_checks = False
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("password_reset"), {"email": people.member.email})
    assert [message.to for message in mail.outbox] == [[people.member.email]]


def test_the_channels_page_and_card_show_it(client, project, people):
    channel = factories.ChannelFactory(project=project, kind="email", key="email")
    factories.RecipientFactory(channel=channel, email=ANN)
    post(client, "postmark", postmark())
    client.force_login(people.admin)
    page = client.get(reverse("channel", args=[project.slug, channel.pk]) + "?ws=acme").content.decode()
    assert "Bounced" in page
    assert "Mail to it came back" in page
    assert "550 5.1.1" in page
    card = client.get(reverse("project_integrations", args=[project.slug]) + "?ws=acme").content.decode()
    assert "1 recipient not written to" in card


@pytest.mark.parametrize(
    ("secrets", "good"),
    [
        ([], True),
        ([SECRET], True),
        (SECRET, True),
        ([SECRET, "short"], False),
        (["esp:short"], False),
        ([":aaaaaaaaaaaaaaaaaaaa"], False),
    ],
)
def test_the_check_wants_a_secret_that_nobody_guesses(settings, secrets, good):
    settings.ANYMAIL = {"WEBHOOK_SECRET": secrets}
    assert (mail_report_secrets_are_strong(None) == []) is good


@pytest.mark.parametrize(
    ("backend", "secrets", "warned"),
    [
        ("anymail.backends.postmark.EmailBackend", [], True),
        ("anymail.backends.postmark.EmailBackend", [SECRET], False),
        ("django.core.mail.backends.smtp.EmailBackend", [], False),
    ],
)
def test_a_deployment_that_learns_no_bounces_is_warned(backend, secrets, warned):
    with override_settings(EMAIL_BACKEND=backend, ANYMAIL={"WEBHOOK_SECRET": secrets}):
        assert bool(mail_reports_are_taken(None)) is warned
