"""Packets between host and init: lists of byte strings over SOCK_SEQPACKET, with descriptors.

``tag, (length, bytes)*``; with the tag ``M`` the list lies in a memfd that comes as the last descriptor
(argv, environments and files are larger than a packet may be). Only the host may send those. Used on both
sides; the host takes what init says for hostile: sizes and numbers are bounded, nothing is evaluated.
"""

from __future__ import annotations

import _socket
import os
from struct import error as StructError
from struct import pack, unpack_from

TYPE_CHECKING = False  # as in typing, which takes 3 ms to import
if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_PACKET_BYTES = 64 * 1024
"""Fits every default socket buffer (net.core.wmem_default is 208 KiB)."""
MAX_BODY_BYTES = 256 * 1024 * 1024
"""What one memfd may hold: a file to be written, the longest argv."""
MAX_FDS = 8


class WireError(Exception):
    """The peer is gone or sent what is no packet of ours."""


def encode(fields: Sequence[bytes]) -> bytes:
    """Each field with its length in front."""
    return b"".join(pack("<I", len(field)) + field for field in fields)


def decode(data: bytes) -> list[bytes]:
    """The fields of :func:`encode`'s result; raises :class:`WireError` for anything else."""
    fields: list[bytes] = []
    at = 0
    try:
        while at < len(data):
            (size,) = unpack_from("<I", data, at)
            at += 4
            if at + size > len(data):
                raise WireError("a field is cut")
            fields.append(data[at : at + size])
            at += size
    except StructError as error:
        raise WireError("a length is cut") from error
    if not fields:
        raise WireError("an empty packet")
    return fields


def send(sock: _socket.socket, fields: Sequence[bytes], fds: Sequence[int] = ()) -> None:
    """Send one packet; raises :class:`WireError` when the peer is gone."""
    body = encode(fields)
    memfd = -1
    try:
        tag = b"I"
        if len(body) >= MAX_PACKET_BYTES:
            memfd = _memfd(body)
            tag, body, fds = b"M", b"", (*fds, memfd)
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, pack(f"{len(fds)}i", *fds))] if fds else []
        sock.sendmsg([tag + body], rights, _socket.MSG_NOSIGNAL)
    except OSError as error:
        raise WireError(f"the peer is gone: {error}") from error
    finally:
        if memfd >= 0:
            os.close(memfd)


def _memfd(body: bytes) -> int:
    fd = os.memfd_create("bot-bottle")
    view = memoryview(body)
    while view:
        view = view[os.write(fd, view) :]
    return fd


def receive(sock: _socket.socket, *, large: bool = False) -> tuple[list[bytes], list[int]]:
    """One packet and its descriptors (close-on-exec, the caller's). *large*: a memfd is taken.

    Raises :class:`WireError` (no descriptor stays open), or TimeoutError and BlockingIOError as the
    socket's timeout says.
    """
    try:
        data, ancillary, flags, _ = sock.recvmsg(
            MAX_PACKET_BYTES + 1, _socket.CMSG_SPACE(MAX_FDS * 4), _socket.MSG_CMSG_CLOEXEC
        )
    except (TimeoutError, BlockingIOError, InterruptedError):
        raise
    except OSError as error:
        raise WireError(f"the peer is gone: {error}") from error
    fds: list[int] = []
    for level, kind, content in ancillary:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            fds += unpack_from(f"{len(content) // 4}i", content)
    try:
        if flags & (_socket.MSG_TRUNC | _socket.MSG_CTRUNC):
            raise WireError("a packet came in cut")
        if not data:
            raise WireError("the peer is gone")
        body = data[1:]
        if data[:1] == b"M" and large and fds:
            memfd = fds.pop()
            try:
                body = _read_all(memfd)
            finally:
                os.close(memfd)
        elif data[:1] != b"I":
            raise WireError("a packet of no kind")
        return decode(body), fds
    except WireError:
        close_all(fds)
        raise


def _read_all(fd: int) -> bytes:
    size = os.fstat(fd).st_size
    if size > MAX_BODY_BYTES:
        raise WireError("a body is too long")
    parts: list[bytes] = []
    at = 0
    while at < size and (part := os.pread(fd, min(size - at, 1 << 24), at)):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def close_all(fds: Sequence[int]) -> None:
    """Close every descriptor of *fds*; one that is closed already is no error."""
    for fd in fds:
        try:
            os.close(fd)
        except OSError:
            pass
