"""What a careful receiver does with a webhook's two signatures. Pure."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from notifications.channels.webhook.signature import sign_hex, sign_standard
from notifications.sandbox.arrivals import Check

# Standard Webhooks leaves the number to the receiver; its libraries take five minutes.
TOLERANCE_SECONDS = 300


def verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], at: datetime) -> tuple[Check, ...]:
    """One verdict on each signature. `headers` have lower-case names."""
    if not secrets:
        return (
            Check(
                None,
                "Not verified: the sandbox has no secret for this address. It learns the demo's at each start.",
            ),
        )
    return (_own(body, headers, secrets), _standard(body, headers, secrets, at))


def _own(body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> Check:
    name = "X-AegisRunner-Signature"
    given = headers.get(name.lower(), "")
    if not given:
        return Check(False, f"{name} is missing.")
    if not given.startswith("sha256="):
        return Check(False, f"{name} does not start with sha256=.")
    if any(_same(given, f"sha256={sign_hex(secret, body)}") for secret in secrets):
        return Check(True, f"{name} is verified.")
    return Check(False, f"{name} does not match: another secret, or the body was changed.")


def _standard(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], at: datetime) -> Check:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    missing = [name for name in names if not headers.get(name)]
    if missing:
        return Check(False, f"Standard Webhooks: {', '.join(missing)} missing.")
    message_id, timestamp, given = (headers[name] for name in names)
    if not (timestamp.isascii() and timestamp.isdecimal()):
        return Check(False, "Standard Webhooks: webhook-timestamp is not a number of seconds.")
    if abs(at.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        return Check(False, "Standard Webhooks: webhook-timestamp is more than 5 minutes off.")
    wanted = [sign_standard(secret, message_id, int(timestamp), body) for secret in secrets]
    if any(_same(signature, right) for signature in given.split(" ") for right in wanted):
        return Check(True, "Standard Webhooks signature is verified.")
    return Check(False, "Standard Webhooks: no signature in webhook-signature matches.")


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())
