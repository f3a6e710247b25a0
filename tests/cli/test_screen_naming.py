"""The name-and-colour modal, key by key, through Textual (spec: cli, section 9)."""

from __future__ import annotations

import pytest

from bot_bottle.cli.commands.start import COLORS
from bot_bottle.cli.screens import naming
from bot_bottle.cli.screens.frame import Size, Style
from bot_bottle.cli.screens.naming import Naming, NamingModal


@pytest.mark.parametrize(
    ("keys", "result"),
    [
        (["enter", "enter"], Naming("fixer", "")),
        (["escape", "escape"], Naming("fixer", "")),
        (["ctrl+c", "ctrl+c"], Naming("fixer", "")),
        (["N", "e", "w", "enter", "enter"], Naming("New", "")),  # typing overwrites the default, then appends
        (["a", "space", "q", "j", "k", "enter", "enter"], Naming("a qjk", "")),
        (["backspace", "enter", "enter"], Naming("fixe", "")),
        (["backspace", "r", "2", "enter", "enter"], Naming("fixer2", "")),
        ([*["backspace"] * 9, "enter", "enter"], Naming("fixer", "")),  # empty: the default
        (["a", "b", "ctrl+h", "enter", "enter"], Naming("a", "")),
        (["a", "b", "escape", "enter"], Naming("fixer", "")),
        (["space", "enter", "enter"], Naming("fixer", "")),
        (["enter", "down", "enter"], Naming("fixer", "red")),
        (["enter", "j", "j", "enter"], Naming("fixer", "green")),
        (["enter", *["down"] * 9, "enter"], Naming("fixer", "magenta")),
        (["enter", "down", "down", "up", "enter"], Naming("fixer", "red")),
        (["enter", "j", "k", "k", "enter"], Naming("fixer", "")),
        (["enter", "down", "escape"], Naming("fixer", "")),
        (["left", "tab", "enter", "x", "enter"], Naming("fixer", "")),
    ],
)
def test_keys(drive, keys, result) -> None:
    modal = drive(NamingModal("fixer"), *keys).model
    assert modal.done
    assert modal.result == result


def test_a_step_that_was_answered_is_left_out(drive) -> None:
    assert drive(NamingModal("x", label=False), "down", "enter").model.result == Naming("x", "red")
    assert drive(NamingModal("x", color="blue"), "enter").model.result == Naming("x", "blue")
    assert drive(NamingModal("x", color=""), "y", "enter").model.result == Naming("y", "")
    assert NamingModal("x", label=False, color="").done


def test_the_label_s_screen(drive) -> None:
    """The notice is bold and below the field; help is dimmed."""
    driven = drive(NamingModal("fixer", notice='"fixer" is already in use'), size=(60, 10))
    assert driven.rows[:5] == [
        "Name this bottle", "Label: fixer", '"fixer" is already in use', "─" * 40,
        "type a name  Enter take it  Esc take the default",
    ]  # fmt: skip
    assert driven.lines[2].style is Style.BOLD
    assert driven.lines[4].style is Style.DIM


def test_each_colour_is_drawn_bold_in_itself(drive) -> None:
    driven = drive(NamingModal("fixer"), "enter", "down", size=(60, 12))
    assert driven.rows[2:8] == ["  (none)", "> red", "  green", "  yellow", "  blue", "  magenta"]
    for row, color in enumerate(COLORS, 3):
        assert {f"bold bright_{color}"} <= driven.styles[row]
    assert tuple(naming.COLORS)[1:] == COLORS


def test_a_label_drives_nothing(drive) -> None:
    """Typed or given: controls are not taken, markup is text."""
    modal = NamingModal("[red]\x1b]0;x\x07\u202e")
    assert "[red]\\x1b]0;x\\x07\\u202e" in drive(modal).rows[1]
    typed = NamingModal("x")
    typed.paste("a\x1b[2J\u202eb\nc[b]")
    assert typed.text == "a[2Jbc[b]"


def test_a_label_has_an_end() -> None:
    modal = NamingModal("x")
    modal.paste("y" * 500)
    assert modal.text == "y" * naming.MAX_LABEL_CHARS


@pytest.mark.parametrize("step", [True, False])
@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (5, 2), (20, 3), (80, 4), (3, 24)])
def test_a_screen_that_was_made_smaller(step, columns, rows) -> None:
    """Drawn as far as it goes; nothing fails."""
    modal = NamingModal("fixer", notice="x is already in use", label=step)
    assert 0 < len(modal.view(Size(columns, rows))) <= rows
