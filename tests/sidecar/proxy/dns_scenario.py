"""Run by ``test_faults_names`` in namespaces of its own: ``dns_scenario.py DIRECTORY NAME...``.

Prints what happened as JSON. A name's first label says how the DNS server answers for it.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from faults_support import incidents, running, until

from bot_bottle.sidecar.proxy import arming
from bot_bottle.testing.upstream import FakeUpstream

ZONE = "names.example.com"
PUBLIC, PRIVATE, METADATA = "93.184.216.34", "10.9.8.7", "169.254.169.254"
A, AAAA, CNAME = 1, 28, 5
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5


class Dns:
    """Answers over UDP and, where an answer does not fit, over TCP."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        """A queries by first label"""
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 53))
        self._tcp = socket.create_server(("127.0.0.1", 53))
        for call in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=call, daemon=True).start()

    def _serve_udp(self) -> None:
        while True:
            query, peer = self._udp.recvfrom(4096)
            reply = self._answer(query)
            if reply is not None and len(reply) > 512:
                reply = reply[:2] + b"\x87\x80" + reply[4:6] + bytes(6) + query[12:]  # truncated: ask by TCP
            if reply is not None:
                self._udp.sendto(reply, peer)

    def _serve_tcp(self) -> None:
        while True:
            sock, _ = self._tcp.accept()
            with sock, contextlib.suppress(OSError, struct.error):
                while size := sock.recv(2):  # one query after the other: A and AAAA
                    reply = self._answer(sock.recv(*struct.unpack("!H", size))) or b""
                    sock.sendall(struct.pack("!H", len(reply)) + reply)

    def _answer(self, query: bytes) -> bytes | None:
        end = query.index(b"\0", 12)
        labels, at = [], 12
        while at < end:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        (kind,) = struct.unpack("!H", query[end + 1 : end + 3])
        question, name = query[12 : end + 5], labels[0]
        if kind == A:
            self.asked[name] += 1
        if name.startswith("silent"):
            return None
        if name == "garbage":
            return query[:2] + b"\x81\x80" + b"\xff" * 20
        code = {"nxdomain": NXDOMAIN, "servfail": SERVFAIL, "refused": REFUSED}.get(name, 0)
        records = [] if code else self._records(name, kind)
        head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(records), 0, 0)
        return head + question + b"".join(records)

    def _records(self, name: str, kind: int) -> list[bytes]:
        if name == "loop":
            return [_record(CNAME, b"\xc0\x0c")]
        if name == "mapped" and kind == AAAA:
            return [_record(AAAA, socket.inet_pton(socket.AF_INET6, f"::ffff:{PRIVATE}"))]
        addresses = {
            "empty": [],
            "mapped": [],
            "hundred": [PUBLIC, *(f"93.184.217.{number}" for number in range(1, 100))],
            "mixed": [PUBLIC, PRIVATE],
            "private": [PRIVATE],
            "metadata": [METADATA],
            "rebinding": [PUBLIC if self.asked[name] <= 1 else PRIVATE],
        }.get(name, [PUBLIC])
        return [_record(A, socket.inet_aton(address)) for address in addresses] if kind == A else []


def _record(kind: int, data: bytes) -> bytes:
    return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(data)) + data


def prepare(directory: Path) -> None:
    """Loopback, the addresses, and a resolver's configuration of this namespace's own."""
    addresses = (f"ip addr add {address}/32 dev lo" for address in (PUBLIC, PRIVATE, METADATA))
    six = "ip addr add 2001:db8::1/128 dev lo"  # else nobody asks for AAAA records
    for words in ("ip link set lo up", *addresses, six, "ip route add default dev lo"):
        subprocess.run(words.split(), check=True)
    (directory / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
    (directory / "nsswitch.conf").write_text("hosts: dns\n")
    for name in ("resolv.conf", "nsswitch.conf"):
        target = Path("/etc", name).resolve()
        if target.exists():
            subprocess.run(["mount", "--bind", str(directory / name), str(target)], check=True)


def ask(proxy: Any, name: str) -> tuple[int, str]:
    status, body = proxy.ask(f"{name}.{ZONE}", f"/{name}", port=8080)
    return status, body.decode()


def main(directory: Path, names: list[str]) -> dict[str, Any]:
    prepare(directory)
    dns = Dns()
    public, private = FakeUpstream(tls=False, address=PUBLIC), FakeUpstream(tls=False, address=PRIVATE)
    public._listener.close()
    private._listener.close()
    for fake in (public, private):  # both on the port that the routes name
        fake._listener = socket.create_server((fake.address, 8080), backlog=64)
        fake._listener.settimeout(0.05)
    policy = f"log: 1\nroutes:\n  - host: '*.{ZONE}'\n    ports: [8080]\n"
    policy += "".join(f"  - host: {name}.{ZONE}\n    ports: [8080]\n" for name in names)
    found: dict[str, Any] = {"meanwhile": 0}
    limits = {"connect_s": 1.5}
    with public, private, running(directory, policy, limits=limits) as proxy:
        hanging = [
            threading.Thread(target=ask, args=(proxy, f"silent{number}"), daemon=True) for number in range(6)
        ]
        for thread in hanging:
            thread.start()
        until(
            lambda: len([name for name in dns.asked if name.startswith("silent")]) >= 6, "they are asked for"
        )
        while all(thread.is_alive() for thread in hanging) and found["meanwhile"] < 50:
            found["meanwhile"] += ask(proxy, "good")[0] == 200
        found["answers"] = {name: ask(proxy, name) for name in names}
        found["rebound"] = ask(proxy, "rebinding")
        found["denied"] = proxy.ask("secret-in-a-label.evil.example")[0]
        found["public"] = [request.target.strip("/") for request in public.requests]
        found["private"] = [bytes(data).decode() for data in private.received]
        with socket.create_connection((PRIVATE, 8080), 5):
            until(lambda: private.accepted == 1, "the control arrives")
            found["control"] = True
        for thread in hanging:
            thread.join(20)
        found["asked"] = sorted(dns.asked)
    assert incidents(directory) == []
    return found


if __name__ == "__main__":
    arming.preload()  # as the parent of a bottle's proxy does: no request waits for it
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2:])))
