"""Every encoding of the table is found, in surroundings and alone, and named by a span that holds it."""

from __future__ import annotations

import random
import string

import pytest

from bot_bottle.testing.encoded import ENCODINGS, FILLER, WHOLE, look

TOKEN = b"ghp_" + "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=36)).encode()
INNER = {
    "alone": TOKEN,
    "in JSON": b'{"content": "' + TOKEN + b'"}',
    "in a text": FILLER[:3000] + TOKEN + FILLER[:5000],
}


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("name", ENCODINGS)
def test_finds_in_surroundings(name: str, inner: str) -> None:
    """The span lies in the encoded part."""
    encoded = ENCODINGS[name](INNER[inner])
    before = FILLER[:777] + b' "'
    walk = look(before + encoded + b'" ' + FILLER, TOKEN)
    assert walk.found
    for _, (start, end) in walk.found:
        assert len(before) <= start < end <= len(before) + len(encoded) + 1
    assert walk.undecoded == []


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("name", [*ENCODINGS, *WHOLE])
def test_finds_a_whole_text(name: str, inner: str) -> None:
    encoded = (ENCODINGS | WHOLE)[name](INNER[inner])
    walk = look(encoded, TOKEN)
    assert walk.found
    assert walk.undecoded == []
