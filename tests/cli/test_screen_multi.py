"""The multi-select picker, key by key, through Textual (spec: cli, section 9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.cli.screens.frame import Size, Style
from bot_bottle.cli.screens.multi import Focus, MultiPicker

NAMES = ("a1", "b2", "c3", "d4")
LABELS = ("a1", "a1 -> b2", "c3", "(b2, c3) -> d4")


def picker(*selected: str) -> MultiPicker:
    return MultiPicker("Select bottles", NAMES, labels=LABELS, selected=selected)


@pytest.mark.parametrize(
    ("selected", "keys", "result"),
    [
        # any focus
        ((), ["escape"], None),
        ((), ["q"], None),
        (("a1",), ["ctrl+c"], None),
        (("a1",), ["tab", "q"], None),
        (("a1",), ["tab", "escape"], None),
        ((), ["ctrl+d"], ()),
        (("b2", "a1"), ["ctrl+d"], ("b2", "a1")),
        (("b2",), ["tab", "ctrl+d"], ("b2",)),
        ((), ["tab", "space", "ctrl+d"], ("a1",)),  # nothing selected: the focus stays
        (("b2",), ["tab", "tab", "space", "ctrl+d"], ("b2", "a1")),
        # filter
        ((), ["enter"], ()),
        (("c3",), ["enter"], ("c3",)),  # without toggling
        ((), ["space", "enter"], ("a1",)),
        ((), ["space", "space", "enter"], ()),
        ((), ["j", "space", "k", "space", "enter"], ("b2", "a1")),  # appended in the order of selection
        ((), ["down", "down", "space", "up", "space", "enter"], ("c3", "b2")),
        (("a1", "b2", "c3"), ["down", "space", "enter"], ("a1", "c3")),  # the rest keeps its order
        ((), ["D", "space", "enter"], ("d4",)),
        ((), ["minus", "down", "space", "enter"], ("d4",)),
        ((), ["down", "d", "space", "enter"], ("d4",)),  # typing sets the cursor to the top
        ((), ["c", "3", "backspace", "space", "enter"], ("c3",)),
        ((), ["x", "space", "ctrl+h", "space", "enter"], ("a1",)),  # no match: nothing to toggle
        ((), ["c", "q", "j", "k", "backspace", "backspace", "backspace", "space", "enter"], ("c3",)),
        # order
        (("a1", "b2", "c3"), ["tab", "J", "ctrl+d"], ("b2", "a1", "c3")),
        (
            ("a1", "b2", "c3"),
            ["tab", "J", "J", "J", "ctrl+d"],
            ("b2", "c3", "a1"),
        ),  # follows; no-op at the end
        (("a1", "b2", "c3"), ["tab", "K", "ctrl+d"], ("a1", "b2", "c3")),
        (("a1", "b2", "c3"), ["tab", "j", "j", "K", "ctrl+d"], ("a1", "c3", "b2")),
        (("a1", "b2", "c3"), ["tab", "down", "space", "ctrl+d"], ("a1", "c3")),
        (("a1", "b2", "c3"), ["tab", "down", "up", "enter", "ctrl+d"], ("b2", "c3")),
        (("a1", "b2", "c3"), ["tab", "j", "j", "space", "space", "ctrl+d"], ("a1",)),  # the cursor clamps
        (("a1", "b2"), ["tab", "k", "k", "space", "ctrl+d"], ("b2",)),
        (("a1",), ["tab", "space", "down", "space", "enter"], ("b2",)),  # empty: back to the filter
        (("a1", "b2"), ["tab", "x", "backspace", "left", "ctrl+d"], ("a1", "b2")),
    ],
)
def test_keys(drive, selected, keys, result) -> None:
    model = drive(picker(*selected), *keys).model
    assert model.done
    assert model.result == result


def test_preselection_keeps_its_order_and_drops_unknown_names() -> None:
    """And what stands twice."""
    assert picker("d4", "gone", "a1", "d4").selected == ["d4", "a1"]


def test_no_bottles_is_an_empty_answer() -> None:
    """Without a terminal being opened."""
    model = MultiPicker("Select bottles", [])
    assert (model.done, model.result) == (True, ())


def test_the_screen(drive) -> None:
    """Title, filter with the hint for Tab, items with their marks, the order below, the help of the focus."""
    driven = drive(picker("c3", "a1"), "down", size=(80, 14))
    assert driven.rows == [
        "Select bottles", "Filter:   (Tab: change the order)", "─" * 40,
        "  [*] a1", "> [ ] a1 -> b2", "  [*] c3", "  [ ] (b2, c3) -> d4", "─" * 40,
        "  1. c3", "  2. a1", "─" * 40,
        "↑/↓ move  Space select  Enter confirm  type to filter  Esc cancel", "", "",
    ]  # fmt: skip
    assert driven.lines[4].style is Style.REVERSE
    ordering = drive(picker("c3", "a1"), "tab", "down", size=(80, 14))
    assert ordering.rows[8:10] == ["  1. c3", "> 2. a1"]
    assert ordering.lines[9].style is Style.REVERSE
    assert {line.style for line in [ordering.lines[1], *ordering.lines[3:7]]} == {Style.DIM}
    assert "K/J" in ordering.rows[11]
    assert "Tab: change" not in ordering.rows[1]


def test_nothing_selected_shows_no_order(drive) -> None:
    assert "Tab" not in "\n".join(drive(picker(), size=(80, 14)).rows)


def test_the_smallest_screen(drive) -> None:
    """Seven rows: one item, one of the order."""
    rows = drive(picker("c3", "a1"), "down", size=(40, 7)).rows
    assert "> [ ] a1 -> b2" in rows
    assert "  1. c3" in rows
    assert len(rows) == 7


def test_the_order_has_at_most_a_third(drive) -> None:
    """And scrolls with its cursor."""
    names = [f"n{number:02}" for number in range(30)]
    rows = drive(MultiPicker("t", names, selected=names), "tab", *["down"] * 29, size=(80, 24)).rows
    order = [row for row in rows if ". n" in row]
    assert len(order) == (24 - 6) // 3
    assert order[-1] == "> 30. n29"


def test_labels_drive_nothing(drive) -> None:
    """A label is text, whatever a file made of it."""
    names = ("one", "two")
    driven = drive(MultiPicker("t", names, labels=("[red]x", "\x1b[2Jx\u202e")), "space", "down", "space")
    assert "  [*] [red]x" in driven.rows
    assert "> [*] \\x1b[2Jx\\u202e" in driven.rows
    assert driven.model.selected == ["one", "two"]


KEYS = ["up", "down", "tab", "space", "backspace", "j", "k", "J", "K", "1", "x", "left"]


@given(
    st.lists(st.sampled_from(NAMES), max_size=6),
    st.lists(st.sampled_from(KEYS), max_size=30),
    st.integers(20, 90),
    st.integers(7, 30),
)
def test_invariants(selected, keys, columns, rows) -> None:
    """After any keys: no name twice, none invented, cursors inside, the focus on something; the screen fits."""
    from rich.cells import cell_len

    model = picker(*selected)
    for key in keys:
        model.press(key, " " if key == "space" else key if len(key) == 1 else None)
    assert not model.done
    assert len(set(model.selected)) == len(model.selected)
    assert set(model.selected) <= set(NAMES)
    assert model.focus is Focus.FILTER or model.order_cursor in range(len(model.selected))
    assert not model.matches or model.cursor in range(len(model.matches))
    lines = model.view(Size(columns, rows))
    assert len(lines) <= rows
    assert all(cell_len(line.text) <= columns for line in lines)
    assert any(line.style is Style.REVERSE for line in lines) or not model.matches


@given(st.integers(1, 30), st.integers(1, 12), st.booleans())
def test_a_screen_that_was_made_smaller(columns, rows, ordering) -> None:
    """Drawn as far as it goes; nothing fails."""
    model = picker("a1", "c3")
    if ordering:
        model.press("tab", None)
    assert 0 < len(model.view(Size(columns, rows))) <= rows
