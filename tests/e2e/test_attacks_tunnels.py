"""What goes through an open way: other protocols, tunnels in tunnels, flows whose route goes (threats A9, A10, A13)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import attacks_ground
import pytest
from attacks_support import (
    API,
    ENV,
    EVIL,
    LONG,
    NAMES,
    OPEN,
    ROUTES,
    Row,
    absolute,
    carried,
    client_hello,
    connect_line,
    get,
    play,
    tunnelled,
)
from e2e_support import eventually

pytestmark = pytest.mark.slow

# -- A9

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0{m}"
_FIRST_BYTES = {
    "SSH": b"SSH-2.0-{m}\r\n",
    "SOCKS 4": b"\x04\x01\x01\xbb\x5d\xb8\xd8\x42{m}\0",
    "SOCKS 5": b"\x05\x01\0\x05\x01\0\x03\x07{m}\x01\xbb",
    "HTTP/2": _PREFACE,
    "STUN": b"\0\x01\0\x08\x21\x12\xa4\x42" + bytes(12) + b"\x80\x22\0\x07{m}\0",
    "DNS over TCP": b"\0\x20\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07{m}\0\0\x10\0\x01",
    "SMTP": b"EHLO {m}\r\n",
    "Redis": b"*1\r\n$7\r\n{m}\r\n",
    "Postgres": b"\0\0\0\x14\0\x03\0\0user\0{m}\0",
    "git": b"0032git-upload-pack /{m}\0host=x\0",
    "RDP": b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0{m}",
    "WireGuard": b"\x01\0\0\0{m}" + bytes(140),
    "TLS of another kind": b"\x14\x03\x01\0\x01\x01{m}",
    "zeros": bytes(64) + b"{m}",
    "plain HTTP": get(OPEN),
    "a CONNECT": connect_line(f"{EVIL}:443") + b"{m}",
}
_IN_TLS = {
    "TLS in TLS": client_hello(LONG + b"." + EVIL.encode()),
    "SSH": b"SSH-2.0-{m}\r\n\r\n",
    "SOCKS 5": b"\x05\x01\0{m}\r\n\r\n",
    "HTTP/2": _PREFACE,
    "STUN": _FIRST_BYTES["STUN"] + b"\r\n\r\n",
    "SMTP": b"EHLO {m}\r\n\r\n",
}
"""With an end that a head of HTTP has, where the protocol allows one: it is judged at once."""


def _protocols() -> Iterator[Row]:
    for name, data in _FIRST_BYTES.items():
        yield Row(f"A9 {name}", (data,), connect_line(f"{OPEN}:443"), path="explicit")
        yield Row(f"A9 {name}, carried", (data,), dial=(OPEN, 443), path="transparent")
        yield Row(f"A9 {name}, no look-up", (data,), dial=("127.0.0.1", 443), ends=True, path="transparent")
        yield absolute(f"A9 {name}, to the proxy", data + b"\r\n\r\n", wants=(403,) if name != "a CONNECT" else (200,),
                       ends=True, or_closed=True)  # fmt: skip
        if name not in ("plain HTTP", "a CONNECT"):
            head = (data + b"\r\n\r\n",)
            rest = {"wants": (403,), "or_closed": True}
            yield Row(f"A9 {name} to 80", head, connect_line(f"{OPEN}:80"), path="explicit", **rest)
            yield Row(f"A9 {name} to 80, carried", head, dial=(OPEN, 80), path="transparent", **rest)
    for name, data in _IN_TLS.items():
        yield tunnelled(f"A9 inside TLS: {name}", OPEN, OPEN, data + b"\r\n\r\n", wants=(403,))
        yield carried(f"A9 inside TLS, carried: {name}", OPEN, OPEN, data + b"\r\n\r\n", wants=(403,))


# -- A10


def _tunnels() -> Iterator[Row]:
    for target in (f"{EVIL}:443", f"{OPEN}:443", "93.184.216.66:22", f"http://{EVIL}/"):
        sent = connect_line(target)[:-2] + b"X-Mark: {m}\r\n\r\n" + get(EVIL)
        name, outer = f"A10 CONNECT {target}", connect_line(f"{OPEN}:80")
        yield tunnelled(f"{name} inside TLS", OPEN, OPEN, sent, wants=(403,))
        yield carried(f"{name} inside TLS, carried", OPEN, OPEN, sent, wants=(403,))
        yield Row(f"{name} in a tunnel to 80", (sent,), outer, wants=(403,), path="explicit")
        yield Row(f"{name} carried from 80", (sent,), dial=(OPEN, 80), wants=(403,), path="transparent")
    for host in (OPEN, API, EVIL, "93.184.216.66", "[2606:2800:220:1::66]"):
        for port in (22, 25, 6379, 8443):
            line = connect_line(f"{host}:{port}")
            yield Row(f"A10 {host} port {port}", (b"SSH-2.0-{m}\r\n",), line, connected=403, path="explicit")
            url = get(f"{host}:{port}", f"http://{host}:{port}/{{m}}")
            yield absolute(f"A10 {host} port {port}, URL", url, wants=(403,))
            name = f"A10 {host} port {port}, Host"
            yield tunnelled(name, OPEN, OPEN, get(f"{host}:{port}"), wants=(403,))
            yield Row(
                f"{name}, carried",
                (get(f"{host}:{port}"),),
                dial=(OPEN, 80),
                wants=(403,),
                path="transparent",
            )
    for host in ("93.184.216.66", "10.66.66.66", "169.254.169.254", "[::1]"):
        yield Row(f"A10 {host}", (get(host),), connect_line(f"{host}:443"), tls=({"sni": None},), wants=(403,),
                  path="explicit")  # fmt: skip
    for port in (22, 25, 6379):
        yield Row(f"A10 dialled: {port}", (b"SSH-2.0-{m}\r\n",), dial=(OPEN, port), path="transparent")


def test_protocols_and_tunnels(person):
    """A9, A10: the first bytes decide what it is; nothing but one judged request after another goes on."""
    with attacks_ground.internet(person, names=NAMES) as world:
        play(person, world, [*_protocols(), *_tunnels()])


# -- A13

_FLOWS = r"""
import json, select, socket, ssl, sys
unchecked = ssl.create_default_context()
unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
more = b"words of no interest, line after line\n" * 16000  # beyond the window in which a body is held
flows = {}
for host in ("open.example.com", "api.example.com"):
    for way in ("explicit", "transparent", "http"):
        for kind in ("kept", "events", "upload"):
            if (host, way) == ("api.example.com", "http"):
                continue  # refused: a credential stands there
            if way == "explicit":
                sock = socket.create_connection(("127.0.0.1", 9099), 10)
                sock.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
                sock.recv(4096)
            else:
                sock = socket.create_connection((host, 80 if way == "http" else 443), 10)
            if way != "http":
                sock = unchecked.wrap_socket(sock, server_hostname=host)
            name = f"{host.partition('.')[0]}-{way}-{kind}"
            if kind == "upload":
                head = f"POST /{name} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2000000\r\n\r\n"
                sock.sendall(head.encode() + b"begun" + more)
            else:
                sock.sendall(f"GET /{name} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                sock.recv(65536)
            flows[name] = sock
print("open", flush=True)
sys.stdin.readline()
left = {}
for name, sock in flows.items():
    host = name.partition("-")[0] + ".example.com"
    late = b"late" + name.encode()
    try:
        if name.endswith("upload"):
            sock.sendall(late + more)
        else:
            sock.sendall(f"GET /{late.decode()} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    except OSError:
        pass
for name, sock in flows.items():
    sock.settimeout(0.2 if name.startswith("api") else 10)
    try:
        while sock.recv(65536):
            pass
        left[name] = "closed"
    except TimeoutError:
        left[name] = "open"
    except OSError:
        left[name] = "closed"
print(json.dumps(left), flush=True)
sys.stdin.readline()
"""


def _stream(request, connection) -> None:
    """Events without end: the head and one of them; the rest of a flow's life is silence."""
    if request.target.endswith("events"):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
        return
    connection.reply(200, b"hello")


def _proxies(namespace: str) -> list[int]:
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if Path(f"/proc/{entry}/comm").read_text() == "bottle-proxy\n" and (
                os.readlink(f"/proc/{entry}/ns/net") == namespace
            ):
                found.append(int(entry))
        except OSError:
            continue
    return found


def test_flows_of_a_revoked_route(person):
    """A13: kept connections, event streams and half an upload end with their route; the other route's go on.

    The reload is what an operator does: a new file beside the old one, renamed, and SIGHUP.
    """
    with attacks_ground.internet(person, names=NAMES, responder=_stream) as world:
        flags = ["--routes", str(person.write("routes.yaml", ROUTES))]
        flags += ["--extra-ca", str(person.write("upstreams.pem", world.upstream.ca_pem))]
        process = person.popen(
            "run",
            *flags,
            "--",
            "python3",
            "-c",
            _FLOWS,
            env=ENV,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdout.readline() == b"open\n"
        (identity,) = person.states()
        live = person.layout.egress(identity) / "routes.yaml"
        text = live.read_text()
        assert text.count(f"host: {OPEN}\n") == 1
        new = live.with_name("routes.new")
        new.write_text(text.replace(f"host: {OPEN}\n", "host: other.example.com\n"))
        os.chown(new, live.stat().st_uid, live.stat().st_gid)
        new.chmod(0o600)
        eventually(lambda: world.upstream.plain.count(b"begun") == 5, "all uploads have begun upstream")
        new.rename(live)
        (proxy,) = _proxies(world.namespace)
        os.kill(proxy, signal.SIGHUP)
        log = person.home / ".bot-bottle/logs"
        eventually(
            lambda: "egress_reloaded" in "".join(p.read_text() for p in log.rglob("*.egress.log")),
            "it is read",
        )
        process.stdin.write(b"\n")
        process.stdin.flush()
        left = json.loads(process.stdout.readline())
        assert process.poll() is None
        late = world.upstream.raw
        process.communicate(b"\n", timeout=30)
    revoked = {name for name in left if name.startswith("open")}
    assert len(revoked) == 9 and len(left) == 15
    for name, end in left.items():
        went_on = name not in revoked
        assert end == ("open" if went_on else "closed"), left
        # behind an event stream that goes on nothing is read: its request waits for the stream's end
        assert (b"late" + name.encode() in late) is (went_on and not name.endswith("events")), name
