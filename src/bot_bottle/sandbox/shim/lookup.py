"""The DNS stand-in's sockets: UDP and TCP on 127.0.0.1:53, answered from the table, never asked on."""

from __future__ import annotations

import _socket

from .loop import IN, Loop
from .names import StandIns, answer

MAX_TCP_CLIENTS = 64
"""More than any resolver library opens; the oldest is closed."""


class Lookup:
    """Answers queries on the sockets that it is given."""

    def __init__(self, loop: Loop, names: StandIns) -> None:
        self._loop = loop
        self._names = names
        self._clients: dict[int, tuple[_socket.socket, bytes]] = {}

    def datagrams(self, sock: _socket.socket) -> None:
        """Answer each datagram that is a query."""
        sock.setblocking(False)
        self._loop.watch(sock.fileno(), IN, lambda _events: self._datagram(sock))

    def stream(self, listener: _socket.socket) -> None:
        """Answer each message of each connection (RFC 7766: two bytes of length in front)."""
        listener.setblocking(False)
        self._loop.watch(listener.fileno(), IN, lambda _events: self._accept(listener))

    def _datagram(self, sock: _socket.socket) -> None:
        for _ in range(64):
            try:
                packet, address = sock.recvfrom(4097)
                reply = answer(packet, self._names)
                if reply is not None:
                    sock.sendto(reply, address)
            except OSError:
                return

    def _accept(self, listener: _socket.socket) -> None:
        try:
            fd, _address = listener._accept()  # type: ignore[attr-defined]
        except OSError:
            return
        if len(self._clients) >= MAX_TCP_CLIENTS:
            self._close(next(iter(self._clients)))
        client = _socket.socket(fileno=fd)
        client.setblocking(False)
        self._clients[fd] = (client, b"")
        self._loop.watch(fd, IN, lambda _events: self._message(fd))

    def _message(self, fd: int) -> None:
        client, data = self._clients[fd]
        try:
            got = client.recv(4098)
            data += got
            while len(data) >= 2 and len(data) >= (size := 2 + int.from_bytes(data[:2], "big")):
                reply = answer(data[2:size], self._names)
                data = data[size:]
                if reply is None:
                    raise OSError("no query")
                client.send(len(reply).to_bytes(2, "big") + reply, _socket.MSG_NOSIGNAL)
            if not got or len(data) > 4098:
                raise OSError("over")
        except OSError:
            self._close(fd)
            return
        self._clients[fd] = (client, data)

    def _close(self, fd: int) -> None:
        client, _ = self._clients.pop(fd)
        self._loop.forget(fd)
        client.close()
