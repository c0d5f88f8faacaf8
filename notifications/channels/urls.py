"""URLs that people paste: checking their form, masking them, and the operator's extra provider hosts.

Whether an address may be reached is judged at every try, by the HTTP client; here it is about the form alone. No
sentence repeats anything of a URL but its port: the rest may be a secret.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings

from projects.errors import Invalid

MAX_URL_LENGTH = 2000
"""Longer than any provider's: a Teams URL has about 400 characters."""

PROVIDER_KINDS = frozenset({"slack", "discord", "teams"})
_DEFAULT_PORTS = {"https": 443, "http": 80}
_HIDDEN_BELOW = 12
"""A path shorter than this is not masked but hidden: four characters would be half of it."""
_SAFE_IN_LINK = "%/:?#!$&'*+,;=~-._"
"""What stays in a link as it is: RFC 3986 without brackets (they end a Markdown link) and @ (it starts a mention)."""
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


@dataclass(frozen=True, slots=True)
class ExtraHost:
    """A host that behaves like a provider. Without a port it stands for the scheme's own."""

    kind: str
    host: str
    port: int | None = None


def parse_extra_hosts(entries: Iterable[str]) -> tuple[frozenset[ExtraHost], tuple[str, ...]]:
    """The hosts that entries of the form `kind=host[:port]` name, and the entries that have another form."""
    hosts: set[ExtraHost] = set()
    malformed: list[str] = []
    for entry in entries:
        if not entry.strip():
            continue
        host = _parse_extra_host(entry)
        if host is None:
            malformed.append(entry)
        else:
            hosts.add(host)
    return frozenset(hosts), tuple(malformed)


def _parse_extra_host(entry: str) -> ExtraHost | None:
    kind, _, place = (part.strip().lower() for part in entry.partition("="))
    if kind not in PROVIDER_KINDS or not place or any(character in place for character in "/?#@ \t\\"):
        return None
    try:
        parts = urlsplit(f"//{place}")
        host, port = _host_name(parts), parts.port
    except ValueError:
        return None
    return ExtraHost(kind, parts.hostname or "", port) if host and not place.endswith(":") else None


def is_extra_host(kind: str, parts: SplitResult) -> bool:
    """Whether the operator allows this URL's host and port for this kind (AEGIS_EXTRA_PROVIDER_HOSTS)."""
    hosts, _ = parse_extra_hosts(settings.AEGIS_EXTRA_PROVIDER_HOSTS)
    default = _DEFAULT_PORTS.get(parts.scheme)
    port = _port(parts)
    return any(
        extra.kind == kind and extra.host == parts.hostname and (extra.port or default) == port for extra in hosts
    )


def http_is_allowed(parts: SplitResult) -> bool:
    """Whether plain http may be used for an extra host: in development, and for the quickstart's own sandbox."""
    sandbox = settings.AEGIS_SANDBOX_TARGET.lower()
    return bool(settings.AEGIS_ALLOW_PRIVATE_TARGETS) or (bool(sandbox) and sandbox == f"{_host(parts)}:{_port(parts)}")


def submitted_url(submitted: Mapping[str, Any], current: Mapping[str, Any] | None) -> str | None:
    """The URL somebody submitted, without surrounding white space; None where the current one is to be kept.

    Raises `Invalid` where there is none at all, and for what is no text.
    """
    if "url" not in submitted:
        if current and current.get("url"):
            return None
        raise refuse("Enter the webhook URL.")
    url = submitted["url"]
    if not isinstance(url, str):
        raise refuse("The URL must be text.")
    if not url.strip():
        raise refuse("Enter the webhook URL.")
    return url.strip()


def parse(url: str) -> SplitResult:
    """The parts of a URL that has the form of a web address without credentials. Raises `Invalid`.

    The scheme may still be http: whether that is enough is the caller's rule (`require_https`).
    """
    if len(url) > MAX_URL_LENGTH:
        raise refuse(f"The URL has {len(url):,} characters. Paste the webhook URL alone, at most {MAX_URL_LENGTH:,}.")
    if "…" in url or "•" in url:
        raise refuse("This is the masked URL, as pages show it. Paste the whole webhook URL from the provider.")
    if not url.isascii() or not url.isprintable() or any(character in url for character in ' "<>\\^`{|}'):
        raise refuse("The URL has spaces or other characters that no webhook URL has. Copy it again from the provider.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise refuse("This is not a valid URL. Copy it again from the provider.") from None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise refuse("The URL must start with https:// and a host name. Copy it again from the provider.")
    if "@" in parts.netloc:
        raise refuse("The URL must not hold a user name or password before the host. Remove what stands before the @.")
    if "#" in url:
        raise refuse("The URL must not have a part after “#”. Remove it.")
    return parts


def require_https(parts: SplitResult) -> None:
    """Raises `Invalid` for anything but https on its own port."""
    if parts.scheme != "https":
        raise refuse("The URL must start with https://, not http://.")
    if parts.port not in (None, 443):
        raise refuse(f"The URL must not name the port {parts.port}. Remove it: https uses port 443.")


def refuse(sentence: str) -> Invalid:
    return Invalid({"url": [sentence]})


def host_and_port(url: str) -> str:
    """`host[:port]` in lower case, the scheme's own port left out; empty for what is no URL."""
    try:
        parts = urlsplit(url)
        host, port = _host(parts), _port(parts)
    except ValueError:
        return ""
    return host if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f"{host}:{port}"


def mask(url: str) -> str:
    """What people may see of a URL: `hooks.slack.com/…cret`. Of a short path nothing is shown."""
    host = host_and_port(url)
    if not host:
        return ""
    secret = url.partition("://")[2].partition("/")[2]
    return f"{host}/…{secret[-4:] if len(secret) >= _HIDDEN_BELOW else ''}"


def safe_link(url: str, limit: int) -> str:
    """A URL that any provider takes as the target of a link, in at most `limit` characters; empty where it is none.

    Only http and https, without credentials. Characters that end or change a link in some markup are percent-encoded.
    """
    if not url or len(url) > limit or not url.isprintable():
        return ""
    try:
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port is not None else ""
        host = _host_name(parts)
    except ValueError:
        return ""
    if parts.scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        return ""
    rest = parts._replace(scheme="", netloc="", path=parts.path or "/").geturl()
    link = f"{parts.scheme}://{host}{port}{quote(_LONE_PERCENT.sub('%25', rest), safe=_SAFE_IN_LINK)}"
    return link if len(link) <= limit else ""


def _host_name(parts: SplitResult) -> str:
    """The host as it stands in a URL, in ASCII. Empty, or a `ValueError`, where it is no valid one."""
    host = parts.hostname or ""
    if ":" in host:
        return f"[{ipaddress.IPv6Address(host)}]"
    host = host if host.isascii() else host.encode("idna").decode("ascii")
    is_name = len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.rstrip(".").split("."))
    return host if is_name else ""


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _port(parts: SplitResult) -> int | None:
    return parts.port or _DEFAULT_PORTS.get(parts.scheme)
