"""Invariant: after whatever was shown, the cursor is where a terminal has it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: what tests share is found here

from terminal_emulator import Emulator
from terminal_streams import COLUMNS, ROWS, streams

from bot_bottle.launch.cursor import Cursor
from bot_bottle.launch.terminal import OutputFilter


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    terminal = Emulator(tmp_path_factory.mktemp("t"), ROWS, COLUMNS)
    yield terminal
    terminal.end()


def cursor_after(text: str, rows: int = ROWS, columns: int = COLUMNS) -> Cursor:
    cursor = Cursor(rows, columns)
    for piece in OutputFilter().pieces(text.encode()):
        assert isinstance(piece, str)
        cursor.feed(piece)
    return cursor


def backs_over_the_edge(text: str) -> bool:
    """A backspace in the first column: tmux goes to the line above where that one has wrapped, xterm stays."""
    cursor = Cursor(ROWS, COLUMNS)
    for piece in OutputFilter().pieces(text.encode()):
        assert isinstance(piece, str)
        if piece == "\b" and cursor.column == 1:
            return True
        cursor.feed(piece)
    return False


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(streams)
def test_property_the_cursor_is_where_a_terminal_has_it(emulator: Emulator, stream: list[str]) -> None:
    """Row and column, after any mixture of text, moves, margins and modes."""
    assume(not backs_over_the_edge("".join(stream)))
    emulator.reset()
    at = emulator.write("".join(stream).encode())
    cursor = cursor_after("".join(stream))
    # tmux counts one column more than there are when the next character will wrap
    assert (cursor.row, cursor.column) == (at[0], min(at[1], COLUMNS))
