"""Where we may send: the URL by its looks, then every address its name stands for.

URLs come from customers, so this is what stands between them and our network. The look of a URL is judged when it is
saved and before every try; the addresses are judged by the connection itself, which connects to nothing else
(`notifications.delivery.http`).
"""

import queue
import re
import socket
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from notifications.delivery import addresses

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""What `socket.getaddrinfo` returns: family, type, protocol, canonical name, socket address."""

LOOK_UP_SECONDS = 5.0
_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
# A host whose last label is a number is an IPv4 address to resolvers and browsers (WHATWG URL, "ends in a number"):
# octal, hexadecimal and shortened ones too. Only the plain form passes.
_NUMERIC_HOST = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f\\]")
# Ports of other protocols, which a request could be smuggled into: the Fetch standard's "bad ports".
_BAD_PORTS = frozenset(
    {0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109}
    | {110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530}
    | {531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190}
    | {5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
)


class TargetRefused(Exception):
    """We may not send there. `code` is url, scheme, credentials, host, port or address; `sentence` names no host."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class NameNotResolved(Exception):
    """The host name has no address at the moment, or none within the time limit. `checked` is the URL it stands in."""

    def __init__(self, sentence: str, checked: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.checked = checked


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """What is allowed beside public https addresses.

    `allow_private` (development) adds http, loopback and private ranges. `sandbox` (host, port) adds exactly that
    loopback address and port, over http.
    """

    allow_private: bool = False
    sandbox: tuple[str, int] | None = None

    @classmethod
    def from_settings(cls) -> "TargetPolicy":
        return cls(
            allow_private=settings.AEGIS_ALLOW_PRIVATE_TARGETS,
            sandbox=_host_and_port(settings.AEGIS_SANDBOX_TARGET) if settings.AEGIS_SANDBOX_TARGET else None,
        )

    def is_sandbox(self, scheme: str, host: str, port: int) -> bool:
        return scheme == "http" and (host, port) == self.sandbox

    def refusal(self, scheme: str, host: str, port: int, address: str) -> str | None:
        """Why the connection to this address of the host may not be made; `None` when it may."""
        if self.is_sandbox(scheme, host, port) and addresses.is_loopback(address):
            return None
        return addresses.judge(address, allow_private=self.allow_private)


def check_url(url: str, policy: TargetPolicy) -> str:
    """The URL in its normal form (lower-case ASCII host, no fragment). Raises `TargetRefused`. Looks nothing up."""
    if _NOT_IN_URLS.search(url):
        raise TargetRefused("url", "The URL contains spaces, control characters or backslashes.")
    try:
        parsed, authority = parse_url(url), urlsplit(url).netloc
    except (LocationParseError, ValueError):
        raise TargetRefused("url", "This is not a URL that can be sent to.") from None
    scheme, host = (parsed.scheme or "").lower(), (parsed.host or "").lower()
    if scheme not in _DEFAULT_PORTS:
        raise TargetRefused("scheme", "The URL must start with https://.")
    if parsed.auth is not None or "@" in authority:
        raise TargetRefused("credentials", "The URL must not contain a user name or password.")
    port = _DEFAULT_PORTS[scheme] if parsed.port is None else parsed.port
    bracketed, host = host.startswith("["), host.strip("[]")
    _check_host(host, bracketed=bracketed)
    if scheme == "http" and not (policy.allow_private or policy.is_sandbox(scheme, host, port)):
        raise TargetRefused("scheme", "The URL must start with https://.")
    if port in _BAD_PORTS:
        raise TargetRefused("port", f"Port {port} belongs to another protocol.")
    if _is_address(host) and (reason := policy.refusal(scheme, host, port, host)):
        raise TargetRefused("address", f"The URL leads to {reason}.")
    checked = parsed._replace(fragment=None).url
    # requests splits the URL once more, with another parser. Parsers that disagree are how such checks are evaded.
    again = urlsplit(checked)
    if (again.scheme, again.hostname, again.port or _DEFAULT_PORTS[scheme]) != (scheme, host, port):
        raise TargetRefused("url", "This is not a URL that can be sent to.")
    return checked


def check_target(url: str, policy: TargetPolicy) -> str:
    """As `check_url`, and every address of the host is judged now.

    Raises `TargetRefused`, or `NameNotResolved` when the name has no address at the moment.
    """
    checked = check_url(url, policy)
    parts = urlsplit(checked)
    assert parts.hostname is not None
    try:
        judged_addresses(parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme], policy)
    except NameNotResolved as error:
        raise NameNotResolved(error.sentence, checked) from None
    return checked


def judged_addresses(
    scheme: str, host: str, port: int, policy: TargetPolicy, seconds: float = LOOK_UP_SECONDS
) -> list[AddressInfo]:
    """The addresses of a host, from one look-up of at most `seconds`, all of them allowed.

    Raises `TargetRefused` when a single one is not (a name that mixes public and private addresses is an attack or a
    mistake), and `NameNotResolved`.
    """
    found = [info for info in _look_up(host, port, seconds) if info[0] in (socket.AF_INET, socket.AF_INET6)]
    if not found:
        raise NameNotResolved("It has no address at the moment.")
    for info in found:
        if reason := policy.refusal(scheme, host, port, str(info[4][0])):
            raise TargetRefused("address", f"The host name leads to {reason}.")
    return found


def resolve(host: str, port: int) -> list[AddressInfo]:
    """Every address of the host. Raises `OSError`, or `UnicodeError` for a name that can't be looked up."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # type: ignore[return-value]


def _look_up(host: str, port: int, seconds: float) -> list[AddressInfo]:
    """`resolve` within a time limit. The system's resolver has none, so it runs in a thread that may be left behind."""
    answer: queue.SimpleQueue[list[AddressInfo] | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(resolve(host, port))
        except (OSError, UnicodeError):
            answer.put(None)

    if _is_address(host):
        ask()
    else:
        threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        found = answer.get(timeout=max(seconds, 0))
    except queue.Empty:
        raise NameNotResolved("The look-up took too long.") from None
    return found or []


def _check_host(host: str, *, bracketed: bool) -> None:
    if bracketed:
        if "%" in host or not _is_address(host):
            raise TargetRefused("host", "The URL's IPv6 address is not a plain one.")
    elif not _HOST.fullmatch(host):
        raise TargetRefused("host", "The URL has no valid host name.")
    elif _NUMERIC_HOST.fullmatch(host) and not _is_address(host):
        raise TargetRefused("host", "Write the IPv4 address as four decimal numbers.")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _host_and_port(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        if parts.hostname and parts.port and text.count("@") == 0 and not parts.path:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise ImproperlyConfigured("AEGIS_SANDBOX_TARGET must be host:port, such as 127.0.0.1:8000.")
