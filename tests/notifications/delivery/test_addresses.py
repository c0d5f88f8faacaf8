"""Which addresses we may connect to."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.delivery.addresses import is_loopback, judge

PUBLIC = """
    1.1.1.1 8.8.8.8 93.184.216.34 172.15.0.1 172.32.0.1 100.63.255.255 100.128.0.0 223.255.255.255 192.0.1.1
    198.17.0.1 198.20.0.1 2606:4700::1111 2a00:1450:4001::200e 2003::1 2001:4860:4860::8888 ::ffff:8.8.8.8
"""
PRIVATE = """
    127.0.0.1 127.255.255.254 ::1 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 fc00::1 fdff::1
    ::ffff:127.0.0.1 ::ffff:10.1.2.3 ::ffff:192.168.1.1
"""
METADATA = """
    169.254.169.254 168.63.129.16 100.100.100.200 192.0.0.192 fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fd00:42::42
    ::ffff:169.254.169.254
"""
NEVER = """
    0.0.0.0 0.1.2.3 169.254.0.1 169.254.170.2 100.64.0.1 100.127.255.255 192.0.0.1 192.0.2.1 192.88.99.1 198.18.0.1
    198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::ffff:0.0.0.0
    ::ffff:224.0.0.1 ::ffff:100.64.0.1 ::7f00:1 ::8.8.8.8 ::a9fe:a9fe 64:ff9b::8.8.8.8 64:ff9b::7f00:1
    64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1
    2002:808:808::1 2002:7f00:1:: 2002:a9fe:a9fe:: 3ffe::1 3fff::1 3fff:fff::1 5f00::1 4000::1 8000::1 fe80::1
    fe80::1%eth0 febf::1 fec0::1 feff::1 ff02::1 ff0e::1 ::ffff:0:8.8.8.8
"""


@pytest.mark.parametrize("address", PUBLIC.split())
@pytest.mark.parametrize("allow_private", [False, True])
def test_public_addresses_are_allowed(address, allow_private):
    assert judge(address, allow_private=allow_private) is None


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private_addresses_are_allowed_only_where_settings_say_so(address):
    assert judge(address, allow_private=False) in ("a private address", "a loopback address")
    assert judge(address, allow_private=True) is None


@pytest.mark.parametrize("address", METADATA.split())
@pytest.mark.parametrize("allow_private", [False, True])
def test_metadata_services_are_never_allowed(address, allow_private):
    assert judge(address, allow_private=allow_private) == "the address of a cloud's metadata service"


@pytest.mark.parametrize("address", NEVER.split())
@pytest.mark.parametrize("allow_private", [False, True])
def test_special_addresses_are_never_allowed(address, allow_private):
    assert judge(address, allow_private=allow_private)


@pytest.mark.parametrize("text", ["", "example.com", "1.2.3", "2130706433", "0x7f.0.0.1", "127.0.0.1:80", "[::1]"])
def test_what_is_no_address_is_refused(text):
    assert judge(text, allow_private=True) == "not an IP address"


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1).map(IPv4Address), st.booleans())
def test_a_mapped_address_is_judged_as_the_one_it_holds(address, allow_private):
    mapped = ip_address(f"::ffff:{address}")
    assert judge(mapped, allow_private=allow_private) == judge(address, allow_private=allow_private)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["64:ff9b::/96", "2002::/16", "::/96"]))
def test_translated_addresses_are_refused_whatever_they_carry(carried, form):
    prefix, length = form.split("/")
    shift = 80 if length == "16" else 0
    address = IPv6Address(int(IPv6Address(prefix)) | carried << shift)
    if address != IPv6Address("::1"):
        assert judge(address, allow_private=True)
    assert judge(address, allow_private=False)


@settings(max_examples=100, deadline=None)
@given(st.ip_addresses())
def test_what_python_calls_private_or_reserved_is_never_public(address):
    if not address.is_global and getattr(address, "ipv4_mapped", None) is None:
        assert judge(address, allow_private=False)


@settings(max_examples=100, deadline=None)
@given(st.ip_addresses())
def test_allowing_private_addresses_refuses_nothing_that_was_allowed(address):
    if judge(address, allow_private=False) is None:
        assert judge(address, allow_private=True) is None


@pytest.mark.parametrize(
    ("address", "expected"), [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("1.1.1.1", False)]
)
def test_loopback_is_told_from_the_rest(address, expected):
    assert is_loopback(address) is expected
