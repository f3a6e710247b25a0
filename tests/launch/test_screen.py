"""Invariant: a new terminal that is given what was kept shows what the first one shows, cursor and colours too."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: what tests share is found here

from terminal_emulator import Emulator
from terminal_streams import COLUMNS, ROWS, screens

from bot_bottle.launch.screen import KEPT_BYTES, Screen
from bot_bottle.sandbox.contract import Terminal

SIZE = Terminal(ROWS, COLUMNS)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    terminal = Emulator(tmp_path_factory.mktemp("t"), ROWS, COLUMNS)
    yield terminal
    terminal.end()


def shown_after(emulator: Emulator, data: bytes) -> tuple[str, int, int, str]:
    """What is on it, where the cursor is, and how a letter there would look."""
    emulator.reset()
    row, column = emulator.write(data)
    shown = emulator.shown()
    emulator.write(b"\x1b[?7hX")
    return shown, row, min(column, COLUMNS), emulator.shown()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(screens)
def test_property_a_replay_shows_the_same(emulator: Emulator, stream: list[str]) -> None:
    """In one piece or as it came."""
    screen = Screen(SIZE)
    direct = b""
    for piece in stream:
        direct += screen.feed(piece.encode()).shown
    assert shown_after(emulator, screen.replay()) == shown_after(emulator, direct)


def test_what_is_kept_is_bounded() -> None:
    """However much is printed: the newest of it, without a sequence cut in two."""
    screen = Screen(SIZE)
    for number in range(2000):
        screen.feed(f"\x1b[3{number % 8}mline {number} {'x' * 300}\r\n".encode())
    kept = screen.replay()
    assert len(kept) < KEPT_BYTES + 64 * 1024
    assert b"line 1999" in kept
    assert b"line 0 " not in kept
    assert kept.startswith(b"\x1b[")


def test_a_clear_forgets_what_was_before() -> None:
    """Of the screen that is cleared, not of the other one."""
    screen = Screen(SIZE)
    screen.feed(b"old\x1b[2J\x1b[Hnew")
    assert b"old" not in screen.replay()
    screen.feed(b"\x1b[?1049hother\x1b[2J")
    assert b"new" in screen.replay()
    assert b"other" not in screen.replay()
    screen.feed(b"\x1b[?1049l")
    assert b"new" in screen.replay()


def test_questions_are_answered_where_they_stand() -> None:
    """The cursor's place is that of the moment; nothing of a question is shown or kept."""
    screen = Screen(SIZE, {"background": "#200808"})
    come = screen.feed(b"abc\x1b[6nde\r\n\x1b[6n\x1b[c\x1b]11;?\x07\x1b]10;?\x07")
    assert come.shown == b"abcde\r\n"
    assert come.answers == b"\x1b[1;4R\x1b[2;1R\x1b[?62;22c\x1b]11;rgb:2020/0808/0808\x1b\\"
    assert b"6n" not in screen.replay()


def test_a_program_that_writes_byte_by_byte_fills_no_memory() -> None:
    """Each piece that is kept has the whole look of the terminal beside it: kilobytes of colours."""
    screen = Screen(Terminal(ROWS, COLUMNS))
    colors = ";".join(["38;2;255;255;255"] * 14)
    screen.feed(b"".join(b"\x1b[38;5;%d;%sm" % (number, colors.encode()) for number in range(16)))
    tracemalloc.start()
    for _ in range(20_000):
        screen.feed(b"x")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 1024 * 1024, "150 MiB when each byte was a piece of its own"
    assert screen.text().count(b"x") == 20_000
