"""The outgoing client against real servers on the loopback interface."""

import contextlib
import datetime
import errno
import gzip
import json
import logging
import socket
import ssl
import struct
import threading
import time
from email.utils import format_datetime
from ipaddress import ip_address

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from notifications.channels.answers import retry_after_seconds
from notifications.channels.base import Trouble
from notifications.delivery import http, targets
from notifications.delivery.http import SafeHttpClient
from notifications.delivery.targets import TargetPolicy

ALLOWED = TargetPolicy(allow_private=True)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """A server that hands each connection to `handle(connection, number)` in a thread, numbers starting at 1."""

    def __init__(self, handle, host="127.0.0.1", tls=None):
        self.listener = socket.create_server((host, 0))
        self.host, self.port = host, self.listener.getsockname()[1]
        self.handle, self.tls = handle, tls
        self.connections = 0
        self.stopping = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}/hook/s3cret"

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection, number):
        with contextlib.suppress(OSError), connection:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                self.handle(connection, number)

    def stop(self):
        self.stopping.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def serve():
    servers = []

    def start(handle, **kwargs):
        servers.append(Server(handle, **kwargs))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def client():
    """A client that may reach the loopback interface and is quick to lose patience."""
    made = SafeHttpClient(ALLOWED, connect_seconds=0.5, total_seconds=1)
    yield made
    made.close()


def read_request(connection):
    """The head and body of the next request; None when the client closed the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return None
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
    while len(body) < int(fields.get("Content-Length", 0)):
        body += connection.recv(65536)
    return head.decode("latin-1").split("\r\n")[0], fields, body


def answering(answer, seen=None):
    """A handler that answers every request with these bytes."""

    def handle(connection, number):
        while request := read_request(connection):
            if seen is not None:
                seen.append(request)
            connection.sendall(answer)

    return handle


def post(client, url, body=b'{"a":1}', **headers):
    return client.post(url, body, headers)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


# --- The ordinary way ------------------------------------------------------------------------------------------------


def test_the_request_arrives_as_given_and_the_answer_comes_back(serve, client):
    seen = []
    server = serve(
        answering(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 4\r\n\r\nwait", seen)
    )
    answer = client.post(server.url, "ä".encode(), {"Content-Type": "text/x", "webhook-id": "1"})
    line, fields, body = seen[0]
    assert line == "POST /hook/s3cret HTTP/1.1"
    assert body == "ä".encode()
    assert fields["Host"] == f"127.0.0.1:{server.port}"
    assert (fields["Content-Type"], fields["webhook-id"], fields["Accept-Encoding"]) == ("text/x", "1", "identity")
    assert (answer.status, answer.body, answer.trouble) == (503, "wait", None)
    assert (answer.headers["retry-after"], answer.headers["x-a"]) == ("7", "1, 2")
    assert 0 <= answer.duration_ms < 1000


def test_a_connection_is_kept_for_the_next_request(serve, client):
    server = serve(answering(OK))
    assert [post(client, server.url).status for _ in range(5)] == [200] * 5
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
)
def test_answers_without_a_length_keep_the_connection_too(serve, client, answer):
    server = serve(answering(answer))
    assert [post(client, server.url).status for _ in range(2)] == [204 if b"204" in answer else 200] * 2
    assert server.connections == 1


def test_an_answer_that_ends_with_the_connection_is_complete(serve, client):
    def handle(connection, number):
        read_request(connection)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nbye")

    server = serve(handle)
    assert [post(client, server.url).body for _ in range(2)] == ["bye", "bye"]
    assert server.connections == 2


def test_a_redirect_is_an_answer_and_nothing_is_fetched(serve, client):
    other = serve(answering(OK))
    server = serve(answering(f"HTTP/1.1 302 Found\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n".encode()))
    answer = post(client, server.url)
    assert (answer.status, answer.headers["location"]) == (302, other.url)
    assert other.connections == 0


def test_cookies_are_not_sent_back(serve, client):
    seen = []
    server = serve(answering(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n", seen))
    post(client, server.url)
    post(client, server.url)
    assert "Cookie" not in seen[1][1]


def test_proxies_and_passwords_of_the_environment_are_ignored(serve, client, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password s3cret\n")
    seen, proxy = [], serve(answering(OK))
    for name, value in {"HTTP_PROXY": proxy.url, "ALL_PROXY": proxy.url, "NETRC": str(netrc)}.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)
    assert post(client, serve(answering(OK, seen)).url).status == 200
    assert proxy.connections == 0
    assert "Authorization" not in seen[0][1]


# --- Answers that are too much ---------------------------------------------------------------------------------------


def test_64_kb_are_read_and_the_connection_is_kept(serve, client):
    server = serve(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + b"x" * 65536))
    assert [len(post(client, server.url).body) for _ in range(2)] == [65536, 65536]
    assert server.connections == 1


@pytest.mark.parametrize("head", [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked", b"X: until the end"])
def test_a_longer_answer_is_cut_and_the_connection_dropped(serve, client, head):
    def handle(connection, number):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
        while not server.stopping.is_set():
            connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n" if b"chunked" in head else b"x" * 4096)

    server = serve(handle)
    answers = [post(client, server.url) for _ in range(2)]
    assert [(answer.status, len(answer.body)) for answer in answers] == [(200, 65536)] * 2
    assert server.connections == 2


@pytest.mark.parametrize(
    "endless",
    [b"X-Filler: 1\r\n", b"x" * 1000, b"HTTP/1.1 100 Continue\r\n\r\n"],
    ids=["headers", "one line", "interim answers"],
)
def test_an_answer_whose_headers_never_end_is_broken_off(serve, client, endless):
    def handle(connection, number):
        read_request(connection)
        connection.sendall(endless if endless.startswith(b"HTTP") else b"HTTP/1.1 200 OK\r\n")
        while not server.stopping.is_set():
            connection.sendall(endless * 10)

    server = serve(handle)
    answer = post(client, server.url)
    assert (answer.status, answer.trouble) == (None, Trouble.CONNECTION)
    assert answer.duration_ms < 900


def test_a_compressed_answer_is_not_unpacked(serve, client):
    bomb = gzip.compress(b"\0" * 10_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    answer = post(client, serve(answering(head + bomb)).url)
    assert (answer.status, answer.body) == (200, "")


def test_any_bytes_become_text_that_a_database_takes(serve, client):
    answer = post(client, serve(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\na\x00\xff\xc3\xa4b")).url)
    assert answer.body == "a��äb"


# --- Answers that are late -------------------------------------------------------------------------------------------


def silent(connection, send):
    read_request(connection)


def drip_headers(connection, send):
    read_request(connection)
    send(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000)


def drip_body(connection, send):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    send(b"x" * 1000)


def drip_chunks(connection, send):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    send(b"1\r\nx\r\n" * 1000)


def drip_trailers(connection, send):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    send(b"X-Slow: x\r\n" * 1000)


@pytest.mark.parametrize("behave", [silent, drip_headers, drip_body, drip_chunks, drip_trailers])
@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
def test_a_receiver_that_is_silent_or_drips_is_cut_at_the_deadline(serve, behave, kept):
    def handle(connection, number):
        def send(content):
            for byte in content:
                connection.sendall(bytes([byte]))
                if server.stopping.wait(0.02):
                    return

        if kept:
            read_request(connection)
            connection.sendall(OK)
        behave(connection, send)
        server.stopping.wait(5)

    server = serve(handle)
    client = SafeHttpClient(ALLOWED, connect_seconds=0.3, total_seconds=0.3)
    if kept:
        assert post(client, server.url).status == 200
    answer = post(client, server.url)
    assert (answer.status, answer.trouble) == (None, Trouble.TIMEOUT)
    assert answer.detail == "No complete answer within 0.3 seconds."
    assert 290 <= answer.duration_ms < 900
    assert server.connections == 1


def test_a_receiver_that_does_not_read_is_cut_at_the_deadline(serve):
    server = serve(lambda connection, number: server.stopping.wait(5))
    client = SafeHttpClient(ALLOWED, total_seconds=0.3)
    answer = client.post(server.url, b"x" * 20_000_000, {})
    assert answer.trouble is Trouble.TIMEOUT
    assert answer.duration_ms < 900


def test_after_a_late_answer_the_next_request_gets_a_connection_and_a_deadline_of_its_own(serve):
    def handle(connection, number):
        read_request(connection)
        if number == 1:
            server.stopping.wait(5)
        connection.sendall(OK)

    server = serve(handle)
    client = SafeHttpClient(ALLOWED, total_seconds=0.3)
    assert post(client, server.url).trouble is Trouble.TIMEOUT
    assert post(client, server.url).status == 200
    assert server.connections == 2


def test_a_connection_that_is_not_accepted_is_cut_at_its_own_limit(client):
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        # The queue of a listener that accepts nobody is full after a few connections; the next one waits.
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        answer = post(client, f"http://127.0.0.1:{listener.getsockname()[1]}/")
    assert (answer.trouble, answer.detail) == (Trouble.TIMEOUT, "No connection within 0.5 seconds.")
    assert 450 <= answer.duration_ms < 950


# --- Connections that break ------------------------------------------------------------------------------------------


def test_a_refused_connection_is_said_so(client):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answer = post(client, f"http://127.0.0.1:{port}/s3cret")
    assert (answer.trouble, answer.detail) == (Trouble.CONNECTION, "The connection was refused.")


@pytest.mark.parametrize("end", [reset, socket.socket.close], ids=["reset", "closed"])
def test_a_new_connection_that_breaks_is_not_tried_again(serve, client, end):
    def handle(connection, number):
        read_request(connection)
        end(connection)

    server = serve(handle)
    answer = post(client, server.url)
    assert (answer.trouble, answer.detail) == (Trouble.CONNECTION, "The connection was closed without an answer.")
    assert server.connections == 1


@pytest.mark.parametrize("end", [reset, socket.socket.close], ids=["reset", "closed"])
def test_a_kept_connection_that_breaks_before_the_answer_is_replaced_once(serve, client, end):
    seen = []

    def handle(connection, number):
        while request := read_request(connection):
            seen.append((number, request[2]))
            if number == 1 and len(seen) == 2:
                end(connection)
                return
            connection.sendall(OK)

    server = serve(handle)
    assert [post(client, server.url, body).status for body in (b"1", b"2", b"3")] == [200, 200, 200]
    assert seen == [(1, b"1"), (1, b"2"), (2, b"2"), (2, b"3")]


def test_the_replacement_is_not_replaced_again(serve, client):
    def handle(connection, number):
        if number == 1:
            read_request(connection)
            connection.sendall(OK)
        read_request(connection)

    server = serve(handle)
    assert post(client, server.url).status == 200
    assert post(client, server.url).trouble is Trouble.CONNECTION
    assert server.connections == 2


def test_a_kept_connection_that_breaks_within_the_answer_is_not_replaced(serve, client):
    def handle(connection, number):
        read_request(connection)
        connection.sendall(OK)
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 O")

    server = serve(handle)
    assert post(client, server.url).status == 200
    assert post(client, server.url).trouble is Trouble.CONNECTION
    assert server.connections == 1


def test_a_connection_that_was_closed_while_idle_is_noticed_before_sending(serve, client):
    def handle(connection, number):
        read_request(connection)
        connection.sendall(OK)

    server = serve(handle)
    assert post(client, server.url).status == 200
    time.sleep(0.05)
    assert post(client, server.url).status == 200
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x16\x03\x01\x00\x05",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_whole_http_answer_is_a_broken_connection(serve, client, answer):
    def handle(connection, number):
        read_request(connection)
        connection.sendall(answer)

    got = post(client, serve(handle).url)
    assert (got.status, got.trouble) == (None, Trouble.CONNECTION)
    assert got.detail == "The answer broke off or is not valid HTTP."


def test_headers_that_make_no_sense_do_not_write_the_url_to_the_log(serve, client, caplog):
    caplog.set_level(logging.DEBUG)
    answer = post(client, serve(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon here\r\n\r\nok")).url)
    assert answer.status == 200 or answer.trouble is Trouble.CONNECTION
    assert "s3cret" not in caplog.text


def test_out_of_sockets_is_our_own_fault(client, monkeypatch):
    def out_of_files(*args):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(http.socket, "socket", out_of_files)
    assert post(client, "http://127.0.0.1:9999/").trouble is Trouble.OURS


# --- Addresses -------------------------------------------------------------------------------------------------------


@pytest.fixture
def names(monkeypatch):
    """Names and their addresses, one answer per look-up (the last one stays); `asked` lists the look-ups."""
    table = {}

    def resolve(host, port):
        table.setdefault("asked", []).append(host)
        if host not in table:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        found = table[host].pop(0) if len(table[host]) > 1 else table[host][0]
        if isinstance(found, Exception):
            raise found
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in found
        ]

    monkeypatch.setattr(targets, "resolve", resolve)
    return table


def test_without_the_setting_nothing_private_is_connected_to(serve, names):
    server = serve(answering(OK))
    client = SafeHttpClient(TargetPolicy())
    names["rebound.test"] = [["127.0.0.1"]]
    for url in (
        f"http://127.0.0.1:{server.port}/",
        f"https://127.0.0.1:{server.port}/",
        f"https://[::ffff:127.0.0.1]:{server.port}/",
        f"https://2130706433:{server.port}/",
        f"https://0x7f.1:{server.port}/",
        f"https://0177.0.0.1:{server.port}/",
        f"https://a:b@127.0.0.1:{server.port}/",
        f"https://rebound.test:{server.port}/",
    ):
        answer = post(client, url)
        assert (answer.status, answer.trouble) == (None, Trouble.BLOCKED), url
        assert "127.0.0.1" not in answer.detail
    assert server.connections == 0


def test_one_forbidden_address_among_allowed_ones_stops_the_request(serve, names):
    server = serve(answering(OK))
    names["mixed.test"] = [["127.0.0.1", "169.254.169.254"]]
    assert post(SafeHttpClient(ALLOWED), f"http://mixed.test:{server.port}/").trouble is Trouble.BLOCKED
    assert server.connections == 0


def test_the_judged_look_up_is_the_one_that_is_connected_to(serve, names):
    """A name that changes between look-ups is judged at each new connection, and looked up once for it."""
    server = serve(lambda connection, number: read_request(connection) and connection.sendall(OK))
    names["rebinding.test"] = [["127.0.0.1"], ["169.254.169.254"]]
    client = SafeHttpClient(ALLOWED)
    assert post(client, f"http://rebinding.test:{server.port}/").status == 200
    time.sleep(0.05)
    assert post(client, f"http://rebinding.test:{server.port}/").trouble is Trouble.BLOCKED
    assert names["asked"] == ["rebinding.test", "rebinding.test"]
    assert server.connections == 1


def test_the_host_header_keeps_the_name(serve, names, client):
    seen = []
    server = serve(answering(OK, seen))
    names["receiver.test"] = [["127.0.0.1"]]
    assert post(client, f"http://receiver.test:{server.port}/").status == 200
    assert seen[0][1]["Host"] == f"receiver.test:{server.port}"


def test_the_next_address_is_tried_when_one_does_not_answer(serve, names, client):
    server = serve(answering(OK))
    names["two.test"] = [["127.0.0.9", "127.0.0.1"]]
    assert post(client, f"http://two.test:{server.port}/").status == 200


def test_a_name_without_address_is_trouble_with_the_name(names, client):
    names["unknown.test"] = [socket.gaierror(socket.EAI_NONAME, "unknown.test?")]
    answer = post(client, "http://unknown.test/s3cret")
    assert (answer.trouble, answer.detail) == (Trouble.DNS, "It has no address at the moment.")


def test_a_look_up_that_hangs_is_cut(client, monkeypatch):
    monkeypatch.setattr(targets, "resolve", lambda host, port: time.sleep(2) or [])
    answer = post(client, "http://slow.test/")
    assert answer.trouble is Trouble.DNS
    assert answer.duration_ms < 950


def test_the_sandbox_setting_opens_one_port_and_nothing_else(serve, settings):
    server, other = serve(answering(OK)), serve(answering(OK))
    settings.AEGIS_SANDBOX_TARGET = f"127.0.0.1:{server.port}"
    client = SafeHttpClient()
    assert post(client, server.url).status == 200
    assert post(client, other.url).trouble is Trouble.BLOCKED
    assert post(client, server.url.replace("http:", "https:")).trouble is Trouble.BLOCKED
    assert post(client, f"http://localhost:{server.port}/").trouble is Trouble.BLOCKED
    assert other.connections == 0


# --- TLS -------------------------------------------------------------------------------------------------------------


def certificate(directory, *, names=(), expired=False):
    """A self-signed certificate and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=3)
    alternatives = [
        x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in (names or ("x.test",))
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=1 if expired else 30))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = directory / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return str(path)


def server_tls(path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_tls_is_verified_against_the_name_and_the_connection_kept(serve, names, tmp_path):
    path = certificate(tmp_path, names=["receiver.test"])
    seen_names = []
    context = server_tls(path)
    context.sni_callback = lambda connection, name, _: seen_names.append(name)
    server = serve(answering(OK), tls=context)
    names["receiver.test"] = [["127.0.0.1"]]
    client = SafeHttpClient(ALLOWED, tls=ssl.create_default_context(cafile=path))
    answers = [post(client, f"https://receiver.test:{server.port}/") for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200], answers
    assert seen_names == ["receiver.test"]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("names_in_it", "expired", "trusted", "sentence"),
    [
        (["receiver.test"], False, False, "The certificate is self-signed."),
        (["other.test"], False, True, "The certificate is for another host name."),
        (["receiver.test"], True, True, "The certificate has expired."),
    ],
)
def test_a_bad_certificate_is_said_so(serve, names, tmp_path, names_in_it, expired, trusted, sentence):
    path = certificate(tmp_path, names=names_in_it, expired=expired)
    server = serve(answering(OK), tls=server_tls(path))
    names["receiver.test"] = [["127.0.0.1"]]
    client = SafeHttpClient(ALLOWED, tls=ssl.create_default_context(cafile=path) if trusted else None)
    answer = post(client, f"https://receiver.test:{server.port}/")
    assert (answer.status, answer.trouble, answer.detail) == (None, Trouble.TLS, sentence)


def test_a_server_without_tls_is_trouble_with_tls(serve, client):
    server = serve(lambda connection, number: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    assert post(client, server.url.replace("http:", "https:")).trouble is Trouble.TLS


def test_a_handshake_that_hangs_is_cut_at_the_limit_of_connecting(serve, client):
    server = serve(lambda connection, number: server.stopping.wait(5))
    answer = post(client, server.url.replace("http:", "https:"))
    assert (answer.trouble, answer.detail) == (Trouble.TIMEOUT, "No connection within 0.5 seconds.")
    assert answer.duration_ms < 950


def test_an_answer_over_tls_that_drips_is_cut_at_the_deadline(serve, tmp_path):
    path = certificate(tmp_path, names=["127.0.0.1"])

    def handle(connection, number):
        read_request(connection)
        for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000:
            connection.sendall(bytes([byte]))
            if server.stopping.wait(0.02):
                return

    server = serve(handle, tls=server_tls(path))
    client = SafeHttpClient(ALLOWED, total_seconds=0.4, tls=ssl.create_default_context(cafile=path))
    answer = post(client, server.url)
    assert answer.trouble is Trouble.TIMEOUT
    assert answer.duration_ms < 950


# --- In tests of others ----------------------------------------------------------------------------------------------


def test_responses_can_stand_in_for_the_other_side():
    import responses

    with responses.RequestsMock() as mocked:
        mocked.post("https://hooks.example.com/x", json={"ok": True}, status=201, headers={"Retry-After": "1"})
        mocked.post("https://hooks.example.com/x", body=requests.ConnectionError("s3cret"))
        client = SafeHttpClient(TargetPolicy())
        answer = post(client, "https://hooks.example.com/x")
        assert (answer.status, json.loads(answer.body), answer.headers["retry-after"]) == (201, {"ok": True}, "1")
        answer = post(client, "https://hooks.example.com/x")
        assert answer.trouble is Trouble.CONNECTION
        assert "s3cret" not in answer.detail


def test_a_date_to_come_back_at_counts_from_when_the_answer_was_received_if_it_says_no_other(serve, client):
    until = format_datetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=90), usegmt=True)
    answer = f"HTTP/1.1 503 Busy\r\nRetry-After: {until}\r\nContent-Length: 0\r\n\r\n".encode()
    assert retry_after_seconds(post(client, serve(answering(answer)).url).headers) == pytest.approx(90, abs=2)
