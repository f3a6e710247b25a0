"""Bounds and timeouts, with constants made small: 431, 414, 408, 503, 504, and nobody else suffers."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from bot_bottle.base.secret import Secret
from bot_bottle.sidecar.proxy.limits import Limits
from bot_bottle.testing.upstream import FakeUpstream

HOST = "api.example.com"
POLICY = f"log: 1\nroutes:\n  - host: {HOST}\n"
QUICK = Limits(sweep_s=0.02)
GET = f"GET http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


@pytest.fixture
def hanging():
    """Answers nothing until the test lets it."""
    go = threading.Event()

    def wait(request, connection):
        go.wait(10)
        connection.reply(200, b"late")

    with FakeUpstream(responder=wait, tls=False) as fake:
        fake.go = go
        yield fake
        go.set()


def test_a_head_that_takes_too_long_is_408(run_proxy):
    proxy = run_proxy(POLICY, limits=replace(QUICK, head_s=0.1))
    client = proxy.connect()
    client.send(b"GET http://api.example.com/ HTTP/1.1\r\nHost: a")
    answer = client.answer()
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert client.is_closed()


def test_a_dripping_head_does_not_extend_its_time(run_proxy):
    """Slow loris: the clock runs from the first byte."""
    proxy = run_proxy(POLICY, limits=replace(QUICK, head_s=0.2))
    client = proxy.connect()
    client.sock.settimeout(0.02)
    said = b""
    for byte in GET[:-2] * 10:
        client.send(bytes([byte]))
        try:
            said = client.read_some()
        except TimeoutError:
            continue
        break
    assert said.startswith(b"HTTP/1.1 408")


def test_a_tunnel_that_says_nothing_is_closed(run_proxy):
    """Protocols where the server speaks first would hang for ever (ruling 63)."""
    client = run_proxy(POLICY, limits=replace(QUICK, first_bytes_s=0.1)).tunnel(HOST)
    assert client.read_all() == b""


def test_a_handshake_that_stops_is_closed(run_proxy):
    client = run_proxy(POLICY, limits=replace(QUICK, handshake_s=0.1)).tunnel(HOST)
    client.send(b"\x16\x03\x01\x02\x00\x01")
    assert client.read_all() == b""


def test_an_idle_connection_is_closed_silently(run_proxy):
    client = run_proxy(POLICY, limits=replace(QUICK, idle_s=0.1)).connect()
    assert client.read_all() == b""


def test_a_request_body_that_stalls_is_408_and_never_complete(run_proxy, to):
    with FakeUpstream(tls=False) as fake:
        limits = replace(QUICK, body_stall_s=0.1)
        proxy = run_proxy(POLICY, connect_to=to(fake, (HOST, 80)), limits=limits)
        client = proxy.connect()
        head = f"POST http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 10\r\n\r\n".encode()
        client.send(head + b"half")
        assert client.answer().status == 408
        assert client.is_closed()
        assert fake.requests == []


def test_an_upstream_that_does_not_answer_is_504(run_proxy, hanging, to):
    proxy = run_proxy(POLICY, connect_to=to(hanging, (HOST, 80)), limits=replace(QUICK, response_head_s=0.1))
    client = proxy.connect()
    client.send(GET)
    answer = client.answer()
    assert (answer.status, answer.json()["error"]) == (504, "upstream_timeout")
    (record,) = proxy.records()
    assert (record["event"], record["status"], record["host"]) == ("egress_upstream", 504, HOST)


def test_a_response_that_stalls_is_cut(run_proxy, to):
    def half(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 10\r\n\r\nhalf")
        connection.read()

    with FakeUpstream(responder=half, tls=False) as fake:
        limits = replace(QUICK, response_stall_s=0.1)
        proxy = run_proxy(POLICY, connect_to=to(fake, (HOST, 80)), limits=limits)
        client = proxy.connect()
        client.send(GET)
        assert client.read_all().endswith(b"half")


def test_too_many_requests_in_flight_are_503_and_later_ones_pass(run_proxy, hanging, to):
    """And what is no request in flight (a refusal) is answered all the same."""
    limits = replace(QUICK, active_requests=3)
    proxy = run_proxy(POLICY, connect_to=to(hanging, (HOST, 80)), limits=limits)
    busy = [proxy.connect() for _ in range(3)]
    for client in busy:
        client.send(GET)
    while proxy.server.active < 3:
        pass
    extra = proxy.connect()
    extra.send(GET)
    assert extra.answer().status == 503
    extra.send(b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert extra.answer().status == 403
    hanging.go.set()
    assert [client.answer().status for client in busy] == [200] * 3
    extra.send(GET)
    assert extra.answer().status == 200
    assert proxy.server.active == 0


def test_an_idle_client_does_not_keep_its_upstream(run_proxy, to):
    """The upstream connection ends when it is too old to be used; the client's stays and gets a new one."""
    ended = threading.Event()

    def answer(request, connection):
        connection.reply(200, b"ok")
        if connection.number == 0:
            assert connection.read() == b""
            ended.set()
            connection.open = False

    with FakeUpstream(responder=answer, tls=False) as fake:
        limits = replace(QUICK, upstream_idle_s=0.1)
        proxy = run_proxy(POLICY, connect_to=to(fake, (HOST, 80)), limits=limits)
        client = proxy.connect()
        client.send(GET)
        assert client.answer().status == 200
        assert ended.wait(10)
        client.send(GET)
        assert client.answer().status == 200
        assert fake.accepted == 2


def test_over_the_bound_the_longest_idle_connection_is_closed(run_proxy, plain_upstream, to):
    limits = replace(QUICK, idle_connections=3)
    proxy = run_proxy(POLICY, connect_to=to(plain_upstream, (HOST, 80)), limits=limits)
    clients = []
    for _ in range(3):
        clients.append(proxy.connect())
        clients[-1].send(GET)
        assert clients[-1].answer().status == 200
    clients[0].send(GET)
    assert clients[0].answer().status == 200, "used last: not the one that waited longest"
    fourth = proxy.connect()
    fourth.send(GET)
    assert fourth.answer().status == 200
    assert clients[1].read_all() == b""
    for client in (clients[0], clients[2], fourth):
        client.send(GET)
        assert client.answer().status == 200


def test_a_flood_of_refusals_does_not_flood_the_log(run_proxy):
    """So many records a second, and a count of the rest."""
    proxy = run_proxy("log: 1\nroutes: []\n", limits=replace(QUICK, log_lines_per_s=5))
    client = proxy.connect()
    for _ in range(300):
        client.send(b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        client.answer()
    assert len(proxy.records()) < 60


AUTH = Secret("user:pass:word")


@pytest.mark.parametrize(
    ("field", "status"),
    [
        (b"", 407),
        (b"Proxy-Authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n", 200),
        (b"proxy-authorization: basic dXNlcjpwYXNzOndvcmQ=\r\n", 200),
        (b"Proxy-Authorization: Basic dXNlcjpwYXNzOndvcmU=\r\n", 407),
        (b"Proxy-Authorization: Basic dXNlcjpwYXNz\r\n", 407),
        (b"Proxy-Authorization: Bearer dXNlcjpwYXNzOndvcmQ=\r\n", 407),
        (b"Proxy-Authorization: Basic !!!!\r\n", 407),
        (b"Proxy-Authorization: Basic\r\n", 407),
        (b"Proxy-Authorization: Basic /w==\r\n", 407),
        (b"Authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n", 407),
        (b"Proxy-Authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\nProxy-Authorization: Basic eDp5\r\n", 407),
    ],
)
def test_a_proxy_that_others_reach_asks_for_its_own_credential(run_proxy, plain_upstream, to, field, status):
    """Threats A8, for both forms; the credential is never sent on."""
    proxy = run_proxy(POLICY, connect_to=to(plain_upstream, (HOST, 80)), proxy_auth=AUTH)
    client = proxy.connect()
    client.send(f"GET http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\n".encode() + field + b"\r\n")
    answer = client.answer()
    assert answer.status == status
    if status == 407:
        assert answer.headers["proxy-authenticate"].startswith("Basic ")
        assert plain_upstream.accepted == 0
    other = proxy.connect()
    other.send(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n".encode() + field + b"\r\n")
    assert other.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 %d" % status)
    assert b"roxy-" not in plain_upstream.raw


def test_drain_lets_what_is_in_flight_finish(run_proxy, hanging, to):
    """Idle connections close at once, a request in flight gets its response, then the connection ends."""
    proxy = run_proxy(POLICY, connect_to=to(hanging, (HOST, 80)))
    idle, busy = proxy.connect(), proxy.connect()
    idle.send(b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert idle.answer().status == 403
    busy.send(GET)
    while proxy.server.active < 1:
        pass
    threading.Timer(0.1, hanging.go.set).start()
    proxy.call(proxy.server.drain())
    assert idle.read_all() == b""
    answer = busy.answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    with pytest.raises(OSError):
        proxy.connect()
