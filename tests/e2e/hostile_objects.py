"""Objects and packs of git as an attacker writes them: nothing is checked, every byte is the caller's.

Formats: gitformat-pack(5), git's ``Documentation/gitprotocol-pack``. The well-formed parts are what git makes too
(``test_hostile_repositories`` compares).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

COMMIT, TREE, BLOB, TAG, OFS_DELTA, REF_DELTA = 1, 2, 3, 4, 6, 7
NAMES = {COMMIT: "commit", TREE: "tree", BLOB: "blob", TAG: "tag"}
NULL = "0" * 40
WHO = b"A Person <person@example.com> 1700000000 +0000"


@dataclass(frozen=True)
class Object:
    kind: int
    body: bytes

    @property
    def oid(self) -> str:
        head = f"{NAMES[self.kind]} {len(self.body)}\0".encode()
        return hashlib.sha1(head + self.body, usedforsecurity=False).hexdigest()

    @property
    def raw(self) -> bytes:
        return bytes.fromhex(self.oid)


def blob(data: bytes | str) -> Object:
    return Object(BLOB, data.encode() if isinstance(data, str) else data)


def tree(*entries: tuple[str, bytes | str, Object | bytes]) -> Object:
    """*entries*: mode as it is written, name, object or 20 bytes; in the order that is given."""
    body = bytearray()
    for mode, name, what in entries:
        raw = what.raw if isinstance(what, Object) else what
        body += mode.encode() + b" " + (name.encode() if isinstance(name, str) else name) + b"\0" + raw
    return Object(TREE, bytes(body))


def commit(
    root: Object | str,
    *parents: str,
    author: bytes = WHO,
    committer: bytes = WHO,
    more: bytes = b"",
    message: bytes = b"x\n",
) -> Object:
    """*more*: header lines after the committer, with their line ends."""
    lines = [b"tree " + (root if isinstance(root, str) else root.oid).encode()]
    lines += [b"parent " + parent.encode() for parent in parents]
    lines += [b"author " + author, b"committer " + committer]
    return Object(COMMIT, b"\n".join(lines) + b"\n" + more + b"\n" + message)


def tag(
    target: str, kind: str = "commit", name: bytes = b"v1", tagger: bytes = WHO, message: bytes = b"x\n"
) -> Object:
    head = b"object %b\ntype %b\ntag %b\n" % (target.encode(), kind.encode(), name)
    return Object(TAG, head + (b"tagger " + tagger + b"\n" if tagger else b"") + b"\n" + message)


def size_bytes(size: int) -> bytes:
    """A size as a delta holds it: seven bits a byte, the lowest first."""
    out = bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*out, size])


def copies(base_size: int, times: int) -> bytes:
    """A delta whose result is its whole base *times* times: four bytes an instruction for 64 KiB and more."""
    out = bytearray(size_bytes(base_size) + size_bytes(base_size * times))
    for _ in range(times):
        at = 0
        while at < base_size:
            piece = min(0xFFFFFF, base_size - at)
            out += b"\xff" + at.to_bytes(4, "little") + piece.to_bytes(3, "little")
            at += piece
    return bytes(out)


def entry(kind: int, size: int, data: bytes, base: str | int | None = None) -> bytes:
    """One entry of a pack; *size* is what its head claims."""
    first = kind << 4 | size & 0x0F
    size >>= 4
    out = bytearray()
    while size:
        out.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    out.append(first)
    if isinstance(base, str):
        out += bytes.fromhex(base)
    elif base is not None:
        out += _offset(base)
    return bytes(out) + data


def _offset(distance: int) -> bytes:
    out = [distance & 0x7F]
    while distance := distance >> 7:
        distance -= 1
        out.insert(0, distance & 0x7F | 0x80)
    return bytes(out)


def packed(entries: Sequence[bytes], *, version: int = 2, count: int | None = None) -> bytes:
    """A pack of entries, with its checksum."""
    number = len(entries) if count is None else count
    body = b"PACK" + version.to_bytes(4, "big") + number.to_bytes(4, "big") + b"".join(entries)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def pack(objects: Iterable[Object]) -> bytes:
    """A good pack of *objects*, each once."""
    return packed([entry(one.kind, len(one.body), zlib.compress(one.body)) for one in dict.fromkeys(objects)])


@dataclass(frozen=True)
class Hostile:
    """One of the corpus."""

    name: str
    objects: tuple[Object, ...]
    refs: dict[str, str]
    refused: bool | None = None
    """True: a push of it never succeeds. False: it is harmless and passes. None: either is right"""
    pack: bytes = b""
    """what is sent; empty: all objects, well packed"""
    more: dict[str, list[str]] = field(default_factory=dict)
    """lines of the protocol besides: ``shallow``, ``options``, ``capabilities``"""

    @property
    def sent(self) -> bytes:
        return self.pack or pack(self.objects)
