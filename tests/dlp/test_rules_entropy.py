"""Entropy, and its detector: windows of 64 bytes, the last one at the end, short texts as they are."""

from __future__ import annotations

import random
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.dlp import sample
from bot_bottle.dlp.entropy import FLOOR, WINDOW, bits, windows
from bot_bottle.dlp.finding import Severity
from bot_bottle.dlp.wording import reads_like_words, surprise

DISTINCT = bytes(range(33, 33 + WINDOW))
"""64 different characters: 6 bits each"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", 0.0),
        (b"aaaa", 0.0),
        (b"abab", 1.0),
        (b"abcd", 2.0),
        (bytes(range(256)), 8.0),
        (b"aab", log2(3) - 2 / 3),
    ],
)
def test_bits(text: bytes, expected: float) -> None:
    assert bits(text) == pytest.approx(expected)


@given(st.binary(max_size=200))
def test_bits_lie_between_none_and_eight(text: bytes) -> None:
    assert 0 <= bits(text) <= 8
    assert bits(text) == pytest.approx(bits(bytes(reversed(text))))


def spans(text: bytes) -> list[tuple[int, int]]:
    hits = windows(text)
    assert all(hit.severity is Severity.WARN and not hit.exact for hit in hits)
    return [(hit.start, hit.end) for hit in hits]


def test_a_random_stretch_is_found_wherever_it_stands() -> None:
    """A window and a step long, less one: some window lies in it."""
    for before in range(0, 130, 7):
        text = b"a" * before + DISTINCT + DISTINCT[:31] + b"a" * 70
        assert spans(text), before


def test_the_last_window_ends_where_the_text_does() -> None:
    text = b"a" * 70 + DISTINCT
    assert spans(text)[-1][1] == len(text)


def test_a_text_shorter_than_a_window_is_judged_as_it_is() -> None:
    assert spans(DISTINCT[:50]) == [(0, 50)]
    assert spans(DISTINCT[:40]) == []
    assert spans(b"") == []


def test_windows_that_touch_are_one() -> None:
    assert spans(DISTINCT * 3) == [(0, 192)]


def test_prose_code_and_hexadecimal_are_below_the_floor() -> None:
    source = random.Random(3)
    digits = sample.make("{hex:4000}", source).text
    prose = (__doc__ or "").encode() * 40
    assert spans(digits) == spans(prose) == []
    assert FLOOR == 5.5


IDENTIFIERS = [
    b"get_token_from_header",
    b"myVariableNameWithLong",
    b"sha256_hash_value",
    b"process.env.GITHUB_TOKEN",
    b"my-super-secret-password-123",
    b"correcthorsebatterystaple",
    b"AuthenticationTokenProvider2",
    b"/usr/share/doc/python3.11",
    b"com.amazonaws.auth.AWSCredentials",
    b"MAX_RETRY_COUNT_V2",
    b"gpt-4o-mini-2024-07-18",
    b"arn:aws:iam::123456789012:role/foo",
    b"kubernetes.io/service-account-token",
    b"node_modules/@types/node",
]


@pytest.mark.parametrize("word", IDENTIFIERS)
def test_identifiers_read_like_words(word: bytes) -> None:
    assert reads_like_words(word)


@pytest.mark.parametrize("alphabet", ["b62", "b64", "b64u", "b36", "B36", "b32", "hex"])
def test_what_is_drawn_by_chance_does_not(alphabet: str) -> None:
    source = random.Random(alphabet)
    values = [sample.make(f"{{{alphabet}:24}}", source).text for _ in range(500)]
    assert sum(map(reads_like_words, values)) <= 2


@given(st.binary(max_size=300))
def test_surprise_is_bounded(value: bytes) -> None:
    assert 0 <= surprise(value) <= 16
