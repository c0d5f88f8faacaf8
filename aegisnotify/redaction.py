"""Taking secrets out of text that is written for operators: log lines, tracebacks, error reports. Pure, but for the
installation's own secrets, which the caller gives.

Two nets: what looks like a secret (tokens, signing secrets, the paths of other hosts' URLs, passwords in addresses of
databases, Authorization headers, signed links), and the texts that are known to be secret. Rather a line that says too
little than one that says too much: the path of every URL goes, since a webhook's is its password.
"""

import re
from collections.abc import Iterable

MASK = "•••"
# Shorter ones ("postgres") are words, and masking them would garble every other line.
SHORTEST_SECRET = 8

_NAMES = ("password", "passwd", "secret", "token", "authorization", "cookie", "api_key", "api-key", "apikey", "sig")
_PATHS = ("/services/", "/workflows/", "webhooks/", "/u/", "-email/", "/invitations/", "/confirm-address/", "-reset/")
# Each with texts of which at least one (in lower case) has to be there: most lines have none of them, and looking for a
# text costs a hundredth of what the pattern does.
_RULES: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    # Tokens of the API (their first letters, which lists show, are not enough to be one) and signing secrets.
    (("aegis_",), re.compile(r"\baegis_[A-Za-z0-9_-]{16,}"), f"aegis_{MASK}"),
    (("whsec_",), re.compile(r"\bwhsec_[A-Za-z0-9+/=_\\-]+"), f"whsec_{MASK}"),
    # Stored ciphers (Fernet): a database's complaint about a row quotes it.
    (("gaaaa",), re.compile(r"\bgAAAA[A-Za-z0-9_=-]{20,}"), MASK),
    # user:password@host. The password may hold anything but what ends it, an @ too (the last one counts).
    (("://",), re.compile(r"(?<=://)[^\s/'\"<>]*@"), f"{MASK}@"),
    # What follows the host of a URL: the password of a webhook, the token of a signed link. With JSON's \/ too.
    (
        (":/", ":\\/"),
        re.compile(r"(?i)\b(https?:(?:\\?/){2}[^\s/\\?#'\"<>]*)(?:\\?[/?#])[^\s'\"<>]*"),
        rf"\1/{MASK}",
    ),
    # urllib3 tells host and path apart: "Max retries exceeded with url: /services/T0/B0/x (Caused by …)".
    (("url: ",), re.compile(r"(?i)(\burl: )(?!https?:)\S+"), rf"\1{MASK}"),
    # Paths of known providers and of our own signed links, wherever they stand alone (requests that failed). Slack's is
    # spelled out, since our own modules have a `services` in their paths, too.
    (
        _PATHS,
        re.compile(
            r"(/(?:services/[A-Z0-9]+|workflows|api/(?:v\d+/)?webhooks"
            r"|u|verify-email|change-email|invitations|confirm-address|password-reset)/)[^\s'\"<>]+"
        ),
        rf"\1{MASK}",
    ),
    # Signed texts (django.core.signing): payload:time:signature.
    ((":",), re.compile(r"\b[A-Za-z0-9_-]{8,}:[A-Za-z0-9]{5,8}:[A-Za-z0-9_-]{27,}"), MASK),
    (
        ("bearer", "basic", "digest"),
        re.compile(r"(?i)\b(bearer|basic|digest)\s+[A-Za-z0-9._~+/=-]{6,}"),
        rf"\1 {MASK}",
    ),
    # name=value, name: value and name = 'value', with names that tell. Without quotes an = has no blanks around it: a
    # traceback's line of code stays readable.
    (
        _NAMES,
        re.compile(
            r"(?i)((?:password|passwd|secret|token|authorization|cookie|api[-_]?key|secret[-_]?key|\bsig)"
            r"(?:['\"]?\s*[=:]\s*b?(?=['\"])|['\"]?(?:=|:\s*)))(?!\w+ •••)('[^']*'|\"[^\"]*\"|[^\s,;&'\"<>)\]}]+)"
        ),
        rf"\1{MASK}",
    ),
)


def redact(text: str, known: Iterable[str] = ()) -> str:
    """`text` without what looks like a secret, and without the `known` ones."""
    for secret in known:
        if secret in text:
            text = text.replace(secret, MASK)
    lowered = text.lower()
    for hints, pattern, replacement in _RULES:
        if any(hint in lowered for hint in hints):
            text = pattern.sub(replacement, text)
    return text


def worth_masking(values: Iterable[object]) -> tuple[str, ...]:
    """Those of the values that are texts long enough to be looked for, the longest first."""
    texts = {str(value) for value in values if value}
    return tuple(sorted((text for text in texts if len(text) >= SHORTEST_SECRET), key=len, reverse=True))
