"""Packs that lie, end early, or are small on the wire and large elsewhere: part of the corpus."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from hostile_objects import (
    BLOB,
    OFS_DELTA,
    REF_DELTA,
    Hostile,
    Object,
    blob,
    commit,
    copies,
    entry,
    pack,
    packed,
    size_bytes,
    tree,
)

FILE = "100644"


def packs(ref: str) -> Iterator[Hostile]:
    data = blob("x" * 100)
    root = tree((FILE, "x", data))
    good = commit(root)
    objects, refs = (good, root, data), {ref: good.oid}
    whole = pack(objects)

    def bad(name: str, sent: bytes, refused: bool | None = True) -> Hostile:
        return Hostile(name, objects, refs, refused, sent)

    yield bad("no pack", b"PACK")
    yield bad("a pack that ends early", whole[:-30])
    yield bad("a pack with a wrong sum", whole[:-1] + bytes([whole[-1] ^ 1]))
    yield bad("bytes after a pack", whole + b"more", None)
    yield bad("a pack of version 4", packed([], version=4))
    yield bad("a pack of more than it says", packed([b"\x30", b"\x30"], count=1))
    yield bad("a pack of 4,294,967,295 objects", packed([], count=2**32 - 1))
    yield bad("an empty pack", packed([]))
    rest = [entry(one.kind, len(one.body), zlib.compress(one.body)) for one in objects]
    yield bad("an object of kind 0", packed([*rest, entry(0, 1, zlib.compress(b"x"))]))
    yield bad("an object of kind 5", packed([*rest, entry(5, 1, zlib.compress(b"x"))]))
    yield bad("a size that lies", packed([*rest, entry(BLOB, 10, zlib.compress(b"x" * 11))]))
    yield bad("a size of 2^60", packed([*rest, entry(BLOB, 2**60, zlib.compress(b"x"))]))
    yield bad("a delta of nothing", packed([*rest, entry(REF_DELTA, 3, zlib.compress(b"\1\1\0"), "6" * 40)]))
    yield bad(
        "a delta from before the pack", packed([*rest, entry(OFS_DELTA, 3, zlib.compress(b"\1\1\0"), 10**6)])
    )
    wrong = size_bytes(len(data.body)) + size_bytes(2**40) + b"\x90\x01"
    yield bad(
        "a delta that promises 2^40",
        packed([*rest, entry(REF_DELTA, len(wrong), zlib.compress(wrong), data.oid)]),
    )
    past = size_bytes(len(data.body)) + size_bytes(200) + b"\xb0\xc8\x00"
    yield bad(
        "a delta from behind its base",
        packed([*rest, entry(REF_DELTA, len(past), zlib.compress(past), data.oid)]),
    )
    yield from _bombs(objects, refs)


def _bombs(objects: tuple[Object, ...], refs: dict[str, str]) -> Iterator[Hostile]:
    """Small on the wire, large in memory or on disk."""
    zeros = zlib.compressobj(9)
    packed_zeros = b"".join(zeros.compress(bytes(2**20)) for _ in range(600)) + zeros.flush()
    rest = [entry(one.kind, len(one.body), zlib.compress(one.body)) for one in objects]
    yield Hostile(
        "600 MiB of zeros", objects, refs, None, packed([*rest, entry(BLOB, 600 * 2**20, packed_zeros)])
    )
    base = blob(b"z" * 65536)
    entries, size, before = [], len(base.body), entry(BLOB, len(base.body), zlib.compress(base.body))
    entries.append(before)
    for _ in range(3):
        body = copies(size, 20)
        size *= 20
        before = entry(OFS_DELTA, len(body), zlib.compress(body), len(before))
        entries.append(before)
    yield Hostile("deltas that make 500 MiB of 64 KiB", objects, refs, None, packed([*rest, *entries]))
    chain = [entry(BLOB, 65536, zlib.compress(base.body))]
    for number in range(4000):
        body = (
            size_bytes(65536) + size_bytes(65536) + b"\x04" + number.to_bytes(4, "big") + b"\xb1\x04\xfc\xff"
        )
        chain.append(entry(OFS_DELTA, len(body), zlib.compress(body), len(chain[-1])))
    yield Hostile("a chain of 4,000 deltas", objects, refs, None, packed([*rest, *chain]))
