"""Every form of address we know that would lead a webhook into somebody's network, through the real client.

The resolver is a stub that knows some names and takes numbers in every notation the system's takes (`127.1`, octal,
hexadecimal). Connections are noted instead of made: one to anything but a public address is a failure, wherever the
look-up came from.
"""

import socket
from datetime import timedelta

import pytest
import time_machine

from aegisnotify.clock import now
from notifications.delivery import http, targets
from notifications.delivery.engine import Engine
from notifications.models import Channel, Delivery
from notifications.services.channels import create_channel, update_channel
from notifications.services.testing import send_test
from projects.actors import SYSTEM
from projects.errors import Invalid
from tests.factories import CONFIGS, ChannelFactory, DeliveryFactory, ProjectFactory

PUBLIC = "93.184.216.34"
# Names, and what they stand for.
NAMES = {
    "localhost": ["127.0.0.1"],
    "public.example.com": [PUBLIC],
    "hooks.slack.com": [PUBLIC],
    "loopback.example.com": ["127.0.0.1"],
    "loopback6.example.com": ["::1"],
    "private10.example.com": ["10.1.2.3"],
    "private172.example.com": ["172.20.0.1"],
    "private192.example.com": ["192.168.1.1"],
    "local6.example.com": ["fd12:3456::1"],
    "zero.example.com": ["0.0.0.0"],
    "zero6.example.com": ["::"],
    "linklocal.example.com": ["169.254.7.7"],
    "linklocal6.example.com": ["fe80::1"],
    "zone.example.com": ["fe80::1%eth0"],
    "sitelocal6.example.com": ["fec0::1"],
    "carrier.example.com": ["100.64.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "aws6.example.com": ["fd00:ec2::254"],
    "azure.example.com": ["168.63.129.16"],
    "alibaba.example.com": ["100.100.100.200"],
    "oracle.example.com": ["192.0.0.192"],
    "mapped.example.com": ["::ffff:127.0.0.1"],
    "mapped-metadata.example.com": ["::ffff:a9fe:a9fe"],
    "translated.example.com": ["::ffff:0:127.0.0.1"],
    "compatible.example.com": ["::127.0.0.1"],
    "nat64.example.com": ["64:ff9b::a9fe:a9fe"],
    "nat64-local.example.com": ["64:ff9b:1::7f00:1"],
    "6to4.example.com": ["2002:7f00:1::1"],
    "teredo.example.com": ["2001:0:7f00:1::1"],
    "orchid.example.com": ["2001:20::1"],
    "multicast.example.com": ["224.0.0.1"],
    "multicast6.example.com": ["ff02::1"],
    "broadcast.example.com": ["255.255.255.255"],
    "reserved.example.com": ["240.0.0.1"],
    "benchmark.example.com": ["198.18.0.1"],
    "documentation.example.com": ["203.0.113.5"],
    "documentation6.example.com": ["2001:db8::1"],
    "discard.example.com": ["100::1"],
    "srv6.example.com": ["5f00::1"],
    "mixed.example.com": [PUBLIC, "127.0.0.1"],
    "mixed-last.example.com": [PUBLIC, "2606:2800:220:1::1", "169.254.169.254"],
    "127.0.0.1.nip.io": ["127.0.0.1"],
    "xn--lcalhost-v3a.example.com": ["127.0.0.1"],
}
NUMBERS = [
    "127.0.0.1", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "017700000001", "0x7f000001", "0x7F.0.0.1", "0x7f.1",
    "0177.0.0.1", "0177.0.0.01", "127.0.0.1.", "127.0.0.01", "00000127.0.0.1", "10.0.0.1", "012.0.0.1", "167772161",
    "192.168.0.1", "0xc0a80001", "172.16.0.1", "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
    "169.254.43518", "100.64.0.1", "198.18.0.1", "192.88.99.1", "224.0.0.1", "255.255.255.255", "4294967295",
    "1.1.1.1.", "256.256.256.256", "127.0.0.1.1", "-1", "0x",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:169.254.169.254]",
    "[::ffff:0:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]", "[2001::7f00:1]", "[fe80::1]", "[fe80::1%eth0]", "[fe80::1%25eth0]", "[::1%25lo]",
    "[fec0::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[100::1]", "[2001:db8::1]", "[3fff::1]",
    "[5f00::1]", "[::1", "::1", "[v1.::1]", "[127.0.0.1]", "[::ffff:127.1]",
]  # fmt: skip
DISGUISES = [
    "https://localhost./", "https://LOCALHOST/", "https://loopback.example.com./", "https://%6c%6f%63%61%6c%68%6f%73%74/",
    "https://127%2e0%2e0%2e1/", "https://%31%32%37.1/", "https://１２７.0.0.1/", "https://127。0。0。1/",
    "https://127．0．0．1/", "https://ｌｏｃａｌｈｏｓｔ/", "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "https://①②⑦.⓪.⓪.①/", "https://local\u00adhost/",
    "https://local\u200bhost/", "https://lócalhost.example.com/", "https://٣.0.0.1/",
    "https://public.example.com@127.0.0.1/", "https://public.example.com:443@127.0.0.1/",
    "https://user:pass@public.example.com/", "https://@127.0.0.1/", "https://127.0.0.1\\@public.example.com/",
    "https://public.example.com\\@127.0.0.1/", "https://127.0.0.1#@public.example.com/",
    "https://127.0.0.1?@public.example.com/", "https://127.0.0.1;@public.example.com/",
    "https://127.0.0.1%2f@public.example.com/", "https://127.0.0.1%00.public.example.com/",
    "https://127.0.0.1\t.public.example.com/", "https://public.example.com\r\nHost: 127.0.0.1/",
    "https:127.0.0.1/", "https:/127.0.0.1/", "https:///127.0.0.1/", "https:\\\\127.0.0.1/", "//127.0.0.1/", "127.0.0.1",
    "http://127.0.0.1/", "http://public.example.com/", "HTTP://[::1]/", "ftp://127.0.0.1/", "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_x", "dict://127.0.0.1:11211/", "unix:/var/run/docker.sock", "http+unix://x/", "data:,x",
    "https://public.example.com:6379@127.0.0.1:80/", "https://public.example.com:22/", "https://public.example.com:0/",
    "https://public.example.com:65536/", "https://public.example.com:-1/", "https://public.example.com:٨٠/",
    "https://public.example.com:80:80/", "https://[::1]public.example.com/", "https://[::1]@public.example.com/",
]  # fmt: skip
HOSTILE = [
    *(f"https://{number}/hook" for number in NUMBERS),
    *(f"https://{number}:8443/hook" for number in ("127.0.0.1", "0x7f.1", "2130706433", "[::1]", "[::ffff:7f00:1]")),
    *(f"https://{name}/hook" for name, found in NAMES.items() if found != [PUBLIC]),
    *DISGUISES,
]
pytestmark = pytest.mark.django_db


class Network:
    """The stub: `answers` are the names, `connected` the addresses somebody tried to reach, `asked` the look-ups."""

    def __init__(self):
        self.answers = dict(NAMES)
        self.connected, self.asked = [], []

    def resolve(self, host, port):
        self.asked.append(host)
        answer = self.answers.get(host.rstrip(".").lower())
        if callable(answer):
            answer = answer()
        if answer is None:
            # As the system does: numbers in any notation are addresses, anything else is unknown here.
            flags = socket.AI_NUMERICHOST
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in answer
        ]

    def connect(self, family, kind, protocol, address, seconds, options):
        self.connected.append(address[0])
        raise ConnectionRefusedError


@pytest.fixture
def network(monkeypatch):
    made = Network()
    monkeypatch.setattr(targets, "resolve", made.resolve)
    monkeypatch.setattr(http, "_connect", made.connect)
    # Where an operator's machine has proxies, they are not asked either.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:3128")
    return made


@pytest.fixture
def project():
    return ProjectFactory(workspace__plan_code="business")


def stored(project, url, kind="webhook"):
    """A channel with this URL, as one that was saved before a rule of ours existed."""
    return ChannelFactory(project=project, kind=kind, config={**CONFIGS[kind], "url": url})


def drain():
    Engine(threads=4).run(budget=10, linger=0.05, wait_for_retries=False)


def test_what_is_allowed_is_reached(network, project):
    """Otherwise the tests below would pass with a client that reaches nothing."""
    create_channel(SYSTEM, project, kind="webhook", url="https://public.example.com/hook")
    DeliveryFactory(channel=stored(project, "https://public.example.com/hook"))
    drain()
    assert network.connected == [PUBLIC]


def test_none_can_be_saved(network, project):
    accepted, refused = [], []
    channel = stored(project, "https://public.example.com/hook")
    for url in HOSTILE:
        for save in (
            lambda url=url: create_channel(SYSTEM, project, kind="webhook", url=url),
            lambda url=url: update_channel(SYSTEM, channel, url=url),
        ):
            try:
                save()
            except Invalid as error:
                refused.append(list(error.fields))
            else:
                accepted.append(url)
    assert accepted == []
    assert refused == [["url"]] * 2 * len(HOSTILE)
    assert Channel.objects.get() == channel
    assert network.connected == []


def test_none_is_reached_by_a_test(network, project):
    for url in HOSTILE:
        result = send_test(SYSTEM, stored(project, url), "run_failed")
        assert (result.ok, result.status_code) == (False, None), url
    assert network.connected == []


def test_none_is_reached_by_sending(network, project):
    deliveries = {DeliveryFactory(channel=stored(project, url)).pk: url for url in HOSTILE}
    drain()
    rows = Delivery.objects.in_bulk()
    assert {deliveries[pk] for pk, row in rows.items() if row.status not in ("failed", "retrying")} == set()
    # Only a name that stands for nothing is worth another try.
    assert {deliveries[pk] for pk, row in rows.items() if row.status == "retrying"} == set()
    assert network.connected == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "64:ff9b::7f00:1"])
@pytest.mark.parametrize("kind", ["webhook", "slack"])
def test_a_name_that_changes_its_answer_after_saving_is_not_followed(network, project, address, kind):
    url = {"webhook": "https://public.example.com/hook", "slack": CONFIGS["slack"]["url"]}[kind]
    channel = create_channel(SYSTEM, project, kind=kind, url=url).channel
    network.answers |= {"public.example.com": [address], "hooks.slack.com": [PUBLIC, address]}
    assert not send_test(SYSTEM, channel, "run_failed").ok
    delivery = DeliveryFactory(channel=channel, body="" if kind == "slack" else "{}")
    drain()
    delivery.refresh_from_db()
    assert delivery.status == "failed"
    assert network.connected == []


def test_a_name_that_changes_its_answer_between_two_tries_is_not_followed(network, project):
    delivery = DeliveryFactory(channel=stored(project, "https://public.example.com/hook"))
    with time_machine.travel(now(), tick=True) as clock:
        drain()
        network.answers["public.example.com"] = ["127.0.0.1"]
        clock.shift(timedelta(seconds=8))
        drain()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == ("failed", 2)
    assert network.connected == [PUBLIC]


def test_a_name_that_answers_differently_each_time_is_asked_once_a_connection(network, project):
    """Check and connection use one answer: there is no moment between them to change it (DNS rebinding)."""
    turns = iter([[PUBLIC], ["127.0.0.1"]] * 10)
    network.answers["public.example.com"] = lambda: next(turns)
    for _ in range(4):
        send_test(SYSTEM, stored(project, "https://public.example.com/hook"), "run_failed")
    assert network.asked == ["public.example.com"] * 4
    assert network.connected == [PUBLIC] * 2
