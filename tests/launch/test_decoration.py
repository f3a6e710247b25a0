"""Title and colours are ours, of five names, and undone."""

from __future__ import annotations

import pytest

from bot_bottle.launch import decoration


def test_a_colour_sets_palette_and_background() -> None:
    """The values of the specification; the old title waits on the terminal's stack."""
    begun = decoration.begin("one (worker)", "red").decode()
    assert begun == (
        "\x1b[22;0t\x1b]0;one (worker)\x1b\\\x1b]4;9;#e74c3c;1;#c0392b\x1b\\\x1b]11;#200808\x1b\\"
    )
    assert (
        decoration.end("one (worker)", "red").decode() == "\x1b]104;9;1\x1b\\\x1b]111\x1b\\\x1b[23;0t\x1b[0m"
    )
    assert decoration.colors("red") == {"9": "#e74c3c", "1": "#c0392b", "background": "#200808"}


@pytest.mark.parametrize("color", ["", "orange", "\x1b]52;c;eA==\x07"])
def test_another_colour_is_none(color: str) -> None:
    """Nothing is put out for it."""
    assert decoration.begin("", color) == decoration.end("", color) == b""
    assert decoration.colors(color) == {}


def test_a_title_can_not_speak_to_the_terminal() -> None:
    """It may hold a label that somebody wrote into a manifest."""
    begun = decoration.begin("a\x07\x1b]52;c;eA==\x07" + "x" * 500, "").decode()
    assert begun.count("\x1b") == 3
    assert "\x07" not in begun
    assert len(begun) < 200
