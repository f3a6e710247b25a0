"""No text makes the views fail, run away, or fall silent: bounded output, one ``Undecoded`` for what is left out.

Invariants: never an exception; what is decoded stays within the budget, apart from one floor for each candidate;
every span lies in the text; decoys do not hide what comes after them.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.dlp.budget import FLOOR_BYTES, MIN_BYTES, Budget, Shares
from bot_bottle.dlp.views.find import MAX_DEPTH, find_views
from bot_bottle.dlp.views.view import Undecoded, View
from bot_bottle.testing.encoded import ENCODINGS, FILLER, WHOLE, archive, look, raw_deflate

TOKEN = b"ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"
ZEROS = bytes(4_000_000)
NOISE = random.Random(4).randbytes(50_000)
BOMB = gzip.compress(ZEROS)


def _nested_zip(layers: int) -> bytes:
    data = ZEROS
    for _ in range(layers):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as entries:
            entries.writestr("a", data)
            entries.writestr("b", data)
        data = out.getvalue()
    return data


BOMBS = {
    "gzip": BOMB,
    "zlib": zlib.compress(ZEROS, 9),
    "raw deflate": raw_deflate(FILLER + ZEROS),
    "zstd": zstandard.compress(ZEROS),
    "brotli": brotli.compress(FILLER + ZEROS, quality=1),
    "bzip2": bz2.compress(ZEROS),
    "xz": lzma.compress(ZEROS),
    "zip": _nested_zip(1),
    "zip in zip": _nested_zip(2),
    "gzip in gzip": gzip.compress(gzip.compress(bytes(20_000_000))),
    "gzip in base64": base64.b64encode(BOMB),
    "gzip in hex": BOMB.hex().encode(),
    "many gzips": BOMB * 8,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_told_and_bounded(name: str) -> None:
    walk = look(BOMBS[name], TOKEN)
    assert walk.undecoded
    assert walk.decoded <= 2 * MIN_BYTES


REFUSED = {
    "zstd with a large window": zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=27)
    ),
}


def test_windows_beyond_the_limit_are_told() -> None:
    packer = REFUSED["zstd with a large window"].compressobj()
    packed = packer.compress(NOISE) + packer.flush()
    assert [item.kind for _, item in look(packed, TOKEN).undecoded] == ["zstd"]


def _encrypted_zip() -> bytes:
    data = bytearray(archive(FILLER))
    data[6] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    "data", [_encrypted_zip(), archive(FILLER, zipfile.ZIP_BZIP2)], ids=["encrypted", "bzip2"]
)
def test_zip_entries_that_cannot_be_read_are_told(data: bytes) -> None:
    assert {item.kind for _, item in look(data, TOKEN).undecoded} == {"zip"}


def test_a_fourth_layer_is_told() -> None:
    text = TOKEN
    for _ in range(MAX_DEPTH + 1):
        text = base64.b64encode(text)
    walk = look(text, TOKEN)
    assert not walk.found
    assert [path for path, _ in walk.undecoded] == [("base64",) * MAX_DEPTH]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("count", [1, 20, 200])
@pytest.mark.parametrize(
    "decoy",
    [
        BOMB,
        base64.b64encode(BOMB) + b'" ',
        base64.b64encode(FILLER[:2000]) + b'" ',
        gzip.compress(FILLER[:500]),
    ],
    ids=["bombs", "bombs in base64", "base64", "gzip"],
)
@pytest.mark.parametrize("real", ["gzip", "gzip in base64", "base64", "hex", "zip"])
def test_decoys_do_not_hide_the_real_one(real: str, decoy: bytes, count: int, before: bool) -> None:
    encoded = b' "' + ENCODINGS[real](b"key: " + TOKEN + b"\n") + b'" '
    decoys = decoy * count
    assert look(decoys + encoded if before else encoded + decoys, TOKEN).found


def test_what_breaks_off_is_read_up_to_there() -> None:
    """A receiver that does not check the sum, or the end, would have it too."""
    for packed in (gzip.compress(TOKEN + NOISE), zlib.compress(TOKEN + NOISE), archive(TOKEN + NOISE)):
        for cut in (packed[: len(packed) // 2], packed[:20_000] + b"\xff" * 4000, packed[:-6] + bytes(6)):
            assert look(b"xx " + cut, TOKEN).found


def test_an_error_does_not_take_what_came_before_it() -> None:
    """The library loses a whole slice for one wrong bit."""
    packed = bytearray(raw_deflate(TOKEN))
    text = gzip.compress(b"")[:10] + bytes(packed[:-3]) + b"\xff\xff\xff"
    assert look(text, TOKEN[:30]).found


def _png(pixels: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 9000) + b"IDAT" + zlib.compress(pixels)


def test_of_pixels_only_the_beginning_is_read() -> None:
    """The image data of a PNG unpacks to much and is no text: nothing is told of the rest."""
    walk = look(_png(ZEROS), TOKEN)
    assert walk.undecoded == []
    assert walk.decoded <= 64 * 1024
    assert look(_png(TOKEN + NOISE), TOKEN).found


def test_four_letters_are_no_free_pass() -> None:
    """Without the signature of a PNG before it a mark of pixels means nothing."""
    assert look(b"IDAT" + zlib.compress(NOISE + NOISE + TOKEN), TOKEN).found
    assert look(b"IDAT" + zlib.compress(ZEROS), TOKEN).undecoded


QUIET = {
    "noise": NOISE,
    "hashes": b"\n".join(random.Random(n).randbytes(32).hex().encode() for n in range(500)),
    "integrity": b" ".join(b"sha512-" + base64.b64encode(random.Random(n).randbytes(64)) for n in range(500)),
    "base64 of noise": base64.b64encode(NOISE),
    "source code": b"for (let i = 0; i < n; i++) { map[key] = value % 7; path = '/usr/share/some-long-name'; }\n"
    * 500,
    "prose": FILLER,
    "a list of numbers": b", ".join(b"%d" % n for n in range(30, 3000)),
    "UUIDs": b"\n".join(b"3f2504e0-4f89-11d3-9a0c-0305e82c3301" for _ in range(300)),
    "zip magic in code": b"PK\x03\x04 is what a zip begins with, (PK\x03\x04), or PK\x03\x04" + bytes(40),
    "the head of a zstd frame at an end": b"\x28\xb5\x2f\xfd\x23\x00\x00\x00\x00\x00\x29",
    "magic in code": rb'MAGIC = b"\x28\xb5\x2f\xfd"; GZIP = b"\x1f\x8b\x08"; ZIP = b"PK\x03\x04"' + FILLER,
}


@pytest.mark.parametrize("name", QUIET)
def test_nothing_is_told_of_ordinary_data(name: str) -> None:
    assert look(QUIET[name], TOKEN).undecoded == []


def test_noise_is_not_taken_for_packed_data() -> None:
    """Random data unpacks to something now and then; that is no view, or there would be many."""
    taken = sum(look(random.Random(n).randbytes(600), TOKEN).decoded > 0 for n in range(400))
    assert taken <= 4


def _checked(items: Iterator[View | Undecoded], size: int, depth: int = 0) -> int:
    """Bytes decoded below *items*; every span lies in its text."""
    assert depth <= MAX_DEPTH
    decoded = 0
    for item in items:
        assert 0 <= item.start <= item.end <= size
        if isinstance(item, Undecoded):
            continue
        assert 0 <= item.fresh <= len(item.data)
        decoded += len(item.data) - item.fresh
        step = max(1, len(item.data) // 5)
        for at in range(0, len(item.data), step):
            start, end = item.where(at, min(at + 9, len(item.data)))
            assert item.start <= start < end <= item.end
        decoded += _checked(item.views(), len(item.data), depth + 1)
    return decoded


PIECES = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from(
        [b"\\u0041", b"%41", b"%2541", b"&#65;", b"&amp;#65;", b"=3D", b"=\r\n", b"\\/", b"\\", b"%", b"&"]
    ),
    st.sampled_from(
        [
            b"\x1f\x8b\x08\x00",
            b"\x28\xb5\x2f\xfd\x24",
            b"PK\x03\x04\x14\x00\x00\x00\x08\x00",
            b"x\x9c",
            b"H4sI",
        ]
    ),
    st.sampled_from(
        [b"\n", b'"', b"\\n", b"0x41, ", b"41:", b"<~", b"~>", b"+AGc-", b"A\x00", b"\x00A", b"eJxL"]
    ),
    st.builds(
        lambda name, data: (ENCODINGS | WHOLE)[name](data),
        st.sampled_from([name for name in [*ENCODINGS, *WHOLE] if "xz" not in name]),
        st.text(alphabet=st.characters(max_codepoint=126, min_codepoint=9), max_size=60).map(str.encode),
    ),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_anything_goes(text: bytes) -> None:
    budget = Budget()
    decoded = _checked(find_views(text, budget), len(text))
    assert decoded <= MIN_BYTES + FLOOR_BYTES * max(1, len(text))


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([name for name in ENCODINGS if name not in ("rot13", "reversed")]),
    st.text(alphabet=st.characters(max_codepoint=126, min_codepoint=32), max_size=300).map(str.encode),
    st.text(alphabet=" \n\"'(),;{}<>", min_size=1, max_size=9).map(str.encode),
    st.text(alphabet=st.characters(max_codepoint=126, min_codepoint=32), max_size=300).map(str.encode),
)
def test_random_surroundings(name: str, before: bytes, between: bytes, after: bytes) -> None:
    """What is encoded between other text is found, by a span that lies within it."""
    encoded = ENCODINGS[name](b"(" + TOKEN + b")")
    start = len(before) + len(between)
    walk = look(before + between + encoded + between + after, TOKEN)
    inside = [span for _, span in walk.found if start - 3 <= span[0] < span[1] <= start + len(encoded) + 3]
    assert inside


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("base64", 56),
        ("hex", 80),
        ("percent", 120),
        ("JSON", 240),
        ("UTF-16, big end first", 80),
        ("base32", 64),
        ("HTML", 40),
    ],
)
def test_the_span_is_the_smallest(name: str, size: int) -> None:
    """Of a token within other text only its own characters are named (a group of them at the most)."""
    encoded = ENCODINGS[name](FILLER[:300] + TOKEN + FILLER[:300])
    walk = look(encoded, TOKEN)
    assert walk.found
    for _, (start, end) in walk.found:
        again = look(encoded[:start] + b"?" * (end - start) + encoded[end:], TOKEN)
        assert not again.found
        if name != "HTML":
            assert size - 3 <= end - start <= size


def test_shares_set_half_aside() -> None:
    budget = Budget(min_bytes=1000)
    shares = Shares(budget, [1, 1, 2])
    assert shares.next() == 625
    budget.spend(625)
    assert shares.next() == 125
    assert shares.next() == 375
    budget.spend(5000)
    assert budget.left == 0


def test_a_budget_grows_with_its_stream() -> None:
    budget = Budget()
    assert budget.left == MIN_BYTES
    budget.grow(10_000)
    assert budget.left == MIN_BYTES
    budget.grow(990_000)
    assert budget.left == 4_000_000
    share = budget.share(10)
    assert share.left == FLOOR_BYTES
    share.spend(700)
    budget.charge(share)
    assert budget.left == 4_000_000 - 700
