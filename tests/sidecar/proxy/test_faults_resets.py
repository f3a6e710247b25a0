"""Resets and ends at every byte of a small exchange, of either side's transcript, plain and in TLS.

A relay of the test's own lies on the leg in question and cuts it after so many bytes. Whatever the offset:
the client gets the whole answer, a refusal of ours or something that shows that it was cut; the upstream gets
the whole request or none; afterwards nothing is left and the proxy works.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import select
import socket
import ssl
import threading

import pytest
import uvloop
from faults_support import HOST, OTHER, incidents, read_all, read_until, reset, response, running, until

from bot_bottle.sidecar.proxy.limits import DEFAULT_LIMITS
from bot_bottle.sidecar.proxy.turns import Turns
from bot_bottle.sidecar.proxy.upstream import Upstream
from bot_bottle.testing.upstream import FakeUpstream

POLICY = f"log: 1\nroutes:\n  - host: {HOST}\n    auth_scheme: Bearer\n    token_env: TEST_TOKEN\n  - host: {OTHER}\n"
PLAIN_POLICY = f"log: 1\nroutes:\n  - host: {HOST}\n  - host: {OTHER}\n"
POST = "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
ENDS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nworld",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwo\r\n3\r\nrld\r\n0\r\n\r\n",
}
LONGEST = 4000
"""No transcript is longer; a run ends at the first offset that the exchange does not reach."""


class CuttingRelay:
    """Passes bytes on to *target*; after ``allowed`` of what comes from *near* or *far*, cuts both ends."""

    def __init__(self, target, *, count_near: bool, with_reset: bool) -> None:
        self.target, self.count_near, self.with_reset = target, count_near, with_reset
        self.allowed = 0
        self.was_cut = False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = self.listener.getsockname()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.listener.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(self.target)
            self.was_cut = self._pass_on(near, far)
            for sock in (near, far):
                if self.was_cut and self.with_reset:
                    reset(sock)
                sock.close()

    def _pass_on(self, near: socket.socket, far: socket.socket) -> bool:
        """Whether it was cut, rather than closed by one of them."""
        counted, left = (near if self.count_near else far), self.allowed
        while left:
            for sock in select.select([near, far], [], [])[0]:
                other = far if sock is near else near
                try:
                    data = sock.recv(left if sock is counted else 65536)
                    if not data:
                        return False
                    left -= len(data) if sock is counted else 0
                    other.sendall(data)
                except OSError:
                    return False
        return True


def exchange(proxy, address, *, tls: bool) -> tuple[int, bytes, bool]:
    """One POST through *address*: status, body, whole; status 0 where not even a head came."""
    sock = socket.socket()
    sock.settimeout(20)
    try:
        sock.connect(address)
        if tls:
            sock.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
            read_until(sock, b"\r\n\r\n")
            sock = proxy.context().wrap_socket(sock, server_hostname=HOST)
        sock.sendall(POST.format("/" if tls else f"http://{HOST}/", HOST).encode())
        status, fields, body, whole = response(read_all(sock))
        if whole and "x-bot-bottle" in fields:
            return status, b"", True
        return status, body, whole
    except (OSError, EOFError, ssl.SSLError):
        return 0, b"", False
    finally:
        sock.close()


CASES = [
    (side, tls, end, framing)
    for side in ("client", "upstream")
    for tls in (False, True)
    for end in ("RST", "FIN")
    for framing in (("length", "chunked") if side == "upstream" and not tls else ("chunked",))
]


def sweep(tmp_path, stride, side, tls, end, framing) -> tuple[int, dict[str, int]]:
    """Offsets tried, and how the exchanges ended."""
    seen = {"whole": 0, "refused": 0, "cut": 0}
    with contextlib.ExitStack() as stack:
        fake = stack.enter_context(
            FakeUpstream(lambda _, connection: connection.send(ENDS[framing]), tls=tls)
        )
        good = stack.enter_context(FakeUpstream(tls=False))
        port = 443 if tls else 80
        where = {(HOST, port): (fake.address, fake.port), (OTHER, 80): (good.address, good.port)}
        if side == "upstream":
            relay = CuttingRelay(where[HOST, port], count_near=False, with_reset=end == "RST")
            where[HOST, port] = relay.address
        policy = POLICY if tls else PLAIN_POLICY
        proxy = stack.enter_context(running(tmp_path, policy, where, roots=fake.ca_pem if tls else ""))
        if side == "client":
            relay = CuttingRelay(proxy.address, count_near=True, with_reset=end == "RST")
        stack.callback(relay.close)
        entry = relay.address if side == "client" else proxy.address
        relay.allowed = LONGEST
        assert exchange(proxy, entry, tls=tls) == (200, b"world", True), "the control"
        assert proxy.ask() == (200, b"hello")
        before, memory = proxy.descriptors(), proxy.private_kib()
        offsets = 0
        for relay.allowed in range(0 if side == "client" else 1, LONGEST, stride):
            offsets += 1
            status, body, whole = exchange(proxy, entry, tls=tls)
            if whole and status == 200:
                assert body == b"world", relay.allowed
                seen["whole"] += 1
            else:
                assert not whole or status in (408, 502), (relay.allowed, status, body)
                seen["refused" if whole else "cut"] += 1
            if whole and not relay.was_cut:
                break
        else:
            raise AssertionError("the exchange never came through")
        assert proxy.ask() == (200, b"hello")
        assert all(request.body == b"hello" for request in fake.requests)
        proxy.settles_at(before)
        assert proxy.private_kib() - memory < 8 * 1024
    assert incidents(tmp_path) == []
    return offsets, seen


@pytest.mark.parametrize(("side", "tls", "end", "framing"), CASES)
def test_a_cut_at_some_bytes(tmp_path, side, tls, end, framing):
    sweep(tmp_path, 97 if tls else 7, side, tls, end, framing)


@pytest.mark.slow
@pytest.mark.parametrize(("side", "tls", "end", "framing"), CASES)
def test_a_cut_at_every_byte(tmp_path, side, tls, end, framing):
    """Some 7,000 exchanges in all; counts are printed."""
    offsets, seen = sweep(tmp_path, 1, side, tls, end, framing)
    print(f"\n{side} {'TLS' if tls else 'plain'} {end} {framing}: {offsets} offsets, {seen}")
    assert seen["whole"] >= 1


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["end", "no TLS"])
def test_a_failed_handshake_leaves_no_cycle_behind(run_proxy, answer):
    """Connections with their TLS state go at once, not when the collector comes round: a bottle can have
    thousands fail in the meantime."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse():
            for _ in range(5):
                sock, _ = listener.accept()
                sock.recv(65536)
                sock.sendall(answer)
                sock.close()

        thread = threading.Thread(target=refuse)
        thread.start()
        proxy = run_proxy(PLAIN_POLICY, connect_to={(HOST, 443): listener.getsockname()})
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                client = proxy.tls(HOST)
                client.send(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
                assert client.answer().status == 502
                client.close()
            thread.join()
            until(lambda: proxy.server.connections == 0, "all clients are gone")
            until(lambda: not [o for o in gc.get_objects() if isinstance(o, Upstream)], "nothing is left", 2)
        finally:
            gc.enable()


def test_a_reset_between_the_handshake_and_the_request_is_told_to_the_flow():
    """The transport is closed, the loop has not said so yet: writing does no harm, then the flow hears."""
    told: list[str] = []

    class Flow:
        def upstream_lost(self, why):
            told.append(why)

    async def main():
        near, far = socket.socketpair()
        upstream = Upstream(("http", HOST, 80), None, DEFAULT_LIMITS, Turns())
        await asyncio.get_running_loop().create_connection(lambda: upstream, sock=near)
        upstream.flow = Flow()
        upstream._transport.abort()
        upstream.write(b"too late")
        assert told == []
        await asyncio.sleep(0.05)
        far.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    assert told == ["the connection was closed"]
