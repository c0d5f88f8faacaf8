"""Where the quickstart listens, what it gives its children, and what it refuses."""

import json
import shlex
import socket
import sys
import time

import pytest

from notifications.intake.reports import parse
from notifications.sandbox import quickstart
from notifications.sandbox.processes import Child
from notifications.sandbox.quickstart import Places, QuickstartError, curl, environment, find_places


@pytest.fixture
def free_port():
    """A port with some free ones after it."""
    for port in range(23000, 24000, 30):
        if all(quickstart._is_free(f"127.0.0.1:{port + offset}") for offset in range(5)):
            return port
    raise AssertionError("no free ports")


def listen(port):
    return socket.create_server(("127.0.0.1", port))


def test_the_sandbox_gets_the_port_after_the_apps(free_port):
    assert find_places("127.0.0.1", free_port) == Places("127.0.0.1", free_port, free_port + 1)


def test_the_sandbox_gets_the_next_free_port(free_port):
    with listen(free_port + 1):
        assert find_places("127.0.0.1", free_port).sandbox_port == free_port + 2


def test_a_taken_port_is_named_with_a_way_out(free_port):
    with (
        listen(free_port),
        pytest.raises(QuickstartError, match=rf"Port {free_port} .* taken .* --port {free_port + 10}"),
    ):
        find_places("127.0.0.1", free_port)


def test_without_any_free_port_for_the_sandbox_it_says_so(free_port, monkeypatch):
    monkeypatch.setattr(quickstart, "SANDBOX_PORTS", 1)
    with listen(free_port + 1), pytest.raises(QuickstartError, match=r"for the sandbox.*--port"):
        find_places("127.0.0.1", free_port)


def test_the_sandbox_never_gets_a_port_that_nothing_is_sent_to(monkeypatch):
    monkeypatch.setattr(quickstart, "_listen", lambda host, port: None)
    assert find_places("127.0.0.1", 6664).sandbox_port == 6670


@pytest.mark.parametrize("port", [0, -1, 65535, 70000])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(QuickstartError, match="1 to 65534"):
        find_places("127.0.0.1", port)


@pytest.mark.parametrize("bind", ["::", "192.0.2.7", "no.such.host.invalid", "a" * 70])
def test_an_address_that_cannot_be_listened_on_is_refused(bind, free_port):
    with pytest.raises(QuickstartError, match=r"address|0\.0\.0\.0"):
        find_places(bind, free_port)


@pytest.mark.parametrize(
    ("bind", "app_url", "app_bind", "sandbox_binds"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000", "127.0.0.1:8000", ["127.0.0.1:8001"]),
        ("localhost", "http://localhost:8000", "localhost:8000", ["127.0.0.1:8001"]),
        ("0.0.0.0", "http://127.0.0.1:8000", "0.0.0.0:8000", ["0.0.0.0:8001"]),
        ("10.0.0.7", "http://10.0.0.7:8000", "10.0.0.7:8000", ["127.0.0.1:8001", "10.0.0.7:8001"]),
        ("::1", "http://[::1]:8000", "[::1]:8000", ["127.0.0.1:8001", "[::1]:8001"]),
    ],
)
def test_the_addresses_that_follow_from_where_it_listens(bind, app_url, app_bind, sandbox_binds):
    places = Places(bind, 8000, 8001)
    assert (places.app_url, places.app_bind, places.sandbox_binds) == (app_url, app_bind, sandbox_binds)
    assert places.sandbox_target == "127.0.0.1:8001"


def test_only_the_sandboxes_own_port_is_opened(monkeypatch, settings):
    monkeypatch.delenv("AEGIS_ALLOW_PRIVATE_TARGETS", raising=False)
    settings.AEGIS_EXTRA_PROVIDER_HOSTS = ["slack=chat.example.com"]
    given = environment(Places("127.0.0.1", 8000, 8001))
    assert given["AEGIS_SANDBOX_TARGET"] == "127.0.0.1:8001"
    assert given["AEGIS_EXTRA_PROVIDER_HOSTS"] == (
        "slack=chat.example.com,slack=127.0.0.1:8001,discord=127.0.0.1:8001,teams=127.0.0.1:8001"
    )
    assert "AEGIS_ALLOW_PRIVATE_TARGETS" not in given
    assert given["EMAIL_BACKEND"] == "notifications.sandbox.mail.EmailBackend"


@pytest.mark.parametrize(
    ("bind", "hosts"), [("127.0.0.1", "127.0.0.1,localhost,[::1]"), ("10.0.0.7", "10.0.0.7,127.0.0.1,localhost,[::1]")]
)
def test_the_app_answers_to_the_names_it_is_reached_by(bind, hosts):
    assert environment(Places(bind, 8000, 8001))["ALLOWED_HOSTS"] == hosts


def test_bound_to_all_addresses_the_app_answers_to_any_name():
    assert environment(Places("0.0.0.0", 8000, 8001))["ALLOWED_HOSTS"] == "*"


def test_the_command_to_paste_posts_a_failed_scheduled_run():
    words = shlex.split(curl("http://127.0.0.1:8000", "aegis_token").replace("$(date +%s)", "7"))
    assert words[2] == "http://127.0.0.1:8000/api/v1/events"
    assert "Authorization: Bearer aegis_token" in words
    report = parse(json.loads(words[-1]))
    assert report.fired == ("run_failed", "scheduled_runs", "run_completed")
    assert report.source_id == "run-7"


def until(true):
    for _ in range(200):
        if true():
            return
        time.sleep(0.05)


def start(script, log):
    child = Child("child", [sys.executable, "-c", script], {"PYTHONUNBUFFERED": "1"}, log)
    until(lambda: child.exit_code is not None or log.read_text())
    return child


def test_a_child_that_ends_says_how_and_what_it_said_last(tmp_path):
    child = start("print(*range(50), sep='\\n'); raise SystemExit(3)", tmp_path / "log")
    until(lambda: child.exit_code is not None)
    child.stop(5)
    assert child.exit_code == 3
    assert child.tail().splitlines() == [str(number) for number in range(30, 50)]


def test_a_child_that_does_not_want_to_end_is_ended_with_all_it_started(tmp_path):
    script = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(other.pid); time.sleep(60)"
    )
    child = start(script, tmp_path / "log")
    grandchild = int(child.tail())
    begun = time.monotonic()
    child.stop(0.3)
    assert time.monotonic() - begun < 5
    assert child.exit_code == -9
    for _ in range(50):
        if not is_running(grandchild):
            break
        time.sleep(0.05)
    assert not is_running(grandchild)


def is_running(pid):
    """A zombie that nobody reaps is not running."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
