"""Where a request came from."""

import functools
import ipaddress
from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@functools.lru_cache(maxsize=4)
def _networks(names: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(name.strip(), strict=False) for name in names)


def client_address(request: HttpRequest) -> str | None:
    """The address of the client: the peer's, or what the trusted proxies in front of us say.

    X-Forwarded-For is read from the right, past the addresses in `AEGIS_TRUSTED_PROXIES`: whatever stands left of the
    first one that is not ours was written by somebody else and can be anything.
    """
    address = _parse(request.META.get("REMOTE_ADDR", ""))
    trusted = _networks(tuple(settings.AEGIS_TRUSTED_PROXIES))
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    while hops and address is not None and _within(address, trusted):
        earlier = _parse(hops.pop())
        if earlier is None:
            break
        address = earlier
    return str(address) if address is not None else None


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
