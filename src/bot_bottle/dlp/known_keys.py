"""Which bytes of an encoded private key are its private numbers: what a key of the same kind, or the public key,
has too, is none (ruling 54).

DER (X.690) of PKCS#1 and PKCS#8 (RFC 8017, RFC 5958), SEC 1 (RFC 5915), and OpenSSH's own format
(openssh PROTOCOL.key). Only as much of each is parsed as tells private from public. Pure; bounded by the data.
"""

from __future__ import annotations

import struct

Span = tuple[int, int]

_MAGIC = b"openssh-key-v1\0"
_INTEGER, _BIT_STRING, _OCTET_STRING, _SEQUENCE, _PUBLIC_KEY = 0x02, 0x03, 0x04, 0x30, 0xA1
_MIN_BYTES = 12
"""A number or string that is shorter is a parameter"""
_MAX_DEPTH = 8


def private_spans(data: bytes) -> list[Span] | None:
    """The private parts of *data*, in order; None when it is no key that is known here."""
    if data.startswith(_MAGIC):
        return _openssh(data)
    if data[:1] != bytes([_SEQUENCE]) or len(data) < 16:
        return None
    return [span for span in _der(data, 0, len(data), 0) if span[1] - span[0] >= _MIN_BYTES]


def _der(data: bytes, start: int, end: int, depth: int) -> list[Span]:
    found: list[Span] = []
    integers = 0
    at = start
    while at + 2 <= end and depth <= _MAX_DEPTH:
        tag, at, stop = _header(data, at, end)
        if tag == _INTEGER and stop - at >= _MIN_BYTES:
            integers += 1
            if integers > 1 or not _is_rsa(data, start):
                # the first byte of a number is known by half: zero, or of a small range
                found.append((at + 2, stop))
        elif tag == _SEQUENCE or (tag & 0xE0 == 0xA0 and tag != _PUBLIC_KEY):
            found += _der(data, at, stop, depth + 1)
        elif tag == _OCTET_STRING:
            nested = data[at] in (_SEQUENCE, _OCTET_STRING) if stop > at else False
            if nested and _fits(data, at, stop):
                found += _der(data, at, stop, depth + 1)
            else:
                found.append((at, stop))
        at = max(stop, at)
    return found


def _is_rsa(data: bytes, start: int) -> bool:
    """A sequence that begins with version 0 and a long number: n comes first, and is public."""
    return data[start : start + 3] == b"\x02\x01\x00" and data[start + 3 : start + 4] == b"\x02"


def _header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Tag, where the content begins, where it ends (cut at *end*)."""
    tag, size = data[at], data[at + 1]
    at += 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[at : at + count], "big")
        at += count
    at = min(at, end)
    return tag, at, min(at + size, end)


def _fits(data: bytes, at: int, end: int) -> bool:
    """Whether one element, and nothing else, is there: chance looks like a tag once in a hundred times, like a tag
    with the right length hardly ever."""
    if at + 2 > end:
        return False
    size = data[at + 1]
    count = size & 0x7F if size & 0x80 else 0
    if count:
        size = int.from_bytes(data[at + 2 : at + 2 + count], "big")
    return at + 2 + count + size == end


def _openssh(data: bytes) -> list[Span]:
    """The private section: after the public key, whatever is not in the public key as well."""
    at = len(_MAGIC)
    strings: list[Span] = []
    for index in range(6):
        if index == 3:  # the number of keys
            at += 4
            continue
        span = _string(data, at)
        if span is None:
            return []
        strings.append(span)
        at = span[1]
    public = data[strings[3][0] : strings[3][1]]
    start, end = strings[4]
    if data[strings[0][0] : strings[0][1]] != b"none":
        return [(start, end)]
    found: list[Span] = []
    at = start + 8  # two equal check numbers, made at random
    while at + 4 <= end:
        span = _string(data, at)
        if span is None or span[1] > end:
            break
        content = data[span[0] : span[1]]
        if len(content) >= _MIN_BYTES and content not in public:
            # ed25519: the seed, and then the public key again
            stop = span[0] + 32 if len(content) == 64 and content[32:] in public else span[1]
            found.append((span[0] + 2 if stop == span[1] else span[0], stop))
        at = span[1]
    return _without_comment(data, found)


def _string(data: bytes, at: int) -> Span | None:
    """A string of RFC 4251 §5 at *at*: its content."""
    if at + 4 > len(data):
        return None
    (size,) = struct.unpack_from(">I", data, at)
    return (at + 4, at + 4 + size) if at + 4 + size <= len(data) else None


def _without_comment(data: bytes, found: list[Span]) -> list[Span]:
    """A comment is text, a number hardly ever is."""
    return [span for span in found if not data[span[0] : span[1]].isascii()]
