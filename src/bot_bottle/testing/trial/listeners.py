"""The attacker's plain listeners: TCP, IPv6, UDP, DNS, abstract and pathname Unix sockets, on this host only.

They answer anything and keep all they get. One thread; judges nothing.
"""

from __future__ import annotations

import selectors
import socket
import threading
from pathlib import Path
from types import TracebackType

MAX_KEPT = 4096
"""Bytes of one connection: tokens are at its beginning."""
POLL_S = 0.05
ANSWER = b"welcome\n"


class Listeners:
    """A context manager. ``ports``: what the attempts are told, by name of the sink."""

    def __init__(self, directory: Path, nonce: str) -> None:
        self.path = directory / "engine.sock"
        self.abstract = f"try-{nonce}"
        self._lock = threading.Lock()
        self._kept: list[tuple[str, bytearray]] = []
        self._over = threading.Event()
        self._selector = selectors.DefaultSelector()
        self.ports: dict[str, int] = {}
        for name, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
            self._bind(name, socket.AF_INET, kind, ("127.0.0.1", 0))
        self._bind_dns()
        self._bind("abstract", socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.abstract)
        self._bind("path", socket.AF_UNIX, socket.SOCK_STREAM, str(self.path))
        try:
            self._bind("tcp6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0))
        except OSError:
            self.ports["tcp6"] = self.ports["tcp"]  # no IPv6 here: nobody will answer, which the row says
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def kept(self, sink: str) -> list[bytes]:
        """What each connection or datagram brought, in order; b"" for a bare connection."""
        with self._lock:
            return [bytes(data) for name, data in self._kept if name == sink]

    def __enter__(self) -> Listeners:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close every socket; idempotent."""
        if self._over.is_set():
            return
        self._over.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()
        self.path.unlink(missing_ok=True)

    def _bind(self, name: str, family: int, kind: int, address: object) -> None:
        sock = socket.socket(family, kind)
        try:
            sock.bind(address)  # type: ignore[arg-type]
            if kind == socket.SOCK_STREAM:
                sock.listen(64)
        except OSError:
            sock.close()
            raise
        sock.setblocking(False)
        if family in (socket.AF_INET, socket.AF_INET6):
            self.ports[name] = sock.getsockname()[1]
        self._selector.register(sock, selectors.EVENT_READ, (name, kind, None))

    def _bind_dns(self) -> None:
        """UDP and TCP on one port."""
        for _ in range(32):
            self._bind("dns", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
            try:
                self._bind("dns", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", self.ports["dns"]))
            except OSError:
                continue  # that port is taken for TCP; the UDP one stays, unused
            return
        raise OSError("no port is free for both UDP and TCP")

    def _serve(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(POLL_S):
                name, kind, kept = key.data
                sock: socket.socket = key.fileobj  # type: ignore[assignment]
                try:
                    if kind == socket.SOCK_DGRAM:
                        data, sender = sock.recvfrom(MAX_KEPT)
                        self._keep(name).extend(data)
                        sock.sendto(ANSWER, sender)
                    elif kept is None:
                        connection, _ = sock.accept()
                        connection.setblocking(False)
                        entry = (name, socket.SOCK_STREAM, self._keep(name))
                        self._selector.register(connection, selectors.EVENT_READ, entry)
                    else:
                        self._read(sock, kept)
                except BlockingIOError:
                    continue
                except OSError:
                    if kept is not None:
                        self._drop(sock)

    def _keep(self, name: str) -> bytearray:
        data = bytearray()
        with self._lock:
            self._kept.append((name, data))
        return data

    def _read(self, sock: socket.socket, kept: bytearray) -> None:
        data = sock.recv(MAX_KEPT)
        if not data:
            self._drop(sock)
            return
        with self._lock:
            kept.extend(data[: MAX_KEPT - len(kept)])
        sock.send(ANSWER)

    def _drop(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)
        sock.close()
