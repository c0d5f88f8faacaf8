"""Handing mail over: to a real SMTP server on this machine, and what becomes of every kind of failure."""

import email
import email.policy
import json
import smtplib
import socket
import ssl
from collections import Counter
from datetime import UTC, datetime

import pytest
import requests
from aiosmtpd.controller import Controller
from anymail import exceptions as anymail
from anymail.message import AnymailMessage
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import BadHeaderError, EmailMessage

from notifications.channels.base import Answer, Outgoing, Trouble, Verdict
from notifications.channels.email import Email
from notifications.delivery.mail import DjangoMailClient, send_mail_now
from notifications.delivery.transport import Transport
from tests.notifications.channels.email_samples import context, message

KIND = Email()


class Inbox:
    """An aiosmtpd handler: keeps what arrives, refuses recipients as told, counts connections."""

    def __init__(self):
        self.mails = []
        self.refusals = []
        self.data_answers = []
        self.counted = Counter()

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.counted["connections"] += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.data_answers:
            return self.data_answers.pop(0)
        self.mails.append(envelope)
        return "250 OK"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def inbox(settings):
    handler = Inbox()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    handler.controller = controller
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", controller.port, 5
    settings.DEFAULT_FROM_EMAIL = "AegisNotify <notify@aegis.example>"
    yield handler
    controller.stop()


@pytest.fixture
def client():
    client = DjangoMailClient()
    yield client
    client.close()


def outgoing(recipient="lena@acme.example", **facts):
    about = context(recipient=recipient)
    return Outgoing(
        delivery_id=about.delivery_id,
        event="run_failed",
        body=KIND.render(message(**facts), about),
        config={},
        at=datetime(2026, 11, 24, tzinfo=UTC),
        recipient=recipient,
    )


def send(client, **facts):
    return KIND.send(outgoing(**facts), Transport(None, client))


def headers_of(envelope):
    """Header lines as they were sent, unfolded."""
    head = envelope.content.partition(b"\r\n\r\n")[0].decode("ascii")
    return head.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")


def test_the_server_gets_every_header_as_it_should_stand_there(inbox, client):
    sent = outgoing()
    answer = KIND.send(sent, Transport(None, client))
    assert KIND.read(answer).verdict is Verdict.ACCEPTED
    assert answer.duration_ms >= 0
    [mail] = inbox.mails
    assert (mail.mail_from, mail.rcpt_tos) == ("notify@aegis.example", ["lena@acme.example"])
    lines = headers_of(mail)
    root = json.loads(sent.body)["headers"]["References"]
    assert root.startswith("<thread-")
    assert root.endswith("@aegis.example>")
    for line in (
        "Subject: [Acme Web] Checkout flow failed: 2 of 15 tests",
        "From: AegisNotify <notify@aegis.example>",
        "To: lena@acme.example",
        "Message-ID: <delivery-0190a1b2-0000-7000-8000-000000000001@aegis.example>",
        f"References: {root}",
        f"In-Reply-To: {root}",
        'List-ID: "Acme Web" <project-0190a1b2-0000-7000-8000-0000000000aa.events.aegis.example>',
        "List-Unsubscribe: <https://notify.example.com/u/token:1:2/>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
    ):
        assert lines.count(line) == 1
    assert not [line for line in lines if line.lower().startswith(("bcc:", "cc:"))]


def test_text_comes_first_and_both_parts_are_the_rendered_ones(inbox, client):
    sent = outgoing(suite_name="Überprüfung שלום 😀")
    KIND.send(sent, Transport(None, client))
    parsed = email.message_from_bytes(inbox.mails[0].content, policy=email.policy.default)
    assert parsed.get_content_type() == "multipart/alternative"
    text, html = parsed.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    body = json.loads(sent.body)
    assert text.get_content().replace("\r\n", "\n").strip() == body["text"].strip()
    assert html.get_content().replace("\r\n", "\n").strip() == body["html"].strip()
    # Python unfolds a subject that starts on the second line with its leading space.
    assert parsed["subject"].strip() == body["subject"] == "[Acme Web] Überprüfung שלום 😀 failed: 2 of 15 tests"
    assert max(map(len, inbox.mails[0].content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("field", ["suite_name", "browser", "project"])
def test_a_name_with_line_breaks_adds_no_header(inbox, client, field):
    hostile = "x\r\nBcc: victim@example.com\r\nX-Evil: 1\r\n\r\n<b>body</b>"
    assert KIND.read(send(client, **{field: hostile})).verdict is Verdict.ACCEPTED
    [mail] = inbox.mails
    assert mail.rcpt_tos == ["lena@acme.example"]
    lines = headers_of(mail)
    assert not [line for line in lines if line.startswith(("Bcc", "X-Evil"))]


def test_the_connection_stays_open_between_mails(inbox, client):
    for _ in range(3):
        send(client)
    assert len(inbox.mails) == 3
    assert inbox.counted["connections"] == 1


def test_a_connection_that_the_server_closed_is_opened_again(inbox, client):
    send(client)
    client._connection.connection.sock.shutdown(socket.SHUT_RDWR)
    assert KIND.read(send(client)).verdict is Verdict.ACCEPTED
    assert len(inbox.mails) == 2
    assert inbox.counted["connections"] == 2


@pytest.mark.parametrize(
    ("refusal", "verdict", "bounced"),
    [
        ("550 5.1.1 no such user", Verdict.FAILED, True),
        ("553 bad mailbox", Verdict.FAILED, True),
        ("451 4.7.1 greylisted", Verdict.RETRY, False),
        ("452 4.2.2 too many", Verdict.RETRY, False),
        ("421 4.3.2 shutting down", Verdict.RETRY, False),
        ("552 5.2.2 mailbox full", Verdict.FAILED, False),
        ("554 5.7.1 relaying denied", Verdict.FAILED, False),
    ],
)
def test_a_refused_recipient_is_read_by_the_code_inside_and_the_next_mail_goes_through(
    inbox, client, refusal, verdict, bounced
):
    inbox.refusals.append(refusal)
    answer = send(client)
    assert answer.status == int(refusal[:3])
    assert answer.body in refusal
    reading = KIND.read(answer)
    assert (reading.verdict, reading.bounced, reading.ours) == (verdict, bounced, False)
    assert KIND.read(send(client)).verdict is Verdict.ACCEPTED
    assert len(inbox.mails) == 1


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("451 try later", Verdict.RETRY),
        ("550 looks like spam", Verdict.FAILED),
        ("554 5.7.1 spam", Verdict.FAILED),
        ("552 5.3.4 too large", Verdict.FAILED),
    ],
)
def test_a_mail_refused_after_its_content_never_marks_the_address(inbox, client, answer, verdict):
    inbox.data_answers.append(answer)
    reading = KIND.read(send(client))
    assert (reading.verdict, reading.bounced) == (verdict, False)


def test_no_mail_server_is_our_fault(inbox, client, settings):
    settings.EMAIL_PORT = free_port()
    answer = send(client)
    assert answer.trouble is Trouble.OURS
    assert "lena" not in answer.detail
    reading = KIND.read(answer)
    assert (reading.verdict, reading.ours) == (Verdict.RETRY, True)
    settings.EMAIL_PORT = inbox.controller.port
    assert KIND.read(send(client)).verdict is Verdict.ACCEPTED


def test_a_server_that_wants_no_sign_in_is_our_fault(inbox, client, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "user", "hunter2-secret"
    answer = send(client)
    assert answer.trouble is Trouble.OURS
    assert "hunter2" not in answer.detail + answer.body


def test_a_server_without_tls_is_our_fault_when_settings_ask_for_it(inbox, client, settings):
    settings.EMAIL_USE_TLS = True
    assert send(client).trouble is Trouble.OURS


def test_a_server_that_never_answers_is_our_fault_and_asked_once(client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        settings.EMAIL_TIMEOUT = 0.3
        answer = send(client)
    assert answer.trouble is Trouble.OURS
    assert answer.duration_ms < 2000


def test_one_mail_outside_the_engine_opens_and_closes_its_own_connection(inbox):
    send_mail_now(EmailMessage("Hello", "text", to=["ann@example.com"]))
    assert inbox.mails[0].rcpt_tos == ["ann@example.com"]


class Raises:
    def __init__(self, error):
        self.error = error

    def send(self, message):
        raise self.error


def api_error(status, **headers):
    response = requests.Response()
    response.status_code = status
    response.headers.update(headers)
    response._content = b'{"message": "no"}'
    return anymail.AnymailRequestsAPIError(response=response)


@pytest.mark.parametrize(
    ("error", "verdict", "ours", "bounced"),
    [
        (smtplib.SMTPAuthenticationError(535, b"5.7.8 bad credentials"), Verdict.RETRY, True, False),
        (smtplib.SMTPConnectError(421, b"busy"), Verdict.RETRY, True, False),
        (smtplib.SMTPHeloError(501, b"who?"), Verdict.RETRY, True, False),
        (smtplib.SMTPSenderRefused(550, b"5.7.1 not yours", "notify@aegis.example"), Verdict.RETRY, True, False),
        (smtplib.SMTPSenderRefused(451, b"later", "notify@aegis.example"), Verdict.RETRY, False, False),
        (smtplib.SMTPSenderRefused(552, b"too large", "notify@aegis.example"), Verdict.FAILED, False, False),
        (smtplib.SMTPServerDisconnected("gone"), Verdict.RETRY, True, False),
        (smtplib.SMTPNotSupportedError("no AUTH"), Verdict.RETRY, True, False),
        (ConnectionRefusedError(), Verdict.RETRY, True, False),
        (TimeoutError(), Verdict.RETRY, True, False),
        (socket.gaierror(), Verdict.RETRY, True, False),
        (ssl.SSLCertVerificationError(), Verdict.RETRY, True, False),
        (BadHeaderError(), Verdict.FAILED, False, False),
        (anymail.AnymailRecipientsRefused(), Verdict.FAILED, False, True),
        (anymail.AnymailInvalidAddress(), Verdict.FAILED, False, True),
        (anymail.AnymailAPIError("no answer"), Verdict.RETRY, False, False),
        (api_error(429, **{"Retry-After": "30"}), Verdict.RETRY, False, False),
        (api_error(503), Verdict.RETRY, False, False),
        (api_error(400), Verdict.RETRY, True, False),
        (api_error(401), Verdict.RETRY, True, False),
        (api_error(403), Verdict.RETRY, True, False),
        (api_error(422), Verdict.FAILED, False, False),
        (anymail.AnymailUnsupportedFeature(), Verdict.RETRY, True, False),
        (anymail.AnymailConfigurationError(), Verdict.RETRY, True, False),
        (anymail.AnymailSerializationError(), Verdict.FAILED, False, False),
        (ImproperlyConfigured(), Verdict.RETRY, True, False),
        (RuntimeError("secret detail"), Verdict.RETRY, True, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_failure_has_a_reading(error, verdict, ours, bounced):
    answer = send(Raises(error))
    reading = KIND.read(answer)
    assert (reading.verdict, reading.ours, reading.bounced) == (verdict, ours, bounced)
    assert "secret detail" not in answer.detail + reading.sentence


def test_a_rate_limit_of_the_provider_carries_its_wish():
    reading = KIND.read(send(Raises(api_error(429, **{"Retry-After": "30"}))))
    assert (reading.limited, reading.retry_after) == (True, 30.0)


def test_the_status_of_the_answer_is_kept_where_there_is_one():
    answer = send(Raises(smtplib.SMTPAuthenticationError(535, b"no")))
    assert (answer.status, answer.trouble) == (535, Trouble.OURS)


def test_a_backend_that_takes_nothing_is_not_taken_for_success(settings):
    settings.EMAIL_BACKEND = "tests.notifications.channels.email_backends.TakesNothing"
    assert send(DjangoMailClient()).trouble is Trouble.OURS


def test_a_provider_gets_tags_metadata_and_our_headers(settings):
    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
    client = DjangoMailClient()
    seen = []
    forward = client.send
    client.send = lambda mail: (seen.append(mail), forward(mail))[1]
    assert send(client) == Answer(duration_ms=pytest.approx(0, abs=2000))
    [mail] = seen
    assert isinstance(mail, AnymailMessage)
    assert mail.anymail_test_params["tags"] == ["run_failed"]
    assert mail.anymail_test_params["metadata"] == {"delivery_id": "0190a1b2-0000-7000-8000-000000000001"}
    assert mail.anymail_test_params["extra_headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
