"""Invariant: what :func:`printable` returns has no character that a terminal obeys or hides."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.base.text import printable

HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("\u00e4\u4e2d\U0001f600", "\u00e4\u4e2d\U0001f600"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b[31mred\x1b]52;c;x\x07", "\\x1b[31mred\\x1b]52;c;x\\x07"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("\U000e0041", "\\U000e0041"),
        ("\u2028", "\\u2028"),
        ("\ud800x\udfff", "\\ud800x\\udfff"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_shown(text: str, shown: str) -> None:
    """Escapes instead of what has no glyph."""
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [("abc", 3, "abc"), ("abcd", 3, "ab\u2026"), ("abcd", 1, "\u2026"), ("a\n", 2, "a\u2026"), ("", 0, "")],
)
def test_cut(text: str, limit: int, shown: str) -> None:
    """A longer text is cut after it was escaped, and says so."""
    assert printable(text, limit=limit) == shown


@given(st.text(st.characters(codec=None)), st.none() | st.integers(1, 20))
def test_nothing_hidden(text: str, limit: int | None) -> None:
    """Any text, surrogates included."""
    shown = printable(text, limit=limit)
    assert not {unicodedata.category(char) for char in shown} & HIDDEN
    assert limit is None or len(shown) <= limit
    shown.encode("utf-8")
