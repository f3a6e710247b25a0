"""An internet of a test's own: a network namespace with the attacker's machines and the upstreams in it.

Names are answered by the attacker's own name server, so that every name leads somewhere: those in ``names``
to where the test says, all others to the attacker. All that anybody sends to any of the addresses, and every
name that is asked for, is recorded. Nothing leaves the namespace; it ends with the test.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from bot_bottle.testing.upstream import FakeUpstream, Responder, ok

UPSTREAM, EVIL = "93.184.216.10", "93.184.216.66"
"""Numbers that are globally reachable: the address guard lets them pass. Here they lie on a loopback."""
METADATA = (
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd20:ce::254",
)
TRANSLATED = "64:ff9b::a9fe:a9fe"
"""the first of them, as a translator of RFC 6052 reaches it"""
PRIVATE = "10.66.66.66"
EVIL_PORTS = (22, 25, 80, 443, 6379, 8443)

_HOLDER = r"""
import json, socket, subprocess, sys
plan = json.loads(sys.argv[1])
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
for address in plan["addresses"]:
    alone = [address + "/128", "nodad"] if ":" in address else [address + "/32"]
    subprocess.run(["ip", "addr", "add", alone[0], "dev", "lo", *alone[1:]], check=True)
subprocess.run(["mount", "--bind", plan["resolv"], "/etc/resolv.conf"], check=True)
made = []
for address, port, kind in plan["sockets"]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, getattr(socket, kind))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind((address, port))
    if kind == "SOCK_STREAM":
        sock.listen(512)
    made.append(sock)
test = socket.socket(fileno=0)
socket.send_fds(test, [b"ready"], [sock.fileno() for sock in made])
for sock in made:
    sock.close()
test.recv(1)
"""


class Machine(FakeUpstream):
    """Serves one listening socket: TLS where a ClientHello comes, plain bytes otherwise; records both."""

    def __init__(self, listening: socket.socket, responder: Responder) -> None:
        self.hellos: list[bytes] = []
        """how each connection began, as it came over the wire"""
        super().__init__(responder)
        self._listener.close()
        self._listener = listening
        self._listener.settimeout(0.05)

    def _handshake(self, sock: socket.socket) -> tuple[socket.socket, str | None]:
        first = sock.recv(16384, socket.MSG_PEEK)
        self.hellos.append(first)
        if first[:1] != b"\x16":
            return sock, None
        return super()._handshake(sock)

    def _context(self, host: str) -> ssl.SSLContext:
        try:
            return super()._context(host)
        except ValueError:  # no name that a certificate could have
            return super()._context(self.address)

    def _read_body(self, *args: Any) -> bytes:
        try:
            return super()._read_body(*args)
        except OverflowError as error:  # a length of an attack's
            raise ValueError("no such length") from error

    @property
    def busy(self) -> bool:
        """A connection is open: what it brings may not be recorded yet."""
        return bool(self._open)


@dataclass
class Machines:
    """One side: all its listeners."""

    each: list[Machine]

    @property
    def plain(self) -> bytes:
        """Plain bytes of all connections."""
        return b"\n".join(one.raw for one in self.each)

    @property
    def raw(self) -> bytes:
        """The same, and how each connection began."""
        return b"\n".join((self.plain, *(hello for one in self.each for hello in list(one.hellos))))

    @property
    def requests(self) -> list[Any]:
        return [request for one in self.each for request in list(one.requests)]

    @property
    def accepted(self) -> int:
        return sum(one.accepted for one in self.each)

    @property
    def busy(self) -> bool:
        return any(one.busy for one in self.each)

    @property
    def ca_pem(self) -> str:
        return "".join(one.ca_pem for one in self.each)


@dataclass
class Internet:
    """What a test has in hand; see :func:`internet`."""

    upstream: Machines
    evil: Machines
    enter: tuple[str, ...]
    """argv in front of a command that is to run in there"""
    namespace: str
    """of the network, as ``readlink`` shows it"""
    queries: list[str] = field(default_factory=list)
    """every name that was asked for"""

    def outside(self, script: str, given: bytes, *args: str, timeout_s: float = 120.0) -> Any:
        """Run *script* in there, but in no bottle; its output as JSON."""
        argv = [*self.enter, sys.executable, "-I", "-c", script, *args]
        done = subprocess.run(argv, input=given, capture_output=True, timeout=timeout_s)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        return json.loads(done.stdout)


@contextlib.contextmanager
def internet(
    person: Any, *, names: Mapping[str, Sequence[str]], responder: Responder = ok
) -> Iterator[Internet]:
    """*names*: where a name leads, also ``*.example.com``; all others lead to the attacker.

    *person*'s commands run in there until the end.
    """
    parts = Path(tempfile.mkdtemp(prefix="bb-net-", dir="/var/tmp"))
    parts.chmod(0o755)
    (parts / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
    ours, theirs = socket.socketpair()
    sockets = [(UPSTREAM, port, "SOCK_STREAM") for port in (80, 443)]
    sockets += [("::", port, "SOCK_STREAM") for port in EVIL_PORTS] + [("127.0.0.1", 53, "SOCK_DGRAM")]
    plan = {
        "addresses": [UPSTREAM, EVIL, PRIVATE, TRANSLATED, *METADATA],
        "resolv": str(parts / "resolv.conf"),
        "sockets": sockets,
    }
    user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    argv = ["unshare", *user, "--mount", "--net", sys.executable, "-I", "-c", _HOLDER, json.dumps(plan)]
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, parts)
        stack.enter_context(ours)
        holder = stack.enter_context(subprocess.Popen(argv, stdin=theirs))
        stack.callback(holder.kill)
        theirs.close()
        _, fds, _, _ = socket.recv_fds(ours, 16, len(sockets))
        assert len(fds) == len(sockets), "no network namespace could be made: the tests need user namespaces"
        made = [socket.socket(fileno=fd) for fd in fds]
        stack.callback(made[-1].close)
        machines = [stack.enter_context(Machine(one, responder)) for one in made[:-1]]
        into = ["--preserve-credentials", "--user"] if user else []
        enter = (
            "nsenter",
            f"--target={holder.pid}",
            *into,
            "--mount",
            "--net",
            f"--wdns={person.home}",
            "--",
        )
        place = os.readlink(f"/proc/{holder.pid}/ns/net")
        found = Internet(Machines(machines[:2]), Machines(machines[2:]), enter, place)
        threading.Thread(target=_serve_names, args=(made[-1], names, found.queries), daemon=True).start()
        person.enter = enter
        stack.callback(setattr, person, "enter", ())
        yield found


def _serve_names(sock: socket.socket, names: Mapping[str, Sequence[str]], queries: list[str]) -> None:
    while True:
        try:
            packet, peer = sock.recvfrom(4096)
        except OSError:
            return
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1 : at + 1 + packet[at]])
            at += 1 + packet[at]
        name = b".".join(labels).decode("latin-1").lower()
        queries.append(name)
        (kind,) = struct.unpack_from(">H", packet, at + 1)
        records = b""
        for address in map(ip_address, _addresses(name, names)):
            if kind == (1 if address.version == 4 else 28):
                data = address.packed
                records += struct.pack(">HHHIH", 0xC00C, kind, 1, 0, len(data)) + data
        count = records.count(b"\xc0\x0c")
        head = packet[:2] + struct.pack(">5H", 0x8580, 1, count, 0, 0)
        try:
            sock.sendto(head + packet[12 : at + 5] + records, peer)
        except OSError:
            return


def _addresses(name: str, names: Mapping[str, Sequence[str]]) -> Sequence[str]:
    found = names.get(name)
    rest = name
    while found is None and "." in rest:
        rest = rest.partition(".")[2]
        found = names.get(f"*.{rest}")
    return (EVIL,) if found is None else found
