"""Where a request goes: hellos, addresses in all their forms, metadata services, redirects (threats C5 to C8)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import attacks_ground
import pytest
from attacks_support import (
    API,
    ENV,
    EVIL,
    KEY,
    LONG,
    NAMES,
    OPEN,
    ROUTES,
    RULES,
    WILD,
    Row,
    absolute,
    client_hello,
    connect_line,
    everyway,
    get,
    play,
    tunnelled,
    with_extensions,
)

pytestmark = pytest.mark.slow

# -- C5


def _extension(kind: int, body: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


_ECH = _extension(0xFE0D, b"\0\0\x01\0\x01\x07\0\x20" + bytes(32) + b"\0\x80" + bytes(range(128)))
_GREASE = _extension(0x0A0A, b"") + _extension(0x1A1A, b"\0")


def _hellos() -> Iterator[Row]:
    """Told by the first bytes alone: whatever the handshake comes to, nobody else is reached."""
    own, other = f"{LONG.decode()}.{OPEN}".encode(), f"{LONG.decode()}.{EVIL}".encode()
    plain = client_hello(other)
    two_names = b"\0" + len(other).to_bytes(2, "big") + other
    two_names = (b"\0" + len(own).to_bytes(2, "big") + own) + two_names
    sslv2 = b"\x01\x03\x01\x00\x03\x00\x00\x00\x10" + b"\x00\x00\x2f" + bytes(16) + LONG
    hellos = {
        "of another": plain,
        "of another, ECH": with_extensions(plain, _ECH),
        "of another, GREASE": with_extensions(plain, _GREASE),
        "ECH with another inside": with_extensions(
            client_hello(OPEN.encode()), _ECH + _extension(0xFE0D, other)
        ),
        "two names": with_extensions(
            client_hello(None), _extension(0, len(two_names).to_bytes(2, "big") + two_names)
        ),
        "two name extensions": with_extensions(
            client_hello(OPEN.encode()), client_hello(other)[-len(other) - 9 :]
        ),
        "a name that runs over": with_extensions(
            client_hello(None), _extension(0, b"\xff\xff\0\0\x40" + other)
        ),
        "SSLv2": bytes([0x80, len(sslv2)]) + sslv2,
        "another version": b"\x16\x02\x00" + plain[3:],
        "an alert first": b"\x15\x03\x01\0\x02\x01\0" + plain,
        "application data first": b"\x17\x03\x03\0\x07" + LONG + plain,
        "a record that is too long": b"\x16\x03\x01\xff\xff" + plain[5:],
        "an empty record first": b"\x16\x03\x01\0\0" + plain,
    }
    for name, hello in hellos.items():
        pieces = (hello, b"\x15\x03\x01\0\x02\x02\x28")
        line = connect_line(f"{OPEN}:443")
        yield Row(f"hello {name}", pieces, line, ends=True, path="explicit")
        yield Row(f"hello {name}, carried", pieces, dial=(OPEN, 443), ends=True, path="transparent")
        yield Row(f"hello {name}, no look-up", pieces, dial=("127.0.0.1", 443), ends=True, path="transparent")


def _fragments() -> Iterator[Row]:
    """Cut into records and segments the name is the same: the open one passes, the other does not."""
    for record, segment in ((1, 0), (0, 1), (7, 3), (64, 0), (0, 100)):
        cut = {"record": record, "segment": segment}
        for host, mark, want in ((OPEN, "/{ok}", 200), (EVIL, "/{m}", 403)):
            name = f"{host} in records of {record}, segments of {segment}"
            tls = ({"sni": host, **cut},)
            yield Row(
                name, (get(host, mark),), connect_line(f"{OPEN}:443"), tls=tls, wants=(want,), path="explicit"
            )
            yield Row(f"{name}, carried", (get(host, mark),), dial=(host, 443), tls=tls, wants=(want,),
                      path="transparent")  # fmt: skip
    for host, mark, want in ((OPEN, "/{ok}", 200), (EVIL, "/{m}", 403)):
        yield Row(f"{host}, no look-up", (get(host, mark),), dial=("127.0.0.1", 443),
                  tls=({"sni": host, "record": 9},), wants=(want,), path="transparent")  # fmt: skip


# -- C6

_LITERALS = (
    "93.184.216.66", "10.66.66.66", "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1",
    "[::1]", "[::]", "[fd00:ec2::254]", "[2606:2800:220:1::66]", "[64:ff9b::5db8:d842]", "[::5db8:d842]",
)  # fmt: skip
"""In their one form: a CONNECT is answered, the refusal comes inside."""

_ODD_LITERALS = (
    "1572395074", "0135.0270.0330.0102", "0x5db8d842", "0x5d.0xb8.0xd8.0x42", "93.184.55362", "93.12113986",
    "127.1", "2130706433", "017700000001", "0x7f000001", "0", "0x0", "127.0.0.1.", "093.184.216.066",
    "93.184.216.66.", "93.184.216", "93.184.216.66.5", "[::ffff:93.184.216.66]", "[::ffff:5db8:d842]",
    "[::93.184.216.66]", "[fe80::1%25lo]", "[fe80::1%lo]", "[0:0:0:0:0:0:0:1]", "[::1", "::1", "[::1]evil.example.net",
    "[v1.a]", "[93.184.216.66]", "0xA9.254.169.254", "2852039166", "169.254.43518",
)  # fmt: skip


def _addresses() -> Iterator[Row]:
    for host in (*_LITERALS, *_ODD_LITERALS):
        canonical = host in _LITERALS or host == "93.184.216.66." or host == "127.0.0.1."
        first = (403,) if canonical else ()
        yield Row(f"CONNECT {host}", (get(host),), connect_line(f"{host}:443"), tls=({"sni": None},),
                  connected=200 if canonical else 403, wants=first, path="explicit")  # fmt: skip
        yield absolute(f"URL {host}", get(host, f"http://{host}/{{m}}"), wants=(403,))
        yield tunnelled(f"Host {host}", OPEN, OPEN, get(host), wants=(403,))
        yield Row(f"Host {host}, carried 80", (get(host),), dial=(OPEN, 80), wants=(403,), path="transparent")


# -- C7

_CLOUD = {
    f"meta{number}.example.com": (address,) for number, address in enumerate(attacks_ground.METADATA)
} | {
    "mixed.example.com": (attacks_ground.UPSTREAM, "169.254.169.254"),
    f"meta.{WILD}": ("169.254.169.254",),
    "inward.example.com": (attacks_ground.PRIVATE,),
    "loop.example.com": ("127.0.0.1",),
    "mapped.example.com": ("::ffff:169.254.169.254",),
    "translated.example.com": ("64:ff9b::a9fe:a9fe",),
    "nowhere.example.com": ("0.0.0.0",),
}


def _cloud() -> Iterator[Row]:
    for host in _CLOUD:
        request = b"GET {p}/{m} HTTP/1.1\r\nHost: {h}\r\nConnection: close\r\n\r\n"
        yield from everyway(host, host, request, wants=(403,))


def _cloud_routes() -> str:
    """As open as a route can be; ``inward`` and ``loop`` lack what those addresses need."""
    more = ""
    for host in _CLOUD:
        if host.endswith(WILD):
            continue
        wide = (
            "" if host.startswith(("inward", "loop")) else "\n    allow_private: true\n    ports: [80, 443]"
        )
        more += f"  - host: {host}{wide}\n"
    return ROUTES + more


# -- C8

_ELSEWHERE = {
    "https": (f"https://{EVIL}/", False),
    "http": (f"http://{EVIL}/", False),
    "metadata": ("http://169.254.169.254/", False),
    "private": (f"http://{attacks_ground.PRIVATE}/", False),
    "loopback": ("http://127.0.0.1/", False),
    "no-scheme": (f"//{EVIL}/", False),
    "closed-path": (f"https://{RULES}/closed/", False),
    "port": (f"https://{OPEN}:8443/", False),
    "open": (f"https://{OPEN}/", True),
}
"""Where the upstream sends its clients, and whether they may go there."""

_FOLLOW = r"""
import json, ssl, sys, urllib.request
unchecked = urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
results = []
for url, by_proxy in json.load(sys.stdin):
    handlers = [unchecked] if by_proxy else [unchecked, urllib.request.ProxyHandler({})]
    opener = urllib.request.build_opener(*handlers)
    try:
        answer = opener.open(urllib.request.Request(url), timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    except OSError as error:
        results.append([type(error).__name__, {}])
        continue
    results.append([answer.status, {name.lower(): value for name, value in answer.headers.items()}])
print(json.dumps(results))
"""


def _send_elsewhere(request, connection) -> None:
    _, kind, code, where, mark = [*request.target.split("/"), "", "", "", ""][:5]
    if kind != "hop":
        connection.reply(200, b"hello")
        return
    place = _ELSEWHERE[where][0] + f"landed-{mark}"
    more = [("Alt-Svc", f'h3="{EVIL}:443"; ma=86400'), ("Refresh", f"0; url={place}")]
    connection.reply(int(code), b"", [("Location", place), *more] if code != "200" else more, reason="Moved")


def test_redirects(person):
    """C8: the proxy follows none; a client that does is judged anew, and takes no credential along."""
    calls = [("301", where) for where in _ELSEWHERE] + [
        (code, "https") for code in ("302", "303", "307", "308", "200")
    ]
    with attacks_ground.internet(person, names=NAMES, responder=_send_elsewhere) as world:

        def urls(phase: str, ways: tuple[bool, ...]) -> list[tuple[str, bool]]:
            return [
                (f"https://{API}/hop/{code}/{where}/{phase}-{number}-{way:d}", way)
                for way in ways
                for number, (code, where) in enumerate(calls)
            ]

        said = world.outside(_FOLLOW, json.dumps(urls("control", (False,))).encode())
        raw = world.upstream.raw + world.evil.raw
        for number, (code, _) in enumerate(calls):
            assert code == "200" or f"/landed-control-{number}-0".encode() in raw, "not proven"
        assert {"alt-svc", "refresh"} <= set(said[-1][1]), "not proven"
        accepted = world.evil.accepted
        flags = ["--routes", str(person.write("routes.yaml", ROUTES))]
        flags += ["--extra-ca", str(person.write("upstreams.pem", world.upstream.ca_pem))]
        asked = urls("inside", (True, False))
        done = person.run(
            "run", *flags, "--", "python3", "-c", _FOLLOW, env=ENV, given=json.dumps(asked).encode()
        )
        assert done.returncode == 0, done.stderr
        raw, requests = world.upstream.raw, world.upstream.requests
    assert world.evil.accepted == accepted
    for (url, _), (status, headers) in zip(asked, json.loads(done.stdout), strict=True):
        code, where, mark = url.split("/")[4:]
        landed = f"/landed-{mark}".encode() in raw
        assert url.partition(API)[2].encode() in raw
        assert landed is (_ELSEWHERE[where][1] and code != "200"), url
        refused = "URLError" if where == "port" else 403  # no answer: the tunnel, or the port
        assert status == (200 if landed or code == "200" else refused), (url, status)
        assert not {"alt-svc", "refresh"} & set(headers), url
    for request in requests:
        if "inside" in request.target:
            own = [f"Bearer {KEY}"] if request.header("host") == API else []
            assert request.all("authorization") == own, request


def test_hellos_and_addresses(person):
    """C5, C6: whatever the first bytes are, whatever form an address has, nobody else is reached."""
    with attacks_ground.internet(person, names=NAMES) as world:
        play(person, world, [*_hellos(), *_fragments(), *_addresses()])


def test_names_that_lead_inwards(person):
    """C7, and private addresses: allowed names that resolve to them, alone and beside a public one."""
    with attacks_ground.internet(person, names={**NAMES, **_CLOUD}) as world:
        play(person, world, _cloud(), routes=_cloud_routes(), asked=_CLOUD)


_NEVER = (
    "169.254.169.254", "fd00:ec2::254", "168.63.129.16", "[::ffff:169.254.169.254]", "0.0.0.0",
    "METADATA.google.internal.", "*.metadata.google.internal", "2852039166",
)  # fmt: skip
"""Of each kind one; ``tests/egress`` has them all."""


def test_what_no_route_may_open(person):
    """C7: a metadata service can't be approved, however it is written; the same file with a name can."""
    for host in (*_NEVER, OPEN):
        wide = f"routes:\n  - host: '{host}'\n    allow_private: true\n    ports: [80]\n"
        done = person.run("explain", "--routes", str(person.write("routes.yaml", wide)), f"http://{OPEN}/")
        assert (done.returncode == 0) is (host == OPEN), (host, done.stdout, done.stderr)
    flagged = person.run("run", "--allow", "169.254.169.254", "--", "true")
    assert flagged.returncode == 125, flagged.stderr
