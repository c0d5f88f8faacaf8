"""Which URLs we may send to, by their looks and by what their names stand for."""

import socket
import threading

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notifications.delivery import targets
from notifications.delivery.targets import NameNotResolved, TargetPolicy, TargetRefused, check_target, check_url

PUBLIC = TargetPolicy()
PRIVATE = TargetPolicy(allow_private=True)
SANDBOX = TargetPolicy(sandbox=("127.0.0.1", 8000))


def stands_for(monkeypatch, *addresses):
    """Every name stands for these addresses."""

    def resolve(host, port):
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    monkeypatch.setattr(targets, "resolve", resolve)


def refusal(check, url, policy):
    with pytest.raises(TargetRefused) as caught:
        check(url, policy)
    return caught.value.code


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.example.com/aegis?x=1", "https://hooks.example.com/aegis?x=1"),
        ("https://hooks.example.com", "https://hooks.example.com"),
        ("HTTPS://Hooks.EXAMPLE.com:8443/A/b#part", "https://hooks.example.com:8443/A/b"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://my_host.example.com/", "https://my_host.example.com/"),
        ("https://1.1.1.1/", "https://1.1.1.1/"),
        ("https://[2606:4700::1111]:444/", "https://[2606:4700::1111]:444/"),
        ("https://[::ffff:8.8.8.8]/", "https://[::ffff:8.8.8.8]/"),
        ("https://3com.example/", "https://3com.example/"),
    ],
)
def test_public_https_urls_pass_in_their_normal_form(url, expected):
    assert check_url(url, PUBLIC) == expected


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "scheme"),
        ("hooks.example.com/x", "scheme"),
        ("//hooks.example.com/x", "scheme"),
        ("http://hooks.example.com/", "scheme"),
        ("ftp://hooks.example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1:25/", "scheme"),
        ("https:///path", "host"),
        ("https://user@hooks.example.com/", "credentials"),
        ("https://user:pass@hooks.example.com/", "credentials"),
        ("https://@hooks.example.com/", "credentials"),
        ("https://hooks.example.com:pass@127.0.0.1/", "credentials"),
        ("https://hooks.example.com\\@127.0.0.1/", "url"),
        ("https://hooks.example.com/\r\nHost: other", "url"),
        ("https://hooks.example.com/a b", "url"),
        ("https://hooks.example.com\x00.evil.example/", "url"),
        ("https://hooks.example.com:99999/", "url"),
        ("https://hooks.example.com:0/", "port"),
        ("https://hooks.example.com:25/", "port"),
        ("https://hooks.example.com:6667/", "port"),
        ("https://hooks.example.com./", "host"),
        ("https://hooks..example.com/", "host"),
        ("https://-a-.example.com/", "host"),
        ("https://%6cocalhost%00/", "url"),
        ("https://a*b.example/", "host"),
        (f"https://{'a' * 64}.example/", "host"),
        (f"https://{'a.' * 130}example/", "host"),
        ("https://2130706433/", "host"),
        ("https://0x7f000001/", "host"),
        ("https://0x7f.1/", "host"),
        ("https://0x7f.0x0.0x0.0x1/", "host"),
        ("https://0177.0.0.1/", "host"),
        ("https://127.1/", "host"),
        ("https://0/", "host"),
        ("https://%31%32%37.1/", "host"),
        ("https://１２７.0.0.1/", "url"),
        ("https://127.0.0.1/", "address"),
        ("https://10.0.0.1/", "address"),
        ("https://169.254.169.254/latest/meta-data", "address"),
        ("https://[::1]/", "address"),
        ("https://[::]/", "address"),
        ("https://[::ffff:127.0.0.1]/", "address"),
        ("https://[::ffff:7f00:1]/", "address"),
        ("https://[64:ff9b::7f00:1]/", "address"),
        ("https://[2002:7f00:1::]/", "address"),
        ("https://[fe80::1%25eth0]/", "host"),
    ],
)
def test_other_urls_are_refused(url, code):
    assert refusal(check_url, url, PUBLIC) == code


@pytest.mark.parametrize(
    "url", ["https://2130706433/", "https://0177.0.0.1/", "https://0x7f.1/", "https://u@localhost/"]
)
def test_odd_forms_are_refused_even_where_private_targets_are_allowed(url):
    assert refusal(check_url, url, PRIVATE) in ("host", "credentials")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/x", "http://localhost:9000/", "http://10.0.0.5/", "http://[::1]:9000/"]
)
def test_private_targets_and_http_are_allowed_where_settings_say_so(url):
    assert check_url(url, PRIVATE) == url


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://[fd00:ec2::254]/", "http://0.0.0.0/", "http://[fe80::1]/"]
)
def test_metadata_and_link_local_addresses_stay_closed(url):
    assert refusal(check_url, url, PRIVATE) == "address"


def test_the_sandbox_is_one_host_and_port_over_http():
    assert check_url("http://127.0.0.1:8000/sandbox/x", SANDBOX) == "http://127.0.0.1:8000/sandbox/x"
    assert refusal(check_url, "http://127.0.0.1:8001/", SANDBOX) == "scheme"
    assert refusal(check_url, "http://127.0.0.2:8000/", SANDBOX) == "scheme"
    assert refusal(check_url, "http://localhost:8000/", SANDBOX) == "scheme"
    assert refusal(check_url, "https://127.0.0.1:8000/", SANDBOX) == "address"
    assert refusal(check_url, "https://127.0.0.1/", SANDBOX) == "address"


def test_a_sandbox_name_that_leads_elsewhere_is_refused(monkeypatch):
    policy = TargetPolicy(sandbox=("sandbox.test", 8000))
    stands_for(monkeypatch, "127.0.0.1")
    assert check_target("http://sandbox.test:8000/", policy)
    stands_for(monkeypatch, "10.0.0.1")
    assert refusal(check_target, "http://sandbox.test:8000/", policy) == "address"


def test_no_sentence_of_a_refusal_repeats_the_url():
    for url in ("https://user:s3cret@host.example/", "http://host.example/s3cret", "https://127.0.0.1/s3cret"):
        with pytest.raises(TargetRefused) as caught:
            check_url(url, PUBLIC)
        assert "s3cret" not in caught.value.sentence
        assert "host.example" not in caught.value.sentence


def test_a_name_with_public_addresses_passes(monkeypatch):
    stands_for(monkeypatch, "93.184.216.34", "2606:2800:220:1::1")
    assert check_target("https://hooks.example.com/x", PUBLIC) == "https://hooks.example.com/x"


@pytest.mark.parametrize("private", ["127.0.0.1", "10.0.0.1", "::1", "::ffff:10.0.0.1", "169.254.169.254", "fe80::1"])
@pytest.mark.parametrize("first", [True, False])
def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch, private, first):
    found = [private, "93.184.216.34"] if first else ["93.184.216.34", private]
    stands_for(monkeypatch, *found)
    assert refusal(check_target, "https://hooks.example.com/x", PUBLIC) == "address"


def test_a_name_without_address_is_told_apart(monkeypatch):
    def fails(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(targets, "resolve", fails)
    with pytest.raises(NameNotResolved) as caught:
        check_target("https://Hooks.example.com/x", PUBLIC)
    assert caught.value.checked == "https://hooks.example.com/x"


def test_a_look_up_that_hangs_is_left_behind(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(targets, "resolve", lambda host, port: over.wait(60) or [])
    with pytest.raises(NameNotResolved, match="too long"):
        targets.judged_addresses("https", "hooks.example.com", 443, PUBLIC, seconds=0.05)
    over.set()


def test_the_policy_comes_from_the_settings(settings):
    settings.AEGIS_ALLOW_PRIVATE_TARGETS, settings.AEGIS_SANDBOX_TARGET = True, "127.0.0.1:8000"
    assert TargetPolicy.from_settings() == TargetPolicy(True, ("127.0.0.1", 8000))
    settings.AEGIS_ALLOW_PRIVATE_TARGETS, settings.AEGIS_SANDBOX_TARGET = False, "[::1]:8000"
    assert TargetPolicy.from_settings() == TargetPolicy(False, ("::1", 8000))
    settings.AEGIS_SANDBOX_TARGET = ""
    assert TargetPolicy.from_settings() == TargetPolicy()


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.1:", ":8000", "127.0.0.1:x", "a@b:1", "127.0.0.1:80/x"])
def test_a_malformed_sandbox_target_is_said_so(settings, text):
    settings.AEGIS_SANDBOX_TARGET = text
    with pytest.raises(ImproperlyConfigured, match="AEGIS_SANDBOX_TARGET"):
        TargetPolicy.from_settings()


@hypothesis_settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=60), st.text(alphabet="htps:/@.[]%0x127\\#?aé ", max_size=40)), st.booleans())
def test_any_text_is_refused_or_passes_a_second_time_unchanged(text, with_scheme):
    url = f"https://{text}" if with_scheme else text
    try:
        checked = check_url(url, PUBLIC)
    except TargetRefused:
        return
    assert checked.startswith("https://")
    assert check_url(checked, PUBLIC) == checked
