"""A proxy in a thread of its own, fake upstreams beside it, and a client that sends exact bytes."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvloop

from bot_bottle.base.secret import Secret
from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.sidecar.proxy.limits import Limits
from bot_bottle.sidecar.proxy.server import ProxyOptions, ProxyServer
from bot_bottle.testing.upstream import FakeUpstream

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: what the tests of faults share is found here

TIMEOUT_S = 10.0
QUICK = Limits(sweep_s=0.02)
"""The real bounds, but deadlines are looked at often."""


@dataclass
class Answer:
    """A response as a client reads it."""

    status: int
    headers: dict[str, str]
    body: bytes
    head: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        return str(self.json().get("reason", ""))


class Client:
    """One connection to the proxy; plain, or with TLS inside a CONNECT."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.settimeout(TIMEOUT_S)
        self._ahead = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read_some(self) -> bytes:
        """What comes next; b"" at the end (a reset counts as one)."""
        if self._ahead:
            data, self._ahead = self._ahead, b""
            return data
        try:
            return self.sock.recv(65536)
        except (ConnectionError, ssl.SSLError):
            return b""

    def read_all(self) -> bytes:
        data = b""
        while piece := self.read_some():
            data += piece
        return data

    def read_until(self, mark: bytes) -> bytes:
        """Up to and with *mark*; what came after it is kept."""
        data = b""
        while mark not in data:
            piece = self.read_some()
            if not piece:
                raise EOFError(f"closed after {data!r}")
            data += piece
        head, _, rest = data.partition(mark)
        self._ahead = rest + self._ahead
        return head + mark

    def answer(self, *, method: str = "GET") -> Answer:
        """One whole response; raises EOFError when it is cut."""
        head = self.read_until(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:-2])}
        status = int(lines[0].split(" ")[1])
        if status == 100:
            return self.answer(method=method)
        body = b""
        if method == "HEAD" or status in (204, 304):
            pass
        elif headers.get("transfer-encoding") == "chunked":
            while size := int(self.read_until(b"\r\n").strip(), 16):
                chunk = self.read_exactly(size + 2)
                body += chunk[:-2]
            self.read_until(b"\r\n")
        elif "content-length" in headers:
            body = self.read_exactly(int(headers["content-length"]))
        elif headers.get("connection") == "close":
            body = self.read_all()
        return Answer(status, headers, body, head)

    def read_exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self.read_some()
            if not piece:
                raise EOFError(f"closed after {len(data)} of {size} bytes")
            data += piece
        self._ahead = bytes(data[size:]) + self._ahead
        return bytes(data[:size])

    def is_closed(self) -> bool:
        """Whether the proxy has ended the connection (waits for it)."""
        return self.read_all() is not None

    def close(self) -> None:
        self.sock.close()


@dataclass
class RunningProxy:
    """A proxy that listens on loopback, and what it knows."""

    server: ProxyServer
    authority: CertificateAuthority
    loop: asyncio.AbstractEventLoop
    address: tuple[str, int]
    log_path: Path
    clients: list[Client] = field(default_factory=list)

    def call(self, coroutine: Any) -> Any:
        """Run *coroutine* in the proxy's loop."""
        future: Future[Any] = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        return future.result(TIMEOUT_S)

    def reload(self, text: str) -> str:
        async def reload() -> str:
            return self.server.reload(text)

        return str(self.call(reload()))

    def connect(self) -> Client:
        client = Client(socket.create_connection(self.address, TIMEOUT_S))
        self.clients.append(client)
        return client

    def tunnel(self, host: str, port: int = 443) -> Client:
        """After a CONNECT that was answered 200."""
        client = self.connect()
        client.send(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = client.read_until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        return client

    def tls(self, host: str, port: int = 443, *, sni: str | None = "", verify: str = "") -> Client:
        """A tunnel with TLS taken up; *sni* "": the host. The certificate is verified for *verify* or it."""
        client = self.tunnel(host, port)
        name = host if sni == "" else sni
        context = ssl.create_default_context(cadata=self.authority.ca_pem)
        if name is None:
            context.check_hostname = False
        wrapped = context.wrap_socket(client.sock, server_hostname=name)
        secure = Client(wrapped)
        self.clients.append(secure)
        return secure

    def records(self) -> list[dict[str, Any]]:
        """The log so far."""
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]


ProxyFactory = Callable[..., RunningProxy]


class Proxies:
    """Starts proxies and ends them; none may have met an internal error."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: list[tuple[RunningProxy, threading.Thread, int]] = []

    def start(self, policy: str, **options: Any) -> RunningProxy:
        """*upstream*: trust that fake. *tokens*: slot to value. The rest: as ``ProxyOptions`` has it."""
        loop = uvloop.new_event_loop()
        thread = threading.Thread(target=_loop_main, args=(loop,))
        thread.start()
        log_path = self._directory / f"proxy-{len(self._running)}.log"
        log_fd = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        authority = CertificateAuthority.create()
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        address = listener.getsockname()
        tokens = {name: Secret(value) for name, value in options.pop("tokens", {}).items()}
        upstream = options.pop("upstream", None)
        if isinstance(upstream, FakeUpstream) and upstream.tls:
            options.setdefault("extra_ca_pem", upstream.ca_pem)
        options.setdefault("limits", QUICK)
        options.setdefault("nonce", "n0nce")

        async def serve() -> ProxyServer:
            server = ProxyServer(ProxyOptions(policy, authority, log_fd, tokens=tokens, **options))
            await server.start(listener)
            return server

        try:
            server = asyncio.run_coroutine_threadsafe(serve(), loop).result(TIMEOUT_S)
        except BaseException:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(TIMEOUT_S)
            listener.close()
            os.close(log_fd)
            raise
        proxy = RunningProxy(server, authority, loop, address, log_path)
        self._running.append((proxy, thread, log_fd))
        return proxy

    def end(self, *, errors: bool = False) -> None:
        """*errors*: internal errors were provoked."""
        running, self._running = self._running, []
        for proxy, thread, log_fd in running:
            for client in proxy.clients:
                client.close()
            proxy.call(proxy.server.close())
            proxy.loop.call_soon_threadsafe(proxy.loop.stop)
            thread.join(TIMEOUT_S)
            os.close(log_fd)
            met = [record for record in proxy.records() if record["event"] == "proxy_error"]
            assert bool(met) is errors, met


@pytest.fixture
def run_proxy(tmp_path: Path) -> Iterator[ProxyFactory]:
    proxies = Proxies(tmp_path)
    yield proxies.start
    proxies.end()


@pytest.fixture
def run_failing_proxy(tmp_path: Path) -> Iterator[ProxyFactory]:
    """For tests that make the proxy itself fail."""
    proxies = Proxies(tmp_path)
    yield proxies.start
    proxies.end(errors=True)


@pytest.fixture(scope="module")
def run_shared_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyFactory]:
    """For tables: one proxy for all rows of a module."""
    proxies = Proxies(tmp_path_factory.mktemp("proxy"))
    yield proxies.start
    proxies.end()


def _loop_main(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
    finally:
        loop.close()
        asyncio.set_event_loop(None)


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    """TLS, answers 200 ``hello``."""
    with FakeUpstream() as fake:
        yield fake
    assert fake.failures == []


@pytest.fixture
def plain_upstream() -> Iterator[FakeUpstream]:
    """Without TLS, answers 200 ``hello``."""
    with FakeUpstream(tls=False) as fake:
        yield fake
    assert fake.failures == []


@pytest.fixture(scope="session")
def to() -> Callable[..., dict[tuple[str, int], tuple[str, int]]]:
    """``to(fake, ("host", 443), ...)``: a ``connect_to`` that sends every pair to *fake*."""
    return lambda fake, *pairs: dict.fromkeys(pairs, (fake.address, fake.port))


@pytest.fixture
def through(run_proxy: ProxyFactory, to: Callable[..., Any]) -> Callable[..., tuple[RunningProxy, Client]]:
    """``through(upstream, policy=…)``: a proxy, and a connection with TLS through it to that ``WebSocketUpstream``."""

    def start(upstream: Any, policy: str = "routes: [{host: ws.example.com}]\n", **options: Any) -> Any:
        host = "ws.example.com"
        proxy = run_proxy(
            policy, upstream=upstream.fake, connect_to=to(upstream.fake, (host, 443)), **options
        )
        return proxy, proxy.tls(host)

    return start
