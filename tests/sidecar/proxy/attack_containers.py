"""Files that programs write, each with a given text in it: made by the library of the format, or byte by byte by its
description, apart from what reads them."""

from __future__ import annotations

import base64
import binascii
import bz2
import email.message
import gzip
import io
import lzma
import mailbox
import pickle
import sqlite3
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import brotli
import zstandard

NOTE = b"This file holds notes of a meeting about nothing in particular; there are many like it.\n" * 40


def zipped(data: bytes, method: int = zipfile.ZIP_DEFLATED, name: str = "word/document.xml") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("[Content_Types].xml", NOTE)
        archive.writestr(name, NOTE + data + NOTE)
    return out.getvalue()


def zip_streamed(data: bytes) -> bytes:
    """As a program writes it to a pipe: sizes stand behind each entry."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", NOTE)
        archive.writestr("b.txt", NOTE + data)
    return pipe.data


def zip_comment(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", NOTE)
        archive.comment = data
    return out.getvalue()


def docx(data: bytes) -> bytes:
    text = data.decode()
    xml = f'<?xml version="1.0"?><w:document><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'
    return zipped(xml.encode())


def tarred(data: bytes, mode: str = "w", name: str = "notes.txt") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(NOTE + data)
        archive.addfile(entry, io.BytesIO(NOTE + data))
    return out.getvalue()


def pdf(data: bytes, *filters: tuple[str, Callable[[bytes], bytes]]) -> bytes:
    """One page with a content stream, filtered from the inside out."""
    stream = b"BT /F1 12 Tf 72 720 Td (" + data + b") Tj ET\n" + NOTE
    names = ""
    for name, encode in filters:
        stream = encode(stream)
        names = f"/{name} {names}"
    head = f"<< /Length {len(stream)} /Filter [ {names}] >>".encode()
    return (
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n4 0 obj\n"
        + head
        + b"\nstream\r\n"
        + stream
        + b"\r\nendstream\nendobj\n%%EOF\n"
    )


def pdf_info(data: bytes) -> bytes:
    """The title as UTF-16, as most writers have it."""
    title = b"\xfe\xff" + data.decode().encode("utf-16-be")
    return b"%PDF-1.7\n1 0 obj\n<< /Title <" + title.hex().upper().encode() + b"> >>\nendobj\n%%EOF\n"


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    pixels = zlib.compress(b"".join(b"\0" + bytes(3 * 16) for _ in range(16)))
    all_chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)),
        *chunks,
        (b"IDAT", pixels),
        (b"IEND", b""),
    )
    out = b"\x89PNG\r\n\x1a\n"
    for kind, content in all_chunks:
        out += (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", binascii.crc32(kind + content))
        )
    return out


def jpeg(segment: bytes) -> bytes:
    """The head of a JPEG with *segment* as APP1."""
    return (
        b"\xff\xd8\xff\xe1"
        + struct.pack(">H", len(segment) + 2)
        + segment
        + b"\xff\xda\0\x08\1\1\0\0?\0"
        + bytes(64)
        + b"\xff\xd9"
    )


def exif(data: bytes) -> bytes:
    """UserComment (0x9286), ASCII."""
    comment = b"ASCII\0\0\0" + data
    entry = struct.pack("<HHII", 0x9286, 7, len(comment), 26)
    return jpeg(b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + bytes(4) + comment)


def exif_wide(data: bytes) -> bytes:
    """XPComment (0x9C9C): UTF-16, as Windows writes it."""
    comment = data.decode().encode("utf-16-le") + b"\0\0"
    entry = struct.pack("<HHII", 0x9C9C, 1, len(comment), 26)
    return jpeg(b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + bytes(4) + comment)


def wasm(data: bytes) -> bytes:
    """A custom section, and a data segment."""

    def section(kind: int, content: bytes) -> bytes:
        return bytes([kind]) + leb(len(content)) + content

    custom = section(0, b"\x04note" + NOTE[:100])
    segment = section(11, b"\x01\x00\x41\x00\x0b" + leb(len(data)) + data)
    return b"\0asm\1\0\0\0" + custom + segment


def leb(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def database(data: bytes) -> bytes:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "a.db"
        connection = sqlite3.connect(path)
        with connection:
            connection.execute("create table notes (at integer, text)")
            connection.executemany(
                "insert into notes values (?, ?)", [(1, NOTE.decode()), (2, data.decode())]
            )
        connection.close()
        return path.read_bytes()


def mail(data: bytes, encoding: str) -> bytes:
    message = email.message.EmailMessage()
    message["Subject"] = "notes"
    message.set_content("Dear all,\n" + data.decode() + "\nyours\n", cte=encoding)
    message.add_attachment(NOTE + data, maintype="application", subtype="octet-stream", filename="a.bin")
    with TemporaryDirectory() as directory:
        box = mailbox.mbox(f"{directory}/mbox")
        box.add(message)
        box.close()
        return Path(directory, "mbox").read_bytes()


def git_object(kind: str, content: bytes) -> bytes:
    """Loose, as in ``.git/objects``."""
    return zlib.compress(f"{kind} {len(content)}\0".encode() + content)


def git_pack(*objects: tuple[int, bytes]) -> bytes:
    """Version 2, not deltified: kind and content of each."""
    out = b"PACK" + struct.pack(">II", 2, len(objects))
    for kind, content in objects:
        size = len(content)
        first, size = kind << 4 | size & 0x0F, size >> 4
        out += (bytes([first | 0x80]) + leb(size) if size else bytes([first])) + zlib.compress(content)
    return out + bytes(20)


def commit(data: bytes, *, author: bytes = b"A <a@example.com>") -> bytes:
    line = author + b" 1700000000 +0000"
    tree = b"4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    return b"tree " + tree + b"\nauthor " + line + b"\ncommitter " + line + b"\n\n" + data + b"\n"


def protobuf(number: int, data: bytes) -> bytes:
    return leb(number << 3 | 2) + leb(len(data)) + data


def grpc(data: bytes, *, packed: bool = False) -> bytes:
    """A length-prefixed message with nested ones."""
    inner = protobuf(1, b"notes") + protobuf(3, protobuf(2, data) + b"\x18\x2a")
    message = gzip.compress(inner, mtime=0) if packed else inner
    return bytes([packed]) + struct.pack(">I", len(message)) + message


def named_gzip(data: bytes) -> bytes:
    """The text is the name of the file within (RFC 1952, FNAME)."""
    packed = gzip.compress(NOTE, mtime=0)
    return packed[:3] + b"\x08" + packed[4:10] + data + b"\0" + packed[10:]


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def id3(data: bytes) -> bytes:
    """A comment frame of an MP3, UTF-16 with a mark."""
    comment = b"\x01eng\xff\xfe\0\0\xff\xfe" + data.decode().encode("utf-16-le")
    frame = b"COMM" + struct.pack(">I", len(comment)) + b"\0\0" + comment
    return (
        b"ID3\x03\0\0"
        + bytes([0, 0, len(frame) >> 7, len(frame) & 0x7F])
        + frame
        + b"\xff\xfb\x90\0"
        + bytes(100)
    )


CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "zip, deflated": zipped,
    "zip, stored": lambda data: zipped(data, zipfile.ZIP_STORED),
    "zip, bzip2": lambda data: zipped(data, zipfile.ZIP_BZIP2),
    "zip, lzma": lambda data: zipped(data, zipfile.ZIP_LZMA),
    "zip, written to a pipe": zip_streamed,
    "zip, name of an entry": lambda data: zipped(b"", name=data.decode()),
    "zip, comment": zip_comment,
    "docx": docx,
    "zip in zip": lambda data: zipped(zipped(data)),
    "tar": tarred,
    "tar, name": lambda data: tarred(b"", name="a/" + data.decode()),
    "tar.gz": lambda data: tarred(data, "w:gz"),
    "tar.bz2": lambda data: tarred(data, "w:bz2"),
    "tar.xz": lambda data: tarred(data, "w:xz"),
    "tar.zst": lambda data: zstandard.ZstdCompressor().compress(tarred(data)),
    "PDF, text": pdf,
    "PDF, Flate": lambda data: pdf(data, ("FlateDecode", zlib.compress)),
    "PDF, Flate and ASCIIHex": lambda data: pdf(
        data, ("FlateDecode", zlib.compress), ("ASCIIHexDecode", lambda text: text.hex().encode() + b">")
    ),
    "PDF, title in UTF-16": pdf_info,
    "PNG, tEXt": lambda data: png((b"tEXt", b"Comment\0" + data)),
    "PNG, zTXt": lambda data: png((b"zTXt", b"Comment\0\0" + zlib.compress(NOTE + data))),
    "PNG, iTXt": lambda data: png((b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(NOTE + data))),
    "PNG, EXIF": lambda data: png((b"eXIf", exif(data)[12:])),
    "JPEG, EXIF": exif,
    "JPEG, EXIF in UTF-16": exif_wide,
    "JPEG, behind its end": lambda data: exif(b"nothing") + data,
    "WASM": wasm,
    "SQLite": database,
    "pickle": lambda data: pickle.dumps({"notes": [NOTE, data.decode()]}),
    "mail, base64": lambda data: mail(data, "base64"),
    "mail, quoted-printable": lambda data: mail(data, "quoted-printable"),
    "gzip, name within": named_gzip,
    "MP3, comment": id3,
    "git, blob": lambda data: git_object("blob", NOTE + data),
    "git, pack": lambda data: git_pack((3, NOTE), (3, NOTE + data + NOTE)),
    "git, message of a commit in a pack": lambda data: git_pack((3, NOTE), (1, commit(b"Fix it\n\n" + data))),
    "git, author of a commit in a pack": lambda data: git_pack(
        (1, commit(b"Fix it", author=data + b" <a@example.com>"))
    ),
    "gRPC": grpc,
    "gRPC, packed": lambda data: grpc(data, packed=True),
    "gzip": lambda data: gzip.compress(NOTE + data, mtime=0),
    "gzip, several members": lambda data: gzip.compress(NOTE, mtime=0) + gzip.compress(data, mtime=0),
    "zlib": lambda data: zlib.compress(NOTE + data),
    "deflate": lambda data: deflated(NOTE + data),
    "br": lambda data: brotli.compress(NOTE + data),
    "zstd": lambda data: zstandard.ZstdCompressor().compress(NOTE + data),
    "zstd, behind a skippable frame": lambda data: (
        b"\x50\x2a\x4d\x18\4\0\0\0abcd" + zstandard.ZstdCompressor().compress(NOTE + data)
    ),
    "bzip2": lambda data: bz2.compress(NOTE + data),
    "xz": lambda data: lzma.compress(NOTE + data),
}

UNREAD = ("zip, bzip2", "zip, lzma")
"""Methods that are not unpacked: refused whatever is in them (ruling 53)"""

CHAINS: dict[str, Callable[[bytes], bytes]] = {
    "base64 of gzip of base64": lambda data: base64.b64encode(gzip.compress(base64.b64encode(data), mtime=0)),
    "hex of base64 of the text": lambda data: base64.b64encode(data).hex().encode(),
    "base64 three times": lambda data: base64.b64encode(base64.b64encode(base64.b64encode(NOTE + data))),
    "gzip of zip": lambda data: gzip.compress(zipped(data), mtime=0),
    "base64 of tar.gz": lambda data: base64.encodebytes(tarred(data, "w:gz")),
    "zstd of gzip of br": lambda data: zstandard.ZstdCompressor().compress(
        gzip.compress(brotli.compress(NOTE + data), mtime=0)
    ),
    "JSON of base64 of zip": lambda data: b'{"file": "' + base64.b64encode(zipped(data)) + b'"}',
    "data URL of a picture": lambda data: (
        b"data:image/png;base64," + base64.b64encode(png((b"tEXt", b"Comment\0" + data)))
    ),
    "base64 of UTF-16": lambda data: base64.b64encode(data.decode().encode("utf-16-le")),
    "UTF-16 of base64": lambda data: base64.b64encode(data).decode().encode("utf-16-le"),
    "hex of gzip": lambda data: gzip.compress(NOTE + data, mtime=0).hex().encode(),
    "gzip, reversed text": lambda data: gzip.compress(NOTE + data[::-1], mtime=0),
}
