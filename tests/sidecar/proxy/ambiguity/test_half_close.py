"""A plain client that ends its side right behind its last byte: what is whole is answered, what is not is
cancelled, and the upstream sees nothing of it that looks whole."""

from __future__ import annotations

import socket

import pytest
from faults_support import until

from bot_bottle.testing.upstream import FakeUpstream

A = "plain.example.com"
POLICY = f"routes:\n  - host: {A}\n"
CHUNKS = b"5\r\nhello\r\n"


def request(line: str, body: bytes, target: str = f"http://{A}/") -> bytes:
    return f"POST {target} HTTP/1.1\r\nHost: {A}\r\n{line}\r\n\r\n".encode() + body


WHOLE = {
    "length": request("Content-Length: 5", b"hello"),
    "chunked": request("Transfer-Encoding: chunked", CHUNKS + b"0\r\n\r\n"),
    "large": request("Content-Length: 90000", b"h" * 90000),
    "two": request("Content-Length: 5", b"hello")
    + request("Transfer-Encoding: chunked", CHUNKS + b"0\r\n\r\n"),
}
CUT = {
    "length": request("Content-Length: 9", b"hello"),
    "length, no body at all": request("Content-Length: 9", b""),
    "chunked": request("Transfer-Encoding: chunked", CHUNKS),
    "chunked, no last line": request("Transfer-Encoding: chunked", CHUNKS + b"0\r\n"),
    "chunked, no body at all": request("Transfer-Encoding: chunked", b""),
}


def said(proxy, data: bytes, pause=lambda: None) -> bytes:
    client = proxy.connect()
    client.send(data)
    pause()
    client.sock.shutdown(socket.SHUT_WR)
    return client.read_all()


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_body_is_sent_on_and_answered(run_proxy, plain_upstream, to, name):
    """It came while the upstream was still being connected."""
    proxy = run_proxy(POLICY, connect_to=to(plain_upstream, (A, 80)))
    count = 2 if name == "two" else 1
    assert said(proxy, WHOLE[name]).count(b"HTTP/1.1 200 ") == count
    assert len(plain_upstream.requests) == count
    assert all(request.body.startswith(b"h") for request in plain_upstream.requests)


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("is_late", [False, True])
def test_half_a_body_is_not(run_proxy, to, name, is_late):
    """Its end comes behind it, or when the proxy holds it already: the upstream gets nothing of it."""
    with FakeUpstream(tls=False) as upstream:
        proxy = run_proxy(POLICY, connect_to=to(upstream, (A, 80)))
        pause = (lambda: until(lambda: proxy.server.active, "it is held")) if is_late else (lambda: None)
        assert b"HTTP/1.1 200 " not in said(proxy, CUT[name], pause)
        assert proxy.server.active == 0
    assert upstream.raw == b""


def test_half_a_body_behind_a_whole_request_is_not(run_proxy, to):
    """The first is answered."""
    with FakeUpstream(tls=False) as upstream:
        proxy = run_proxy(POLICY, connect_to=to(upstream, (A, 80)))
        assert said(proxy, WHOLE["length"] + CUT["length"]).count(b"HTTP/1.1 200 ") == 1
    assert [request.body for request in upstream.requests] == [b"hello"]
