"""Bodies in motion: first byte at once, back-pressure, cuts that don't look whole. Proven by causality."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time

import pytest

from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest, UpstreamConnection

HOST = "api.example.com"
POLICY = f"log: 1\nroutes:\n  - host: {HOST}\n"
GET = f"GET /s HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
MIB = 1024 * 1024


@pytest.fixture
def serve(run_proxy, to):
    """``serve(responder, **FakeUpstream options)`` → proxy and upstream."""
    fakes = []

    def start(responder, *, limits=None, **options):
        fake = FakeUpstream(responder=responder, **options)
        fake.__enter__()
        fakes.append(fake)
        more = {} if limits is None else {"limits": limits}
        return run_proxy(
            POLICY, upstream=fake, connect_to=to(fake, (HOST, 443 if fake.tls else 80)), **more
        ), fake

    yield start
    for fake in fakes:
        fake.stop()


def test_server_sent_events_arrive_one_by_one(serve):
    """The upstream sends event n+1 only after the client has confirmed event n to the test."""
    confirmed = [threading.Event() for _ in range(5)]

    def stream(request: RecordedRequest, connection: UpstreamConnection) -> None:
        connection.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for number, event in enumerate(confirmed):
            data = b"data: %d\n\n" % number
            connection.send(b"%x\r\n%b\r\n" % (len(data), data))
            assert event.wait(10)
        connection.send(b"0\r\n\r\n")

    proxy, _ = serve(stream)
    client = proxy.tls(HOST)
    client.send(GET)
    client.read_until(b"\r\n\r\n")
    for number, event in enumerate(confirmed):
        client.read_until(b"data: %d\n\n" % number)
        event.set()
    client.read_until(b"0\r\n\r\n")
    client.send(GET.replace(b"/s", b"/again"))
    client.read_until(b"200 OK")


def test_the_head_arrives_before_the_body_exists(serve):
    """A response's first byte reaches the client while the upstream holds the rest back."""
    seen = threading.Event()

    def slow(request: RecordedRequest, connection: UpstreamConnection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        assert seen.wait(10)
        connection.send(b"ok")

    proxy, _ = serve(slow)
    client = proxy.tls(HOST)
    client.send(GET)
    client.read_until(b"\r\n\r\n")
    seen.set()
    client.read_until(b"ok")


def test_a_request_body_streams(serve):
    """Behind the window the upstream gets what clears, before the client sends more: nothing waits for the whole."""
    pieces = 4
    arrived = [threading.Event() for _ in range(pieces)]
    piece = b"a piece of text, " * (MIB // 2 // 17)
    held = 256 * 1024
    """at most, of what was sent: it is not judged yet"""

    def reader(request: RecordedRequest, connection: UpstreamConnection) -> None:
        size, data = 0, b""
        for number, event in enumerate(arrived, 1):
            while size < number * len(piece) - held:
                data = connection.read()
                size += len(data)
            event.set()
        while not data.endswith(b"0\r\n\r\n"):
            data += connection.read()
        connection.reply(200, b"done")

    proxy, _ = serve(reader, read_bodies=False)
    client = proxy.tls(HOST)
    client.send(f"POST /u HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    for event in arrived:
        client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        assert event.wait(10)
    client.send(b"0\r\n\r\n")
    assert client.answer().body == b"done"


@pytest.mark.parametrize("tls", [True, False])
def test_large_bodies_arrive_whole_both_ways(serve, tls):
    """24 MiB there and back, compared by digest."""
    body = bytes(range(256)) * 4 * 1024 * 24

    def echo(request: RecordedRequest, connection: UpstreamConnection) -> None:
        connection.reply(200, request.body)

    proxy, fake = serve(echo, tls=tls)
    client = proxy.tls(HOST) if tls else proxy.tunnel(HOST, 80)
    head = f"POST /e HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    client.send(head)
    client.send(body)
    answer = client.answer()
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(body).digest()
    assert hashlib.sha256(fake.requests[0].body).digest() == hashlib.sha256(body).digest()


def test_a_slow_reader_slows_the_upstream_down(serve):
    """A client that reads nothing holds the upstream up after the sockets' buffers: nothing piles up here."""
    sent = []
    stuck = threading.Event()

    def flood(request: RecordedRequest, connection: UpstreamConnection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (400 * MIB))
        piece = b"x" * MIB
        connection._sock.settimeout(1.0)
        try:
            for _ in range(400):
                connection.send(piece)
                sent.append(1)
        except (TimeoutError, OSError):
            stuck.set()
        connection.open = False

    proxy, _ = serve(flood, tls=False)
    client = proxy.tunnel(HOST, 80)
    client.send(GET)
    assert stuck.wait(10)
    assert len(sent) < 24, "sockets hold some MiB on each side, the proxy next to nothing"


def test_a_client_that_never_reads_refusals_is_not_answered_for_ever(serve):
    """Pipelined refusals stop being made when nobody takes them."""
    proxy, fake = serve(lambda request, connection: None)
    client = proxy.tunnel("evil.example", 80)
    client.sock.settimeout(0.5)
    sent = 0
    request = b"GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n" * 1000
    try:
        while sent < 64 * MIB:
            sent += client.sock.send(request)
    except TimeoutError:
        pass
    assert sent < 64 * MIB
    assert fake.accepted == 0


def cut_after(data: bytes, how: str):
    def responder(request: RecordedRequest, connection: UpstreamConnection) -> None:
        connection.send(data)
        getattr(connection, how)()

    return responder


CUTS = {
    "length, close": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "close"),
    "length, cut": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "cut"),
    "length, reset": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "reset"),
    "chunked, close": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "close"),
    "chunked, cut": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "cut"),
    "until close, cut": (b"HTTP/1.1 200 OK\r\n\r\nhalf", "cut"),
    "bad chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalfX\r\n", "close"),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_response_that_is_cut_never_looks_whole(serve, name):
    """No last chunk, not all of the length; where nothing was passed on yet, 502."""
    proxy, _ = serve(cut_after(*CUTS[name]))
    client = proxy.tls(HOST)
    client.send(GET)
    head = client.read_until(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 502"):
        assert name in ("length, reset", "bad chunk"), "what came before the cut was lost"
        return
    rest = client.read_all()
    assert head.startswith(b"HTTP/1.1 200")
    assert not rest.endswith(b"0\r\n\r\n")
    assert len(rest) < 10 + len(b"4\r\n\r\n")


def test_a_response_until_close_is_whole_after_a_good_close(serve):
    """Re-framed in chunks for the client, whose connection goes on."""
    proxy, _ = serve(cut_after(b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nall of it", "close"))
    client = proxy.tls(HOST)
    for _ in range(2):
        client.send(GET)
        answer = client.answer()
        assert (answer.body, answer.headers["transfer-encoding"]) == (b"all of it", "chunked")


BAD_RESPONSES = {
    "length and chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
    "equal lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "list of lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
    "leading zero": b"HTTP/1.1 200 OK\r\nContent-Length: 02\r\n\r\nok",
    "gzip, chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "unasked 101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "204 with a body": b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
    "204 chunked": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
    "obs-fold": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "bare CR": b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nok",
    "NUL": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/2": b"HTTP/2 200\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/0.9": b"<html>hello</html>\n\n",
    "status with four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
    "status with a sign": b"HTTP/1.1 +20 OK\r\nContent-Length: 2\r\n\r\nok",
    "status 000": b"HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\nok",
    "101 fields": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 101 + b"\r\n",
    "too large": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
    "interim without end": b"HTTP/1.1 102 Processing\r\n\r\n" * 20,
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
}


@pytest.mark.parametrize("name", BAD_RESPONSES)
def test_an_ambiguous_response_is_502(serve, name):
    proxy, _ = serve(cut_after(BAD_RESPONSES[name], "close"))
    client = proxy.tls(HOST)
    client.send(GET)
    answer = client.answer()
    assert answer.status == 502
    assert answer.reason.startswith("egress: upstream")
    client.send(b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n")
    assert client.answer().status == 403, "the client's connection goes on"


NO_BODIES = {
    "HEAD": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200),
    "HEAD chunked": ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    "304": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n", 304),
    "100 first": ("GET", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204),
    "103 first": ("GET", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 204 X\r\n\r\n", 204),
    "length 0": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
}


@pytest.mark.parametrize("name", NO_BODIES)
def test_responses_without_a_body_end_with_their_head(serve, name):
    """And the connections on both sides are used again."""
    method, data, status = NO_BODIES[name]
    proxy, fake = serve(lambda request, connection: connection.send(data))
    client = proxy.tls(HOST)
    for _ in range(3):
        client.send(f"{method} /n HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert client.answer(method=method).status == status
    assert fake.accepted == 1


def test_what_is_between_two_neighbours_only_is_not_passed_on(serve):
    """Hop-by-hop fields, those that Connection names, Alt-Svc, Refresh and our own fields of an upstream fall
    away."""
    proxy, _ = serve(
        lambda request, connection: connection.reply(
            200,
            b"ok",
            [
                ("Connection", "X-Hop, keep-alive"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"),
                ("Alt-Svc", 'h3=":443"'), ("Refresh", "0; url=https://evil.example/"),
                ("Proxy-Authenticate", "Basic"), ("Upgrade", "h2c"),
                ("Trailer", "X"), ("X-Bot-Bottle-Launch", "forged"), ("x-bot-bottle", "blocked"),
                ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Kept", "yes"), ("Content-Type", "image/png"),
            ],
        )
    )  # fmt: skip
    client = proxy.tls(HOST)
    client.send(GET)
    answer = client.answer()
    names = [line.partition(b":")[0].lower() for line in answer.head.split(b"\r\n")[1:-2]]
    assert sorted(names) == [b"content-length", b"content-type", b"set-cookie", b"set-cookie", b"x-kept"]


def test_bytes_behind_a_response_are_never_the_next_one(serve):
    """A second response that nobody asked for is dropped with its connection (response splitting)."""

    def double(request: RecordedRequest, connection: UpstreamConnection) -> None:
        if connection.number == 0:
            connection.send(
                b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
            )
        else:
            connection.reply(200, b"two")

    proxy, fake = serve(double)
    client = proxy.tls(HOST)
    bodies = []
    for _ in range(2):
        client.send(GET)
        bodies.append(client.answer().body)
    assert bodies == [b"one", b"two"]
    assert fake.accepted == 2


def test_an_early_answer_ends_the_upload(serve):
    """413 before the body's end: the client gets it, the rest is not forwarded, the connection closes."""

    def impatient(request: RecordedRequest, connection: UpstreamConnection) -> None:
        connection.reply(413, b"too much")
        with contextlib.suppress(
            OSError
        ):  # servers linger: closed with bytes unread, TCP takes the answer back
            list(iter(connection.read, b""))
        connection.open = False

    proxy, fake = serve(impatient, read_bodies=False)
    client = proxy.tls(HOST)
    client.send(
        f"POST /u HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000000\r\n\r\n".encode() + b"x" * 600_000
    )
    answer = client.answer()
    assert (answer.status, answer.body, answer.headers["connection"]) == (413, b"too much", "close")
    assert client.is_closed()
    assert fake.requests[0].method == "POST"


def test_a_client_that_goes_takes_its_request_along(serve):
    """The upstream sees its connection end, in the middle of an upload and of a response."""
    ended = threading.Event()

    def wait(request: RecordedRequest, connection: UpstreamConnection) -> None:
        connection.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
        )
        try:
            while connection.read():
                pass
        except OSError:
            pass
        ended.set()
        connection.open = False

    proxy, _ = serve(wait)
    client = proxy.tls(HOST)
    client.send(GET)
    client.read_until(b"ok\r\n")
    assert proxy.server.active == 1
    client.close()
    assert ended.wait(10)
    assert proxy.server.active == 0


def test_a_stale_upstream_connection_costs_nothing_but_a_new_one(serve):
    """An upstream that closes after each response, silently: GETs are sent again on a new connection."""

    def once(request: RecordedRequest, connection: UpstreamConnection) -> None:
        connection.reply(200, b"ok")
        connection.close()

    proxy, fake = serve(once)
    client = proxy.tls(HOST)
    for _ in range(5):
        client.send(GET)
        assert client.answer().status == 200
        time.sleep(0.01)
    assert len(fake.requests) == 5


def test_a_request_is_not_sent_twice_unless_that_is_harmless(serve):
    """The upstream resets a reused connection when a POST comes: 502, and no second POST."""

    def reset_second(request: RecordedRequest, connection: UpstreamConnection) -> None:
        if request.target == "/s":
            connection.reply(200, b"ok")
        else:
            connection.reset()

    proxy, fake = serve(reset_second, tls=False)
    client = proxy.tunnel(HOST, 80)
    client.send(GET)
    assert client.answer().status == 200
    client.send(f"POST /p HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1\r\n\r\nx".encode())
    assert client.answer().status == 502
    assert [seen.target for seen in fake.requests] == ["/s", "/p"]
