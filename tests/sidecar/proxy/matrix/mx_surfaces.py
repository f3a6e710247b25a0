"""Every place of a request that dlp.md §1 names. A surface takes any bytes and writes them as that place needs:
percent-encoded in a target, escaped in JSON. ``None``: these bytes can't stand there at all.
"""

from __future__ import annotations

import gzip
import itertools
import json
import urllib.parse
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import brotli
import zstandard

BOUNDARY = b"----matrix7f3a"
FAR = 300 * 1024
"""beyond the window in which a body is held back"""


@dataclass(frozen=True)
class Request:
    target: str = "/in"
    headers: tuple[tuple[str, bytes], ...] = ()
    body: bytes | None = None
    chunks: tuple[bytes, ...] | None = None
    """the body in chunks, instead"""


@dataclass(frozen=True)
class Surface:
    name: str
    write: Callable[[bytes], Request | None]
    big: bool = field(default=False)
    """its requests are large: fewer encodings go through it"""


def _quoted(data: bytes) -> str:
    return urllib.parse.quote_from_bytes(data, safe="")


def _in_target(write: Callable[[bytes], Request | None]) -> Callable[[bytes], Request | None]:
    """Line breaks are refused in any target, scanned or not (ruling 13)."""
    return lambda data: None if b"\r\n" in data else write(data)


def _path(data: bytes) -> Request | None:
    if any(byte in data for byte in b"/\\\0"):
        return None  # an encoded slash is refused in any path
    return Request(target=f"/in/{_quoted(data)}/x")


def _query(data: bytes) -> Request:
    return Request(target=f"/in?a=1&q={_quoted(data)}&z=2")


def _query_plus(data: bytes) -> Request:
    return Request(target=f"/in?q={urllib.parse.quote_plus(data)}")


def _query_key(data: bytes) -> Request:
    return Request(target=f"/in?{_quoted(data)}=1")


def _header(name: str) -> Callable[[bytes], Request | None]:
    def write(data: bytes) -> Request | None:
        if any(byte < 0x20 or byte > 0x7E for byte in data) or data.strip() != data:
            return None
        return Request(headers=((name, data),))

    return write


def _typed(kind: str, body: bytes, *more: tuple[str, bytes]) -> Request:
    return Request(headers=(("Content-Type", kind.encode()), *more), body=body)


def _text(data: bytes) -> Request:
    return _typed("text/plain", b"some words before it: " + data + b" and some after it.\n")


def _json_value(data: bytes) -> Request:
    return _typed(
        "application/json", json.dumps({"a": [1, {"note": data.decode("latin-1")}], "b": None}).encode()
    )


def _json_key(data: bytes) -> Request:
    return _typed("application/json", json.dumps({data.decode("latin-1"): True}).encode())


def _json_in_json(data: bytes) -> Request:
    inner = json.dumps({"arguments": data.decode("latin-1")})
    return _typed("application/json", json.dumps({"call": inner}).encode())


def _form(data: bytes) -> Request:
    return _typed("application/x-www-form-urlencoded", b"a=1&note=" + urllib.parse.quote_plus(data).encode())


def _multipart(data: bytes, name: bytes = b"f.txt") -> Request:
    part = (
        b'--%b\r\nContent-Disposition: form-data; name="f"; filename="%b"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n%b\r\n--%b--\r\n" % (BOUNDARY, name, data, BOUNDARY)
    )
    return _typed(f"multipart/form-data; boundary={BOUNDARY.decode()}", part)


def _filename(data: bytes) -> Request | None:
    if any(byte in data for byte in b'"\r\n\0') or any(byte > 0x7E for byte in data):
        return None
    return _multipart(b"hello", data)


def _binary(data: bytes) -> Request:
    around = bytes(range(128, 256))
    return _typed("application/octet-stream", around + b"\0" + data + b"\0" + around[::-1])


def _mislabelled(data: bytes) -> Request:
    return _typed("image/png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40 + data + b"\0" * 40)


def _chunked(data: bytes) -> Request:
    text = b"before it: " + data + b" after it"
    cuts = [0, 5, *range(11, len(text), 7), len(text)]
    pieces = tuple(text[a:b] for a, b in itertools.pairwise(cuts) if b > a)
    return Request(headers=(("Content-Type", b"text/plain"),), chunks=pieces)


def _coded(coding: str, encode: Callable[[bytes], bytes]) -> Callable[[bytes], Request]:
    def write(data: bytes) -> Request:
        body = encode(b"some words before it: " + data + b" and some after it.\n" * 20)
        return _typed("text/plain", body, ("Content-Encoding", coding.encode()))

    return write


def _far(data: bytes) -> Request:
    filler = (b"plain words of no interest to anybody, line after line\n" * (FAR // 55))[:FAR]
    return _typed("text/plain", filler + data + b"\n" + filler[:1000])


SURFACES = (
    Surface("path", _in_target(_path)),
    Surface("query", _in_target(_query)),
    Surface("query, plus for space", _in_target(_query_plus)),
    Surface("query key", _in_target(_query_key)),
    Surface("header", _header("X-Note")),
    Surface("accept header", _header("Accept-Language")),
    Surface("cookie", _header("Cookie")),
    Surface("text body", _text),
    Surface("JSON value", _json_value),
    Surface("JSON key", _json_key),
    Surface("JSON in JSON", _json_in_json),
    Surface("form body", _form),
    Surface("multipart file", _multipart),
    Surface("multipart file name", _filename),
    Surface("binary body", _binary),
    Surface("body labelled as an image", _mislabelled),
    Surface("chunked body", _chunked),
    Surface("gzip body", _coded("gzip", lambda data: gzip.compress(data, mtime=0))),
    Surface("deflate body", _coded("deflate", zlib.compress)),
    Surface("br body", _coded("br", brotli.compress)),
    Surface("zstd body", _coded("zstd", lambda data: zstandard.ZstdCompressor().compress(data))),
    Surface("beyond the window", _far, big=True),
)
