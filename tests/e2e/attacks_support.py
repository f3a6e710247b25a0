"""Tables of attacks, played from inside a real bottle and, as a control, from outside of any (ruling 70).

A row says what is sent and what has to come back. Its bytes hold markers: ``{ok}`` in what may reach the
upstream, ``{m}`` in what nobody may get. Inside, the first kind arrives at the upstream and at nobody else,
and the second kind nowhere, not even as a name that is asked for; outside both arrive, or the row proves
nothing.
"""

from __future__ import annotations

import json
import ssl
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from attacks_ground import UPSTREAM, Internet
from e2e_support import eventually

PROBE = Path(__file__).with_name("attack_probe.py").read_text()

API, OPEN, RULES, EVIL = "api.example.com", "open.example.com", "rules.example.com", "evil.example.net"
WILD = "wild.example.org"
KEY = "real-key-of-the-operator"
ENV = {"API_KEY": KEY}
NAMES = dict.fromkeys((API, OPEN, RULES, f"*.{WILD}"), (UPSTREAM,))

ROUTES = f"""\
log: 1
routes:
  - host: {API}
    auth_scheme: Bearer
    token_env: API_KEY
  - host: {OPEN}
  - host: {RULES}
    matches:
      - paths: [{{value: /public}}]
        methods: [GET, POST]
      - paths: [{{value: /keyed}}]
        methods: [GET]
        headers: [{{name: X-Env, value: prod}}]
  - host: "*.{WILD}"
"""


LONG = b"{mmmmm}"
"""``{m}`` where lengths count: as long as what stands for it"""


@dataclass(frozen=True)
class Row:
    """One probe. Fields up to ``turns`` are played as they stand (``attack_probe.play``)."""

    name: str
    send: tuple[bytes, ...] = ()
    connect: bytes = b""
    """a CONNECT's head; empty: none"""
    dial: tuple[str, int] | None = None
    """where to connect; None: the proxy"""
    tls: tuple[dict[str, Any], ...] = ()
    plain: bytes = b""
    """sent before TLS"""
    turns: bool = False
    """an answer is waited for before the next piece"""
    ends: bool = False
    """the client says at the end that nothing more comes"""
    datagram: bool = False
    """UDP: one packet, one answer"""
    wants: tuple[int, ...] = ()
    """status lines that come back, in order; after the CONNECT's"""
    or_closed: bool = False
    """no answer at all is as good"""
    connected: int = 200
    """status of the CONNECT"""
    arrives: bytes = b""
    """exactly this reaches the upstream"""
    path: str = ""

    def order(self, marker: str) -> dict[str, Any]:
        def text(data: bytes) -> str:
            return self.marked(data, marker).decode("latin-1")

        tls = [
            {**layer, "sni": None if layer["sni"] is None else text(layer["sni"].encode("latin-1"))}
            for layer in self.tls
        ]
        return {
            "connect": text(self.connect),
            "dial": None if self.dial is None else [text(self.dial[0].encode()), self.dial[1]],
            "tls": tls,
            "plain": text(self.plain),
            "send": [text(piece) for piece in self.send],
            "turns": self.turns,
            "ends": self.ends,
            "datagram": self.datagram,
        }

    def marks(self, marker: str) -> tuple[bytes | None, bytes | None]:
        """What may arrive, and what may not, as bytes to look for; None: the row has none of the kind."""
        parts = (*self.send, self.connect, self.plain, *(str(x["sni"]).encode() for x in self.tls))
        parts = (*parts, *([] if self.dial is None else [self.dial[0].encode()]))
        allowed = f"ok{marker}".encode() if any(b"{ok}" in part for part in parts) else None
        denied = f"no{marker}".encode() if any(b"{m}" in part or LONG in part for part in parts) else None
        assert allowed or denied, f"{self.name}: nothing to look for"
        return allowed, denied

    @staticmethod
    def marked(data: bytes, marker: str) -> bytes:
        allowed, denied = f"ok{marker}".encode(), f"no{marker}".encode()
        return data.replace(b"{ok}", allowed).replace(b"{m}", denied).replace(LONG, denied)


def connect_line(authority: str | bytes, host: str | bytes | None = None) -> bytes:
    """A CONNECT's head; *host*: of the Host field, else the same."""
    one = authority.encode("latin-1") if isinstance(authority, str) else authority
    two = one if host is None else host.encode("latin-1") if isinstance(host, str) else host
    return b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (one, two)


def get(host: str | bytes, target: str | bytes = "/{m}", more: bytes = b"") -> bytes:
    """A GET that ends the connection."""
    name = host.encode("latin-1") if isinstance(host, str) else host
    what = target.encode("latin-1") if isinstance(target, str) else target
    return b"GET %b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n%b\r\n" % (what, name, more)


def tunnelled(name: str, connect: str, sni: str | None, *send: bytes, **rest: Any) -> Row:
    """CONNECT, TLS, bytes."""
    line = connect_line(connect if ":" in connect else f"{connect}:443")
    return Row(name, send, line, tls=({"sni": sni},), path="explicit", **rest)


def carried(name: str, host: str, sni: str | None, *send: bytes, **rest: Any) -> Row:
    """Past all proxy settings: the name is looked up and port 443 dialled."""
    return Row(name, send, dial=(host, 443), tls=({"sni": sni},), path="transparent", **rest)


def absolute(name: str, *send: bytes, **rest: Any) -> Row:
    """To the proxy's port as it is."""
    return Row(name, send, path="explicit", **rest)


def everyway(name: str, host: str, *send: bytes, **rest: Any) -> Iterator[Row]:
    """The same requests in a tunnel, in absolute form, and carried from 443 and 80. In the bytes ``{p}`` is
    what a target begins with and ``{h}`` the host."""

    def told(prefix: str) -> tuple[bytes, ...]:
        return tuple(piece.replace(b"{p}", prefix.encode()).replace(b"{h}", host.encode()) for piece in send)

    yield tunnelled(f"{name}, tunnel", host, host, *told(""), **rest)
    yield absolute(f"{name}, absolute", *told(f"http://{host}"), **rest)
    yield carried(f"{name}, carried 443", host, host, *told(""), **rest)
    plain = Row(f"{name}, carried 80", told(""), dial=(host, 80), path="transparent")
    yield replace(plain, **rest)


def client_hello(sni: bytes | None, filler: int = 0) -> bytes:
    """A ClientHello of OpenSSL's with *sni* as its name, byte by byte; *filler*: more bytes of an extension."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    client = context.wrap_bio(incoming, outgoing, server_hostname=None)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    extra = b""
    if sni is not None:
        entry = b"\0" + len(sni).to_bytes(2, "big") + sni
        body = len(entry).to_bytes(2, "big") + entry
        extra += b"\0\0" + len(body).to_bytes(2, "big") + body
    if filler:
        extra += b"\0\x15" + filler.to_bytes(2, "big") + bytes(filler)
    return with_extensions(outgoing.read(), extra)


def with_extensions(record: bytes, extra: bytes) -> bytes:
    """*record* (one, with a ClientHello) with *extra* behind its extensions."""
    hello = record[9:]
    at = 34
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 1 + hello[at]
    extensions = hello[at + 2 :] + extra
    hello = hello[:at] + len(extensions).to_bytes(2, "big") + extensions
    body = b"\x01" + len(hello).to_bytes(3, "big") + hello
    return b"\x16\x03\x01" + len(body).to_bytes(2, "big") + body


@dataclass
class Played:
    """What came of a table: one entry a row, in order."""

    rows: Sequence[Row]
    results: Sequence[dict[str, Any]]
    markers: Sequence[str]
    blamed: list[str] = field(default_factory=list)

    def of(self, name: str) -> dict[str, Any]:
        """The result of the row *name*."""
        return next(result for row, result in zip(self.rows, self.results, strict=True) if row.name == name)

    def say(self, person: Any) -> None:
        """Numbers, for whoever runs the tests with ``-s``."""
        who = "root" if person.uid == 0 else "user"
        print(f"{who}: {dict(Counter(row.path for row in self.rows))} rows")


def play(
    person: Any, world: Internet, rows: Iterable[Row], *, routes: str = ROUTES, asked: Iterable[str] = ()
) -> Played:
    """Play *rows* outside, then in a bottle of *person*'s, and judge; returns what came back inside.

    *asked*: names, beside those of :data:`ROUTES`, that may be asked for.
    """
    table = list(rows)
    names = [row.name for row in table]
    assert len(set(names)) == len(names), [name for name, count in Counter(names).items() if count > 1]
    outside = [f"{index:04d}x" for index in range(len(table))]
    inside = [f"{index:04d}y" for index in range(len(table))]
    world.outside(PROBE, _orders(table, outside), "outside")
    eventually(lambda: not (world.upstream.busy or world.evil.busy), "all connections of the control end")
    unproven = _not_proven(world, table, outside)
    assert not unproven, f"the control does not arrive, not proven: {unproven}"
    queried, accepted = len(world.queries), world.evil.accepted
    flags = ["--routes", str(person.write("routes.yaml", routes))]
    flags += ["--extra-ca", str(person.write("upstreams.pem", world.upstream.ca_pem + world.evil.ca_pem))]
    done = person.run("run", *flags, "--", "python3", "-c", PROBE, env=ENV, given=_orders(table, inside))
    assert done.returncode == 0, done.stderr
    eventually(lambda: not (world.upstream.busy or world.evil.busy), "all connections of the bottle end")
    played = Played(table, json.loads(done.stdout), inside)
    wrong = [*_misjudged(played), *_misplaced(world, table, inside)]
    strays = sorted({name for name in world.queries[queried:] if not _allowed(name)} - set(asked))
    wrong += [f"a name was asked for that no route has: {name}" for name in strays]
    if world.evil.accepted != accepted:
        wrong.append("the attacker's machine was connected to")
    assert not wrong, "\n".join(wrong)
    played.say(person)
    return played


def _orders(table: Sequence[Row], markers: Sequence[str]) -> bytes:
    return json.dumps([row.order(marker) for row, marker in zip(table, markers, strict=True)]).encode()


def _not_proven(world: Internet, table: Sequence[Row], markers: Sequence[str]) -> list[str]:
    raw = world.upstream.raw + world.evil.raw + "\n".join(world.queries).encode()
    return [
        row.name
        for row, marker in zip(table, markers, strict=True)
        if not all(mark in raw for mark in row.marks(marker) if mark is not None)
    ]


def _misjudged(played: Played) -> Iterator[str]:
    for row, result in zip(played.rows, played.results, strict=True):
        got = tuple(result["answers"])
        if row.or_closed and not got:
            got = row.wants
        if got != row.wants or (row.connect and result["connected"] != row.connected):
            yield f"{row.name}: {result} instead of {row.connected} {row.wants}"
        elif result["end"] == "open":
            yield f"{row.name}: was left open {result}"


def _misplaced(world: Internet, table: Sequence[Row], markers: Sequence[str]) -> Iterator[str]:
    upstream, evil = world.upstream.raw, world.evil.raw
    queries = "\n".join(world.queries).encode()
    for row, marker in zip(table, markers, strict=True):
        allowed, denied = row.marks(marker)
        if denied is not None and denied in upstream + evil + queries:
            yield f"{row.name}: {denied!r} got out"
        if allowed is not None and (allowed not in upstream or allowed in evil):
            yield f"{row.name}: {allowed!r} did not arrive where it may"
        if (exact := row.marked(row.arrives, marker)) not in upstream:
            yield f"{row.name}: {exact!r} did not arrive"


def _allowed(name: str) -> bool:
    return name in NAMES or name.endswith(f".{WILD}")
