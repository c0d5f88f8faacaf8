"""The one outgoing HTTP client.

`requests` does the HTTP, with connections of our own: they look the host up once, judge every address, and connect to a
judged one. The host name stays what it was, so the Host header, SNI, the certificate check and pooling are the normal
ones, and a name that changes its address between check and connection (DNS rebinding) gains nothing.

requests has no limit on the whole of a request, only on each wait for the next byte. Here every wait ends with the
request's deadline: a receiver that drips headers or body a byte at a time is cut off like a silent one.
"""

import dataclasses
import errno
import functools
import http.client
import io
import logging
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from email.utils import formatdate
from typing import Any

import requests
import urllib3
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from notifications.channels.base import Answer, Trouble
from notifications.delivery import targets
from notifications.delivery.targets import NameNotResolved, TargetPolicy, TargetRefused

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
MOST_BODY_BYTES = 64 * 1024
# Everything read for one answer: the body, and headers, interim answers and trailers, which could go on for ever.
_MOST_BYTES = 4 * MOST_BODY_BYTES
# Of a name with many addresses only so many are tried, each with its share of the time to connect.
_MOST_ADDRESSES = 4
# Hosts that one client keeps a connection to. A client has one request at a time, so one connection each is enough.
_KEPT_HOSTS = 32
# Out of files, ports or memory: what fails here is this machine.
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
# OpenSSL's X509_V_ERR_* codes that tell a receiver's operator what to mend.
_CERTIFICATE_TROUBLES = {
    10: "The certificate has expired.",
    18: "The certificate is self-signed.",
    19: "The certificate's chain ends in an unknown authority.",
    20: "The certificate's issuer is unknown, or the server doesn't send the intermediate certificate.",
    62: "The certificate is for another host name.",
    64: "The certificate is for another address.",
}

# urllib3 logs paths (which are secrets here) in its debug messages and when a receiver's headers can't be parsed.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class SafeHttpClient:
    """Posts to addresses we may send to, and to no other; see `notifications.delivery.transport.HttpClient`.

    Keeps connections open, so it belongs to one thread. `connect_seconds` bounds look-up and connection, then once more
    the TLS handshake; `total_seconds` bounds everything. `tls` replaces the context made from certifi's authorities.
    """

    def __init__(
        self,
        policy: TargetPolicy | None = None,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        policy = TargetPolicy.from_settings() if policy is None else policy
        self._exchange = _Exchange(policy, connect_seconds, total_seconds)
        self._adapter = _Adapter(self._exchange, tls or _default_tls())

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        started = time.monotonic()
        answer = self._post(url, body, headers, started)
        return dataclasses.replace(answer, duration_ms=round((time.monotonic() - started) * 1000))

    def close(self) -> None:
        self._adapter.close()

    def _post(self, url: str, body: bytes, headers: Mapping[str, str], started: float) -> Answer:
        exchange = self._exchange
        exchange.ends = started + exchange.total_seconds
        try:
            request = _prepare(targets.check_url(url, exchange.policy), body, headers)
            try:
                return self._send(request)
            except requests.ConnectionError:
                if not exchange.reused or exchange.received:
                    raise
                # A connection kept from before broke without a byte of an answer: the server had most likely closed it
                # while it was idle. Sending again can at worst repeat a delivery under its own id, as any retry can.
                return self._send(request)
        except TargetRefused as refused:
            return Answer(trouble=Trouble.BLOCKED, detail=refused.sentence)
        except NameNotResolved as error:
            return Answer(trouble=Trouble.DNS, detail=error.sentence)
        except _NotConnected as error:
            return _trouble(error.reason, exchange)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return _trouble(error, exchange)

    def _send(self, request: requests.PreparedRequest) -> Answer:
        exchange = self._exchange
        exchange.fresh = exchange.connecting = exchange.reused = exchange.ended = False
        exchange.received = 0
        timeout = (exchange.connect_seconds, exchange.total_seconds)
        response = self._adapter.send(request, stream=True, timeout=timeout, verify=True)
        content = bytearray()
        while len(content) <= MOST_BODY_BYTES:
            piece = response.raw.read(MOST_BODY_BYTES + 1 - len(content), decode_content=False)
            if not piece:
                break
            content += piece
        if len(content) > MOST_BODY_BYTES:
            # The rest is on its way already; dropping the connection is the only way not to read it.
            response.raw.close()
        found = {name.lower(): value for name, value in response.headers.items()}
        if "retry-after" in found:
            # As RFC 9110 (6.6.1) has it for an answer without a date: when it was received.
            found.setdefault("date", formatdate(usegmt=True))
        return Answer(status=response.status_code, headers=found, body=_text(bytes(content[:MOST_BODY_BYTES]), found))


class _NotConnected(Exception):
    """No connection. Not an `OSError`, since urllib3 swallows some of those and goes on without a socket."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class _TooMuch(OSError):
    """More bytes than any answer needs."""


class _Exchange:
    """The request that a client is busy with, as its connections need to know it."""

    def __init__(self, policy: TargetPolicy, connect_seconds: float, total_seconds: float) -> None:
        self.policy = policy
        self.connect_seconds = connect_seconds
        self.total_seconds = total_seconds
        self.ends = 0.0
        self.fresh = False
        """A connection was made for this request."""
        self.connecting = False
        """That connection, with its TLS handshake, is not there yet."""
        self.reused = False
        """The request went out over a connection kept from before."""
        self.received = 0
        """Bytes of the answer read so far."""
        self.ended = False
        """The other side closed the connection."""

    def remaining(self) -> float:
        """Seconds until the deadline. Raises `TimeoutError` after it."""
        seconds = self.ends - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("deadline")
        return seconds


class _DeadlineReader(io.RawIOBase):
    """A socket's reading side, on which no wait outlasts the deadline and no answer is endless."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket, exchange: _Exchange) -> None:
        self._raw = raw
        self._socket = connection
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        if self._exchange.received > _MOST_BYTES:
            raise _TooMuch
        self._socket.settimeout(self._exchange.remaining())
        count: int | None = self._raw.readinto(buffer)
        self._exchange.received += count or 0
        self._exchange.ended = count == 0
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, exchange: _Exchange, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._exchange = exchange
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock, exchange))

    def begin(self) -> None:
        super().begin()
        # http.client takes the end of a connection for the end of the headers: one that breaks after "HTTP/1.1 200"
        # would count as delivered.
        if self._exchange.ended:
            raise http.client.IncompleteRead(b"")


class _JudgedConnection(HTTPConnection):
    """Connects to judged addresses only, within the exchange's limits. `judged_as` is the scheme it is judged by."""

    judged_as = "http"

    def __init__(self, *args: Any, exchange: _Exchange, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._exchange = exchange
        self.response_class = functools.partial(_Response, exchange=exchange)  # type: ignore[assignment]

    def connect(self) -> None:
        self._exchange.fresh = self._exchange.connecting = True
        super().connect()
        self._exchange.connecting = False

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._exchange.reused = not self._exchange.fresh and self.sock is not None
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(self._exchange.remaining())
        super().send(data)

    def _new_conn(self) -> socket.socket:
        exchange = self._exchange
        ends = time.monotonic() + min(exchange.connect_seconds, exchange.remaining())
        found = targets.judged_addresses(
            self.judged_as, self.host, self.port, exchange.policy, seconds=ends - time.monotonic()
        )[:_MOST_ADDRESSES]
        failed: OSError = TimeoutError("deadline")
        for position, (family, kind, protocol, _, address) in enumerate(found):
            seconds = (ends - time.monotonic()) / (len(found) - position)
            if seconds <= 0:
                break
            try:
                made = _connect(family, kind, protocol, address, seconds, self.socket_options or ())
                made.settimeout(min(exchange.connect_seconds, exchange.remaining()))
            except OSError as error:
                failed = error
            else:
                return made
        raise _NotConnected(failed)


class _JudgedTlsConnection(_JudgedConnection, HTTPSConnection):
    judged_as = "https"


class _Pool(HTTPConnectionPool):
    ConnectionCls = _JudgedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _JudgedTlsConnection


class _Adapter(HTTPAdapter):
    """requests' adapter with our connections, one TLS context and no retries."""

    def __init__(self, exchange: _Exchange, tls: ssl.SSLContext) -> None:
        self._exchange = exchange
        self._tls = tls
        super().__init__(pool_connections=_KEPT_HOSTS, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._tls, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": functools.partial(_Pool, exchange=self._exchange),
            "https": functools.partial(_TlsPool, exchange=self._exchange),
        }

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Certificates are always required. The context has its authorities: naming the file here would parse it again
        for every connection, some 10 ms of CPU each."""
        conn.cert_reqs = "CERT_REQUIRED"


def load_authorities() -> None:
    """Do now what the first client would do, so that processes forked afterwards share it."""
    _default_tls()


@functools.cache
def _default_tls() -> ssl.SSLContext:
    context = create_urllib3_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


def _connect(
    family: int, kind: int, protocol: int, address: tuple[Any, ...], seconds: float, options: Iterable[Any]
) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        for option in options:
            made.setsockopt(*option)
        made.settimeout(seconds)
        made.connect(address)
    except BaseException:
        made.close()
        raise
    return made


def _prepare(url: str, body: bytes, headers: Mapping[str, str]) -> requests.PreparedRequest:
    """Filled by hand: the URL is checked, and what a session prepares beside it (cookies, .netrc) is not wanted."""
    request = requests.PreparedRequest()
    request.method = "POST"
    request.url = url
    request.headers = CaseInsensitiveDict(
        # Compressed answers could unpack to any size, and are of no use here.
        {"Accept": "*/*", "Accept-Encoding": "identity", **headers, "Content-Length": str(len(body))}
    )
    request.body = body
    return request


def _text(content: bytes, headers: Mapping[str, str]) -> str:
    """The body as text that any database takes (PostgreSQL has no NUL). One compressed against our wish is left out."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        return ""
    return content.decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _trouble(error: Exception, exchange: _Exchange) -> Answer:
    """What went wrong, by the first cause that says so."""
    for cause in _causes(error):
        if isinstance(cause, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError):
            if exchange.connecting:
                return Answer(
                    trouble=Trouble.TIMEOUT, detail=f"No connection within {exchange.connect_seconds:g} seconds."
                )
            return Answer(
                trouble=Trouble.TIMEOUT, detail=f"No complete answer within {exchange.total_seconds:g} seconds."
            )
        if isinstance(cause, ssl.SSLCertVerificationError):
            sentence = _CERTIFICATE_TROUBLES.get(cause.verify_code, "The certificate could not be verified.")
            return Answer(trouble=Trouble.TLS, detail=sentence)
        if isinstance(cause, ssl.SSLError):
            return Answer(trouble=Trouble.TLS, detail="No encrypted connection (TLS) could be agreed on.")
        if isinstance(cause, ConnectionRefusedError):
            return Answer(trouble=Trouble.CONNECTION, detail="The connection was refused.")
        if isinstance(cause, _TooMuch):
            return Answer(trouble=Trouble.CONNECTION, detail="The answer's headers don't end.")
        if isinstance(cause, OSError) and cause.errno in _OURS:
            return Answer(trouble=Trouble.OURS, detail="This machine has no sockets, files or memory left.")
    if exchange.received:
        return Answer(trouble=Trouble.CONNECTION, detail="The answer broke off or is not valid HTTP.")
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return Answer(trouble=Trouble.CONNECTION, detail="The host can't be reached.")
    return Answer(trouble=Trouble.CONNECTION, detail="The connection was closed without an answer.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised from, outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
