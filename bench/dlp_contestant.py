"""One contestant of ``bench/dlp.py`` as a process: reads standard input in pieces and scans it.

``outbound`` and ``inbound`` are ours; ``re`` searches with thirty of the same patterns, one after the other, as a
scanner without a native engine would; ``memory`` prints by how many KiB the process was larger at its peak than when
it had been made and had scanned a little.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
from collections.abc import Iterator

import dlp_texts
import procfs

from bot_bottle.dlp.inbound.stream import InboundStream
from bot_bottle.dlp.known import Kind, Known, KnownSecrets
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.rule import Find
from bot_bottle.dlp.scan import Engine, Stream, What
from bot_bottle.dlp.views import find

CHUNK = 64 * 1024
PATTERNS = 30
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


def secrets(count: int) -> KnownSecrets:
    """*count* made-up ones of 40 characters."""
    rng = random.Random(count)
    values = {
        f"EGRESS_TOKEN_{number}": Known("".join(rng.choices(LETTERS, k=40)).encode(), Kind.INJECTED)
        for number in range(count)
    }
    return KnownSecrets(values)


def engine(count: int) -> Engine:
    """With all that is compiled ready, as in a sidecar, which is forked from a process that made it."""
    find.prepare()
    return Engine(Patterns.default(), secrets(count))


def inbound_stream(count: int) -> InboundStream:
    return InboundStream("text/plain; charset=utf-8", known=secrets(count))


def pieces() -> Iterator[bytes]:
    return iter(lambda: sys.stdin.buffer.read(CHUNK), b"")


def outbound(count: int, *, entropy: bool) -> None:
    stream = engine(count).stream(What(entropy=entropy))
    found = sum(len(stream.feed(piece)) for piece in pieces()) + len(stream.finish())
    print(found)


def inbound(count: int) -> None:
    stream = inbound_stream(count)
    for piece in pieces():
        stream.feed(piece)
    stream.finish()


def patterns_one_by_one() -> None:
    rules = [rule for rule in ALL_RULES if rule.find is Find.ANYWHERE][:PATTERNS]
    compiled = [re.compile(rule.pattern.encode(), re.IGNORECASE if rule.caseless else 0) for rule in rules]
    text = sys.stdin.buffer.read()
    print(sum(len(pattern.findall(text)) for pattern in compiled))


def memory(way: str, size: int) -> None:
    """Prints the growth after *size* bytes. The peak is counted anew (proc_pid_clear_refs(5)) once all is compiled,
    which takes more than any scan."""
    text = (dlp_texts.chat_bodies if way == "outbound" else dlp_texts.documents)(min(size, 4_000_000))
    made = engine(20) if way == "outbound" else None

    def begun() -> Stream | InboundStream:
        return inbound_stream(20) if made is None else made.stream()

    warm = begun()
    warm.feed(text[: 4 * CHUNK])
    warm.finish()
    del warm
    stream = begun()
    procfs.reset_peak(os.getpid())
    before = procfs.peak_mb(os.getpid())
    left = size
    while left > 0:
        for at in range(0, min(len(text), left), CHUNK):
            stream.feed(text[at : at + CHUNK])
        left -= len(text)
    stream.finish()
    print(round((procfs.peak_mb(os.getpid()) - before) * 1e6 / 1024))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("outbound", "inbound", "re", "memory"))
    parser.add_argument("--known", type=int, default=20)
    parser.add_argument("--entropy", action="store_true")
    parser.add_argument("--way", choices=("outbound", "inbound"), default="outbound")
    parser.add_argument("--size", type=int, default=0)
    options = parser.parse_args()
    if options.what == "outbound":
        outbound(options.known, entropy=options.entropy)
    elif options.what == "inbound":
        inbound(options.known)
    elif options.what == "re":
        patterns_one_by_one()
    else:
        memory(options.way, options.size)


if __name__ == "__main__":
    main()
