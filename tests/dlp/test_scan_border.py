"""A secret in packed or encoded data is found wherever a block of the stream ends, and in a view that goes on."""

from __future__ import annotations

import base64
import gzip
import random

import pytest

from bot_bottle.dlp.finding import Hit
from bot_bottle.dlp.scan import BLOCK_BYTES, OVERLAP_BYTES, Approved, Engine, Note, What
from bot_bottle.dlp.views.triggers import Signs, signs

TOKEN = b"tok_" + b"abcdefgh1234" * 2
NOISE = random.Random(8).randbytes(9000)
PROSE = b"nothing in particular is said here, in many words\n" * 4000


class Token:
    def scan(self, text: bytes) -> list[Hit]:
        at = text.find(TOKEN)
        return [Hit("token", at, at + len(TOKEN), "a token")] if at >= 0 else []

    def look(self, text: bytes) -> tuple[list[Hit], Signs]:
        return self.scan(text), signs(text)


class Nothing:
    def scan(self, text: bytes, approved: Approved = frozenset(), note: Note | None = None) -> list[Hit]:
        return []

    def is_canary(self, name: str) -> bool:
        return False


ENGINE = Engine(Token(), Nothing())
BODIES = {
    "gzip": gzip.compress(TOKEN + NOISE),
    "gzip in base64": base64.b64encode(gzip.compress(TOKEN + NOISE)),
    "gzip in base64 in lines": base64.encodebytes(gzip.compress(TOKEN + NOISE)),
    "gzip, late": gzip.compress(NOISE + TOKEN + NOISE),
    "base64": base64.b64encode(PROSE[:3000] + TOKEN + PROSE[:6000]),
    "hex": (PROSE[:1500] + TOKEN + PROSE[:3000]).hex().encode(),
    "base64 of a gzip in noise": base64.b64encode(NOISE[:700] + gzip.compress(TOKEN + NOISE) + NOISE),
}


@pytest.mark.parametrize("before_end", [0, 1, 50, 63, 65, 200, 257, 600, 2000, 4000, 4096, 4200])
@pytest.mark.parametrize("name", BODIES)
def test_found_wherever_the_block_ends(name: str, before_end: int) -> None:
    """The candidate begins so many bytes before the border of the first block."""
    lead = PROSE[: BLOCK_BYTES - before_end - 1] + b'"'
    text = lead + BODIES[name] + b'"' + PROSE[: OVERLAP_BYTES * 3]
    stream = ENGINE.stream(What())
    found = [*stream.feed(text), *stream.finish()]
    assert found
    assert all(finding.start >= len(lead) - OVERLAP_BYTES for finding in found)
