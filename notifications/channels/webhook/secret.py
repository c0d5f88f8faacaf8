"""Signing secrets: making one, and the rules for one that somebody pastes. Pure."""

import base64
import secrets

PREFIX = "whsec_"
"""Marks a secret whose rest is base64 of the key (Standard Webhooks)."""
SHORTEST, LONGEST = 16, 256


def generate() -> str:
    """A new secret of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def problem(secret: object) -> str | None:
    """What is wrong with a pasted secret, as a sentence that does not quote it; `None` when nothing is."""
    if not isinstance(secret, str):
        return "The secret must be text."
    if not SHORTEST <= len(secret) <= LONGEST:
        return f"The secret must have {SHORTEST} to {LONGEST} characters."
    if secret != secret.strip():
        return "The secret starts or ends with white space. Paste it without."
    try:
        secret.encode()
    except UnicodeEncodeError:
        return "The secret contains characters that are no valid text."
    if secret.startswith(PREFIX) and not _is_base64(secret.removeprefix(PREFIX)):
        return f"What follows {PREFIX} must be base64. Leave the prefix away to use the text as it is."
    return None


def _is_base64(text: str) -> bool:
    """Whether every library decodes it to the same bytes: padded, and nothing that only lenient decoders take."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return bool(decoded) and base64.b64encode(decoded).decode() == text
