"""The self-test's host half: listeners that must see nothing, and the judgement over init's report.

Passed means (ruling 44): every probe is there and was held, the refusal was this launch's own, and no
listener of ours heard anything. Anything else, a missing line included, is a way out.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Mapping, Sequence
from types import TracebackType

from bot_bottle.base.text import printable
from bot_bottle.sandbox.contract import Probes, SelfTestFailed

ALWAYS_PROBED = frozenset(
    {
        "tcp to the host's loopback",
        "tcp to a public address",
        "tcp to the metadata address",
        "tcp over ipv6",
        "udp to the host's loopback",
        "udp dns to a public address",
        "udp over ipv6",
        "abstract socket of the host",
        "raw socket",
        "interfaces",
        "sockets of the host",
        "host sysctl",
        "processes of the host",
        "identity",
        "privileges",
        "nested user namespace",
        "terminal injection",
        "names",
        "carriage",
        "refusal",
        "introspection",
    }
)
MAX_GATEWAYS = 8
"""Addresses of the host that are tried; further ones differ in nothing."""

_PORTS_INSIDE = frozenset({53, 80, 443, 9098, 9099, 9100, 9418, 9420})
"""Where the shim itself listens: a probe of those would meet it, not us."""


class ProbeListeners:
    """A TCP, a UDP and an abstract Unix listener of the launcher's own, on the host's loopback."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._sockets: dict[str, socket.socket] = {}
        try:
            self._sockets["tcp"] = _bound(socket.SOCK_STREAM)
            self._sockets["udp"] = _bound(socket.SOCK_DGRAM)
            abstract = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._sockets["abstract socket"] = abstract
            abstract.bind(b"\0bot-bottle-probe-" + nonce.encode())
            for name in ("tcp", "abstract socket"):
                self._sockets[name].listen(16)
        except BaseException:
            self.close()
            raise

    def probes(self) -> Probes:
        """What a :class:`BottleSpec` carries."""
        return Probes(
            nonce=self._nonce,
            tcp_port=self._sockets["tcp"].getsockname()[1],
            udp_port=self._sockets["udp"].getsockname()[1],
            abstract_socket=f"bot-bottle-probe-{self._nonce}",
            gateways=host_addresses()[:MAX_GATEWAYS],
            seen=self.seen,
        )

    def seen(self) -> tuple[str, ...]:
        """The listeners that something has reached."""
        poll = select.poll()
        names = {}
        for name, sock in self._sockets.items():
            poll.register(sock, select.POLLIN)
            names[sock.fileno()] = name
        return tuple(f"the launcher's {names[fd]} listener was reached" for fd, _ in poll.poll(0))

    def close(self) -> None:
        """Idempotent."""
        for sock in self._sockets.values():
            sock.close()

    def __enter__(self) -> ProbeListeners:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def _bound(kind: int) -> socket.socket:
    refused: list[socket.socket] = []
    try:
        while True:
            sock = socket.socket(socket.AF_INET, kind)
            refused.append(sock)
            sock.bind(("127.0.0.1", 0))
            if sock.getsockname()[1] not in _PORTS_INSIDE:
                return refused.pop()
    finally:
        for sock in refused:
            sock.close()


def host_addresses() -> tuple[str, ...]:
    """The default gateways and the addresses of this host that are not loopback, IPv4, from /proc."""
    found: dict[str, None] = {}
    try:
        with open("/proc/net/route", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                fields = line.split()
                if fields[1] == "00000000" and fields[2] != "00000000":
                    found[socket.inet_ntoa(int(fields[2], 16).to_bytes(4, "little"))] = None
        with open("/proc/net/fib_trie", encoding="ascii") as file:
            before = ""
            for line in file:
                if "/32 host LOCAL" in line and not before.startswith("127."):
                    found[before] = None
                before = line.split()[-1]
    except (OSError, ValueError, IndexError):
        pass  # a host without IPv4 has none to try
    return tuple(found)


def order(probes: Probes, relay_port: int, *, every_port: bool) -> list[bytes]:
    """The request to init. *every_port*: all TCP is carried to the proxy, and is to be seen so."""
    return [
        b"selftest",
        probes.nonce.encode(),
        b"%d" % probes.tcp_port,
        b"%d" % probes.udp_port,
        probes.abstract_socket.encode(),
        b"%d" % relay_port,
        b"every" if every_port else b"few",
        *(address.encode() for address in probes.gateways),
    ]


def judge(fields: Sequence[bytes], probes: Probes) -> Mapping[str, str]:
    """Probe name to what held it; raises :class:`SelfTestFailed` unless every one did."""
    words = [printable(field.decode("utf-8", "replace"), limit=200) for field in fields]
    report = {words[at]: (words[at + 1], words[at + 2]) for at in range(1, len(words) - 2, 3)}
    expected = set(ALWAYS_PROBED)
    for address in probes.gateways:
        expected |= {f"tcp to the host at {address}", f"udp dns to the host at {address}"}
    trouble = [f"{name}: {detail}" for name, (verdict, detail) in report.items() if verdict != "held"]
    trouble += [f"{name}: not probed" for name in sorted(expected - report.keys())]
    trouble += probes.seen()
    if trouble:
        raise SelfTestFailed(trouble)
    return {name: detail for name, (_, detail) in report.items()}
