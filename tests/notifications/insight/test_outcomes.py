"""A delivery in a few words, and what was sent without what nobody may see."""

import json

import pytest

from aegisnotify.clock import now
from notifications.addresses.links import confirmation_url, unsubscribe_url
from notifications.insight import request
from notifications.insight.outcomes import ordinal, result, why

PLAIN = {"event": "run_failed", "reason": "", "attempts": 1, "code": None, "reading": "", "next_at": None}


@pytest.mark.parametrize(
    ("status", "facts", "words"),
    [
        ("delivered", {"code": 200}, "HTTP 200"),
        ("delivered", {"code": 204, "attempts": 2}, "HTTP 204, 2nd try"),
        ("delivered", {"reading": "The mail server took it."}, "The mail server took it."),
        ("failed", {"code": 404, "reading": "Discord answered 404."}, "Discord answered 404."),
        ("failed", {"reason": "The process died."}, "The process died."),
        ("retrying", {"reading": "It answered 503.", "attempts": 3}, "It answered 503. 3 tries so far."),
        ("pending", {"next_at": "soon"}, "Waits for its turn."),
        ("sending", {"attempts": 3}, "3rd try is under way."),
        ("held", {}, "Goes out with the daily digest."),
        ("cancelled", {"reason": "paused"}, "The channel was paused."),
        ("cancelled", {"reason": "channel_deleted"}, "The channel was deleted."),
    ],
)
def test_the_result_says_what_the_status_does_not(status, facts, words):
    assert result(status, **{**PLAIN, **facts}) == words


def test_a_reason_that_is_a_sentence_stays_one():
    assert why("An admin cancelled it.", "run_failed") == "An admin cancelled it."


@pytest.mark.parametrize(
    ("number", "word"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (22, "22nd")]
)
def test_ordinals(number, word):
    assert ordinal(number) == word


@pytest.mark.parametrize(
    "link", [unsubscribe_url("0190", "qa@acme.example"), confirmation_url(7, "someone+tag@long.example")]
)
def test_signed_links_of_a_mail_lose_what_makes_them_work(link):
    token = link.rstrip("/").rpartition("/")[2]
    mail = {
        "subject": "Failed: Checkout",
        "text": f"Stop these emails: {link}\nWhy? https://notify.example/events/0190/why/",
        "html": f'<a href="{link}">stop</a>',
        "headers": {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    }
    shown = request.of_mail(json.dumps(mail), "qa@acme.example")
    everything = repr(shown)
    assert not any(part in everything for part in token.split(":"))
    assert "Why? https://notify.example/events/0190/why/" in shown.text
    assert dict(shown.headers)["To"] == "qa@acme.example"
    assert dict(shown.headers)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert token not in request.masked(f"550 refused, you wrote {link}")


@pytest.mark.parametrize(
    "text", ["2026-04-28T10:42:11Z", "at checkout.spec.ts:120:44 in Page.click", "a:b:c", "sha256:abc"]
)
def test_ordinary_text_with_colons_is_no_signed_link(text):
    assert request.masked(text) == text


def test_a_webhooks_headers_have_no_signature():
    shown = request.of_webhook(
        '{"event":"run_failed","run":{"name":"Zahlung größer"}}',
        delivery_id="d1",
        event="run_failed",
        at=now(),
        staged=True,
        secrets=(),
    )
    headers = dict(shown.headers)
    assert headers["X-AegisRunner-Signature"] == "sha256=•••"
    assert headers["X-AegisRunner-Signature-Next"] == "sha256=•••"
    assert headers["webhook-signature"] == "v1,••• v1,•••"
    assert headers["X-AegisRunner-Delivery"] == "d1"
    assert shown.text.splitlines()[1] == '  "event": "run_failed",'
    assert "größer" in shown.text
    assert shown.size == len('{"event":"run_failed","run":{"name":"Zahlung größer"}}'.encode())


def test_a_body_that_is_no_json_is_shown_as_it_is():
    assert request.of_chat("{", (), "us").text == "{"
    assert request.of_mail("[]", "qa@acme.example").text == ""


def test_our_secrets_are_masked_wherever_they_stand():
    assert "topsecret" not in request.of_chat('{"text":"topsecret"}', ("topsecret",), "us").text
