"""Framing: one JSON message and its file descriptors in one packet of a Unix SOCK_SEQPACKET socket.

A packet is decoded into the message type that the receiver names; anything else is a
:class:`WireError`, never a guess. Both ends are our own processes, but one of them may have been taken
over (a sidecar): sizes and numbers of descriptors are bounded, descriptors that nobody asked for closed.
"""

from __future__ import annotations

import array
import errno
import os
import socket
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

MAX_MESSAGE_BYTES = 160 * 1024
"""A packet has to fit the kernel's socket buffer (net.core.wmem_default, 212,992 bytes)."""

MAX_DESCRIPTORS = 16
"""The most that any message of ours carries is five."""

T = TypeVar("T")


class WireError(Exception):
    """The peer is gone or said something that is no message. ``closed`` tells the two apart."""

    def __init__(self, message: str, *, closed: bool = False) -> None:
        super().__init__(message)
        self.closed = closed


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends, close-on-exec."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(sock: socket.socket, message: msgspec.Struct, fds: Sequence[int] = ()) -> None:
    """Send *message* with *fds*, whole or not at all.

    Raises :class:`WireError` when it is too long, or the peer is gone or does not take it (a timeout and a
    full buffer included: nobody of ours lags behind by a whole buffer).
    """
    payload = msgspec.json.encode(message)
    if len(payload) > MAX_MESSAGE_BYTES:
        raise WireError(f"message of {len(payload)} bytes is over {MAX_MESSAGE_BYTES}")
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    try:
        sock.sendmsg([payload], ancillary)
    except OSError as error:
        if error.errno == errno.EMSGSIZE:
            raise WireError(f"message of {len(payload)} bytes is over the host's socket buffer") from error
        raise WireError(f"the peer is gone: {error.strerror or error}", closed=True) from error


def receive(sock: socket.socket, kind: Any) -> tuple[Any, list[int]]:
    """Wait for one packet and decode it as *kind* (a tagged struct or a union of them).

    Returns the message and the descriptors that came with it, close-on-exec and owned by the caller.
    Raises :class:`WireError`; no descriptor is left open then. Raises TimeoutError or BlockingIOError as
    the socket's timeout says.
    """
    try:
        payload, ancillary, flags, _ = sock.recvmsg(
            MAX_MESSAGE_BYTES, socket.CMSG_SPACE(MAX_DESCRIPTORS * 4), socket.MSG_CMSG_CLOEXEC
        )
    except (TimeoutError, BlockingIOError):
        raise
    except OSError as error:
        raise WireError(f"the peer is gone: {error.strerror or error}", closed=True) from error
    fds: list[int] = []
    for level, type_, data in ancillary:
        if level == socket.SOL_SOCKET and type_ == socket.SCM_RIGHTS:
            received = array.array("i")
            received.frombytes(data[: len(data) - len(data) % received.itemsize])
            fds.extend(received)
    try:
        if not payload:
            raise WireError("the peer is gone", closed=True)
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise WireError("a packet came in cut")
        return msgspec.json.decode(payload, type=kind), fds
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        close_all(fds)
        raise WireError(f"no message of ours: {error}") from error
    except WireError:
        close_all(fds)
        raise


def close_all(fds: Sequence[int]) -> None:
    """Close every descriptor of *fds*; one that is closed already is no error."""
    for fd in fds:
        try:
            os.close(fd)
        except OSError:
            pass
