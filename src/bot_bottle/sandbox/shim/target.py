"""For whom a connection's first bytes are: the server name of a TLS ClientHello, or HTTP's Host.

Pure, and only a hint for where to ask: the proxy parses the same bytes again and decides. Every length is
checked against what is there. :data:`MORE` means that the name may still come.
"""

from __future__ import annotations

from .names import valid_name

MAX_HEAD_BYTES = 16 * 1024
"""A ClientHello with post-quantum key shares takes under 2 KiB; a head of HTTP under 8."""

MORE = object()
"""the name is not there yet"""


def find(data: bytes) -> str | object | None:
    """The name in *data*, None when there is and will be none, :data:`MORE` when bytes are missing."""
    if not data:
        return MORE
    found = _server_name(data) if data[0] == 0x16 else _host(data)
    if found is MORE and len(data) >= MAX_HEAD_BYTES:
        return None
    if isinstance(found, str):
        found = found.lower().removesuffix(".")
        return found if valid_name(found) else None
    return found


def _host(data: bytes) -> str | object | None:
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return MORE if data[0] < 0x80 else None
    names = [line[5:].strip() for line in data[:end].split(b"\r\n")[1:] if line[:5].lower() == b"host:"]
    if len(names) != 1:
        return None
    return names[0].decode("latin-1").partition(":")[0]


def _server_name(data: bytes) -> str | object | None:
    """RFC 8446 section 4.1.2 and RFC 6066 section 3; the hello may lie in several records."""
    hello = bytearray()
    at = 0
    while at + 5 <= len(data) and data[at] == 0x16:
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        hello += data[at + 5 : at + 5 + size]
        at += 5 + size
    if len(hello) < 4:
        return MORE
    if hello[0] != 1:
        return None
    total = 4 + int.from_bytes(hello[1:4], "big")
    if total > MAX_HEAD_BYTES:
        return None
    if len(hello) < total:
        return MORE
    try:
        return _extension(bytes(hello[:total]))
    except IndexError:
        return None


def _extension(hello: bytes) -> str | None:
    at = 4 + 2 + 32
    at += 1 + hello[at]  # session id
    at += 2 + int.from_bytes(hello[at : at + 2], "big")  # cipher suites
    at += 1 + hello[at]  # compression methods
    end = at + 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 2
    while at + 4 <= min(end, len(hello)):
        kind = int.from_bytes(hello[at : at + 2], "big")
        size = int.from_bytes(hello[at + 2 : at + 4], "big")
        body = hello[at + 4 : at + 4 + size]
        if kind == 0 and len(body) > 5 and body[2] == 0:
            length = int.from_bytes(body[3:5], "big")
            return body[5 : 5 + length].decode("latin-1")
        at += 4 + size
    return None
