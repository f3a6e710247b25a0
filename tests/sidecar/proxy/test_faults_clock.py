"""The wall clock jumps while the proxy runs (``faketime``): what waits, waits by another clock; certificates
are judged by the time that it is now.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

import pytest
from faults_support import HOST, OTHER, incidents, read_until, response, running, until

POLICY = f"log: 1\nroutes:\n  - host: {HOST}\n  - host: {OTHER}\n"
LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
pytestmark = pytest.mark.skipif(
    LIBRARY is None or shutil.which("faketime") is None, reason="faketime is not installed"
)


def ask_tls(proxy) -> tuple[int, str]:
    """Through TLS, where the client takes any leaf: its own clock is another one."""
    context = proxy.context()
    context.check_hostname, context.verify_mode = False, 0
    with proxy.connect() as sock:
        sock.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
        read_until(sock, b"\r\n\r\n")
        with context.wrap_socket(sock, server_hostname=HOST) as secure:
            secure.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            data = b""
            while not response(data)[3]:
                data += secure.recv(65536)
            return response(data)[0], response(data)[2].decode()


@pytest.mark.parametrize(("jump", "reason"), [("+200d", "expired"), ("-200d", "not yet valid")])
def test_the_clock_jumps_while_flows_go_on(tmp_path, upstream, plain_upstream, to, jump, reason):
    """An idle connection and one within a request outlive the jump, and new ones are served; the upstream's
    certificate is judged by the new time, and after the jump back it is good again."""
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    env = {
        "LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    where = {**to(upstream, (HOST, 443)), **to(plain_upstream, (OTHER, 80))}
    get = f"GET http://{OTHER}/ HTTP/1.1\r\nHost: {OTHER}\r\n\r\n".encode()
    with (
        running(tmp_path, POLICY, where, roots=upstream.ca_pem, env=env) as proxy,
        contextlib.ExitStack() as stack,
    ):
        assert ask_tls(proxy)[0] == 200
        idle, within = (stack.enter_context(proxy.connect()) for _ in range(2))
        idle.sendall(get)
        assert read_until(idle, b"hello")
        within.sendall(get[:20])
        clock.write_text(f"{jump}\n")
        until(lambda: ask_tls(proxy)[0] == 502, "the certificate is judged anew")
        assert reason in ask_tls(proxy)[1]
        time.sleep(0.5)  # deadlines are looked at ten times
        within.sendall(get[20:])
        assert read_until(within, b"hello").startswith(b"HTTP/1.1 200 ")
        idle.sendall(get)
        assert read_until(idle, b"hello").startswith(b"HTTP/1.1 200 ")
        assert proxy.ask() == (200, b"hello")
        clock.write_text("+0\n")
        until(lambda: ask_tls(proxy)[0] == 200, "it is good again")
    assert incidents(tmp_path) == []
    upstream.failures.clear()  # handshakes that the proxy broke off
