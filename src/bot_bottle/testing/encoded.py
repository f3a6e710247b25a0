"""Ways to write bytes down, for tests of what finds them again, and a walk over all views."""

from __future__ import annotations

import base64
import bz2
import codecs
import gzip
import io
import json
import lzma
import quopri
import tarfile
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable, Iterator

import brotli
import zstandard

from bot_bottle.dlp.budget import Budget
from bot_bottle.dlp.views.carry import Carry
from bot_bottle.dlp.views.find import find_views
from bot_bottle.dlp.views.view import Undecoded, View

FILLER = b"".join(
    b"line %d of some text that says nothing in particular, again and again\n" % n for n in range(150)
)

NOTE = b"unpacked without a mark, this must be long enough to be told from a hash: " + bytes(range(33, 126))
"""before data that would be too short"""

Encode = Callable[[bytes], bytes]


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def archive(data: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with two entries, as a docx is."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as entries:
        entries.writestr(zipfile.ZipInfo("[Content_Types].xml"), FILLER, method)
        entries.writestr(zipfile.ZipInfo("word/document.xml"), data, method)
    return out.getvalue()


def tarball(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as entries:
        entry = tarfile.TarInfo("notes.txt")
        entry.size = len(data)
        entries.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def png_text(data: bytes) -> bytes:
    """A PNG chunk of compressed text (zTXt)."""
    return (
        b"\x89PNG\r\n\x1a\n\x00\x00\x10\x00zTXtComment\x00\x00"
        + zlib.compress(data)
        + b"\x00\x00\x00\x00IEND"
    )


def pdf_stream(data: bytes) -> bytes:
    return (
        b"%PDF-1.7\n1 0 obj <</Filter/FlateDecode>>\nstream\r\n"
        + zlib.compress(data)
        + b"\r\nendstream endobj"
    )


def percent(data: bytes) -> bytes:
    return b"".join(b"%%%02X" % byte for byte in data)


def percent_deep(data: bytes) -> bytes:
    data = percent(data)
    for _ in range(6):
        data = urllib.parse.quote(data, safe="").encode()
    return data


def utf7(data: bytes) -> bytes:
    return b"".join(b"+" + base64.b64encode(bytes((0, byte))).rstrip(b"=") + b"-" for byte in data)


def _json_lines(data: bytes) -> bytes:
    return json.dumps(base64.encodebytes(data).decode())[1:-1].encode()


ENCODINGS: dict[str, Encode] = {
    "base64": base64.b64encode,
    "base64 for URLs": base64.urlsafe_b64encode,
    "base64 unpadded": lambda data: base64.b64encode(data).rstrip(b"="),
    "base64 in lines": base64.encodebytes,
    "base64 in lines of a JSON string": _json_lines,
    "base64 in CRLF lines": lambda data: base64.encodebytes(data).replace(b"\n", b"\r\n"),
    "base64 behind one letter": lambda data: b"k" + base64.b64encode(data),
    "base64 behind two letters": lambda data: b"kk" + base64.b64encode(data),
    "base64 behind three letters": lambda data: b"kkk" + base64.b64encode(data),
    "base32": base64.b32encode,
    "hex": lambda data: data.hex().encode(),
    "hex in capitals": lambda data: data.hex().upper().encode(),
    "hex with colons": lambda data: data.hex(":").encode(),
    "hex with spaces": lambda data: data.hex(" ").encode(),
    "hex with dashes": lambda data: data.hex("-").encode(),
    "hex with commas": lambda data: data.hex(",").encode(),
    "hex with backslash x": lambda data: b"".join(b"\\x%02x" % byte for byte in data),
    "hex with 0x": lambda data: b", ".join(b"0x%02x" % byte for byte in data),
    "hex with 0x, tight": lambda data: b",".join(b"0x%02x" % byte for byte in data),
    "hex two by two": lambda data: data.hex(" ", -2).encode(),
    "percent": percent,
    "percent seven times": percent_deep,
    "percent, one character": lambda data: data.replace(b"_", b"%5F"),
    "percent u": lambda data: b"".join(b"%%u%04x" % byte for byte in data),
    "JSON": lambda data: b"".join(b"\\u%04x" % byte for byte in data),
    "JSON, one character": lambda data: data.replace(b"_", b"\\u005f"),
    "JSON in JSON": lambda data: b"".join(b"\\\\u%04X" % byte for byte in data),
    "JavaScript code points": lambda data: b"".join(b"\\u{%x}" % byte for byte in data),
    "HTML": lambda data: b"".join(b"&#%d;" % byte for byte in data),
    "HTML in hex": lambda data: b"".join(b"&#x%x;" % byte for byte in data),
    "HTML, a name": lambda data: data.replace(b"_", b"&lowbar;"),
    "HTML in HTML": lambda data: b"".join(b"&amp;#%d;" % byte for byte in data),
    "quoted-printable": lambda data: quopri.encodestring(data, quotetabs=True).replace(b"_", b"=5F"),
    "quoted-printable, soft break": lambda data: data.replace(b"_", b"_=\r\n"),
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "UTF-16, big end first": lambda data: data.decode().encode("utf-16-be"),
    "UTF-32": lambda data: data.decode().encode("utf-32"),
    "UTF-7": utf7,
    "UTF-7 at once": lambda data: (
        b"+" + base64.b64encode(data.decode().encode("utf-16-be")).rstrip(b"=") + b"-"
    ),
    "base64 of UTF-16": lambda data: base64.b64encode(data.decode().encode("utf-16-le")),
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zstd": zstandard.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": archive,
    "tar.gz": tarball,
    "PNG text": png_text,
    "PDF stream": pdf_stream,
    "ascii85": lambda data: base64.a85encode(data, adobe=True),
    "rot13": lambda data: codecs.encode(data.decode(), "rot13").encode(),
    "reversed": lambda data: data[::-1],
    "gzip in base64": lambda data: base64.b64encode(gzip.compress(data)),
    "zlib in base64": lambda data: base64.b64encode(zlib.compress(data)),
    "zstd in base64": lambda data: base64.b64encode(zstandard.compress(data)),
    "zip in base64": lambda data: base64.b64encode(archive(data)),
    "tar.gz in base64 in lines": lambda data: base64.encodebytes(tarball(data)),
    "gzip in hex": lambda data: gzip.compress(data).hex().encode(),
    "zlib in hex": lambda data: zlib.compress(data).hex().encode(),
    "gzip behind a byte in base64": lambda data: base64.b64encode(b"\x00" + gzip.compress(data)),
    "gzip behind two bytes in base64": lambda data: base64.b64encode(b"\x00\x01" + gzip.compress(data)),
    "raw deflate in base64": lambda data: base64.b64encode(raw_deflate(NOTE + data)),
    "brotli in base64": lambda data: base64.b64encode(brotli.compress(NOTE + data)),
    "base64 three times": lambda data: base64.b64encode(base64.b64encode(base64.b64encode(data))),
    "gzip three times": lambda data: gzip.compress(gzip.compress(gzip.compress(data))),
    "base64, percent": lambda data: base64.b64encode(data).replace(b"Z", b"%5A"),
}
WHOLE: dict[str, Encode] = {"brotli": brotli.compress, "raw deflate": raw_deflate}
"""told only where they begin the text"""

Found = tuple[tuple[str, ...], tuple[int, int]]
"""kinds, outermost first, and the span in the text that was asked about"""


class Walk:
    """All views of a text, those of views too."""

    def __init__(self, needle: bytes) -> None:
        self.needle = needle
        self.found: list[Found] = []
        self.undecoded: list[tuple[tuple[str, ...], Undecoded]] = []
        self.decoded = 0
        """bytes"""

    def over(
        self,
        items: Iterator[View | Undecoded],
        path: tuple[str, ...],
        where: Callable[[int, int], tuple[int, int]],
    ) -> None:
        for item in items:
            if isinstance(item, Undecoded):
                self.undecoded.append((path, item))
                continue
            self.decoded += len(item.data) - item.fresh
            kinds = (*path, item.kind)
            up = _composed(where, item)
            at = item.data.find(self.needle)
            while at >= 0:
                if at + len(self.needle) > item.fresh:
                    self.found.append((kinds, up(at, at + len(self.needle))))
                at = item.data.find(self.needle, at + 1)
            self.over(item.views(), kinds, up)


def _composed(
    where: Callable[[int, int], tuple[int, int]], view: View
) -> Callable[[int, int], tuple[int, int]]:
    return lambda start, end: where(*view.where(start, end))


def look(text: bytes, needle: bytes, budget: Budget | None = None) -> Walk:
    """The text as a whole."""
    walk = Walk(needle)
    walk.over(find_views(text, budget or Budget()), (), lambda start, end: (start, end))
    return walk


def look_in_blocks(text: bytes, needle: bytes, block: int, overlap: int) -> Walk:
    """The same as a stream."""
    walk, carry, budget = Walk(needle), Carry(), Budget()
    at = 0
    while True:
        start = max(0, at - overlap)
        part = text[start : at + block]
        last = at + block >= len(text)
        items = find_views(part, budget, carry=carry, fresh=at - start, last=last)
        walk.over(items, (), lambda low, high, start=start: (low + start, high + start))  # type: ignore[misc]
        at += block
        if last:
            return walk
