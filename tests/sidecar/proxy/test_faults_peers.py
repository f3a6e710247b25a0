"""Slow, silent and vanishing peers on both sides, all at once, at the real command: each gets its end, a
bystander gets all of its answers, nothing is left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from faults_support import HOST, OTHER, incidents, read_all, read_until, response, running, until

from bot_bottle.testing.upstream import FakeUpstream

BAD, BAD_TLS = "bad.example.com", "badtls.example.com"
POLICY = "log: 1\nroutes:\n" + "".join(f"  - host: {host}\n" for host in (HOST, OTHER, BAD, BAD_TLS))
SHORT = {
    "head_s": 0.6, "first_bytes_s": 0.6, "handshake_s": 0.6, "body_stall_s": 0.6, "connect_s": 0.8,
    "response_head_s": 0.8, "response_stall_s": 0.8, "idle_s": 2.0, "linger_s": 0.5, "upstream_idle_s": 0.5,
}  # fmt: skip
BIG = 64 * 1024 * 1024


def get(path: str, host: str = BAD) -> bytes:
    return f"GET http://{host}{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


# -- upstreams by path


def misbehave(request, connection):
    """What the path names; every one of them ends when the proxy has hung up."""
    what = request.target.strip("/")
    if what == "drip":
        with contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 50:
                connection.send(bytes([byte]))
                time.sleep(0.05)
    elif what == "half":
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    elif what == "chunk":
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal")
    elif what == "big":
        with contextlib.suppress(OSError):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG)
            for _ in range(BIG // 65536):
                connection.send(bytes(65536))
    elif what == "no-close":  # whole, says that it closes, and does not
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nwhole")
    elif what == "no-notify":
        connection.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        connection.cut()
        return
    with contextlib.suppress(OSError):
        while connection.read():
            pass
    connection.open = False


@pytest.fixture
def upstreams():
    with (
        FakeUpstream(tls=False) as good,
        FakeUpstream(misbehave, tls=False) as plain,
        FakeUpstream(misbehave) as secure,
        socket.create_server(("127.0.0.1", 0)) as silent,
    ):
        yield good, plain, secure, silent.getsockname()[1]


# -- one function for each bad peer: what the client got


def slow_head(proxy):
    with proxy.connect() as sock:
        sock.settimeout(0.03)
        for byte in get("/never") * 20:
            with contextlib.suppress(TimeoutError):
                sock.sendall(bytes([byte]))
                return response(sock.recv(65536))[0]
    return None


def sent(*parts: bytes, tunnel: str = ""):
    """Say this much and no more; the status of what comes, 0 for an end without a word."""

    def go(proxy):
        with proxy.connect() as sock:
            if tunnel:
                sock.sendall(f"CONNECT {tunnel}:443 HTTP/1.1\r\nHost: {tunnel}:443\r\n\r\n".encode())
                read_until(sock, b"\r\n\r\n")
            for part in parts:
                sock.sendall(part)
            status, _, _, whole = response(read_all(sock))
            return status if whole or not status else -status

    return go


def secure(path: str | None, host: str = BAD_TLS):
    def go(proxy):
        with proxy.tls(host) as sock:
            if path is not None:
                sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            status, _, _, whole = response(read_all(sock))
            return status if whole or not status else -status

    return go


def stops_reading(proxy):
    """Takes the head of 64 MiB and no more, until the proxy has had enough; memory stays bounded."""
    before = proxy.private_kib()
    with proxy.connect() as sock:
        sock.sendall(get("/big"))
        head = sock.recv(512)
        time.sleep(1.5)
        assert proxy.private_kib() - before < 24 * 1024
        got = len(head) + len(read_all(sock))
    return response(head)[0] if got < BIG else None


POST = f"POST http://{BAD}/post HTTP/1.1\r\nHost: {BAD}\r\nContent-Length: 10\r\n\r\nhalf".encode()
PEERS = {
    "a head byte by byte": (slow_head, 408),
    "half a head": (sent(get("/x")[:-2]), 408),
    "nothing at all": (sent(), 0),
    "silence after CONNECT": (sent(tunnel=BAD_TLS), 0),
    "half a ClientHello": (sent(b"\x16\x03\x01\x02\x00\x01", tunnel=BAD_TLS), 0),
    "silence after the handshake": (secure(None), 0),
    "half a body": (sent(POST), 408),
    "a reader that stops": (stops_reading, 200),
    "an upstream that accepts and is silent": (sent(get("/silent")), 504),
    "a head byte by byte from the upstream": (sent(get("/drip")), 504),
    "half a body from the upstream": (sent(get("/half")), -200),
    "half a chunk from the upstream": (sent(get("/chunk")), -200),
    "an upstream that does not close": (sent(get("/no-close")), 200),
    "an upstream that is silent within TLS": (secure("/silent"), 504),
    "an upstream that stops within TLS": (secure("/chunk"), -200),
    "an upstream that does not close TLS": (secure("/no-close"), 200),
    "an upstream that cuts TLS": (secure("/no-notify"), -200),
    "an upstream whose handshake stalls": (secure("/x", "stall.example.com"), 504),
}


def test_bad_peers_get_their_end_and_nobody_else_notices(tmp_path, upstreams):
    """504, 408 or a cut that shows; 0: the connection ends without a word, -200: what came is not whole."""
    good, plain, tls, silent = upstreams
    policy = POLICY + "  - host: stall.example.com\n"
    where = {
        (OTHER, 80): (good.address, good.port),
        (BAD, 80): (plain.address, plain.port),
        (BAD_TLS, 443): (tls.address, tls.port),
        ("stall.example.com", 443): ("127.0.0.1", silent),
    }
    got: dict[str, object] = {}

    def be(name, peer):
        try:
            got[name] = peer(proxy)
        except Exception as error:
            got[name] = repr(error)

    with running(tmp_path, policy, where, roots=tls.ca_pem, limits=SHORT) as proxy:
        assert proxy.ask() == (200, b"hello")
        before = proxy.descriptors()
        threads = [threading.Thread(target=be, args=(name, peer)) for name, (peer, _) in PEERS.items()]
        for thread in threads:
            thread.start()
        asked = 0
        deadline = time.monotonic() + 30
        while len(got) < len(PEERS) and time.monotonic() < deadline:
            assert proxy.ask() == (200, b"hello")
            asked += 1
            time.sleep(0.05)
        assert got == {name: outcome for name, (_, outcome) in PEERS.items()}
        assert asked > 10
        proxy.settles_at(before)
    assert plain.requests and not any(request.body for request in plain.requests if request.method == "POST")
    assert incidents(tmp_path) == []


UPSTREAM = """
import os, sys
from bot_bottle.testing.upstream import FakeUpstream
def slowly(request, connection):
    connection.send(b"HTTP/1.1 200 OK\\r\\nContent-Type: image/png\\r\\nContent-Length: 10\\r\\n\\r\\nhalf")
    os.read(0, 1)
    connection.send(b"wholly")
with FakeUpstream(slowly, tls=False) as fake:
    print(fake.port, flush=True)
    __import__('signal').pause()
"""


@pytest.mark.parametrize("end", ["stopped and continued", "killed"])
def test_an_upstream_process_that_stops_or_dies_in_the_middle(tmp_path, plain_upstream, end):
    """SIGSTOP: its flow waits, others go on, SIGCONT: it ends whole. SIGKILL: what came is not whole."""
    process = subprocess.Popen(
        [sys.executable, "-c", UPSTREAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        port = int(process.stdout.readline())
        where = {(OTHER, 80): (plain_upstream.address, plain_upstream.port), (BAD, 80): ("127.0.0.1", port)}
        with running(tmp_path, POLICY, where) as proxy, proxy.connect() as sock, proxy.connect() as new:
            sock.sendall(get("/"))
            begun = read_until(sock, b"half")
            os.kill(process.pid, signal.SIGSTOP)
            new.sendall(get("/second"))  # the kernel still accepts for it
            assert [proxy.ask() for _ in range(5)] == [(200, b"hello")] * 5
            if end == "killed":
                process.kill()
                status, _, body, whole = response(begun + read_all(sock))
                assert (status, body, whole) == (200, b"half", False)
                assert response(read_all_of_one(new))[0] == 502
                assert proxy.ask(BAD)[0] == 502
            else:
                os.kill(process.pid, signal.SIGCONT)
                process.stdin.write("\n\n")  # one for each of its two connections
                process.stdin.flush()
                assert response(begun + read_until(sock, b"wholly"))[2:] == (b"halfwholly", True)
                assert read_until(new, b"half").startswith(b"HTTP/1.1 200 ")
            assert proxy.ask() == (200, b"hello")
        assert incidents(tmp_path) == []
    finally:
        process.kill()
        process.communicate()


def read_all_of_one(sock: socket.socket) -> bytes:
    """One whole answer of the proxy's own."""
    data = b""
    while not response(data)[3]:
        data += until(lambda: sock.recv(65536), "an answer")
    return data
