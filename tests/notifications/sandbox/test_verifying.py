"""The verdicts on a webhook's signatures, from the signatures our own sender makes."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications.channels.webhook import signature
from notifications.sandbox.verifying import verify

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER = "another secret of enough length"
BODY = b'{"event":"run_failed"}'
AT = datetime(2026, 4, 28, 10, 42, 11, tzinfo=UTC)


def signed(**changes):
    headers = signature.headers(
        delivery_id="d-1", event="run_failed", at=AT, body=BODY, secret=changes.pop("secret", SECRET), **changes
    )
    return {name.lower(): value for name, value in headers.items()}


def verdicts(headers, body=BODY, secrets=(SECRET,), at=AT):
    return [check.ok for check in verify(body, headers, secrets, at)]


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_what_our_sender_signs_is_verified(secret):
    assert verdicts(signed(secret=secret), secrets=(secret,)) == [True, True]


def test_while_a_secret_is_staged_either_receiver_verifies():
    headers = signed(next_secret=OTHER)
    assert verdicts(headers) == [True, True]
    assert verdicts(headers, secrets=(OTHER,)) == [False, True]


def test_another_secret_is_not_verified():
    assert verdicts(signed(secret=OTHER)) == [False, False]


def test_a_changed_body_is_not_verified():
    assert verdicts(signed(), body=BODY + b" ") == [False, False]


@pytest.mark.parametrize(("seconds", "ok"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_a_timestamp_of_another_time_is_not_verified(seconds, ok):
    assert verdicts(signed(), at=AT + timedelta(seconds=seconds)) == [True, ok]


@pytest.mark.parametrize(
    ("header", "value", "expected", "word"),
    [
        ("x-aegisrunner-signature", None, [False, True], "missing"),
        ("x-aegisrunner-signature", "757107ea", [False, True], "sha256="),
        ("x-aegisrunner-signature", "sha256=é", [False, True], "does not match"),
        ("webhook-signature", None, [True, False], "webhook-signature missing"),
        ("webhook-id", "d-2", [True, False], "no signature"),
        ("webhook-timestamp", "soon", [True, False], "not a number"),
        ("webhook-timestamp", "٣", [True, False], "not a number"),
        ("webhook-signature", "v1,é v2,x", [True, False], "no signature"),
    ],
)
def test_what_is_wrong_is_said(header, value, expected, word):
    headers = {**signed(), header: value}
    checks = verify(BODY, {name: text for name, text in headers.items() if text is not None}, (SECRET,), AT)
    assert [check.ok for check in checks] == expected
    assert word in next(check.sentence for check in checks if not check.ok)


def test_without_a_secret_there_is_no_verdict():
    assert verdicts(signed(), secrets=()) == [None]
