"""No byte goes before it was judged, all of them go in the end, and little is held on the way."""

from __future__ import annotations

import asyncio
import gzip
import random

import pytest
import zstandard
from dlp_support import TOKEN
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.dlp.coding import CodingError, Decoder
from bot_bottle.dlp.known import KnownSecrets
from bot_bottle.sidecar.proxy.arming import make_engine
from bot_bottle.sidecar.proxy.held import Held, Reservation
from bot_bottle.sidecar.proxy.scanned import BEHIND, ScannedBody

KIB = 1024
ENGINE = make_engine(KnownSecrets({}))


class Lagging:
    """A stream that clears so many bytes less than it was given, until its end."""

    def __init__(self, lag: int) -> None:
        self._lag, self._given, self._done = lag, 0, False

    @property
    def cleared(self) -> int:
        return self._given if self._done else max(0, self._given - self._lag)

    def feed(self, data: bytes) -> tuple:
        self._given += len(data)
        return ()

    def finish(self) -> tuple:
        self._done = True
        return ()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=60), max_size=20), st.integers(0, 100))
def test_property_what_goes_was_cleared(pieces, lag):
    """However it comes in: never beyond what is cleared, never the last byte before the end, all of it in order."""
    body = ScannedBody(lambda: Lagging(lag))
    gone = b""
    given_so_far = 0
    for piece in pieces:
        body.feed(piece)
        given_so_far += len(piece)
        gone += b"".join(body.take())
        assert len(gone) <= max(0, min(given_so_far - lag, given_so_far - 1))
        assert body.held == given_so_far - len(gone)
    body.finish()
    assert gone + b"".join(body.take()) == b"".join(pieces)
    assert body.held == 0


@pytest.mark.parametrize("coding", [None, "gzip", "zstd"])
def test_little_is_held_of_a_large_body(coding):
    """16 MiB in pieces of a socket's read: what is held stays under a MiB, encoded or not."""
    pieces = [random.Random(1).randbytes(8 * KIB * KIB).hex().encode()]
    if coding == "gzip":
        pieces = [gzip.compress(b"".join(pieces), 1, mtime=0)]
    elif coding == "zstd":
        pieces = [zstandard.ZstdCompressor(level=1).compress(b"".join(pieces))]
    data = b"".join(pieces)
    body = ScannedBody(lambda: Lagging(130 * KIB), Decoder((coding,)) if coding else None)
    most = gone = 0
    for at in range(0, len(data), 64 * KIB):
        body.feed(data[at : at + 64 * KIB])
        gone += sum(map(len, body.take()))
        most = max(most, body.held)
    body.finish()
    assert gone + sum(map(len, body.take())) == len(data)
    assert most < 1024 * KIB


def test_what_is_packed_goes_only_far_behind_what_was_read():
    """A decoder may hold a block back: what is not read yet does not go, nor what belongs to it."""
    text = bytes(range(256)) * 4 * KIB
    data = zstandard.ZstdCompressor(level=1).compress(text)
    body = ScannedBody(lambda: Lagging(0), Decoder(("zstd",)))
    gone = 0
    for at in range(0, len(data), 4 * KIB):
        body.feed(data[at : at + 4 * KIB])
        gone += sum(map(len, body.take()))
        assert gone <= max(0, body.size - BEHIND)


def test_a_secret_is_found_in_the_text_and_in_what_is_packed():
    """``finish`` and ``feed`` say what was found; the raw bytes are judged as well (a name in gzip's head)."""
    for data in (
        gzip.compress(b"text " + TOKEN.encode()),
        b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + TOKEN.encode() + b"\0" + gzip.compress(b"text", mtime=0)[10:],
    ):
        body = ScannedBody(ENGINE.stream, Decoder(("gzip",)))
        found = body.feed(data) + body.finish()
        assert any(finding.rule == "github-token" for finding in found)


def test_a_lenient_body_is_judged_as_it_is():
    with pytest.raises(CodingError):
        ScannedBody(ENGINE.stream, Decoder(("gzip",))).feed(b"no gzip " + TOKEN.encode())
    body = ScannedBody(ENGINE.stream, Decoder(("gzip",)), lenient=True)
    found = body.feed(b"no gzip " + TOKEN.encode()) + body.finish()
    assert [finding.rule for finding in found] == ["github-token"]
    assert b"".join(body.take()) == b"no gzip " + TOKEN.encode()


def test_held_memory_is_one_account():
    """The provider's part is its own; who waits is let in when room is given back, or told that there is none."""

    async def run() -> list[str]:
        loop = asyncio.get_running_loop()
        held = Held(total=100, provider=40, wait_s=0.05)
        said = []

        def reservation(*, provider: bool = False) -> Reservation:
            return Reservation(held, provider=provider, loop=loop)

        first, second, third, own = reservation(), reservation(), reservation(), reservation(provider=True)
        assert first.grow(60, lambda _: None)
        assert not second.grow(10, lambda there_is: said.append(f"second {there_is}"))
        assert own.grow(40, lambda _: None)
        assert held.used == 100
        first.give_back()
        assert said == ["second True"]
        assert not third.grow(60, lambda there_is: said.append(f"third {there_is}"))
        await asyncio.sleep(0.2)
        second.give_back()
        third.give_back()
        own.give_back()
        assert held.used == 0
        return said

    assert asyncio.run(run()) == ["second True", "third False"]
