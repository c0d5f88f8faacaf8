"""Signed links: bound to their scope, readable only when unchanged, valid across key rotation."""

from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aegisnotify import signed_links
from aegisnotify.signed_links import ExpiredLink, InvalidLink


def test_what_was_made_for_a_scope_is_read_for_it():
    token = signed_links.make("event-mail", project="p1", email="ann@example.com")
    assert signed_links.read("event-mail", token) == {"project": "p1", "email": "ann@example.com"}
    assert signed_links.scope_of(token) == "event-mail"


def test_a_token_of_one_scope_does_not_open_another():
    token = signed_links.make("weekly", user=7)
    with pytest.raises(InvalidLink):
        signed_links.read("nudges", token)


def test_the_scope_can_not_be_swapped_inside_the_token():
    _, _, signature = signed_links.make("weekly", user=7).partition(":")
    forged = signing.b64_encode(b'{"s":"nudges","user":7}').decode()
    assert signed_links.scope_of(f"{forged}:{signature}") == "nudges"
    for scope in ("weekly", "nudges"):
        with pytest.raises(InvalidLink):
            signed_links.read(scope, f"{forged}:{signature}")


def test_a_signature_made_elsewhere_with_the_same_key_is_no_link():
    for token in (signing.dumps({"s": "weekly"}), signing.dumps(["weekly"], salt="aegisnotify.link:weekly")):
        with pytest.raises(InvalidLink):
            signed_links.read("weekly", token)


def test_a_link_expires_when_it_is_older_than_allowed():
    with time_machine.travel("2026-11-01 12:00:00Z", tick=False):
        token = signed_links.make("confirm", email="ann@example.com")
    with time_machine.travel("2026-11-08 11:59:00Z", tick=False):
        assert signed_links.read("confirm", token, max_age=timedelta(days=7))
    with time_machine.travel("2026-11-08 12:01:00Z", tick=False):
        with pytest.raises(ExpiredLink):
            signed_links.read("confirm", token, max_age=timedelta(days=7))
        assert signed_links.read("confirm", token)


def test_a_link_survives_the_rotation_of_the_key(settings):
    token = signed_links.make("weekly", user=7)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-key" * 6, [settings.SECRET_KEY]
    assert signed_links.read("weekly", token) == {"user": 7}
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(InvalidLink):
        signed_links.read("weekly", token)


@pytest.mark.parametrize(
    "token",
    ["", ":", "::", "abc", "é:1:2", "a" * 10_000, ".eJyrVg:1u:x", "bnVsbA:1:2", "eyJzIjoxfQ:1:2", "W10:1:2"],
)
def test_what_is_no_token_is_an_invalid_link(token):
    with pytest.raises(InvalidLink):
        signed_links.read("weekly", token)
    with pytest.raises(InvalidLink):
        signed_links.scope_of(token)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_but_the_token_itself_is_accepted(one, other):
    token = signed_links.make("weekly", user=7)
    for changed in (one, one + token, token + other, token.replace(":", one)):
        if changed != token:
            with pytest.raises(InvalidLink):
                signed_links.read("weekly", changed)
