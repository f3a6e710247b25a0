"""Invariant: no spelling of an address is judged more mildly than the address that it stands for."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.address import check_address, check_connect_to, check_route_address, fixed_addresses
from bot_bottle.egress.config import Route

NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "64:ff9b:1::808:808",
    # wrapped
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "2002:a83f:8110::",
]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "fc00::1",
    "fd12:3456::1",
    "::ffff:10.0.0.1",
    "64:ff9b::c0a8:101",
    "2002:c0a8:101::1",
]
LOOPBACK = ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "2002:7f00:1::"]
NOT_GLOBAL = [
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "100::1",
    "2001::1",  # Teredo
    "2001:db8::1",
    "2001:2::1",
    "3fff::1",
    "5f00::1",
    "4000::1",
    "::ffff:100.64.0.1",
]
GLOBAL = [
    "1.1.1.1",
    "172.15.0.1",
    "172.32.0.1",
    "100.63.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "2001:4860::8888",
    "64:ff9b::101:101",
    "::ffff:1.1.1.1",
    "2002:101:101::1",
    "2606:4700::5efe:101:101",
]


@pytest.mark.parametrize("text", NEVER)
def test_never(text: str) -> None:
    """Metadata, link-local, multicast, unspecified: nobody can allow them, the operator's mapping neither."""
    address = ip_address(text)
    assert check_address(address, 443, allow_private=True, explicit_ports=True) is not None
    assert check_connect_to(address) is not None


@pytest.mark.parametrize("text", PRIVATE)
def test_private(text: str) -> None:
    """RFC 1918 and unique local addresses need allow_private, and that is enough."""
    address = ip_address(text)
    assert check_address(address, 443) is not None
    assert check_address(address, 443, explicit_ports=True) is not None
    assert check_address(address, 443, allow_private=True) is None
    assert check_connect_to(address) is None


@pytest.mark.parametrize("text", LOOPBACK)
def test_loopback(text: str) -> None:
    """Loopback needs explicit ports besides."""
    address = ip_address(text)
    assert check_address(address, 443) is not None
    assert check_address(address, 443, allow_private=True) is not None
    assert check_address(address, 443, explicit_ports=True) is not None
    assert check_address(address, 443, allow_private=True, explicit_ports=True) is None
    assert check_connect_to(address) is None


@pytest.mark.parametrize("text", NOT_GLOBAL)
def test_not_global(text: str) -> None:
    """What the registries don't call global is refused whatever the route says; the operator may map to it."""
    address = ip_address(text)
    assert check_address(address, 443, allow_private=True, explicit_ports=True) is not None
    assert check_connect_to(address) is None


@pytest.mark.parametrize("text", GLOBAL)
def test_global(text: str) -> None:
    """The rest of the world may be dialled."""
    assert check_address(ip_address(text), 443) is None


@pytest.mark.parametrize(
    "text",
    [
        "fe80::5efe:101:101",
        "2606:4700::5efe:a9fe:a9fe",
        "2606:4700::5efe:a00:1",
        "2606:4700::5efe:a83f:8110",
        "2606:4700::5efe:e000:1",
        "fd00::200:5efe:101:101",
    ],
)
def test_isatap_is_judged_by_both_ends(text: str) -> None:
    """A tunnel's address is neither better than its prefix nor than the address inside."""
    assert check_address(ip_address(text), 443) is not None


def test_isatap_metadata_is_never_reached() -> None:
    """The operator's mapping does not lead through a tunnel either."""
    assert check_connect_to(ip_address("2606:4700::5efe:a9fe:a9fe")) is not None
    assert check_connect_to(ip_address("2606:4700::5efe:101:101")) is None


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "10.0.0.1", "::ffff:127.0.0.1"])
def test_own_ports(text: str) -> None:
    """The product's own ports are refused on this machine and its networks, whatever the route says."""
    address = ip_address(text)
    assert (
        check_address(address, 9099, allow_private=True, explicit_ports=True, refuse_ports={9099}) is not None
    )
    assert check_address(address, 9098, allow_private=True, explicit_ports=True, refuse_ports={9099}) is None
    assert check_connect_to(address, 9099, refuse_ports={9099}) is not None


def test_own_ports_elsewhere() -> None:
    """The same number at a public address is no port of ours."""
    assert check_address(ip_address("1.1.1.1"), 9099, refuse_ports={9099}) is None


@given(st.ip_addresses(v=4), st.booleans(), st.booleans())
def test_wrapping_changes_nothing(address: IPv4Address, allow_private: bool, explicit_ports: bool) -> None:
    """Mapped, compatible, NAT64 and 6to4 forms get the verdict of the address inside."""
    value = int(address)
    plain = check_address(address, 443, allow_private=allow_private, explicit_ports=explicit_ports)
    forms = [0xFFFF << 32 | value, 0xFFFF << 48 | value, 0x64FF9B << 96 | value, 0x2002 << 112 | value << 80]
    if value > 1:
        forms.append(value)
    for form in forms:
        wrapped = IPv6Address(form)
        verdict = check_address(wrapped, 443, allow_private=allow_private, explicit_ports=explicit_ports)
        assert verdict == plain, wrapped


def test_operators_machine() -> None:
    """host.bot-bottle.internal is the loopback on ports that the route names, without allow_private."""
    host = "host.bot-bottle.internal"
    route = Route(host, ports=(11434,))
    addresses = fixed_addresses(host)
    assert addresses is not None
    for address in addresses:
        assert check_route_address(route, host, address, 11434) is None
        assert check_route_address(route, host, address, 11434, refuse_ports={11434}) is not None
        assert check_route_address(Route(host), host, address, 80) is not None
    assert check_route_address(route, host, ip_address("10.0.0.1"), 11434) is not None


def test_route_decides() -> None:
    """The route's own words count: allow_private and ports."""
    private = ip_address("10.0.0.1")
    assert check_route_address(Route("a.example"), "a.example", private, 443) is not None
    assert check_route_address(Route("a.example", allow_private=True), "a.example", private, 443) is None
    loopback = ip_address("127.0.0.1")
    route = Route("a.example", allow_private=True, ports=(8080,))
    assert check_route_address(route, "a.example", loopback, 8080) is None


def test_fixed_addresses() -> None:
    """Literals need no resolver, names do."""
    assert fixed_addresses("192.0.2.1") == (ip_address("192.0.2.1"),)
    assert fixed_addresses("2001:db8::1") == (ip_address("2001:db8::1"),)
    assert fixed_addresses("example.com") is None
