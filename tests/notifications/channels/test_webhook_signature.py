"""Webhook signatures are the published ones."""

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from hypothesis import given, settings
from hypothesis import strategies as st

from aegisnotify import __version__
from aegisnotify.clock import now
from notifications.channels.webhook import secret as secrets
from notifications.channels.webhook import signature

GITHUB_HEX = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
PASTED = "a secret of the receiver's own: ü"
BODY = '{"event":"run_failed","name":"Größe ✅"}'.encode()


def headers(**changes):
    given = {"delivery_id": "0196-1", "event": "run_failed", "at": now(), "body": BODY, "secret": SECRET}
    return signature.headers(**given | changes)


def test_githubs_published_vector_verifies():
    assert signature.sign_hex("It's a Secret to Everybody", b"Hello, World!") == GITHUB_HEX


def test_the_standards_published_vector_verifies():
    """From the reference implementations' tests (standard-webhooks/standard-webhooks, libraries)."""
    signed = signature.sign_standard(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_headers_are_the_documented_ones():
    at = datetime(2026, 4, 28, 10, 42, 11, 999_999, tzinfo=UTC)
    made = headers(at=at)
    assert re.fullmatch(r"v1,[A-Za-z0-9+/]{43}=", made.pop("webhook-signature"))
    assert made == {
        "Content-Type": "application/json",
        "User-Agent": f"AegisNotify/{__version__}",
        "X-AegisRunner-Event": "run_failed",
        "X-AegisRunner-Signature": "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest(),
        "X-AegisRunner-Delivery": "0196-1",
        "webhook-id": "0196-1",
        "webhook-timestamp": "1777372931",
    }


@pytest.mark.parametrize("secret", [SECRET, PASTED, "whsec_" + base64.b64encode(b"short").decode()])
def test_standard_libraries_verify_with_the_secret_that_the_page_shows(secret):
    made = headers(secret=secret)
    assert standardwebhooks.Webhook(signature.standard_secret(secret)).verify(BODY, made) == json.loads(BODY)


def test_only_secrets_without_the_prefix_are_changed_for_libraries():
    assert signature.standard_secret(SECRET) == SECRET
    assert signature.standard_secret("sixteen letters.") == "whsec_c2l4dGVlbiBsZXR0ZXJzLg=="


@pytest.mark.parametrize(("old", "new"), [(SECRET, PASTED), (PASTED, SECRET)])
def test_while_one_is_staged_both_secrets_verify(old, new):
    at = now()
    made = headers(at=at, secret=old, next_secret=new)
    assert made["X-AegisRunner-Signature"] == f"sha256={signature.sign_hex(old, BODY)}"
    assert made["X-AegisRunner-Signature-Next"] == f"sha256={signature.sign_hex(new, BODY)}"
    for secret in (old, new):
        standardwebhooks.Webhook(signature.standard_secret(secret)).verify(BODY, made)
    alone = [headers(at=at, secret=secret)["webhook-signature"] for secret in (old, new)]
    assert made["webhook-signature"].split(" ") == alone


def test_nothing_announces_a_next_secret_when_none_is_staged():
    assert "X-AegisRunner-Signature-Next" not in headers()


@pytest.mark.parametrize(
    "changes",
    [
        {"body": BODY + b" "},
        {"delivery_id": "other"},
        {"secret": "another secret of 16+"},
        {"at": now() - timedelta(hours=1)},
    ],
)
def test_a_change_of_what_is_signed_changes_the_signature(changes):
    at = now()
    assert headers(at=at)["webhook-signature"] != headers(**{"at": at} | changes)["webhook-signature"]


@settings(max_examples=100, deadline=None)
@given(
    body=st.text().map(str.encode), secret=st.text(min_size=16, max_size=256).filter(lambda s: not secrets.problem(s))
)
def test_any_body_verifies_with_any_secret(body, secret):
    made = headers(body=body, secret=secret)
    standardwebhooks.Webhook(signature.standard_secret(secret)).verify(body, made, json_parse=False)
    assert made["X-AegisRunner-Signature"][7:] == hmac.new(secret.encode(), body, "sha256").hexdigest()
    assert all(value.isascii() and value.isprintable() for value in made.values())


def test_a_generated_secret_holds_32_random_bytes():
    made = {secrets.generate() for _ in range(20)}
    assert len(made) == 20
    assert all(len(base64.b64decode(each.removeprefix("whsec_"), validate=True)) == 32 for each in made)
    assert not any(secrets.problem(each) for each in made)


@pytest.mark.parametrize(
    "secret", ["x" * 16, "x" * 256, "with spaces in between", "ünïcödé ünïcödéß", SECRET, "whsec_YWJjZGVmZ2g="]
)
def test_secrets_of_16_to_256_characters_are_taken(secret):
    assert secrets.problem(secret) is None


@pytest.mark.parametrize(
    ("secret", "part"),
    [
        ("x" * 15, "16 to 256"),
        ("x" * 257, "16 to 256"),
        ("", "16 to 256"),
        (12345678901234567, "text"),
        (None, "text"),
        (" leading and trailing ", "white space"),
        ("a line with its end\n", "white space"),
        ("half a pair: \ud800 here", "no valid text"),
        ("whsec_not base64 at all", "base64"),
        ("whsec_MDEyMzQ1Njc4OWFi=", "base64"),
        ("whsec_MDEyMzQ1Njc4OWFiYw", "base64"),
        ("whsec_MDEy-zQ1_jc4OWFi", "base64"),
        ("whsec_ügüäöüägüä", "base64"),
    ],
)
def test_other_secrets_are_refused_without_being_quoted(secret, part):
    sentence = secrets.problem(secret)
    assert part in sentence
    assert not secret or str(secret) not in sentence
