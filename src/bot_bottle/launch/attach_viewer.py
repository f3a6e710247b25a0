"""One attached terminal as the session process sees it: what it is, and what it has yet to take.

Nothing here waits. A peer that does not read is given what it missed later, from the kept screen; one that
breaks the protocol is dropped.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from typing import Any

import msgspec

from bot_bottle.ipc import attach, wire

HIGH_BYTES = 256 * 1024
"""A terminal that has this much to take yet holds the program up, as a terminal does…"""
LAG_S = 3.0
"""…but only for so long without taking any of it: then it is left behind, and the program goes on."""


class Viewer:
    """``hello`` is None until it has said what it is."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.hello: attach.Hello | None = None
        self.born = self.progress = time.monotonic()
        self.lagging = False
        """its queue was dropped: begin anew when it takes something again"""
        self.leaving = False
        """to be closed when its queue is empty"""
        self._queue: deque[bytes] = deque()
        self.queued = 0

    def fileno(self) -> int:
        return self.sock.fileno()

    def send(self, message: msgspec.Struct) -> None:
        """Queue *message*; nothing for one that lags."""
        if self.lagging:
            return
        if not self._queue:
            self.progress = time.monotonic()
        packet = attach.pack(message)
        self._queue.append(packet)
        self.queued += len(packet)

    def show(self, data: bytes) -> None:
        for at in range(0, len(data), attach.MAX_DATA_BYTES):
            self.send(attach.Show(data[at : at + attach.MAX_DATA_BYTES]))

    def flush(self) -> bool:
        """Give what is taken now; False when the peer is gone."""
        while self._queue:
            try:
                self.sock.send(self._queue[0])
            except BlockingIOError:
                return True
            except OSError:
                return False
            self.queued -= len(self._queue.popleft())
            self.progress = time.monotonic()
        return True

    def holds_up(self) -> bool:
        return not self.lagging and self.queued > HIGH_BYTES

    def leave_behind(self) -> None:
        """Drop its queue; it is shown the screen anew when it takes something again."""
        self._queue.clear()
        self.queued = 0
        self.lagging = True

    def receive(self) -> Any:
        """The next message; None: none yet. Raises ``WireError``: it is gone, or broke the protocol."""
        try:
            message, fds = wire.receive(self.sock, attach.FromClient)
        except BlockingIOError:
            return None
        wire.close_all(fds)
        return message

    def close(self) -> None:
        self.sock.close()
