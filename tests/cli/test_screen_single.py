"""The single-select picker, key by key, through Textual (spec: cli, section 9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.base.text import printable
from bot_bottle.cli.screens.frame import Size, Style
from bot_bottle.cli.screens.single import SinglePicker

ITEMS = ("alpha", "beta", "Gamma", "jack", "quick")


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        (["enter"], "alpha"),
        (["down", "enter"], "beta"),
        (["j", "j", "enter"], "Gamma"),
        (["down", "up", "enter"], "alpha"),
        (["j", "j", "k", "enter"], "beta"),
        (["up", "enter"], "alpha"),
        (["k", "enter"], "alpha"),
        ([*["down"] * 9, "enter"], "quick"),
        (["g", "enter"], "Gamma"),  # in any case of letters
        (["down", "down", "b", "enter"], "beta"),  # typing sets the cursor to the top
        (["x", "enter", "backspace", "enter"], "alpha"),  # nothing matches: nothing is chosen
        (["a", "c", "ctrl+h", "ctrl+h", "down", "enter"], "beta"),
        (["backspace", "enter"], "alpha"),
        (["a", "q", "backspace", "enter"], "alpha"),  # behind other text these letters are text
        (["u", "i", "c", "k", "enter"], "quick"),
        (["a", "j", "backspace", "c", "k", "enter"], "jack"),
        (["escape"], None),
        (["q"], None),
        (["ctrl+c"], None),
        (["ctrl+d"], None),
        (["a", "escape"], None),
        (["tab", "ctrl+q", "ctrl+p", "f1", "left", "enter"], "alpha"),  # Textual's own keys do nothing
    ],
)
def test_keys(drive, keys, chosen) -> None:
    picker = drive(SinglePicker("Select agent", ITEMS), *keys).model
    assert picker.done
    assert (None if picker.result is None else ITEMS[picker.result]) == chosen


def test_an_empty_list_is_cancelled_at_once() -> None:
    """Nobody is shown a list of nothing."""
    picker = SinglePicker("Select agent", [])
    assert picker.done
    assert picker.result is None


def test_the_screen(drive) -> None:
    """Title bold, filter, 40 cells of rule, the cursor's row reversed, help dimmed; the rest is empty."""
    driven = drive(SinglePicker("Select agent", ITEMS), "down", size=(80, 12))
    assert driven.rows == [
        "Select agent", "Filter:", "─" * 40, "  alpha", "> beta", "  Gamma", "  jack", "  quick", "─" * 40,
        "↑/↓ move  Enter choose  type to filter  Esc cancel", "", "",
    ]  # fmt: skip
    assert [line.style for line in driven.lines][:5] == [
        Style.BOLD, Style.PLAIN, Style.PLAIN, Style.PLAIN, Style.REVERSE,
    ]  # fmt: skip
    assert driven.styles[0] >= {"bold"}
    assert driven.styles[4] >= {"reverse"}
    assert drive(SinglePicker("t", ITEMS), size=(30, 12)).rows[2] == "─" * 29


def test_a_long_list_scrolls(drive) -> None:
    """The cursor's row is always there, whatever is cut off."""
    many = [f"agent-{number:03}" for number in range(200)]
    driven = drive(SinglePicker("Select agent", many), *["down"] * 150, size=(80, 12))
    assert "> agent-150" in driven.rows
    assert len(driven.lines) == 12


HOSTILE = (
    "[red]x[/red]",
    "esc\x1b[31mx\x07",
    "rev\u202eabc",
    "[@click=app.bell()]b[/]",
    "wide 漢字漢字",
    "\x9b2J",
)


def test_names_drive_nothing(drive) -> None:
    """Markup is text, controls and bidirectional marks are shown as escapes."""
    driven = drive(SinglePicker("[b]title[/b]\x1b]0;x\x07", HOSTILE))
    shown = "\n".join(driven.rows)
    assert "[red]x[/red]" in shown
    assert "[@click=app.bell()]b[/]" in shown
    assert "\\x1b[31m" in shown
    assert "\\u202e" in shown
    assert "[b]title[/b]" in shown
    assert all(character.isprintable() for row in driven.rows for character in row)


@given(
    st.lists(st.text(max_size=30), min_size=1, max_size=8),
    st.lists(
        st.sampled_from(["up", "down", "backspace", "x", "a", "é", "漢", " ", "tab", "left"]), max_size=12
    ),
    st.integers(20, 90),
    st.integers(6, 30),
)
def test_any_screen_fits(items, keys, columns, rows) -> None:
    """Whatever the names and keys: no more rows than there are, none wider, none with a control in it."""
    from rich.cells import cell_len

    picker = SinglePicker("Select agent", items)
    for key in keys:
        picker.press("space" if key == " " else key, key if len(key) == 1 else None)
    lines = picker.view(Size(columns, rows))
    assert len(lines) <= rows
    assert all(cell_len(line.text) <= columns and printable(line.text) == line.text for line in lines)
    assert not picker.matches or picker.cursor in range(len(picker.matches))
