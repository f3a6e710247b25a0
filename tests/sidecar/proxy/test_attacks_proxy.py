"""Attacks on a whole proxy, judged by the bytes that the upstream received."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from bot_bottle.base.yamltext import YamlError
from bot_bottle.sidecar.proxy.limits import Limits
from bot_bottle.sidecar.proxy.lookup import LOOKUPS_A_ROUTE, system_resolver
from bot_bottle.testing.upstream import FakeUpstream

A = "a.example.com"
OLD, NEW = "old-s3cr3t-value", "new-s3cr3t-value"
TOKENS = {"OLD": OLD, "NEW": NEW}


def policy(host: str = A, more: str = "") -> str:
    return f"log: 1\nroutes:\n  - host: '{host}'\n{more}"


def credential(slot: str) -> str:
    return f"    auth_scheme: Bearer\n    token_env: {slot}\n"


@pytest.fixture(scope="module")
def upstream_of_module():
    with FakeUpstream() as fake:
        yield fake


@pytest.fixture(scope="module")
def run_shared(run_shared_proxy, upstream_of_module, to):
    """One proxy with a credentialed route, for the rows of a table."""
    fake = upstream_of_module
    connect_to = to(fake, (A, 443))
    return run_shared_proxy(
        policy(more=credential("OLD")), upstream=fake, tokens=TOKENS, connect_to=connect_to
    )


class HeldResolver:
    """Answers *address* when the test lets it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.asked = threading.Semaphore(0)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._go: asyncio.Event | None = None

    async def __call__(self, host: str, port: int) -> list[str]:
        self.loop = asyncio.get_running_loop()
        self._go = self._go or asyncio.Event()
        self.asked.release()
        await self._go.wait()
        return [self._address]

    def answer(self) -> None:
        assert self.loop is not None
        assert self._go is not None
        self.loop.call_soon_threadsafe(self._go.set)


@pytest.mark.parametrize(("more", "sent"), [(credential("NEW"), [f"Bearer {NEW}"]), ("", [])])
def test_a_request_whose_upstream_is_being_opened_goes_out_under_the_new_policy(
    run_proxy, upstream, more, sent
):
    """A reload between judgement and dial: the old route's credential is not sent any more."""
    held = HeldResolver("127.0.0.1")
    proxy = run_proxy(
        policy(more=credential("OLD")),
        upstream=upstream,
        tokens=TOKENS,
        resolver=held,
        connect_to={(A, 443): ("slow.example", upstream.port)},
    )
    client = proxy.tls(A)
    client.send(f"GET / HTTP/1.1\r\nHost: {A}\r\n\r\n".encode())
    assert held.asked.acquire(timeout=10)
    proxy.reload(policy(more=more))
    held.answer()
    assert client.answer().status == 200
    assert upstream.requests[0].all("authorization") == sent
    assert OLD.encode() not in upstream.raw


def test_an_address_that_the_new_policy_closes_is_not_dialled(run_proxy, plain_upstream):
    """``allow_private`` taken back while the name is looked up (rebinding by reload)."""
    held = HeldResolver("127.0.0.1")
    ports = f"    ports: [{plain_upstream.port}]\n"
    proxy = run_proxy(policy(more=ports + "    allow_private: true\n"), resolver=held)
    client = proxy.connect()
    authority = f"{A}:{plain_upstream.port}"
    client.send(f"GET http://{authority}/ HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
    assert held.asked.acquire(timeout=10)
    proxy.reload(policy(more=ports))
    held.answer()
    answer = client.answer()
    assert (answer.status, answer.reason[:15]) == (403, "egress: address")
    assert plain_upstream.accepted == 0


def test_a_wildcard_does_not_open_the_operators_machine(run_proxy, plain_upstream):
    """``host.bot-bottle.internal`` needs a route of its own name (ruling 8)."""
    ports = f"    ports: [{plain_upstream.port}]\n"
    authority = f"host.bot-bottle.internal:{plain_upstream.port}"
    request = f"GET http://{authority}/ HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode()
    for host, status in (
        ("*.internal", 403),
        ("*.bot-bottle.internal", 403),
        ("host.bot-bottle.internal", 200),
    ):
        client = run_proxy(policy(host, ports)).connect()
        client.send(request)
        assert client.answer().status == status
    assert plain_upstream.accepted == 1


UNDERSCORES = {
    "method": (b"X_HTTP_Method_Override: DELETE", 200),
    "one underscore": (b"X-HTTP_Method-Override: DELETE", 200),
    "url": (b"X_Original_URL: /admin", 200),
    "forwarding": (b"X_Forwarded_Host: evil.example", 200),
    "hop": (b"Proxy_Authorization: Basic eA==", 200),
    "named by Connection": (b"X_Secret: 1\r\nConnection: x-secret", 200),
    "length": (b"Content_Length: 40", 403),
    "coding": (b"transfer_ENCODING: chunked", 403),
    "coding, half": (b"Transfer_Encoding: identity", 403),
}


@pytest.mark.parametrize("row", UNDERSCORES)
def test_an_underscore_does_not_carry_a_field_past_us(run_proxy, plain_upstream, to, row):
    """CGI, WSGI and PHP read ``A_B`` as ``A-B``: what is dropped or refused in one spelling is in both."""
    line, status = UNDERSCORES[row]
    client = run_proxy(policy(), connect_to=to(plain_upstream, (A, 80))).connect()
    client.send(
        b"POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nX-Kept_Name: kept\r\n"
        b"%b\r\nContent-Length: 2\r\n\r\nok" % line
    )
    assert client.answer().status == status
    assert plain_upstream.raw.count(b"kept") == (status == 200)
    assert line.partition(b":")[0].lower() not in plain_upstream.raw.lower()


def test_a_header_rule_is_not_met_beside_a_second_spelling(run_proxy, plain_upstream, to):
    """Threats D7: which of ``X-Env`` and ``X_Env`` the server reads is not known."""
    rule = "    matches: [{headers: [{name: X-Env, value: test}]}]\n"
    proxy = run_proxy(policy(more=rule), connect_to=to(plain_upstream, (A, 80)))
    for more, status in ((b"", 200), (b"X_Env: prod\r\n", 403), (b"x-env: prod\r\n", 403)):
        client = proxy.connect()
        client.send(
            b"GET http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nX-Env: test\r\n%b\r\n" % more
        )
        assert client.answer().status == status
    assert b"prod" not in plain_upstream.raw


SAME_KEYS = [
    "key", "Key", "%6bey", "%6Bey", "x;key", "key[]", "key%5B%5D", "x[key]", "x[y][key]", "[key]", "+key",
    "key+", "%20key", "-key", "key%00x", "%00key", "a%00key", "api+key", "api%20key", "api%0akey",
    "api%09key", "api%C2%A0key", "api.key", "api-key", "API_KEY", "api__key", "api%5fkey", "api%00key",
    "api[key", "apikey", "access.token", "access+token", "application_key", "X-Amz-Signature",
    "_method%3dx;sig",
]  # fmt: skip


@pytest.mark.parametrize("key", SAME_KEYS)
def test_a_credential_in_the_query_is_known_in_every_spelling(run_shared, upstream_of_module, key):
    """Beside ours it would name another account (egress.md section 10.1; threats E1)."""
    for target in (f"/v1/x?a=1&{key}=attacker", f"/v1/x?{key}", f"/v1/x?a=1;{key}=attacker"):
        client = run_shared.tls(A)
        client.send(f"GET {target} HTTP/1.1\r\nHost: {A}\r\n\r\n".encode())
        assert client.answer().status == 403, target
        client.close()
    assert upstream_of_module.raw == b""


@pytest.mark.parametrize(
    "query", ["page=2", "monkey=1", "pageToken=x", "q=key", "keys=1", "filter[name]=token", "a=b&&c", "=key"]
)
def test_other_names_in_the_query_pass(run_proxy, upstream, to, query):
    """The control: names that only look alike, and values."""
    connect_to = to(upstream, (A, 443))
    proxy = run_proxy(policy(more=credential("OLD")), upstream=upstream, tokens=TOKENS, connect_to=connect_to)
    client = proxy.tls(A)
    client.send(f"GET /v1/x?{query} HTTP/1.1\r\nHost: {A}\r\n\r\n".encode())
    assert client.answer().status == 200
    assert upstream.requests[0].target == f"/v1/x?{query}"


TINY = b"1\r\nx\r\n"
MANY = 30_000
"""Tiny chunks or requests in one go: more than one turn takes."""


def tiny_chunks(request, connection) -> None:
    """Answers with as many chunks of one byte as were asked for in the path; ``/quick`` at once."""
    if request.target == "/quick":
        connection.reply(200, b"quick")
    else:
        count = int(request.target[1:])
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.send(TINY * count + b"0\r\n\r\n")


@pytest.mark.parametrize("count", [1, 1999, 2000, 2001, MANY])
def test_a_body_of_tiny_chunks_arrives_whole_both_ways(run_proxy, to, count):
    """However many turns it takes; what is pipelined behind it is judged after it."""
    with FakeUpstream(responder=tiny_chunks, tls=False) as fake:
        proxy = run_proxy(policy(), connect_to=to(fake, (A, 80)))
        client = proxy.connect()
        head = f"POST http://{A}/{count} HTTP/1.1\r\nHost: {A}\r\nTransfer-Encoding: chunked\r\n\r\n"
        behind = f"GET http://{A}/quick HTTP/1.1\r\nHost: {A}\r\n\r\n"
        client.send(head.encode() + TINY * count + b"0\r\n\r\n" + behind.encode())
        assert client.answer().body == b"x" * count
        assert client.answer().body == b"quick"
    assert [seen.body for seen in fake.requests] == [b"x" * count, b""]


def test_a_refused_body_of_tiny_chunks_is_thrown_away_whole(run_proxy, to, plain_upstream):
    """And none of it is read as a request (threats D2)."""
    proxy = run_proxy(policy(), connect_to=to(plain_upstream, (A, 80)))
    client = proxy.connect()
    head = "POST http://b.example/ HTTP/1.1\r\nHost: b.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    behind = f"GET http://{A}/behind HTTP/1.1\r\nHost: {A}\r\n\r\n"
    client.send(head.encode() + TINY * MANY + b"0\r\n\r\n" + behind.encode())
    assert [client.answer().status for _ in range(2)] == [403, 200]
    assert [seen.target for seen in plain_upstream.requests] == ["/behind"]


FLOODS = {
    "chunks up": (
        f"POST http://{A}/sink HTTP/1.1\r\nHost: {A}\r\nTransfer-Encoding: chunked\r\n\r\n".encode(),
        TINY * MANY,
    ),
    "chunks of a refused body": (
        b"POST http://b.example/ HTTP/1.1\r\nHost: b.example\r\nTransfer-Encoding: chunked\r\n\r\n",
        TINY * MANY,
    ),
    "refused requests": (b"", b"GET http://b.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n" * 5000),
    "chunks down": (f"GET http://{A}/flood HTTP/1.1\r\nHost: {A}\r\n\r\n".encode(), b""),
}


def floods(request, connection) -> None:
    """``/quick`` at once; ``/flood`` tiny chunks without end; all else is swallowed."""
    if request.target == "/quick":
        connection.reply(200, b"quick")
        return
    with contextlib.suppress(OSError):
        if request.target == "/flood":
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.send(TINY * MANY)
        while connection.read():
            pass
    connection.open = False


def read_away(client) -> None:
    """Whatever comes, until the end."""
    with contextlib.suppress(OSError):
        client.read_all()


@contextlib.contextmanager
def in_threads(work: Callable[[], None], count: int) -> Iterator[None]:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of_tiny_pieces_does_not_keep_others_waiting(run_proxy, to, kind):
    """Other requests are answered while it goes on (a request that is not within ten seconds fails)."""
    begin, again = FLOODS[kind]
    over = threading.Event()
    with FakeUpstream(responder=floods, tls=False, read_bodies=False) as fake:
        proxy = run_proxy(policy(), connect_to=to(fake, (A, 80)))
        clients = [proxy.connect() for _ in range(3)]
        waiting = list(clients)

        def flood() -> None:
            client = waiting.pop()
            reader = threading.Thread(target=read_away, args=(client,))
            reader.start()
            with contextlib.suppress(OSError):
                client.send(begin)
                while not over.is_set():
                    client.send(again)
                    over.wait(0 if again else 0.1)
            reader.join()

        with in_threads(flood, len(clients)):
            try:
                for _ in range(5):
                    client = proxy.connect()
                    client.send(f"GET http://{A}/quick HTTP/1.1\r\nHost: {A}\r\n\r\n".encode())
                    assert client.answer().body == b"quick"
            finally:
                over.set()
                for client in clients:
                    with contextlib.suppress(OSError):
                        client.sock.shutdown(socket.SHUT_RDWR)


def test_a_flood_of_refusals_fills_no_disk_and_hides_no_incident(run_proxy):
    """What the bottle provokes has a budget of bytes in the long run; incidents have one of their own. The
    short records come last: they leave no room where an incident's would fit."""
    limits = Limits(sweep_s=0.02, log_burst_bytes=4096, log_bytes_per_s=10)
    proxy = run_proxy("log: 1\nroutes: []\n", limits=limits)
    client = proxy.connect()
    for path in ["p" * 500] * 100 + [""] * 20:
        client.send(f"GET http://b.example/{path} HTTP/1.1\r\nHost: b.example\r\n\r\n".encode())
        assert client.answer().status == 403
    assert proxy.log_path.stat().st_size < 5000
    with pytest.raises(YamlError):
        proxy.reload("routes: [")
    assert [r["event"] for r in proxy.records()].count("egress_reload_failed") == 1


def slowly(request, connection) -> None:
    """An answer in two pieces, so that it is still to come when the client's end arrives."""
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    for _ in range(2):
        time.sleep(0.05)
        connection.send(b"piece")


@pytest.mark.parametrize("tunnel", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_a_plain_client_that_ends_its_side_gets_its_answers(run_proxy, to, tunnel, count):
    """``printf ... | socat``: all of the requests are there, then FIN; then the proxy closes, too."""
    with FakeUpstream(responder=slowly, tls=False) as fake:
        proxy = run_proxy(policy(), connect_to=to(fake, (A, 80)))
        client = proxy.tunnel(A, 80) if tunnel else proxy.connect()
        target = "/" if tunnel else f"http://{A}/"
        client.send(f"GET {target} HTTP/1.1\r\nHost: {A}\r\n\r\n".encode() * count)
        client.sock.shutdown(socket.SHUT_WR)
        assert client.read_all().count(b"piecepiece") == count


def test_a_client_that_ends_within_a_request_is_not_answered(run_proxy, to, plain_upstream):
    """Half a body never looks whole to the upstream."""
    client = run_proxy(policy(), connect_to=to(plain_upstream, (A, 80))).connect()
    client.send(f"POST http://{A}/ HTTP/1.1\r\nHost: {A}\r\nContent-Length: 9\r\n\r\nhalf".encode())
    client.sock.shutdown(socket.SHUT_WR)
    assert b"200" not in client.read_all()
    assert plain_upstream.requests == []


@pytest.mark.parametrize(("version", "interim"), [("1.0", False), ("1.1", True)])
def test_an_old_client_is_sent_no_interim_answer(run_proxy, to, plain_upstream, version, interim):
    """RFC 9110 section 10.1.1: it would take it for the final one."""
    client = run_proxy(policy(), connect_to=to(plain_upstream, (A, 80))).connect()
    client.send(
        f"POST http://{A}/ HTTP/{version}\r\nHost: {A}\r\nExpect: 100-continue\r\nConnection: close\r\n"
        "Content-Length: 2\r\n\r\n".encode()
    )
    if interim:
        assert client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
    client.send(b"ok")
    assert client.read_all().startswith(b"HTTP/1.1 200 ")
    assert plain_upstream.requests[0].body == b"ok"


def test_names_that_nobody_answers_keep_no_other_name_waiting(run_proxy, plain_upstream):
    """Look-ups of a wildcard's names hang: as many as may run at once do, others of its wait, an exact
    host's passes; clients that have gone leave no more of them behind."""
    asked: list[str] = []

    async def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        if host != A:
            await asyncio.Event().wait()
        return ["127.0.0.1"]

    ports = f"    ports: [{plain_upstream.port}]\n    allow_private: true\n"
    routes = policy(more=ports) + f"  - host: '*.slow.example'\n{ports}"
    proxy = run_proxy(routes, resolver=resolver)

    def request(host: str):
        client = proxy.connect()
        authority = f"{host}:{plain_upstream.port}"
        client.send(f"GET http://{authority}/ HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        return client

    for turn in range(3):
        clients = [request(f"n{turn}x{number}.slow.example") for number in range(40)]
        clients += [request("same.slow.example") for _ in range(5)]
        assert request(A).answer().status == 200
        for client in clients:
            client.close()
    assert len(asked) - asked.count(A) <= LOOKUPS_A_ROUTE


def test_the_systems_resolver_answers_while_others_wait(run_proxy):
    """More names at once than the loop has threads of its own."""

    async def look_up() -> list[list[str]]:
        return await asyncio.gather(*(system_resolver("127.0.0.1", 80 + number) for number in range(40)))

    proxy = run_proxy("routes: []\n")
    assert proxy.call(look_up()) == [["127.0.0.1"]] * 40
    with pytest.raises(UnicodeError):
        proxy.call(system_resolver("n\xe4me.invalid", 80))
