"""Signing webhooks in two ways over the same raw body. Pure.

- `X-AegisRunner-Signature: sha256=<hex>`: HMAC-SHA256 of the body, keyed by the secret's UTF-8 bytes, prefix included
  (what GitHub does: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries).
- `webhook-id`, `webhook-timestamp`, `webhook-signature`: Standard Webhooks
  (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
"""

import base64
import hashlib
import hmac
from datetime import datetime

from aegisnotify import __version__
from notifications.channels.webhook.secret import PREFIX

USER_AGENT = f"AegisNotify/{__version__}"


def sign_hex(secret: str, body: bytes) -> str:
    """The hexadecimal HMAC-SHA256 of the body, without the `sha256=` in front."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sign_standard(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature of Standard Webhooks: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(_standard_key(secret), signed, hashlib.sha256).digest()).decode()


def standard_secret(secret: str) -> str:
    """The secret as the Standard Webhooks libraries take it: `whsec_` and base64."""
    return secret if secret.startswith(PREFIX) else PREFIX + base64.b64encode(secret.encode()).decode()


def headers(
    *, delivery_id: str, event: str, at: datetime, body: bytes, secret: str, next_secret: str | None = None
) -> dict[str, str]:
    """All headers of one try. While a secret is staged (`next_secret`) both sign."""
    timestamp = int(at.timestamp())
    secrets = [secret] if next_secret is None else [secret, next_secret]
    result = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-AegisRunner-Event": event,
        "X-AegisRunner-Signature": f"sha256={sign_hex(secret, body)}",
        "X-AegisRunner-Delivery": delivery_id,
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign_standard(each, delivery_id, timestamp, body) for each in secrets),
    }
    if next_secret is not None:
        result["X-AegisRunner-Signature-Next"] = f"sha256={sign_hex(next_secret, body)}"
    return result


def _standard_key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX)) if secret.startswith(PREFIX) else secret.encode()
