"""One pass for patterns and for signs of encodings finds what the two passes find."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.dlp import sample
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.views.triggers import FEW, Sign, Signs, signs
from bot_bottle.testing.encoded import ENCODINGS

SOURCE = random.Random(3)
TEXTS = [sample.make(recipe, SOURCE).text for rule in ALL_RULES for recipe in rule.positives]
PARTS = [*TEXTS, *(encode(TEXTS[0]) for encode in ENCODINGS.values()), b"%41" * FEW, b"n%be", b"\0\0"]


def told(seen: Signs) -> object:
    places = {sign: seen.places(sign, 0, 10) for sign in sorted(seen.seen - {Sign.WIDE, Sign.ASCII85})}
    return seen.seen, seen.packed, seen.mirrored, seen.runs, places


def same(text: bytes) -> None:
    patterns = Patterns.default()
    hits, seen = patterns.look(text)
    assert hits == patterns.scan(text)
    assert told(seen) == told(signs(text))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.one_of(st.sampled_from(PARTS), st.binary(max_size=60)), max_size=8).map(b" ".join))
def test_any_text(text: bytes) -> None:
    same(text)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_about_as_many_signs_as_one_pass_takes(more: int) -> None:
    """Whether the pass is given up or not, and with patterns on both sides of where it would be."""
    same(TEXTS[0] + b" " + b"%41 " * (FEW + more) + TEXTS[1])
