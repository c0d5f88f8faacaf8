"""Signed links: what somebody may do who holds a link and is not signed in.

A token carries a scope and a few claims as compact JSON, signed with `SECRET_KEY` (`SECRET_KEY_FALLBACKS` are still
accepted, so the key can rotate). The scope is part of the key that signs, so a token of one scope never opens another,
and none of them is good for a login. It also stands inside the token, so that one address can serve several scopes.
"""

import json
from datetime import timedelta
from typing import Any

from django.core import signing
from django.utils.crypto import constant_time_compare

_SCOPE = "s"
# Far above any claims of ours: whoever sends more is not following a link.
_LONGEST = 2000


class InvalidLink(Exception):
    """The token was changed, was cut off, belongs to another scope, or was never made here."""


class ExpiredLink(InvalidLink):
    """The token was good once."""


def make(scope: str, **claims: str | int) -> str:
    """A token for `scope` that holds `claims`. It is readable by who has it: no secrets."""
    return signing.dumps({_SCOPE: scope, **claims}, salt=_salt(scope))


def scope_of(token: str) -> str:
    """The scope that a token names. Not verified: it only says with which scope to `read`. Raises `InvalidLink`."""
    try:
        payload = json.loads(signing.b64_decode(_checked(token).split(":")[0].encode()))
        scope = payload[_SCOPE]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidLink("This link names no scope.") from error
    if not isinstance(scope, str):
        raise InvalidLink("This link names no scope.")
    return scope


def read(scope: str, token: str, *, max_age: timedelta | None = None) -> dict[str, Any]:
    """The claims of a token that was made for `scope`.

    Raises `ExpiredLink` for one older than `max_age`, `InvalidLink` for any other that is not ours.
    """
    try:
        payload = signing.loads(_checked(token), salt=_salt(scope), max_age=max_age)
    except signing.SignatureExpired as error:
        raise ExpiredLink("This link has expired.") from error
    except (signing.BadSignature, ValueError) as error:
        raise InvalidLink("This link is not valid.") from error
    if not isinstance(payload, dict) or not constant_time_compare(str(payload.pop(_SCOPE, "")), scope):
        raise InvalidLink("This link is not valid.")
    return payload


def _salt(scope: str) -> str:
    return f"aegisnotify.link:{scope}"


def _checked(token: str) -> str:
    # Compressed payloads start with a dot. We make none, and unpacking somebody's could take memory.
    if not token.isascii() or len(token) > _LONGEST or token.startswith("."):
        raise InvalidLink("This link is not valid.")
    return token
