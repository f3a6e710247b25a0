"""Whether what reached an upstream is read by h11, nginx and Node alike, and as what was judged.

A request that opens a WebSocket reaches the upstream with a handshake of the proxy's own (``websocket_handshake``):
what was judged has the constant :data:`amb_reading.NONCE` for its key, and so has, for this comparison alone, what
was read, if the key is a well-formed nonce that the client did not send. The readings are compared with each other
as they are; :func:`nonces` are there to see that no two are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from amb_arena import POLICY, Outcome
from amb_draft import Mode
from amb_nginx import running_nginx
from amb_node import read_with_node
from amb_reading import NONCE, NONCE_FIELD, Message, Reading, read_with_h11, with_constant_nonce

from bot_bottle.egress.codec import load_policy
from bot_bottle.egress.decide import decide
from bot_bottle.egress.match import compile_policy
from bot_bottle.egress.request import RequestHead, RequestIdentity, Tunnel, build_identity
from bot_bottle.egress.verdict import Allow
from bot_bottle.sidecar.proxy.body import body_reader
from bot_bottle.sidecar.proxy.http1 import Malformed, find_head_end, parse_request
from bot_bottle.sidecar.proxy.limits import DEFAULT_LIMITS

COMPILED = compile_policy(load_policy(POLICY))
HANDSHAKE = (
    (b"Connection", b"Upgrade"),
    (b"Upgrade", b"websocket"),
    (NONCE_FIELD, NONCE),
    (b"Sec-WebSocket-Version", b"13"),
    (b"Sec-WebSocket-Extensions", b"permessage-deflate"),
)
"""what opens a WebSocket upstream, whatever the client's own handshake said"""
PLAIN_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-")


@dataclass(frozen=True)
class Readings:
    """One stream, four times."""

    h11: Reading
    nginx: Reading
    nginx_as_usual: Reading
    node: Reading

    @property
    def three(self) -> tuple[Reading, Reading, Reading]:
        return self.h11, self.nginx, self.node

    def problems(self) -> list[str]:
        """Where they differ, or one refuses; empty: all read the same."""
        found = [
            f"refused: {reading.refused}" for reading in (*self.three, self.nginx_as_usual) if reading.refused
        ]
        if len({reading.whole for reading in self.three}) != 1:
            found.append("the whole requests differ")
        if len({_first_line(reading.begun) for reading in self.three}) != 1:
            found.append("the request that was begun differs")
        usual = [_plain(message) for message in self.nginx_as_usual.whole]
        if usual != [_plain(message) for message in self.h11.whole]:
            found.append("nginx with its defaults reads other requests")
        return found


def _first_line(message: Message | None) -> tuple[bytes, bytes] | None:
    return None if message is None else (message.method, message.target)


def _plain(message: Message) -> Message:
    """Without the fields that nginx drops by default."""
    kept = tuple((name, value) for name, value in message.fields if PLAIN_NAME.issuperset(name))
    return Message(message.method, message.target, message.hosts, kept, message.body)


def read_all(streams: Iterable[bytes], directory: Path) -> dict[bytes, Readings]:
    """Each different stream, read by all."""
    every = sorted(set(streams))
    with running_nginx(directory) as nginx:
        shown, usual = nginx.read(every), nginx.read_as_usual(every)
    node = read_with_node(every)
    return {
        stream: Readings(read_with_h11(stream), a, b, c)
        for stream, a, b, c in zip(every, shown, usual, node, strict=True)
    }


def bodies(sent: bytes, *, skip_connect: bool) -> list[bytes | None]:
    """The body of every request in a client's bytes as our own parser reads them; None: it does not end."""
    found: list[bytes | None] = []
    data = sent
    try:
        while (ends := find_head_end(data, DEFAULT_LIMITS)) is not None:
            parsed = parse_request(data[: ends[0]], DEFAULT_LIMITS)
            data = data[ends[1] :]
            if skip_connect and parsed.head.method == b"CONNECT":
                continue
            reader = body_reader(parsed.framing, strict=True)
            body = b""
            found.append(None)
            while not reader.done and data:
                body += b"".join(reader.feed(data))
                data = reader.rest
            if not reader.done:
                break
            found[-1] = body
    except Malformed:
        pass
    return found


def expected(outcome: Outcome, sent: bytes, mode: Mode) -> list[Message]:
    """What may reach the upstream: every request that was allowed, as the verdict has it."""
    wanted: list[Message] = []
    read = bodies(sent, skip_connect=mode is Mode.DIRECT)
    for number, (identity, verdict) in enumerate(outcome.judged):
        if isinstance(verdict, Allow):
            fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in verdict.headers]
            fields += HANDSHAKE if verdict.websocket is not None else ()
            body = read[number] if number < len(read) else None
            wanted.append(
                Message.made(identity.method.encode(), identity.target.encode(), fields, body or b"")
            )
    return wanted


def judge(outcome: Outcome, sent: bytes, mode: Mode, readings: dict[bytes, Readings]) -> list[str]:
    """What is wrong with an outcome; empty: all that was forwarded is what was judged."""
    problems: list[str] = []
    wanted, judged = expected(outcome, sent, mode), outcome.allowed
    at = 0
    for stream in outcome.received:
        reading = readings[stream]
        problems += reading.problems()
        for turn, message in enumerate(reading.h11.whole):
            if at >= len(wanted) or with_constant_nonce(message, sent) != wanted[at]:
                problems.append(f"not what was judged: {message}")
                break
            problems += _rejudged(message, judged[at], mode)
            problems += _looked_up(judged[at], reading, turn)
            at += 1
        begun = reading.h11.begun
        if begun is not None and (
            at >= len(wanted) or _bare(with_constant_nonce(begun, sent)) != _bare(wanted[at])
        ):
            problems.append(f"begun, and not what was judged: {begun}")
    return problems


def nonces(outcomes: Iterable[Outcome], readings: dict[bytes, Readings]) -> list[bytes]:
    """The keys of all the WebSockets that the proxy has asked for."""
    return [
        value
        for outcome in outcomes
        for stream in outcome.received
        for message in readings[stream].h11.whole
        for name, value in message.fields
        if name == NONCE_FIELD
    ]


def _bare(message: Message) -> Message:
    return Message(message.method, message.target, message.hosts, message.fields)


def _rejudged(message: Message, judged: RequestIdentity, mode: Mode) -> list[str]:
    """The policy allows it as the upstream reads it, under the same identity."""
    fields = (*((b"Host", host) for host in message.hosts), *message.fields)
    tunnel = Tunnel(judged.host, judged.port, tls=mode is Mode.TLS)
    identity = build_identity(RequestHead(message.method, message.target, b"HTTP/1.1", fields), tunnel=tunnel)
    if not isinstance(identity, RequestIdentity):
        return [f"refused as the upstream reads it: {identity}"]
    if (identity.host, identity.path, identity.query) != (judged.host, judged.path, judged.query):
        return [f"another identity as the upstream reads it: {identity}"]
    verdict = decide(COMPILED, identity)
    return [] if isinstance(verdict, Allow) else [f"not allowed as the upstream reads it: {verdict}"]


def _looked_up(judged: RequestIdentity, reading: Readings, turn: int) -> list[str]:
    """What nginx and the URL Standard look a path up under is the path that was judged."""
    found = []
    for name, paths, path in (
        ("nginx", reading.nginx.paths, unquote_to_bytes(judged.path)),
        ("nginx as usual", reading.nginx_as_usual.paths, unquote_to_bytes(judged.path)),
        ("Node", reading.node.paths, judged.path.encode()),
    ):
        if len(paths) > turn and paths[turn] != path:
            found.append(f"{name} looks up {paths[turn]!r}, judged was {path!r}")
    return found


def table(rows: Sequence[tuple[str, ...]], heads: tuple[str, ...]) -> str:
    """*rows* under *heads*, for people."""
    widths = [max(len(row[at]) for row in (heads, *rows)) for at in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (heads, *rows)
    )
