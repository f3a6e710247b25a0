"""Invariant: what a connection held is freed when it ends, by reference counts alone.

What ends in a cycle waits for a collection of garbage, with its TLS and what it had decoded.
"""

from __future__ import annotations

import gc
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websocket_support import HOST as WS_HOST
from websocket_support import WebSocketUpstream, opened

from bot_bottle.sidecar.proxy.connection import ClientConnection
from bot_bottle.sidecar.proxy.exchange import Exchange
from bot_bottle.sidecar.proxy.heap import Garbage
from bot_bottle.sidecar.proxy.passage import Passage
from bot_bottle.sidecar.proxy.upstream import Upstream
from bot_bottle.sidecar.proxy.websocket import WebSocket
from bot_bottle.testing.upstream import FakeUpstream

HOST, GONE = "api.example.com", "gone.example.com"
SECRET = "n0t-a-real-secret-8841"
POLICY = f"""
log: 2
routes:
  - host: {HOST}
    auth_scheme: Bearer
    token_env: T
    matches: [{{paths: [{{value: /ok}}]}}]
    dlp: {{outbound_on_match: redact}}
  - host: {GONE}
  - host: {WS_HOST}
"""
WATCHED = (ClientConnection, Exchange, Passage, Upstream, WebSocket)
WITHIN_S = 10.0


@pytest.fixture
def uncollected(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is freed but by reference counts."""
    monkeypatch.setattr(Garbage, "sweep", lambda *_: None)
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive() -> Counter[str]:
    return Counter(type(one).__name__ for one in gc.get_objects() if isinstance(one, WATCHED))


def get(path: bytes, *lines: bytes, body: bytes = b"") -> bytes:
    method = b"POST" if body else b"GET"
    more = [b"Content-Length: %d" % len(body)] if body else []
    return b"\r\n".join(
        [method + b" " + path + b" HTTP/1.1", b"Host: " + HOST.encode(), *lines, *more, b"", body]
    )


def allowed(proxy: Any) -> None:
    client = proxy.tls(HOST)
    for _ in range(3):
        client.send(get(b"/ok"))
        assert client.answer().status == 200


def denied(proxy: Any) -> None:
    client = proxy.tls(HOST)
    client.send(get(b"/no"))
    assert client.answer().status == 403


def redacted(proxy: Any) -> None:
    client = proxy.tls(HOST)
    client.send(get(b"/ok", body=b'{"a": "%s"}' % SECRET.encode()))
    assert client.answer().status == 200


def refused_for_its_head(proxy: Any) -> None:
    client = proxy.tls(HOST)
    client.send(get(b"/ok", b"X-A: " + SECRET.encode(), b"Transfer-Encoding: gzip"))
    assert client.answer().status == 403


def cut_by_a_reload(proxy: Any) -> None:
    client = proxy.tls(HOST)
    client.send(get(b"/ok", b"Content-Length: 300000") + b"a" * 200_000)
    time.sleep(0.1)
    proxy.reload(POLICY.replace("/ok", "/other"))
    assert client.is_closed()
    proxy.reload(POLICY)


def left_by_the_client(proxy: Any) -> None:
    client = proxy.tls(HOST)
    client.send(get(b"/ok/slow"))
    time.sleep(0.1)
    client.sock.shutdown(socket.SHUT_RDWR)


def no_upstream(proxy: Any) -> None:
    client = proxy.tls(GONE)
    client.send(get(b"/").replace(HOST.encode(), GONE.encode()))
    assert client.answer().status == 502


def a_websocket(proxy: Any) -> None:
    end = opened(proxy.tls(WS_HOST))
    end.say("hello")
    assert end.message() == "hello"
    end.close(1000)
    end.until_end()


FLOWS: tuple[Callable[[Any], None], ...] = (
    allowed, denied, redacted, refused_for_its_head, cut_by_a_reload, left_by_the_client, no_upstream, a_websocket,
)  # fmt: skip


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__.replace("_", " "))
def test_nothing_stays_of_a_connection(uncollected: None, run_proxy: Any, to: Any, flow: Any) -> None:
    """Whatever it was used for and however it ended."""

    def answer(request: Any, connection: Any) -> None:
        if request.target.endswith("/slow"):
            time.sleep(0.4)
        connection.reply(200, b"x" * 100_000)

    with (
        FakeUpstream(answer) as fake,
        WebSocketUpstream() as other,
        socket.create_server(("127.0.0.1", 0)) as no,
    ):
        port = no.getsockname()[1]
        no.close()
        where = {**to(fake, (HOST, 443)), **to(other.fake, (WS_HOST, 443)), (GONE, 443): ("127.0.0.1", port)}
        proxy = run_proxy(
            POLICY, connect_to=where, extra_ca_pem=fake.ca_pem + other.fake.ca_pem, tokens={"T": SECRET}
        )
        before = alive()
        for _ in range(2):
            flow(proxy)
        while proxy.clients:
            proxy.clients.pop().close()
        until = time.monotonic() + WITHIN_S
        while (left := alive() - before) and time.monotonic() < until:
            time.sleep(0.02)
        assert not left
