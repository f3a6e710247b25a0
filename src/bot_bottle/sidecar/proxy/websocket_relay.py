"""One direction of a WebSocket: frames in on one leg, messages through an inspector, frames out on the other.

No byte of the sender's goes on: messages are framed anew, whole where they are small. A ping is answered here and
another, empty one sent on, so that neither side's idle time-out is met and no payload passes unseen.

===========  ===================================================  ====================
state        frames in                                            next
===========  ===================================================  ====================
open         go through the inspector                             ended by a close frame
waiting      are left alone: the receiver is slow, or a turn      open
             of the loop has been used up
ended        (none is read)
===========  ===================================================  ====================
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from bot_bottle.sidecar.proxy.turns import TURN_S, Turns
from bot_bottle.sidecar.proxy.websocket_frames import (
    MAX_REASON_BYTES,
    NO_STATUS,
    Close,
    Frames,
    Piece,
    Ping,
)

FRAME_BYTES = 64 * 1024
"""From here on the parts of an unfinished message are sent as fragments."""

FEED_BYTES = 16 * 1024
"""What is handed to the decoder at a time: so much, compressed, becomes at most some 3 MiB."""


class Inspector(Protocol):
    """Looks through the messages of one direction. Each method gives what may go on by now; it raises
    :class:`Stop` where the connection has to end."""

    def begin(self, *, is_text: bool) -> None: ...

    def feed(self, data: bytes) -> bytes: ...

    def finish(self) -> bytes: ...

    def close(self) -> None:
        """Nothing more comes, in whatever state it is. Idempotent."""


class Stop(Exception):
    """A message may not pass. ``reason`` is for log and close frame, in fixed words."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Uninspected:
    """Lets everything through."""

    def begin(self, *, is_text: bool) -> None:
        """See :class:`Inspector`."""

    def feed(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""

    def close(self) -> None:
        """Holds nothing."""


class Peer:
    """One leg: its frames, and where its bytes go."""

    def __init__(self, frames: Frames, send: Callable[[bytes], None], is_slow: Callable[[], bool]) -> None:
        self.frames = frames
        self._send = send
        self.is_slow = is_slow
        """it takes no more for now"""
        self._pong: bytes | None = None
        self.is_told = False
        """a close frame has been sent: nothing more is"""

    def send(self, data: bytes) -> None:
        if data and not self.is_told:
            self._send(data)

    def pong(self, payload: bytes) -> None:
        """Now, or when it reads again; only the last one is owed (RFC 6455 section 5.5.3)."""
        self._pong = payload
        self.settle()

    def settle(self) -> None:
        """Send what is owed, if it is read."""
        if self._pong is not None and not self.is_slow():
            payload, self._pong = self._pong, None
            self.send(self.frames.pong(payload))

    def close(self, code: int, reason: str = "") -> None:
        if not self.is_told:
            self.send(self.frames.close(code, reason))
            self.is_told = True


class Relay:
    """See the module. What :meth:`take` and :meth:`go_on` raise ends the connection: :class:`Stop`,
    :class:`BadFrames`."""

    def __init__(
        self,
        source: Peer,
        sink: Peer,
        inspector: Inspector,
        turns: Turns,
        on_turn: Callable[[], None],
        tap: Callable[[Piece], None] | None = None,
    ) -> None:
        """*tap* is shown each piece, as its sender sent it."""
        self._source = source
        self._sink = sink
        self._inspector = inspector
        self._turns = turns
        self._tap = tap
        self._on_turn = on_turn
        """called in a later turn of the loop after one was used up"""
        self._unread: deque[bytes] = deque()
        self._parts: list[bytes] = []
        self._size = 0
        """of the parts: through the inspector, not yet sent"""
        self._in_message = False
        self._put_off = False
        self.is_waiting = False
        """there are frames that have not been looked at"""
        self.ended: Close | None = None
        """how the source said that nothing more comes"""

    def take(self, data: bytes) -> None:
        """Bytes of the source's; while waiting they are kept."""
        self._unread.extend(data[at : at + FEED_BYTES] for at in range(0, len(data), FEED_BYTES))
        if not self.is_waiting:
            self.go_on()

    def go_on(self) -> None:
        """Look at what is there, for a moment, while the sink takes it."""
        self._put_off = False
        until = monotonic() + TURN_S
        while True:
            for event in self._source.frames.events():
                self._take(event)
                if self.ended is not None:
                    self.is_waiting = False
                    return
                if self._sink.is_slow():
                    self.is_waiting = True
                    return
                if monotonic() > until:
                    self.is_waiting = self._put_off = True
                    self._turns.later(self._later)
                    return
            if not self._unread:
                self.is_waiting = False
                return
            self._source.frames.feed(self._unread.popleft())

    def let_go(self) -> None:
        """Call nobody any more: who is called holds this, and would be held by it until a collection of garbage."""
        self._on_turn = _nothing

    def _later(self) -> None:
        if self._put_off:
            self._on_turn()

    def _take(self, event: Piece | Ping | Close) -> None:
        if isinstance(event, Piece):
            self._piece(event)
        elif isinstance(event, Ping):
            self._source.pong(event.payload)
            self._sink.send(self._sink.frames.ping())
        else:
            self.ended = Close(event.code, self._reason(event.reason))

    def _piece(self, piece: Piece) -> None:
        inspector = self._inspector
        if self._tap is not None:
            self._tap(piece)
        if not self._in_message:
            self._in_message = True
            inspector.begin(is_text=piece.is_text)
        self._pass(inspector.feed(piece.data))
        if piece.ends:
            self._pass(inspector.finish())
            self._in_message = False
        elif self._size < FRAME_BYTES:
            return
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        self._sink.send(self._sink.frames.piece(data, is_text=piece.is_text, ends=piece.ends))

    def _pass(self, data: bytes) -> None:
        if data:
            self._parts.append(data)
            self._size += len(data)

    def _reason(self, reason: str) -> str:
        """The words of a close frame are looked through like a message."""
        if not reason:
            return ""
        self._inspector.begin(is_text=True)
        data = self._inspector.feed(reason.encode()) + self._inspector.finish()
        return data[:MAX_REASON_BYTES].decode("utf-8", "ignore")

    def goodbye(self) -> tuple[int, str]:
        """Code and words of the close frame that goes on."""
        ended = self.ended
        return (NO_STATUS, "") if ended is None else (ended.code, ended.reason)


def _nothing() -> None:
    pass
