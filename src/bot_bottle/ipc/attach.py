"""What an attached terminal (client) and a session process say to each other, over ``x/<identity>.tty`` (0600).

One packet a message (``ipc.wire``). A client's first message says what it is; everything of a client's is
bounded by type, so that one which breaks the rules is dropped, never obeyed half. The session shows nothing
that has not passed the filter, unless the client asked for it raw.
"""

from __future__ import annotations

import socket
import struct
from typing import Annotated, Any

import msgspec

PROTOCOL = 1
MAX_DATA_BYTES = 64 * 1024
"""In one message; base64 of it fits a packet."""

Size = Annotated[int, msgspec.Meta(ge=1, le=4096)]
"""Rows or columns: what a person can have; a size is memory in a program inside."""

Data = Annotated[bytes, msgspec.Meta(max_length=MAX_DATA_BYTES)]
Text = Annotated[str, msgspec.Meta(max_length=16 * 1024)]


class Hello(msgspec.Struct, frozen=True, tag="hello", forbid_unknown_fields=True):
    """client: show me the bottle. The first one that types takes over from the one before."""

    rows: Size
    columns: Size
    read_only: bool = False
    raw: bool = False
    protocol: int = PROTOCOL


class Ask(msgspec.Struct, frozen=True, tag="ask", forbid_unknown_fields=True):
    """client: only say how it is; answered by :class:`Condition`."""

    protocol: int = PROTOCOL


class Keys(msgspec.Struct, frozen=True, tag="keys", forbid_unknown_fields=True):
    """client: what was typed."""

    data: Data


class Resize(msgspec.Struct, frozen=True, tag="resize", forbid_unknown_fields=True):
    """client: the terminal has another size, or (*redraw*) must be drawn anew."""

    rows: Size
    columns: Size
    redraw: bool = False


class Welcome(msgspec.Struct, frozen=True, tag="welcome", forbid_unknown_fields=True):
    """session: the program runs; what follows is its screen."""

    identity: Text
    title: Text
    color: Text = ""


class Show(msgspec.Struct, frozen=True, tag="show", forbid_unknown_fields=True):
    """session: bytes for the terminal."""

    data: Data


class Clear(msgspec.Struct, frozen=True, tag="clear", forbid_unknown_fields=True):
    """session: begin with an empty screen; what the terminal did not take in time is left out."""


class Notice(msgspec.Struct, frozen=True, tag="notice", forbid_unknown_fields=True):
    """session: a line of its own messages."""

    text: Text


class Taken(msgspec.Struct, frozen=True, tag="taken", forbid_unknown_fields=True):
    """session: another terminal has taken over; this one is done."""


class ProgramEnded(msgspec.Struct, frozen=True, tag="program-ended", forbid_unknown_fields=True):
    """session: nothing more will be shown; the bottle is being put away."""

    column: Size = 1
    """where the cursor is"""


class Ended(msgspec.Struct, frozen=True, tag="ended", forbid_unknown_fields=True):
    """session: all is over. *status*: the agent's (None: it has none); *exit_status*: the session's own."""

    exit_status: int
    status: int | None = None


class Condition(msgspec.Struct, frozen=True, tag="condition", forbid_unknown_fields=True):
    """session: how the bottle is."""

    waiting: bool
    """the program waits for somebody to type"""
    idle_s: float
    """since it last wrote something"""
    attached: bool
    """a terminal that types is attached"""
    watching: int = 0
    """terminals that only look on"""


FromClient: Any = Hello | Ask | Keys | Resize
FromSession: Any = Welcome | Show | Clear | Notice | Taken | ProgramEnded | Ended | Condition


def connect(path: str, timeout_s: float) -> socket.socket:
    """A connection to the session at *path*; OSError where there is none, or where it is not ours."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    try:
        sock.settimeout(timeout_s)
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock


def peer_uid(sock: socket.socket) -> int:
    """The uid that the other end had when it connected."""
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])


def pack(message: msgspec.Struct) -> bytes:
    """*message* as one packet."""
    return msgspec.json.encode(message)
