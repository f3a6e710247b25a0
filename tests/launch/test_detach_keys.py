"""Invariant: everything typed goes inside, in order, but the sequence itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.launch.detach_keys import DEFAULT, BadKeys, Watcher, parse, spell


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (DEFAULT, b"\x1dd"),
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("CTRL-A,x", b"\x01x"),
        ("ctrl-\\", b"\x1c"),
        ("ctrl-@,ctrl-^", b"\x00\x1e"),
    ],
)
def test_keys_are_read(text: str, keys: bytes) -> None:
    """As docker has them."""
    assert parse(text) == keys


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "d,ctrl-p", "ctrl-", "ctrl-1", "ctrl-pp", "ctrl-p,", "ctrl-a" + ",b" * 8,
        "ctrl-é", "ctrl-ж", "ctrl-İ", "ctrl-a,ctrl-é",
    ],
)  # fmt: skip
def test_what_is_no_sequence_is_refused(text: str) -> None:
    """The first key must be one that is not typed by itself."""
    with pytest.raises(BadKeys):
        parse(text)


def test_they_are_spelled_for_people() -> None:
    assert spell(parse(DEFAULT)) == "Ctrl-] d"


@given(st.lists(st.binary(max_size=6).map(lambda data: data.replace(b"\x1dd", b"")), max_size=8))
def test_property_nothing_is_lost(pieces: list[bytes]) -> None:
    """In any pieces: all that was typed before the sequence, and nothing of it."""
    typed = b"".join(pieces)
    watcher, inside = Watcher(b"\x1dd"), b""
    left = False
    for piece in pieces:
        if not left:
            data, left = watcher.feed(piece)
            inside += data
    before, found, _ = typed.partition(b"\x1dd")
    assert left is bool(found)
    assert inside + watcher.release() == before


def test_the_beginning_alone_goes_inside_in_the_end() -> None:
    """vim's Ctrl-] is held for a moment, not lost."""
    watcher = Watcher(b"\x1dd")
    assert watcher.feed(b"a\x1d") == (b"a", False)
    assert watcher.holds
    assert watcher.release() == b"\x1d"
    assert watcher.feed(b"\x1dx") == (b"\x1dx", False)
    assert not watcher.holds
