"""Which address a request counts for: forwarded ones are believed only from trusted proxies."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.products.addresses import UNKNOWN, client_of, key_of

PROXIES = [ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48")]
CLIENT, OTHER, PROXY = "192.0.2.9", "198.51.100.1", "10.0.0.7"


def forwarded_for(*values: str) -> dict[str, list[str]]:
    return {"x-forwarded-for": list(values)}


def forwarded(*values: str) -> dict[str, list[str]]:
    return {"forwarded": list(values)}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, PROXY),
        (forwarded_for(CLIENT), CLIENT),
        (forwarded_for(f"{OTHER}, {CLIENT}"), CLIENT),
        (forwarded_for(OTHER, CLIENT), CLIENT),
        (forwarded_for(f"{OTHER}, {CLIENT}, 10.1.2.3"), CLIENT),
        (forwarded_for(f"{CLIENT},10.1.2.3,10.9.9.9"), CLIENT),
        (forwarded_for("10.1.2.3, 10.9.9.9"), "10.1.2.3"),
        (forwarded_for(f"{CLIENT}:4711"), CLIENT),
        (forwarded_for("[2001:db8:1:2::3]:443"), "2001:db8:1:2::/64"),
        (forwarded_for("2001:db8:1:2::3"), "2001:db8:1:2::/64"),
        (forwarded_for(f"::ffff:{CLIENT}"), CLIENT),
        (forwarded_for(f"{OTHER}, 2001:db8:ffff::1"), OTHER),
        # What cannot be read is not passed over: what stands before it may be anybody's.
        (forwarded_for(f"{OTHER}, nonsense"), PROXY),
        (forwarded_for(f"{OTHER}, "), PROXY),
        (forwarded_for(""), PROXY),
        (forwarded_for("unknown"), PROXY),
        (forwarded_for("192.0.2.999"), PROXY),
        (forwarded_for("192.0.2.9:4711:1"), PROXY),
        (forwarded_for("x" * 100_000), PROXY),
        (forwarded_for(f"{'1.2.3.4, ' * 10_000}{CLIENT}"), CLIENT),
        (forwarded(f"for={CLIENT}"), CLIENT),
        (forwarded(f"for={OTHER};proto=http, For={CLIENT};by=10.0.0.1"), CLIENT),
        (forwarded('proto=https;for="[2001:db8:1:2::3]:443"'), "2001:db8:1:2::/64"),
        (forwarded(f'for="{CLIENT}:80"'), CLIENT),
        (forwarded("for=_hidden"), PROXY),
        (forwarded(f"by={CLIENT}"), PROXY),
        (forwarded(f"xfor={CLIENT}"), PROXY),
        ({**forwarded_for(CLIENT), **forwarded(f"for={OTHER}")}, CLIENT),
    ],
)
def test_a_trusted_proxy_is_believed(headers: dict[str, list[str]], expected: str) -> None:
    assert client_of(PROXY, headers, PROXIES) == expected


@given(
    st.text(),
    st.sampled_from(["x-forwarded-for", "forwarded"]),
    st.sampled_from(["192.0.2.9", "127.0.0.1", "2001:db8::1"]),
)
def test_nobody_else_is_believed(text: str, header: str, peer: str) -> None:
    assert client_of(peer, {header: [text, OTHER]}, PROXIES) == key_of(ip_address(peer))


@given(st.text())
def test_whatever_a_client_writes_does_not_change_its_address(text: str) -> None:
    """The proxy puts the address that it has seen after what came."""
    assert client_of(PROXY, forwarded_for(text, CLIENT), PROXIES) == CLIENT
    assert client_of(PROXY, forwarded_for(f"{text}, {CLIENT}"), PROXIES) == CLIENT


def test_nobody_is_believed_without_the_setting() -> None:
    assert client_of("127.0.0.1", forwarded_for(CLIENT), []) == "127.0.0.1"


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_all_addresses_of_an_ipv6_network_are_one_client(one: int, other: int) -> None:
    network = 0x2001_0DB8_0001_0002 << 64
    assert key_of(ip_address(network + one)) == key_of(ip_address(network + other))
    assert key_of(ip_address(network + one)) != key_of(ip_address(network + 2**64 + one))


def test_ipv4_within_ipv6_is_the_same_client() -> None:
    assert client_of(f"::ffff:{CLIENT}", {}, []) == client_of(CLIENT, {}, []) == CLIENT


def test_the_zone_of_a_link_does_not_make_another_client() -> None:
    assert client_of("fe80::1%eth0", {}, []) == client_of("fe80::1", {}, [])


@pytest.mark.parametrize("peer", [None, "", "testclient", "/run/service.sock"])
def test_a_peer_without_an_address_counts_as_unknown(peer: str | None) -> None:
    assert client_of(peer, forwarded_for(CLIENT), PROXIES) == UNKNOWN
