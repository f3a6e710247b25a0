"""Connections inside the bottle, carried to its sidecars: all that answers in there.

Three kinds of listeners. The *proxy port*, and the git gate's where there is one, is passed through byte by
byte. The others are for software that
heeds no proxy setting: on the *carried* ports (80, 443) the local address is a name's stand-in, or else the
first bytes tell the name; to the *redirected* port comes whatever else was dialled, and where it was meant to
go is asked of the kernel: a stand-in, or an address that is then the name. ``CONNECT name:port`` goes to the
proxy. No decision is made here: the proxy sees every byte, and refuses what no route opens.

A flow: ``NAMING`` (wait for the client's first bytes) -> ``ASKING`` (CONNECT sent) -> ``OPEN``; ``OPEN`` at
once on the proxy port. Any error ends the flow. While the proxy's queue of connections is full, flows wait for
it in their order: a program that opens thousands at once delays others, and resets none.
"""

from __future__ import annotations

import _socket
import time

from .loop import HUP, IN, OUT, Loop
from .names import StandIns, stands_in
from .origin import original_destination
from .target import MORE, find

TYPE_CHECKING = False  # as in typing, which takes 3 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable

    _Target = tuple[str | None, int | None]
    """name (None: the first bytes tell it) and port (None: the proxy itself)"""

CHUNK_BYTES = 64 * 1024
"""Also what a direction may hold while its receiver is slow."""
MAX_FLOWS = 10240
"""The proxy's own bound of idle connections (ruling 67)."""
GATE_FLOWS = 64
"""To the git gate: a git opens one or two connections."""
FIRST_BYTES_S = 5
"""How long a nameless connection may take to say for whom it is: as long as the proxy's own wait."""
LINGER_S = 5
"""How long a refused client may take to read its refusal."""
_MAX_REPLY_HEAD_BYTES = 16 * 1024

_NAMING, _ASKING, _OPEN = range(3)


class _End:
    """One side of a flow: its socket, what waits to be written to it, what is over."""

    __slots__ = ("deaf", "out", "read_over", "sock", "write_over")

    def __init__(self, sock: _socket.socket) -> None:
        self.sock = sock
        self.out = b""
        self.read_over = False
        """it sends nothing more"""
        self.write_over = False
        """the end of what it gets has been said"""
        self.deaf = False
        """it takes nothing more: what comes for it is dropped"""


class Relay:
    """Listeners and flows. *proxy* is the path of the sidecar's socket, which is not the proxy's for the gate's
    port."""

    def __init__(self, loop: Loop, proxy: str, names: StandIns, max_flows: int = MAX_FLOWS) -> None:
        self._loop = loop
        self._proxy = proxy
        self._names = names
        self._max_flows = max_flows
        self._flows: set[_Flow] = set()
        self._waiting: list[_Flow] = []
        """for the proxy to take their connection, the first come first"""
        loop.every_second(self._expire)

    def listen(self, listener: _socket.socket, port: int | None) -> None:
        """Take connections from *listener*; *port*: carry them to that port of the name asked for."""
        if port is None:
            self._listen(listener, lambda _client: (None, None))
        else:
            self._listen(listener, lambda client: (self._names.name(_local_address(client)), port))

    def listen_redirected(self, listener: _socket.socket) -> None:
        """Take connections from *listener* that were meant for any address and port."""
        self._listen(listener, self._destination)

    def _destination(self, client: _socket.socket) -> _Target:
        """Raises OSError for what was dialled straight to us, and what the kernel has forgotten."""
        host, port = original_destination(client)
        if stands_in(host):
            return self._names.name(host), port
        if host.startswith("127.") or host == "::1":
            raise OSError("not redirected")
        return f"[{host}]" if ":" in host else host, port

    def _listen(self, listener: _socket.socket, target: Callable[[_socket.socket], _Target]) -> None:
        listener.setblocking(False)
        self._loop.watch(listener.fileno(), IN, lambda _events: self._accept(listener, target))

    def _accept(self, listener: _socket.socket, target: Callable[[_socket.socket], _Target]) -> None:
        for _ in range(64):
            try:
                fd, _address = listener._accept()  # type: ignore[attr-defined]
            except BlockingIOError:
                return
            except OSError:
                time.sleep(0.01)  # out of descriptors or memory: the listener stays ready
                return
            client = _socket.socket(fileno=fd)
            client.setblocking(False)
            if len(self._flows) >= self._max_flows:
                client.close()
                continue
            try:
                name, port = target(client)
            except OSError:
                client.close()
                continue
            flow = _Flow(self._loop, client, port, self._connects, self._flows.discard)
            self._flows.add(flow)
            flow.start(name)

    def _connects(self, flow: _Flow) -> None:
        self._waiting.append(flow)
        if len(self._waiting) == 1:
            self._connect()

    def _connect(self) -> None:
        for index, flow in enumerate(self._waiting):
            if not flow.connect(self._proxy):
                del self._waiting[:index]
                self._loop.soon(self._connect)
                return
        self._waiting.clear()

    def _expire(self, now: float) -> None:
        for flow in [flow for flow in self._flows if flow.deadline and flow.deadline < now]:
            flow.close()


class _Flow:
    def __init__(
        self,
        loop: Loop,
        client: _socket.socket,
        port: int | None,
        connects: Callable[[_Flow], None],
        ended: Callable[[_Flow], None],
    ) -> None:
        self._loop = loop
        self._client = _End(client)
        self._server: _End | None = None
        self._port = port
        self._connects = connects
        self._ended = ended
        self._state = _OPEN
        self._head = b""
        self.deadline = 0.0

    def start(self, name: str | None) -> None:
        """Open, ask or wait for a name, by what is known."""
        try:
            if self._port is None:
                self._dial()
            elif name is not None:
                self._ask(name)
            else:
                self._state = _NAMING
                self.deadline = time.monotonic() + FIRST_BYTES_S
                self._loop.watch(self._client.sock.fileno(), IN, self._on_client)
        except OSError:
            self.close()

    def close(self) -> None:
        """Drop both ends; idempotent."""
        for end in (self._client, self._server):
            if end is not None and end.sock.fileno() >= 0:
                self._loop.forget(end.sock.fileno())
                end.sock.close()
        self._ended(self)

    def _dial(self, first: bytes = b"") -> None:
        self._server = _End(_socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK))
        self._server.out = first
        self._connects(self)

    def connect(self, proxy: str) -> bool:
        """Go on over a connection to *proxy*, or end; False: its queue is full (EAGAIN of unix(7), of which
        no event tells when it is over)."""
        server = self._server
        if server is None or server.sock.fileno() < 0:
            return True
        try:
            server.sock.connect(proxy)
            if self._state == _ASKING:
                self._loop.watch(server.sock.fileno(), IN | OUT, self._on_server)
            else:
                self._watch()
        except BlockingIOError:
            return False
        except OSError:
            self.close()
        return True

    def _ask(self, name: str) -> None:
        self._state = _ASKING
        self.deadline = 0.0
        self._loop.forget(self._client.sock.fileno())
        self._dial(f"CONNECT {name}:{self._port} HTTP/1.1\r\nHost: {name}:{self._port}\r\n\r\n".encode())

    def _watch(self) -> None:
        """Watch both ends for what the open flow can use now."""
        server = self._server
        assert server is not None
        for end, peer, callback in (
            (self._client, server, self._on_client),
            (server, self._client, self._on_server),
        ):
            events = (OUT if end.out else 0) | (0 if end.read_over or peer.out else IN)
            if events:
                self._loop.watch(end.sock.fileno(), events, callback)
            else:  # a hang-up can't be masked, and would spin
                self._loop.forget(end.sock.fileno())

    def _on_client(self, events: int) -> None:
        self._guarded(self._client, events)

    def _on_server(self, events: int) -> None:
        assert self._server is not None
        self._guarded(self._server, events)

    def _guarded(self, end: _End, events: int) -> None:
        try:
            if self._state == _NAMING:
                self._name()
            elif self._state == _ASKING:
                self._reply(end, events)
            else:
                self._move(end, events)
        except OSError:
            self.close()

    def _name(self) -> None:
        data = self._client.sock.recv(CHUNK_BYTES)
        self._head += data
        name = find(self._head)
        if name is MORE and data:
            return
        if not isinstance(name, str):
            self.close()
            return
        self._ask(name)

    def _reply(self, server: _End, events: int) -> None:
        """Send the CONNECT, read the answer's head; open with what came before and after it."""
        if events & OUT:
            self._flush(server)
            if not server.out:
                self._loop.events(server.sock.fileno(), IN)
        if not events & (IN | HUP):
            return
        data = server.sock.recv(CHUNK_BYTES)
        self._client.out += data
        head, found, rest = self._client.out.partition(b"\r\n\r\n")
        if not found:
            if not data or len(head) > _MAX_REPLY_HEAD_BYTES:
                self.close()
            return
        taken = head[9:12] == b"200"
        if taken:
            self._client.out = rest
            server.out += self._head
        elif self._port == 80:
            server.deaf = True  # the refusal is an answer that an HTTP client can read
        else:
            self.close()
            return
        self._head = b""
        self._state = _OPEN
        for end in (self._client, server):
            self._flush(end)
        self._watch()

    def _move(self, end: _End, events: int) -> None:
        server = self._server
        assert server is not None
        peer = server if end is self._client else self._client
        if events & OUT and end.out:
            self._flush(end)
        if events & (IN | HUP) and not end.read_over and not peer.out:
            data = end.sock.recv(CHUNK_BYTES)
            if data:
                if not peer.deaf:
                    peer.out = data
                    self._flush(peer)
            else:
                end.read_over = True
        for one, other in ((self._client, server), (server, self._client)):
            if one.read_over and not other.out and not other.write_over:
                other.write_over = True
                self._shutdown(other)
        if self._client.write_over and (server.write_over or server.deaf) and self._client.read_over:
            self.close()
            return
        if self._client.write_over and not self.deadline:
            self.deadline = time.monotonic() + LINGER_S if server.deaf else 0.0
        self._watch()

    def _flush(self, end: _End) -> None:
        if not end.out:
            return
        if end.deaf:
            end.out = b""
            return
        try:
            sent = end.sock.send(end.out, _socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return
        except OSError:
            if end is self._client:
                raise
            end.deaf = True  # the proxy has closed; what it said before must still arrive
            end.out = b""
            return
        end.out = end.out[sent:]

    @staticmethod
    def _shutdown(end: _End) -> None:
        try:
            end.sock.shutdown(_socket.SHUT_WR)
        except OSError:
            end.deaf = True


def _local_address(sock: _socket.socket) -> str:
    try:
        return str(sock.getsockname()[0])
    except OSError:
        return ""


def spare_flows(soft_limit: int) -> int:
    """How many flows *soft_limit* descriptors allow: two each, and some for all else."""
    return max(min(MAX_FLOWS, (soft_limit - 128) // 2), 16)
