"""Encryption of fields at rest, with key rotation.

Fernet (AES-128-CBC + HMAC-SHA256, https://github.com/fernet/spec) over UTF-8 JSON. The first key of
`AEGIS_ENCRYPTION_KEYS` encrypts, all of them decrypt: put a new key in front, re-encrypt, then drop the old one.
"""

import functools
import hashlib
import hmac
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


class DecryptionError(Exception):
    """A stored value that none of the keys opens. Carries no part of the value."""


@functools.lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            "AEGIS_ENCRYPTION_KEYS must be Fernet keys (32 bytes, url-safe base64), comma separated."
        ) from error


def encrypt(text: str) -> str:
    return _fernet(tuple(settings.AEGIS_ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raises `DecryptionError` when no key fits."""
    try:
        return _fernet(tuple(settings.AEGIS_ENCRYPTION_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise DecryptionError("A stored secret can't be decrypted with the keys in AEGIS_ENCRYPTION_KEYS.") from error


def rotate(token: str) -> str:
    """The same content under the first key."""
    try:
        return _fernet(tuple(settings.AEGIS_ENCRYPTION_KEYS)).rotate(token.encode()).decode()
    except InvalidToken as error:
        raise DecryptionError("A stored secret can't be decrypted with the keys in AEGIS_ENCRYPTION_KEYS.") from error


def is_current(token: str) -> bool:
    """Whether the first key encrypted it, so that the others can go."""
    try:
        _fernet(tuple(settings.AEGIS_ENCRYPTION_KEYS[:1])).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def fingerprint(text: str) -> str:
    """A keyed hash (HMAC-SHA256, hex) by which equal secrets can be found without being readable.

    Keyed by `SECRET_KEY`, since encryption keys rotate and equal texts must keep equal fingerprints.
    """
    key = hashlib.sha256(b"aegisnotify.fingerprint:" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class EncryptedJSONField(models.TextField):
    """JSON that is encrypted in the database."""

    # The types that django-stubs gives to the attribute: JSON, not text.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        return encrypt(json.dumps(value, separators=(",", ":"), ensure_ascii=False))

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        return None if value is None else json.loads(decrypt(value))

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        """Fixtures carry the encrypted text, never the plain one."""
        return self.get_prep_value(self.value_from_object(obj)) or ""
