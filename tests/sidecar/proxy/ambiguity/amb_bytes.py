"""Blind changes of bytes, where the other families know what they do: edits at random places of good streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from amb_connections import STEPS
from amb_draft import SMUGGLED, Case, Mode

SPECIAL = (
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b": ", b";", b",", b"0", b"5", b"/",
    b"..", b"%", b"#", b"?", b"@", b"\\", b"\x0b", b"\x85", b"\xff", b"HTTP/1.1", b"Host: amb.example\r\n",
    b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n",
    b"5\r\nhello\r\n", b"GET ", b"chunked", b"-", b"+", b"_", b"\"", b"X: y\r\n",
)  # fmt: skip


def edit(data: bytes, random: Random) -> bytes:
    """One change: bytes put in, left out, changed, doubled or moved."""
    at = random.randrange(len(data) + 1)
    to = min(len(data), at + random.choice((1, 1, 1, 2, 5, 20)))
    match random.randrange(6):
        case 0 | 1:
            return data[:at] + random.choice(SPECIAL) + data[at:]
        case 2:
            return data[:at] + data[to:]
        case 3:
            return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
        case 4:
            return data[:to] + data[at:to] + data[to:]
        case _:
            other = random.randrange(len(data) + 1)
            rest = data[:at] + data[to:]
            return rest[:other] + data[at:to] + rest[other:]


def edits(seed: int, count: int, modes: Sequence[Mode]) -> Iterator[Case]:
    """*count* rows of one to three good requests with one to three changes each."""
    random = Random(seed)
    good = [
        "allowed",
        "length",
        "chunked",
        "request as body",
        "request in a chunk",
        "GET with a body",
        "zero",
        "expects",
    ]
    for number in range(count):
        mode = modes[number % len(modes)]
        row = [replace(STEPS[name], tail=b"") for name in random.choices(good, k=random.randint(1, 3))]
        data = b"".join(b"".join(draft.pieces(mode)) for draft in row)
        for _ in range(random.randint(1, 3)):
            data = edit(data, random)
        if data:
            yield Case("bytes", f"edit {number}", mode, (data + SMUGGLED,))
