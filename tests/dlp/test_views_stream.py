"""A stream in blocks shows what the whole text shows: runs and packed data go on over the borders."""

from __future__ import annotations

import base64
import gzip
import random
import zlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.dlp.budget import Budget
from bot_bottle.dlp.views.carry import Carry
from bot_bottle.dlp.views.find import find_views
from bot_bottle.dlp.views.view import Undecoded
from bot_bottle.testing.encoded import ENCODINGS, FILLER, archive, look_in_blocks, tarball

TOKEN = b"ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"
NOISE = random.Random(9).randbytes(60_000)
PROSE = "".join(random.Random(3).choices("etaoin shrdlu\n", k=60_000)).encode()
ONE_BLOCK = {"ascii85", "rot13", "reversed"}
"""found again in each block by a mark at their beginning, so not over a border"""


@pytest.mark.parametrize("at", [0, 17_000])
@pytest.mark.parametrize("name", [name for name in ENCODINGS if name not in ONE_BLOCK])
def test_long_data_over_many_borders(name: str, at: int) -> None:
    encoded = ENCODINGS[name](PROSE[:at] + b' "' + TOKEN + b'" ' + PROSE[at:])
    before = FILLER[:1234] + b' "'
    walk = look_in_blocks(before + encoded + b'" ' + FILLER, TOKEN, 16_000, 4096)
    assert walk.found
    assert walk.undecoded == []
    for _, (start, end) in walk.found:
        assert len(before) - 1 <= start < end <= len(before) + len(encoded) + 1


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(gzip.compress(NOISE + TOKEN + NOISE)),
        base64.encodebytes(gzip.compress(NOISE + TOKEN + NOISE)),
        base64.encodebytes(gzip.compress(NOISE + TOKEN + NOISE)).replace(b"\n", b"\\n"),
        base64.encodebytes(gzip.compress(NOISE + TOKEN + NOISE)).replace(b"\n", b"\\r\\n"),
        gzip.compress(NOISE + TOKEN + NOISE).hex().encode(),
        gzip.compress(NOISE + base64.b64encode(zlib.compress(NOISE + TOKEN)) + NOISE),
        base64.b64encode(archive(NOISE + gzip.compress(NOISE + TOKEN))),
        tarball(NOISE + archive(NOISE + TOKEN + NOISE)),
        zstandard.compress(gzip.compress(NOISE + zlib.compress(NOISE + TOKEN + NOISE))),
    ],
    ids=range(9),
)
@pytest.mark.parametrize("block", [1000, 5_003, 16_384])
def test_packed_noise_goes_on_at_every_border(text: bytes, block: int) -> None:
    """Nothing inside shows itself again behind a border, so only what was carried can find the token."""
    for lead in range(3):
        walk = look_in_blocks(b"=" * lead + b' "' + text + b'" ', TOKEN, block, 700)
        assert walk.found
        assert walk.undecoded == []


@pytest.mark.parametrize("offset", range(-70, 70, 3))
@pytest.mark.parametrize(
    "name",
    ["gzip", "zip", "gzip in base64", "zstd in base64", "gzip in hex", "base64 in lines of a JSON string"],
)
def test_begins_anywhere_about_a_border(name: str, offset: int) -> None:
    block = 4000
    before = (FILLER * 2)[: block + offset]
    text = (
        before
        + b'"'
        + ENCODINGS[name](NOISE[:2000] + TOKEN + NOISE[:2000] if "JSON" not in name else PROSE[:3000] + TOKEN)
        + b'"'
    )
    walk = look_in_blocks(text, TOKEN, block, 1024)
    assert walk.found
    assert walk.undecoded == []


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(
        [
            "base64",
            "gzip",
            "gzip in base64",
            "percent",
            "JSON",
            "UTF-16",
            "hex",
            "zlib in base64",
            "zip",
            "base64 in lines",
        ]
    ),
    st.integers(0, 5000),
    st.integers(0, 5000),
    st.integers(600, 9000),
    st.integers(300, 512),
)
def test_any_border(name: str, before: int, at: int, block: int, overlap: int) -> None:
    encoded = ENCODINGS[name](PROSE[:at] + b' "' + TOKEN + b'" ' + PROSE[:200])
    text = FILLER[:before] + b' "' + encoded + b'"' + FILLER[: before // 3]
    walk = look_in_blocks(text, TOKEN, block, overlap)
    assert walk.found


def test_a_run_that_ends_with_the_block_ends_there() -> None:
    """What the next block begins with is not taken for more of it."""
    packed = gzip.compress(NOISE[:3000])
    text = base64.b64encode(packed + bytes(-len(packed) % 3)) + b'"' + TOKEN
    carry, budget = Carry(), Budget()
    cut = text.index(b'"')
    first, second = text[:cut], text[cut - 100 :]
    kinds = []
    for block, fresh, last in ((first, 0, False), (second, 100, True)):
        for item in find_views(block, budget, carry=carry, fresh=fresh, last=last):
            assert not isinstance(item, Undecoded)
            kinds.append(item.kind)
            list(item.views())
    assert kinds.count("base64") == 2
    assert not carry.runs
    assert not carry.packed


def test_views_that_are_not_wanted_need_not_be_taken() -> None:
    """A caller that stops looking inside loses what is inside, and nothing else."""
    text = gzip.compress(NOISE + TOKEN + NOISE)
    items = [item for item in find_views(text, Budget()) if not isinstance(item, Undecoded)]
    assert any(TOKEN in item.data for item in items)
    assert list(items[0].views()) == list(items[0].views()) == []


def test_ascii85_over_a_border_is_told() -> None:
    """It has no shape, and nothing of it is carried."""
    text = b" " * 900 + base64.a85encode(NOISE[:400], adobe=True) + b" "
    assert [item.kind for _, item in look_in_blocks(text, TOKEN, 1000, 100).undecoded] == ["ascii85"]
    assert look_in_blocks(text, TOKEN, 5000, 100).undecoded == []
