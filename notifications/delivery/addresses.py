"""Which IP addresses we may connect to. Pure.

An explicit list instead of `ipaddress.is_global`: Python 3.11's accepts NAT64, 6to4, site-local, documentation and
multicast addresses. IPv6 is judged the other way round: only 2000::/3 is handed out for global unicast (RFC 4291), so
whatever lies outside is refused even where no line below names it.

Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), RFC 6052 and 8215 (NAT64), RFC 3056 and 7526
(6to4), RFC 4380 (Teredo), RFC 4193 (unique local), RFC 9602 (5f00::/16), RFC 9637 (3fff::/20).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
_Ranges = tuple[tuple[IPv4Network | IPv6Network, str], ...]


def _ranges(*rows: tuple[str, str]) -> _Ranges:
    return tuple((ip_network(network), reason) for network, reason in rows)


_METADATA = "the address of a cloud's metadata service"
_LINK_LOCAL = "a link-local address"
_TRANSLATED = "an address that is translated to another one"
_DOCUMENTATION = "an address reserved for documentation"
_RESERVED = "a reserved address"

# Never, whatever the settings say. Metadata services hand out credentials to whoever can reach them; some of them sit
# inside ranges that are private (AWS, Google, Scaleway) or look public (Azure).
_NEVER = _ranges(
    ("169.254.169.254/32", _METADATA),
    ("168.63.129.16/32", _METADATA),
    ("100.100.100.200/32", _METADATA),
    ("192.0.0.192/32", _METADATA),
    ("fd00:ec2::/32", _METADATA),
    ("fd20:ce::254/128", _METADATA),
    ("fd00:42::42/128", _METADATA),
    ("0.0.0.0/8", "an unspecified address"),
    ("169.254.0.0/16", _LINK_LOCAL),
    ("100.64.0.0/10", "an address of a provider's internal network"),
    ("192.0.0.0/24", _RESERVED),
    ("192.0.2.0/24", _DOCUMENTATION),
    ("192.88.99.0/24", _TRANSLATED),
    ("198.18.0.0/15", "an address reserved for benchmarks"),
    ("198.51.100.0/24", _DOCUMENTATION),
    ("203.0.113.0/24", _DOCUMENTATION),
    ("224.0.0.0/4", "a multicast address"),
    ("255.255.255.255/32", "a broadcast address"),
    ("240.0.0.0/4", _RESERVED),
    ("::/128", "an unspecified address"),
    ("64:ff9b::/96", _TRANSLATED),
    ("64:ff9b:1::/48", _TRANSLATED),
    ("100::/64", _RESERVED),
    ("2001::/32", _TRANSLATED),
    ("2001:2::/48", "an address reserved for benchmarks"),
    ("2001:db8::/32", _DOCUMENTATION),
    ("2001::/23", _RESERVED),
    ("2002::/16", _TRANSLATED),
    ("3ffe::/16", _RESERVED),
    ("3fff::/20", _DOCUMENTATION),
    ("5f00::/16", _RESERVED),
    ("fe80::/10", _LINK_LOCAL),
    ("fec0::/10", "a site-local address"),
    ("ff00::/8", "a multicast address"),
)
_PRIVATE = _ranges(
    ("127.0.0.0/8", "a loopback address"),
    ("::1/128", "a loopback address"),
    ("10.0.0.0/8", "a private address"),
    ("172.16.0.0/12", "a private address"),
    ("192.168.0.0/16", "a private address"),
    ("fc00::/7", "a private address"),
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")


def judge(address: Address | str, *, allow_private: bool) -> str | None:
    """Why we may not connect to this address, in a few words; `None` when we may.

    An IPv4-mapped address is the IPv4 address it holds, since that is where the system connects. The other forms that
    carry an IPv4 address (NAT64, 6to4, Teredo, IPv4-compatible) lead through a translator that we can't see behind, so
    they are refused whatever they carry. `allow_private` adds loopback, RFC 1918 and unique local addresses.
    """
    try:
        judged = ip_address(address) if isinstance(address, str) else address
    except ValueError:
        return "not an IP address"
    if isinstance(judged, IPv6Address) and judged.ipv4_mapped is not None:
        judged = judged.ipv4_mapped
    if reason := _reason(judged, _NEVER):
        return reason
    if reason := _reason(judged, _PRIVATE):
        return None if allow_private else reason
    if isinstance(judged, IPv6Address) and judged not in _GLOBAL_UNICAST:
        return "an address that is not public"
    return None


def is_loopback(address: Address | str) -> bool:
    """Whether the address is this machine itself, in its plain form."""
    return ip_address(address).is_loopback


def _reason(address: Address, ranges: _Ranges) -> str | None:
    return next((reason for network, reason in ranges if address in network), None)
