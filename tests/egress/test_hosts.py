"""Invariant: a host name has one form; what comes out is its own canonical form, everything else is refused."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.hosts import (
    BadHost,
    canonical_host,
    canonical_route_host,
    ip_literal,
    parse_port,
    split_authority,
    wildcard_matches,
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.Com", "example.com"),
        ("example.com.", "example.com"),
        ("localhost", "localhost"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("r3---sn.example.com", "r3---sn.example.com"),
        ("1.example.com", "1.example.com"),
        ("_egress.local", "_egress.local"),
        ("a.cafe", "a.cafe"),
        ("a.0xyz", "a.0xyz"),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1.", "192.0.2.1"),
        ("[::1]", "::1"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_accepted(text: str, canonical: str) -> None:
    """Case, the root's dot and brackets are taken off."""
    assert canonical_host(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "example..com",
        ".example.com",
        "example.com..",
        "exa mple.com",
        " example.com",
        "example.com\t",
        "example.com\x00.evil.example",
        "example.com\n",
        "user@example.com",
        "api.example.com@evil.example",
        "example.com:443",
        "example%2ecom",
        "example%2Ecom",
        "example\u3002com",
        "example\uff0ecom",
        "example\uff61com",
        "b\u00fccher.example",
        "ex\u0430mple.com",
        "ex_ample.com",
        "_dmarc.example.com",
        "-a.example",
        "a-.example",
        "*.example.com",
        "xn--a.example",
        "xn--zz--.example",
        "xn--.example",
        "xn--example-.com",
        "a" * 64 + ".example",
        ".".join(["a" * 49] * 6),
        ".".join([*["a" * 63] * 3, "a" * 62]),
        # IPv4 in other forms than four decimal numbers (threats C6)
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.0.0.01",
        "127.0.0.0x1",
        "256.0.0.1",
        "1.2.3.4.5",
        "0x",
        "example.0x1f",
        "\uff11\uff12\uff17.0.0.1",
        # IPv6
        "::1",
        "[::1",
        "[]",
        "[::1]x",
        "[0:0:0:0:0:0:0:1]",
        "[::0001]",
        "[fe80::1%eth0]",
        "[fe80::1%25eth0]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[127.0.0.1]",
        "[v1.x]",
    ],
)
def test_refused(text: str) -> None:
    """What another parser could read as another host is refused."""
    with pytest.raises(BadHost):
        canonical_host(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("B\u00fccher.Example", "xn--bcher-kva.example"),
        ("fa\u00df.example", "xn--fa-hia.example"),
        ("*.Example.com", "*.example.com"),
        ("*.b\u00fccher.example", "*.xn--bcher-kva.example"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("host.bot-bottle.internal", "host.bot-bottle.internal"),
    ],
)
def test_route_host_accepted(text: str, canonical: str) -> None:
    """In a file names may be written as people read them."""
    assert canonical_route_host(text) == canonical
    assert canonical_route_host(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "*.",
        "*.*.example.com",
        "a.*.example.com",
        "*example.com",
        "*.192.0.2.1",
        "*.[::1]",
        "*.::1",
        "*.host.bot-bottle.internal",
        "*." + ".".join(["a" * 63, *["a" * 62] * 3]),
        "_egress.local",
        "https://example.com",
        "example.com/path",
        "example.com:443",
        "user@example.com",
        "b\u00fccher\u3002example",
        "\u2603.example",
        "a\u200db.example",
        "\u00fc" * 300,
        "0:0::1",
    ],
)
def test_route_host_refused(text: str) -> None:
    """A route names one host or the names below one."""
    with pytest.raises(BadHost):
        canonical_route_host(text)


@pytest.mark.parametrize(
    ("pattern", "host", "holds"),
    [
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "evilexample.com", False),
        ("*.example.com", "example.com.evil.example", False),
        ("*.example.com", "a.example.com.evil.example", False),
        ("example.com", "a.example.com", False),
    ],
)
def test_wildcard(pattern: str, host: str, holds: bool) -> None:
    """Any depth below, never the apex, never a mere suffix (threats C4)."""
    assert wildcard_matches(pattern, host) is holds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.com", ("example.com", 443)),
        ("example.com:8443", ("example.com", 8443)),
        ("[::1]:80", ("::1", 80)),
        ("[::1]", ("::1", 443)),
    ],
)
def test_authority(text: str, expected: tuple[str, int]) -> None:
    """The port is the scheme's own unless it is named."""
    assert split_authority(text, 443) == expected


@pytest.mark.parametrize(
    "text",
    [
        "example.com:",
        "example.com:0",
        "example.com:080",
        "example.com:+80",
        "example.com:65536",
        "example.com:80:80",
        "example.com: 80",
        "example.com:\u0664",
        "u:p@example.com:80",
        "[::1]80",
        "[::1]:",
        "[::1]x:80",
    ],
)
def test_authority_refused(text: str) -> None:
    """No other spelling of a port, no user, nothing behind it."""
    with pytest.raises(BadHost):
        split_authority(text, 443)


@pytest.mark.parametrize("port", [1, 80, 65535])
def test_port(port: int) -> None:
    """Plain decimal numbers."""
    assert parse_port(str(port)) == port


@given(st.text(max_size=60))
def test_one_form(text: str) -> None:
    """Whatever is accepted is lower-case ASCII and its own canonical form, in every spelling of its case."""
    try:
        host = canonical_host(text)
    except BadHost:
        return
    again = f"[{host}]" if ":" in host else host
    assert canonical_host(again) == host
    assert canonical_host(again.upper()) == host
    assert host.isascii() and host == host.lower()


@given(st.ip_addresses(v=4))
def test_ipv4_literals(address: IPv4Address) -> None:
    """An address is recognised in its one form, and in no numeric form."""
    assert ip_literal(canonical_host(str(address))) == address
    for spelling in (str(int(address)), hex(int(address)), f"0{address}"):
        with pytest.raises(BadHost):
            canonical_host(spelling)


@given(st.ip_addresses(v=6))
def test_ipv6_literals(address: IPv6Address) -> None:
    """An IPv6 address is recognised unless it stands for an IPv4 one."""
    if address.ipv4_mapped is None:
        assert ip_literal(canonical_host(f"[{address}]")) == address


def test_names_are_no_literals() -> None:
    """A name is none, also when its last label ends in a digit."""
    assert ip_literal("") is None
    assert ip_literal("example.com") is None
    assert ip_literal("example.xn--p1ai2") is None
