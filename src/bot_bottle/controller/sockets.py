"""The daemon's own socket: made so that only the operator reaches it, asked who is at the other end."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

from bot_bottle.base.errors import BotBottleError

MAX_PATH_BYTES = 107
"""unix(7): ``sun_path`` holds 108 bytes with the final zero."""

BACKLOG = 128


class DaemonStartError(BotBottleError):
    """The daemon can't serve here."""


def listen(path: Path) -> socket.socket:
    """A listening socket at *path*, 0600; what a killed daemon left there is replaced.

    The caller holds the daemon's lock, so that nobody serves there. Raises :class:`DaemonStartError`.
    """
    temporary = path.with_name(f".{path.name}")
    if len(os.fsencode(temporary)) > MAX_PATH_BYTES:
        raise DaemonStartError(
            f"{str(path)!r} is too long for a socket: set XDG_RUNTIME_DIR to a shorter directory"
        )
    kind = socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    listener = socket.socket(socket.AF_UNIX, kind)
    try:
        temporary.unlink(missing_ok=True)
        old = os.umask(0o177)
        try:
            listener.bind(str(temporary))
        finally:
            os.umask(old)
        listener.listen(BACKLOG)
        temporary.rename(path)  # it appears only when it answers
    except OSError as error:
        listener.close()
        raise DaemonStartError(f"{str(path)!r} can't be listened on: {error.strerror}") from error
    return listener


def peer_uid(connection: socket.socket) -> int:
    """Who opened *connection* (SO_PEERCRED, unix(7)): the uid at the time of its connect."""
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)
