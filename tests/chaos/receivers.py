"""The other side: a receiver that remembers every arrival, and receivers that misbehave."""

import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
import struct
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CHUNK = b"x" * 65536


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Senders are killed here, so connections break."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer is one segment and is sent at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"]))

    def answer(self, status=200, headers=(), body=b"ok"):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server:
    """A threaded HTTP server on a free port of the loopback. `respond` gets the handler of each POST."""

    scheme = "http"

    def __init__(self, respond):
        self.respond = respond
        handler = type("Handler", (_Handler,), {"do_POST": lambda handler: self.respond(handler)})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Receiver(Server):
    """Answers after `delay` seconds and remembers: when each delivery id arrived, and which ids each message had."""

    def __init__(self, delay=0.0):
        self.delay = delay
        self.lock = threading.Lock()
        self.arrivals = defaultdict(list)
        self.messages = defaultdict(set)
        self.occurrences = defaultdict(dict)
        super().__init__(self._arrived)

    def _arrived(self, handler):
        body = json.loads(handler.body())
        delivery = handler.headers["X-AegisRunner-Delivery"]
        occurrence = body[next(kind for kind in ("run", "crawl", "generation") if kind in body)]["id"]
        with self.lock:
            self.arrivals[delivery].append(time.monotonic())
            self.messages[occurrence, handler.path, body["event"]].add(delivery)
            self.occurrences[occurrence].setdefault(handler.path, time.monotonic())
        time.sleep(self.delay)
        handler.answer()

    def forget(self):
        with self.lock:
            for seen in (self.arrivals, self.messages, self.occurrences):
                seen.clear()

    def repeated(self):
        """How many requests carried an id that had arrived before."""
        with self.lock:
            return sum(len(times) - 1 for times in self.arrivals.values())

    def arrived_at(self, occurrence, path):
        with self.lock:
            return self.occurrences[occurrence][path]

    def has_all_of(self, occurrence, count):
        """Whether so many paths have it."""
        with self.lock:
            return len(self.occurrences[occurrence]) >= count


def _hang(handler):
    time.sleep(3600)


def _drip(handler):
    """A byte of the status line each second."""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":
        with contextlib.suppress(OSError):
            handler.connection.sendall(bytes([byte]))
        time.sleep(1)


def _reset(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.shutdown(socket.SHUT_RD)
    handler.close_connection = True
    handler.connection.close()


def _gigabyte(handler):
    handler.body()
    handler.send_response(200)
    handler.send_header("Content-Length", str(1024**3))
    handler.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(1024**3 // len(CHUNK)):
            handler.wfile.write(CHUNK)
    handler.close_connection = True


def _redirect(handler):
    handler.body()
    handler.answer(302, [("Location", handler.path)])


def _busy(handler):
    handler.body()
    handler.answer(429, [("Retry-After", "3600")])


class _BadTls(Server):
    """With a certificate that nobody but itself vouches for."""

    scheme = "https"

    def __init__(self, directory):
        super().__init__(lambda handler: handler.answer())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_self_signed(directory))
        # The handshake is left to the connection's own thread.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)


def hostile(directory):
    """Receivers by what they do."""
    return {
        "hangs": Server(_hang),
        "drips": Server(_drip),
        "resets": Server(_reset),
        "gigabyte": Server(_gigabyte),
        "redirects": Server(_redirect),
        "bad-tls": _BadTls(directory),
        "busy": Server(_busy),
    }


def _self_signed(directory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = directory / "self-signed.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
