"""The mail backend keeps mails as a mailbox would show them."""

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.message import BadHeaderError

from notifications.sandbox import arrivals

BACKEND = "notifications.sandbox.mail.EmailBackend"


def send(message):
    return get_connection(BACKEND).send_messages([message])


def test_a_mail_is_kept_with_headers_text_and_html():
    message = EmailMultiAlternatives(
        "Größe [Acme]", "text", "Aegis <notify@x.example>", ["lena@x.example"], headers={"List-ID": "<l.x.example>"}
    )
    message.attach_alternative("<p>html</p>", "text/html")
    assert send(message) == 1
    [mail] = arrivals.newest(10)
    assert (mail.kind, mail.target, mail.body, mail.html) == ("email", "lena@x.example", "text", "<p>html</p>")
    assert mail.headers["Subject"] == "Größe [Acme]"
    assert mail.headers["List-ID"] == "<l.x.example>"


def test_a_mail_without_html_is_kept():
    send(EmailMessage("s", "text", "a@x.example", ["b@x.example", "c@x.example"]))
    [mail] = arrivals.newest(10)
    assert (mail.target, mail.html) == ("b@x.example, c@x.example", "")


def test_a_header_with_a_line_break_is_refused_as_by_a_mail_server():
    with pytest.raises(BadHeaderError):
        send(EmailMessage("a\nBcc: x@x.example", "text", "a@x.example", ["b@x.example"]))
    assert arrivals.count() == 0
