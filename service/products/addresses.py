"""The address that a request counts for, where proxies may stand between client and service.

Anybody can write an ``X-Forwarded-For`` or ``Forwarded`` header. It is believed as far as trusted
proxies have written it: from the right, each entry is the address that the proxy to its right has
seen. The first one that is not itself a trusted proxy is the client.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UNKNOWN = "unknown"
"""What requests count for that do not come from an IP address, such as over a Unix socket."""

PREFIX = 64  # bits of an IPv6 address that belong to one client, who has all addresses below

_MOST = 4096  # characters of a header that are looked at
_PORT = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}|\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?", re.ASCII)
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*("[^"]*"|[^";,]*)\s*(?:;|$)', re.IGNORECASE)


def client_of(
    peer: str | None, headers: Mapping[str, Sequence[str]], trusted: Sequence[Network]
) -> str:
    """Address that a request counts for: IPv4, or the network of an IPv6 address.

    >>> proxies = [ip_network("10.0.0.0/8")]
    >>> client_of("10.0.0.7", {"x-forwarded-for": ["1.2.3.4, 192.0.2.9, 10.0.0.8"]}, proxies)
    '192.0.2.9'
    >>> client_of("192.0.2.1", {"x-forwarded-for": ["1.2.3.4"]}, proxies)
    '192.0.2.1'
    >>> client_of("2001:db8::7", {}, [])
    '2001:db8::/64'

    ``peer`` is the address at the other end of the connection. ``headers`` holds the values of each
    header by its name in lower case. ``Forwarded`` is read only where there is no
    ``X-Forwarded-For``. Where an entry that would have to be believed cannot be read, the request
    counts for the peer: nobody escapes the limit by sending nonsense.
    """
    known = _parse(peer or "")
    if known is None:
        return UNKNOWN
    found: Address | None = known
    for text in reversed(_entries(headers)):
        if found is None or not _is_in(found, trusted):
            break
        found = _parse(text)
    return key_of(found or known)


def is_from(peer: str, networks: Sequence[Network]) -> bool:
    """Whether an address at the other end of a connection is in one of the networks.

    >>> is_from("10.0.0.7", [ip_network("10.0.0.0/8")]), is_from("a socket", [])
    (True, False)
    """
    found = _parse(peer)
    return found is not None and _is_in(found, networks)


def key_of(address: Address) -> str:
    """What requests from an address are counted under.

    >>> key_of(ip_address("192.0.2.1")), key_of(ip_address("2001:db8:0:1:2:3:4:5"))
    ('192.0.2.1', '2001:db8:0:1::/64')
    """
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> PREFIX << PREFIX, PREFIX)))
    return str(address)


def _entries(headers: Mapping[str, Sequence[str]]) -> list[str]:
    """Addresses that proxies have written, in the order in which they were passed."""
    values = headers.get("x-forwarded-for", ())
    if values:
        return _split(values)
    return [_for(element) for element in _split(headers.get("forwarded", ()))]


def _split(values: Sequence[str]) -> list[str]:
    # The end is what trusted proxies have written.
    return [entry.strip() for entry in ",".join(values)[-_MOST:].split(",")]


def _for(element: str) -> str:
    """Address in one element of a ``Forwarded`` header: ``for="[2001:db8::1]:443";proto=https``."""
    found = _FOR.search(element)
    return found[1].strip('"') if found else ""


def _parse(text: str) -> Address | None:
    """Address of a text that may have a port; an IPv4 address within IPv6 is IPv4."""
    if with_port := _PORT.fullmatch(text):
        text = with_port[1] or with_port[2]
    try:
        address = ip_address(text.partition("%")[0])  # without the zone of a link
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
