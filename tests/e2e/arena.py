"""A network of a test's own, where its attackers live: nothing of it reaches this machine or any other.

The test's thread moves into a new network namespace, so that whatever it starts or opens is there too: the
command, its daemon and sidecars, the listeners of attackers. One interface, ``out0``, has a route to
everywhere; who sends anything there is heard at its other end (``out1``). Beside it lie addresses of "this
host" and of servers that answer, and a name server that remembers what it was asked.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from struct import pack, unpack_from
from types import TracebackType
from typing import Any

from bot_bottle.base import linux

GATEWAY = "198.51.100.1"
"""An address of the host that runs the bottles, as a container's gateway would be."""
NAMESERVER = "198.51.100.53"
PUBLIC = "1.2.3.4"
"""Globally reachable for the address guard; in here it is ours."""
METADATA = "169.254.169.254"
INWARD = "10.11.12.1"

_SETUP = """
link set lo up
link add out0 type veth peer name out1
link set out0 arp off
link set out1 arp off
link set out1 up
link set out0 up
address add 198.51.100.1/24 dev out0
address add 198.51.100.53/32 dev out0
address add 1.2.3.4/32 dev out0
address add 169.254.169.254/32 dev out0
address add 10.11.12.1/32 dev out0
-6 address add 2001:db8:a::1/64 dev out0 nodad
route add default dev out0
-6 route add default dev out0
"""
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
_ETHER_TYPES = {0x0800: 4, 0x86DD: 6}
_WITH_PORTS = frozenset({6, 17, 132, 136})
_A = 1

Packet = tuple[int | str, str, int]
"""IP protocol (``frame``: no IP), destination, and port or type."""


@dataclass
class Listener:
    """One (address, port) of an attacker's, TCP and UDP; every connection and datagram is kept."""

    address: str
    port: int
    got: list[bytes] = field(default_factory=list)


class Arena:
    """A context manager; of one thread."""

    def __init__(self) -> None:
        self.queries: list[tuple[str, int]] = []
        """name and type, as the name server was asked"""
        self.answers: dict[str, list[str]] = {}
        """name to its addresses, one an answer; the last one stays. All other names don't exist"""
        self.listeners: list[Listener] = []
        self._packets: list[Packet] = []
        self._selector = selectors.DefaultSelector()
        self._over = threading.Event()

    def __enter__(self) -> Arena:
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        linux.unshare(linux.CLONE_NEWNET)
        try:
            for line in _SETUP.strip().splitlines():
                subprocess.run(["ip", *line.split()], check=True, timeout=20)
            Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647", encoding="ascii")
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            wire.bind(("out1", 0))
            self._watch(wire, lambda: self._frame(wire.recv(65536)))
            self._serve_names()
            self._thread = threading.Thread(target=self._serve)
            self._thread.start()
        except BaseException:
            linux.setns(self._home, linux.CLONE_NEWNET)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()
        linux.setns(self._home, linux.CLONE_NEWNET)
        os.close(self._home)

    def listen(self, address: str, port: int) -> Listener:
        """An attacker's server at *address*, which this network has."""
        listener = Listener(address, port)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server = socket.create_server((address, port), family=family, backlog=128)
        datagrams = socket.socket(family, socket.SOCK_DGRAM)
        datagrams.bind((address, port))
        self._watch(server, lambda: self._accept(server, listener))
        self._watch(datagrams, lambda: listener.got.append(datagrams.recv(65536)))
        self.listeners.append(listener)
        return listener

    def seen(self) -> set[Packet]:
        """What has left by ``out0`` since the last call."""
        marker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with marker:  # behind all that was sent before it
            marker.sendto(b"", ("192.0.2.99", 9))
        mine = (17, "192.0.2.99", 9)
        while mine not in self._packets:
            self._over.wait(0.01)
        seen = set(self._packets) - {mine}
        self._packets.clear()
        return seen

    def arrived(self) -> set[tuple[str, int]]:
        """The listeners that somebody has reached since the last call."""
        for _ in range(2):  # the second is taken in a later turn than all that was there before
            with socket.create_connection((NAMESERVER, 53), 5) as marker:
                marker.recv(1)
        reached = {(listener.address, listener.port) for listener in self.listeners if listener.got}
        for listener in self.listeners:
            listener.got.clear()
        return reached

    def _watch(self, sock: socket.socket, act: Any) -> None:
        self._selector.register(sock, selectors.EVENT_READ, act)

    def _serve(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(0.02):
                with contextlib.suppress(OSError):
                    key.data()

    def _accept(self, server: socket.socket, listener: Listener) -> None:
        client, _ = server.accept()
        listener.got.append(b"")

        def read() -> None:
            data = b""
            with contextlib.suppress(OSError):
                data = client.recv(65536)
                if data:
                    client.sendall(_ANSWER)
            listener.got.append(data)
            self._selector.unregister(client)
            client.close()

        self._watch(client, read)

    def _frame(self, frame: bytes) -> None:
        kind = int.from_bytes(frame[12:14], "big")
        version = _ETHER_TYPES.get(kind)
        if version is None:
            self._packets.append(("frame", "", kind))
            return
        if version == 4:
            protocol, address, rest = frame[23], frame[30:34], frame[14 + 4 * (frame[14] & 15) :]
        else:
            protocol, address, rest = frame[20], frame[38:54], frame[54:]
        if version == 6 and (protocol == 0 or (protocol == 58 and rest[0] >= 130)):
            return  # multicast listeners and neighbours: the kernel's own
        if protocol == 2:
            return  # IGMP: likewise
        port = int.from_bytes(rest[2:4], "big") if protocol in _WITH_PORTS else rest[0]
        self._packets.append((protocol, str(ip_address(address)), port))

    def _serve_names(self) -> None:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((NAMESERVER, 53))
        tcp = socket.create_server((NAMESERVER, 53), backlog=128)

        def datagram() -> None:
            packet, sender = udp.recvfrom(4096)
            udp.sendto(self._answer(packet), sender)

        def connection() -> None:
            client, _ = tcp.accept()
            client.settimeout(5.0)  # a busy machine's client has not written yet
            with client, contextlib.suppress(OSError):
                client.sendall(b"\0")  # nobody's answer: whoever asks over TCP is only heard
                if client.recv(4096):
                    self.queries.append(("over tcp", 0))

        self._watch(udp, datagram)
        self._watch(tcp, connection)

    def _answer(self, packet: bytes) -> bytes:
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1 : at + 1 + packet[at]].decode("ascii", "replace").lower())
            at += 1 + packet[at]
        (kind,) = unpack_from(">H", packet, at + 1)
        name = ".".join(labels)
        self.queries.append((name, kind))
        question = packet[12 : at + 5]
        known = self.answers.get(name)
        record = b""
        if known and kind == _A:
            address = known.pop(0) if len(known) > 1 else known[0]
            record = pack(">HHHIH", 0xC00C, _A, 1, 0, 4) + socket.inet_aton(address)
        flags = 0x8180 if known else 0x8183
        return packet[:2] + pack(">5H", flags, 1, 1 if record else 0, 0, 0) + question + record


def from_outside(script: str, *args: str) -> str:
    """Run a probe in the arena, outside of any bottle: the control."""
    done = subprocess.run([sys.executable, "-c", script, *args], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_names(resolv_conf: Path) -> tuple[str, ...]:
    """For ``Person.enter``: the command, and its daemon with it, asks the arena's name server."""
    resolv_conf.write_text(f"nameserver {NAMESERVER}\noptions timeout:2 attempts:1\n", encoding="ascii")
    script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(resolv_conf))
