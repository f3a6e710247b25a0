"""What a sender packed comes out piece by piece, or is refused: never more than the bounds, never something else.

Invariant: pieces of one call are at most ``PIECE_BYTES`` each; only ``CodingError`` is raised.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import random
import struct
import zlib
from collections.abc import Iterator

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.dlp.coding import (
    PIECE_BYTES,
    CodingError,
    Decoder,
    Encoder,
    Limits,
    brotli_window,
    encode,
    parse_codings,
)
from bot_bottle.testing.encoded import FILLER, raw_deflate

CODINGS = ("gzip", "deflate", "br", "zstd")
RANDOM = random.Random(5).randbytes(700_000)
TEXT = FILLER * 60


def unpack(data: bytes, *codings: str, step: int = 1 << 30, limits: Limits | None = None) -> bytes:
    """Decode in steps, checking each piece."""
    decoder = Decoder(codings, limits)
    out = []
    for at in range(0, len(data), step):
        for piece in decoder.feed(data[at : at + step]):
            assert 0 < len(piece) <= PIECE_BYTES
            out.append(piece)
    decoder.finish()
    return b"".join(out)


def until_refused(packed: bytes, codings: tuple[str, ...]) -> list[int]:
    """Sizes of the pieces that came out before the bound was met."""
    sizes: list[int] = []

    def read() -> None:
        sizes.extend(len(piece) for piece in Decoder(codings).feed(packed))

    with pytest.raises(CodingError, match="too many bytes for its size"):
        read()
    return sizes


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("gzip", ("gzip",)),
        (" GZip ", ("gzip",)),
        ("x-gzip", ("gzip",)),
        ("gzip, br", ("gzip", "br")),
        ("identity", ()),
        ("", ()),
        ("identity, zstd ,identity", ("zstd",)),
        ("deflate,deflate,deflate", ("deflate",) * 3),
        ("gzip,gzip,gzip,gzip", None),
        ("compress", None),
        ("gzip;q=1", None),
        ("dcb", None),
        ("aes128gcm", None),
    ],
)
def test_names(header: str, codings: tuple[str, ...] | None) -> None:
    assert parse_codings(header) == codings


@pytest.mark.parametrize("step", [1, 7, 1000, 1 << 30])
@pytest.mark.parametrize("data", [b"", b"x", FILLER, TEXT[:90_000]], ids=["empty", "byte", "small", "large"])
@pytest.mark.parametrize(
    "codings", [(), *((coding,) for coding in CODINGS), ("gzip", "br"), ("zstd", "deflate", "gzip")]
)
def test_comes_out_as_it_went_in(codings: tuple[str, ...], data: bytes, step: int) -> None:
    packed = encode(data, codings)
    if len(packed) / step < 20_000:
        assert unpack(packed, *codings, step=step) == data


@pytest.mark.parametrize("data", [RANDOM, TEXT], ids=["random", "text"])
@pytest.mark.parametrize("coding", CODINGS)
def test_large_bodies(coding: str, data: bytes) -> None:
    assert unpack(encode(data, [coding]), coding, step=65536) == data


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("deflate", raw_deflate(TEXT)),
        ("deflate", zlib.compress(TEXT, 9)),
        ("gzip", gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:])),
        ("gzip", gzip.compress(TEXT[:1000]) + gzip.compress(b"") + gzip.compress(TEXT[1000:])),
        ("zstd", zstandard.compress(TEXT[:1000]) + zstandard.compress(TEXT[1000:])),
        ("zstd", zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compress(TEXT)),
        (
            "zstd",
            b"\x50\x2a\x4d\x18\x05\x00\x00\x00abcde" + zstandard.compress(TEXT) + b"\x5f\x2a\x4d\x18\0\0\0\0",
        ),
        ("zstd", zstandard.ZstdCompressor(level=19).compress(TEXT)),
        ("br", brotli.compress(TEXT, quality=1, lgwin=10)),
    ],
)
@pytest.mark.parametrize("step", [5, 1 << 30])
def test_other_forms_of_a_coding(coding: str, packed: bytes, step: int) -> None:
    assert unpack(packed, coding, step=step) == TEXT


def _zstd_window(log: int) -> bytes:
    """A frame that asks for a window of 1 << *log* bytes, with one raw block."""
    return b"\x28\xb5\x2f\xfd\x00" + bytes([(log - 10) << 3]) + b"\x29\x00\x00hello"


def _polyglot() -> bytes:
    """A zlib header that is a stored block's for a reader of raw deflate."""
    stored = b"\x78\x01" + b"\x00" + bytes([0xFE, 0xFF])
    return stored + b"A" + raw_deflate(b"other")


@pytest.mark.parametrize(
    ("coding", "packed", "reason"),
    [
        ("gzip", gzip.compress(FILLER)[:-1], "breaks off"),
        ("gzip", gzip.compress(FILLER) + b"tail", "broken"),
        ("gzip", gzip.compress(FILLER) + b"\x00", "breaks off"),
        ("gzip", gzip.compress(FILLER)[:-8] + bytes(8), "broken"),
        ("gzip", b"plain text", "broken"),
        ("deflate", zlib.compress(FILLER) + b"x", "after the end"),
        ("deflate", zlib.compress(FILLER)[:-4] + bytes(4), "broken"),
        ("deflate", b"xy", "breaks off"),
        ("deflate", _polyglot(), "as zlib and as raw"),
        ("br", brotli.compress(FILLER)[:-1], "breaks off"),
        ("br", brotli.compress(FILLER) + b"x", "broken|after the end"),
        ("br", brotli.compress(FILLER, lgwin=24), "too large a window"),
        ("br", b"\x11\x3a" + bytes(40), "too large a window"),
        ("zstd", zstandard.compress(FILLER)[:-1], "breaks off"),
        ("zstd", zstandard.compress(FILLER) + b"junk and more", "broken"),
        ("zstd", zstandard.compress(FILLER) + b"jun", "breaks off"),
        ("zstd", _zstd_window(24), "too large a window"),
        ("zstd", _zstd_window(41), "too large a window"),
        ("zstd", b"\x28\xb5\x2f\xfd\x23\x00\x00\x00\x00\x00\x29\x00\x00hello", "dictionary"),
        ("zstd", b"\x28\xb5\x2f\xfd\x00\x58\xff\xff\xff" + bytes(99), "broken"),
    ],
)
@pytest.mark.parametrize("step", [1, 1 << 30])
def test_refuses(coding: str, packed: bytes, reason: str, step: int) -> None:
    with pytest.raises(CodingError, match=reason):
        unpack(packed, coding, step=step)


def test_windows_of_eight_mebibytes_pass() -> None:
    assert unpack(_zstd_window(23), "zstd") == b"hello"
    assert unpack(brotli.compress(TEXT, lgwin=23), "br") == TEXT


@pytest.mark.parametrize("bits", range(10, 25))
def test_brotli_windows(bits: int) -> None:
    assert brotli_window(brotli.compress(RANDOM[:50], lgwin=bits)[0]) == 1 << bits


def _deep_gzip() -> bytes:
    return gzip.compress(gzip.compress(gzip.compress(bytes(30_000_000))))


@pytest.mark.parametrize(
    ("codings", "packed"),
    [
        (("gzip",), gzip.compress(bytes(20_000_000))),
        (("deflate",), raw_deflate(bytes(20_000_000))),
        (("br",), brotli.compress(bytes(20_000_000), quality=1)),
        (("zstd",), zstandard.compress(bytes(20_000_000))),
        (("gzip", "gzip", "gzip"), _deep_gzip()),
        (("zstd", "br"), brotli.compress(zstandard.compress(bytes(20_000_000)))),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else "",
)
def test_bombs_end_early(codings: tuple[str, ...], packed: bytes) -> None:
    """No more than the free bytes, or the ratio, comes out."""
    got = sum(until_refused(packed, codings))
    assert got <= max(1024 * 1024, 100 * len(packed))


def test_a_body_may_not_be_endless() -> None:
    limits = Limits(max_bytes=100_000)
    with pytest.raises(CodingError, match=r"too many bytes$"):
        unpack(encode(RANDOM, ["gzip"]), "gzip", limits=limits)


def test_what_is_small_may_unpack_to_much() -> None:
    """Up to the free bytes no ratio is asked for."""
    assert unpack(encode(bytes(1_000_000), ["zstd"]), "zstd") == bytes(1_000_000)


@pytest.mark.parametrize("codings", [(coding,) for coding in CODINGS] + [("gzip", "zstd")])
def test_events_can_be_flushed(codings: tuple[str, ...]) -> None:
    """After a flush a reader has all that was written."""
    encoder, decoder = Encoder(codings), Decoder(codings)
    for number in range(5):
        event = b"data: %d\n\n" % number
        packed = encoder.feed(event) + encoder.flush()
        assert b"".join(decoder.feed(packed)) == event
    assert b"".join(decoder.feed(encoder.finish())) == b""
    decoder.finish()


def _damaged(data: bytes, at: int, value: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([value]) + data[at + 1 :]


@given(st.sampled_from(CODINGS), st.integers(0, 1 << 16), st.integers(0, 255), st.integers(1, 400))
def test_damage_is_an_error_or_nothing(coding: str, at: int, value: int, step: int) -> None:
    packed = _damaged(encode(FILLER[:2000], [coding]), at, value)
    with contextlib.suppress(CodingError):
        unpack(packed, coding, step=step)


@given(st.sampled_from(CODINGS), st.binary(max_size=200), st.integers(1, 50))
def test_garbage(coding: str, data: bytes, step: int) -> None:
    with contextlib.suppress(CodingError):
        unpack(data, coding, step=step)


@given(st.lists(st.binary(max_size=3000), max_size=6), st.lists(st.sampled_from(CODINGS), max_size=3))
def test_any_data_in_any_codings(parts: list[bytes], codings: list[str]) -> None:
    encoder, decoder = Encoder(codings), Decoder(codings)
    out = b"".join(piece for part in parts for piece in decoder.feed(encoder.feed(part)))
    out += b"".join(decoder.feed(encoder.finish()))
    decoder.finish()
    assert out == b"".join(parts)


def _blocks(count: int) -> Iterator[bytes]:
    """A zstd frame of many tiny blocks that each unpack to 128 KiB."""
    yield b"\x28\xb5\x2f\xfd\x00\x58"
    for _ in range(count):
        yield struct.pack("<I", (131072 << 3) | (1 << 1))[:3] + b"a"


def test_one_call_never_gives_much_at_once() -> None:
    """Four bytes make 128 KiB: still each piece is bounded, and the ratio stops it."""
    sizes = until_refused(b"".join(_blocks(5000)), ("zstd",))
    assert 0 < max(sizes) <= PIECE_BYTES


def _gzip_head(flags: int, field: bytes) -> bytes:
    """*FILLER* with a field in its head."""
    packed = gzip.compress(FILLER, mtime=0)
    return packed[:3] + bytes([packed[3] | flags]) + packed[4:10] + field + packed[10:]


HIDING = [
    ("gzip", _gzip_head(0x04, b"\x05\x00extra")),
    ("gzip", _gzip_head(0x10, b"a comment\0")),
    ("gzip", _gzip_head(0x08, b"n" * 256 + b"\0")),
    ("gzip", _gzip_head(0x08, b"n" * 9000)),
    ("gzip", gzip.compress(FILLER) + _gzip_head(0x10, b"a comment\0")),
    ("zstd", b"\x50\x2a\x4d\x18\x05\x00\x00\x00abcde" + zstandard.compress(FILLER)),
    ("zstd", zstandard.compress(FILLER) + b"\x5f\x2a\x4d\x18\0\0\0\0"),
]


@pytest.mark.parametrize(("coding", "packed"), HIDING)
@pytest.mark.parametrize("step", [1, 300, 1 << 30])
def test_strictly_nothing_may_stand_beside_the_data(coding: str, packed: bytes, step: int) -> None:
    """Whoever knows of it reads it; the scanner would not."""
    decoder = Decoder([coding], strict=True)
    pieces = (decoder.feed(packed[at : at + step]) for at in range(0, len(packed), step))
    with pytest.raises(CodingError, match="not unpacked"):
        list(itertools.chain.from_iterable(pieces))


@pytest.mark.parametrize("packed", [_gzip_head(0x08, b"notes.txt\0"), _gzip_head(0x08, b"n" * 255 + b"\0")])
@pytest.mark.parametrize("step", [1, 300, 1 << 30])
def test_a_file_may_have_its_name(packed: bytes, step: int) -> None:
    decoder = Decoder(["gzip"], strict=True)
    found = b"".join(b"".join(decoder.feed(packed[at : at + step])) for at in range(0, len(packed), step))
    decoder.finish()
    assert found == FILLER
