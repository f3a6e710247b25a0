"""Invariant: a request whose parts name two hosts, ports or paths has no identity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.request import (
    MAX_HEADERS,
    MAX_TARGET_BYTES,
    RequestHead,
    RequestIdentity,
    Tunnel,
    build_identity,
    parse_connect,
)
from bot_bottle.egress.verdict import Deny

TLS = Tunnel("a.example", 443, tls=True, sni="a.example")


def head(
    target: bytes = b"/",
    *headers: tuple[bytes, bytes],
    host: bytes | None = b"a.example",
    method: bytes = b"GET",
    version: bytes = b"HTTP/1.1",
) -> RequestHead:
    first = () if host is None else ((b"Host", host),)
    return RequestHead(method, target, version, (*first, *headers))


@pytest.mark.parametrize(
    ("request_head", "tunnel", "url"),
    [
        (head(), TLS, "https://a.example/"),
        (head(), Tunnel("a.example", 443, tls=True), "https://a.example/"),
        (head(), Tunnel("a.example", 443, tls=True, sni="A.Example"), "https://a.example/"),
        (head(host=b"A.EXAMPLE."), TLS, "https://a.example/"),
        (head(host=b"a.example:443"), TLS, "https://a.example/"),
        (head(b"https://a.example/x"), TLS, "https://a.example/x"),
        (head(b"HTTPS://A.example:443/x"), TLS, "https://a.example/x"),
        (head(host=b"a.example:8443"), Tunnel("a.example", 8443, tls=True), "https://a.example:8443/"),
        (head(), Tunnel("a.example", 80, tls=False), "http://a.example/"),
        (head(b"http://a.example/x?y"), None, "http://a.example/x?y"),
        (head(b"http://a.example"), None, "http://a.example/"),
        (head(b"http://a.example?y"), None, "http://a.example/?y"),
        (head(b"http://a.example/?"), None, "http://a.example/?"),
        (head(b"http://a.example:8080/", host=b"a.example:8080"), None, "http://a.example:8080/"),
        (head(b"http://[2001:db8::1]/", host=b"[2001:db8::1]"), None, "http://[2001:db8::1]/"),
        (head(b"/%61/../b//c"), TLS, "https://a.example/b/c"),
        (head(version=b"HTTP/1.0"), TLS, "https://a.example/"),
        (  # plain HTTP in a tunnel: the operator's own machine (ruling 8)
            head(host=b"host.bot-bottle.internal:11434"),
            Tunnel("host.bot-bottle.internal", 11434, tls=False),
            "http://host.bot-bottle.internal:11434/",
        ),
    ],
)
def test_one_identity(request_head: RequestHead, tunnel: Tunnel | None, url: str) -> None:
    """Every way of naming a resource gives the one identity."""
    identity = build_identity(request_head, tunnel=tunnel)
    assert isinstance(identity, RequestIdentity), identity
    assert f"{identity.scheme}://{identity.authority}{identity.target}" == url


@pytest.mark.parametrize(
    ("request_head", "tunnel"),
    [
        # names that differ (threats C1, C5)
        (head(host=b"b.example"), TLS),
        (head(), Tunnel("b.example", 443, tls=True, sni="a.example")),
        (head(), Tunnel("a.example", 443, tls=True, sni="b.example")),
        (head(host=b"b.example"), Tunnel("b.example", 443, tls=True, sni="a.example")),
        (head(b"https://b.example/"), TLS),
        (head(b"http://b.example/"), None),
        (head(host=b"a.example:8443"), TLS),
        (head(), Tunnel("a.example", 8443, tls=True)),
        (head(b"http://a.example:8080/"), None),
        # schemes that differ
        (head(b"http://a.example/"), TLS),
        (head(b"https://a.example/"), None),
        (head(b"https://a.example/"), Tunnel("a.example", 80, tls=False)),
        (head(host=b"a.example:443"), Tunnel("a.example", 443, tls=False)),
        (head(b"ftp://a.example/"), None),
        # plain HTTP in a tunnel, elsewhere
        *(
            (head(host=f"{host}:11434".encode()), Tunnel(bare, 11434, tls=False))
            for host, bare in (
                ("a.example", "a.example"),
                ("host.bot-bottle.internal.example", "host.bot-bottle.internal.example"),
                ("127.0.0.1", "127.0.0.1"),
                ("192.168.1.7", "192.168.1.7"),
                ("10.0.0.1", "10.0.0.1"),
                ("[fd00::7]", "fd00::7"),
                ("169.254.169.254", "169.254.169.254"),
                ("93.184.216.34", "93.184.216.34"),
                ("[::1]", "::1"),
                ("[::ffff:10.0.0.1]", "::ffff:10.0.0.1"),
                ("[2001:4860::1]", "2001:4860::1"),
            )
        ),
        (head(host=b"10.0.0.1"), Tunnel("10.0.0.2", 80, tls=False)),
        (head(host=b"host.bot-bottle.internal:1"), Tunnel("host.bot-bottle.internal", 2, tls=False)),
        # not exactly one Host
        (head(host=None), TLS),
        (head(b"http://a.example/", host=None), None),
        (head(b"/", (b"host", b"a.example")), TLS),
        (head(b"/", (b"HOST", b"b.example")), TLS),
        # hosts that are none
        (head(host=b""), TLS),
        (head(host=b"user@a.example"), TLS),
        (head(host=b"a.example, a.example"), TLS),
        (head(host=b"a.example\x00"), TLS),
        (head(host=b"a.example\t"), TLS),
        (head(host=b"\xc3\xa4.example"), TLS),
        (head(b"http://u:p@a.example/"), None),
        (head(b"http:///x"), None),
        (head(), Tunnel("a.example", 443, tls=True, sni="a.example\x00b.example")),
        # targets that are none
        (head(b"/"), None),
        (head(b"*", method=b"OPTIONS"), TLS),
        (head(b"a.example:443"), TLS),
        (head(b""), TLS),
        (head(b"/a#b"), TLS),
        (head(b"http://a.example#b"), None),
        (head(b"/a b"), TLS),
        (head(b"/a%2fb"), TLS),
        (head(b"/a?b\\c"), TLS),
        (head(b"/\xc3\xa4"), TLS),
        (head(b"/" + b"a" * MAX_TARGET_BYTES), TLS),
        # methods and versions
        (head(method=b"get"), TLS),
        (head(method=b"TRACE"), TLS),
        (head(method=b"TRACK"), TLS),
        (head(method=b"CONNECT"), TLS),
        (head(method=b"PROPFIND"), TLS),
        (head(method=b""), TLS),
        (head(method=b"GET\x00"), TLS),
        (head(version=b"HTTP/2.0"), TLS),
        (head(version=b"HTTP/1.2"), TLS),
        (head(version=b"http/1.1"), TLS),
        # fields
        (head(b"/", (b"", b"x")), TLS),
        (head(b"/", (b"a b", b"x")), TLS),
        (head(b"/", (b"x\xc3", b"x")), TLS),
        (head(b"/", (b"x", b"a\rb")), TLS),
        (head(b"/", (b"x", b"a\nb")), TLS),
        (head(b"/", (b"x", b"a\x00b")), TLS),
        (head(b"/", (b"x", b"a\x7f")), TLS),
        (head(b"/", (b"x", b" a")), TLS),
        (head(b"/", *[(b"x", b"y")] * MAX_HEADERS), TLS),
    ],
)
def test_no_identity(request_head: RequestHead, tunnel: Tunnel | None) -> None:
    """What is ambiguous or malformed is refused, never repaired."""
    verdict = build_identity(request_head, tunnel=tunnel)
    assert isinstance(verdict, Deny)
    assert verdict.reason.startswith("egress: target: ")
    assert verdict.status in (403, 414, 431)


def test_bounds_have_their_status() -> None:
    """Too long a URL is 414, too many fields 431."""
    long = build_identity(head(b"/" + b"a" * MAX_TARGET_BYTES), tunnel=TLS)
    many = build_identity(head(b"/", *[(b"x", b"y")] * MAX_HEADERS), tunnel=TLS)
    assert isinstance(long, Deny) and long.status == 414
    assert isinstance(many, Deny) and many.status == 431


def test_reasons_quote_nothing() -> None:
    """No value of the request's stands in a reason."""
    for bad in (head(b"/secret%"), head(host=b"secret@a.example"), head(b"/", (b"x", b"secret\x00"))):
        verdict = build_identity(bad, tunnel=TLS)
        assert isinstance(verdict, Deny)
        assert "secret" not in verdict.reason


@pytest.mark.parametrize(
    ("request_head", "words"),
    [
        (head(b"/a%2fb"), "the target: an encoded slash in the path"),
        (head(host=b"a..example"), "the target or host: a label is empty or longer than 63 characters"),
        (head(b"/\xc3\xa4"), "the target or host: not ASCII"),
    ],
)
def test_reasons_say_what_is_wrong(request_head: RequestHead, words: str) -> None:
    """Our own words, also where a codec has others."""
    verdict = build_identity(request_head, tunnel=TLS)
    assert isinstance(verdict, Deny)
    assert verdict.reason == f"egress: target: {words}"


def test_fields_are_kept() -> None:
    """Order, case and octets of the fields stay; Host is the identity's own."""
    identity = build_identity(head(b"/", (b"X-B", b"1"), (b"x-a", b"\xe9\t2")), tunnel=TLS)
    assert isinstance(identity, RequestIdentity)
    assert identity.headers == (("X-B", "1"), ("x-a", "\u00e9\t2"))
    assert identity.header("X-A") == "\u00e9\t2"
    assert identity.header("x-c") is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([(b"Expect", b"100-continue")], True),
        ([(b"expect", b"100-Continue")], True),
        ([], False),
        ([(b"Expect", b"other")], False),
        ([(b"Expect", b"100-continue"), (b"Expect", b"100-continue")], False),
    ],
)
def test_expectation(fields: list[tuple[bytes, bytes]], expected: bool) -> None:
    """The proxy learns whether the client waits for 100."""
    identity = build_identity(head(b"/", *fields), tunnel=TLS)
    assert isinstance(identity, RequestIdentity)
    assert identity.expects_continue is expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"a.example:443", ("a.example", 443)),
        (b"A.Example.:22", ("a.example", 22)),
        (b"[::1]:443", ("::1", 443)),
        (b"_egress.local:80", ("_egress.local", 80)),
    ],
)
def test_connect(target: bytes, expected: tuple[str, int]) -> None:
    """A CONNECT names host and port."""
    assert parse_connect(target) == expected


@pytest.mark.parametrize(
    "target",
    [
        b"a.example",
        b"a.example:",
        b"a.example:0443",
        b":443",
        b"http://a.example:443",
        b"a.example:443/",
        b"u@a.example:443",
        b"a.example\x00:443",
        b"a\xe3\x80\x82example:443",
        b"127.1:443",
        b"0x7f000001:443",
        b"[::ffff:127.0.0.1]:443",
        b"",
    ],
)
def test_connect_refused(target: bytes) -> None:
    """Anything else is refused before a 200."""
    verdict = parse_connect(target)
    assert isinstance(verdict, Deny)
    assert verdict.reason.startswith("egress: target: ")


@given(st.binary(max_size=60), st.binary(max_size=30), st.binary(max_size=30))
def test_any_octets(target: bytes, host: bytes, sni: bytes) -> None:
    """Whatever arrives is refused or becomes an identity that builds again to itself."""
    tunnel = Tunnel("a.example", 443, tls=True, sni=sni.decode("latin-1"))
    for given_tunnel in (None, TLS, tunnel):
        identity = build_identity(head(target, host=host), tunnel=given_tunnel)
        if isinstance(identity, RequestIdentity):
            again = build_identity(
                head(identity.target.encode(), host=identity.authority.encode()),
                tunnel=Tunnel(identity.host, identity.port, tls=identity.scheme == "https"),
            )
            assert again == identity
