"""Invariant: a bottle's output changes nothing on the operator's side, once it is over: no title, mode, margin, tab
stop or clipboard; nothing is typed back; what is on the screen can be read.

Asked of a real terminal emulator (tmux). The same bytes without the filter do change it: that is tried first.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: what tests share is found here

from terminal_emulator import Emulator
from terminal_streams import screens

from bot_bottle.launch.terminal import OutputFilter

ROWS, COLUMNS = 10, 40
ATTACKS = {
    "clipboard": "\x1b]52;c;Y3VybCBldmls\x07",
    "clipboard, C1": "\x9d52;c;Y3VybCBldmls\x9c",
    "clipboard in tmux's passthrough": "\x1bPtmux;\x1b\x1b]52;c;Y3VybCBldmls\x07\x1b\\",
    "title": "\x1b]0;evil\x07",
    "title, screen's": "\x1bkevil\x1b\\",
    "title, APC": "\x1b_evil\x1b\\",
    "working directory": "\x1b]7;file:///evil\x1b\\",
    "margins": "\x1b[3;5r",
    "origin": "\x1b[3;5r\x1b[?6h",
    "origin, by the saved cursor": "\x1b[3;5r\x1b[?6h\x1b7\x1b[?6l\x1b8",
    "no wrapping": "\x1b[?7l",
    "invisible cursor": "\x1b[?25l",
    "insert mode": "\x1b[4h",
    "keypad": "\x1b=\x1b[?1h",
    "mouse": "\x1b[?1003;1006h",
    "mouse, restored": "\x1b[?1003h\x1b[?1003s\x1b[?1003l\x1b[?1003r",
    "bracketed paste": "\x1b[?2004h",
    "tab stops": "\x1b[3g",
    "another screen": "\x1b[?1049h",
}
"""What changes a terminal for good, unless it is undone."""

QUESTIONS = {
    "attributes": "\x1b[c", "version": "\x1b[>q", "status": "\x1b[5n", "size": "\x1b[18t", "mode": "\x1b[?2026$p",
    "colours": "\x1b]11;?\x07\x1b]4;1;?\x07",
    "clipboard read": "\x1b]52;c;?\x07",
}  # fmt: skip
"""What is answered by typing."""


UNPROVEN = frozenset(
    {
        "title, screen's",
        "clipboard in tmux's passthrough",
        "clipboard, C1",
        "mouse, restored",
        "bracketed paste",
        "mode",
        "colours",
        "clipboard read",
    }
)
"""What this emulator does not do, or does not tell: other terminals do."""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    terminal = Emulator(tmp_path_factory.mktemp("t"), ROWS, COLUMNS)
    yield terminal
    terminal.end()


def over(text: str) -> bytes:
    """What the operator's terminal gets of a bottle that wrote this and has ended."""
    screen = OutputFilter()
    return screen.feed(text.encode()) + screen.restore()


def clean(emulator: Emulator) -> str:
    """The state of a terminal that nobody has touched."""
    emulator.reset()
    emulator.forget()
    return emulator.state()


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_stays_changed(emulator: Emulator, name: str) -> None:
    """With the filter; without it, the terminal is another one afterwards."""
    attack = ATTACKS[name]
    before = clean(emulator)
    if name not in UNPROVEN:
        emulator.write(attack.encode())
        assert emulator.state() != before, "the emulator does not do this: the test proves nothing"
        assert clean(emulator) == before
    emulator.write(over(f"a{attack}b"))
    assert emulator.state() == before


@pytest.mark.parametrize("name", QUESTIONS)
def test_nothing_is_typed_back(emulator: Emulator, name: str) -> None:
    """The terminal answers our own question for the cursor alone."""
    clean(emulator)
    if name not in UNPROVEN:
        emulator.write(QUESTIONS[name].encode())
        assert emulator.told.count(b"\x1b") > 1, "the emulator does not answer this: the test proves nothing"
    emulator.write(over(QUESTIONS[name]))
    assert emulator.told.count(b"\x1b") == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(screens, st.lists(st.sampled_from([*ATTACKS.values(), *QUESTIONS.values()]), max_size=8), st.randoms())
def test_property_nothing_stays_of_any_mixture(
    emulator: Emulator, stream: list[str], attacks: list[str], random
) -> None:
    """Of drawing and attacks, in any order."""
    before = clean(emulator)
    mixed = [*stream, *attacks]
    random.shuffle(mixed)
    emulator.write(over("".join(mixed)))
    assert emulator.told.count(b"\x1b") == 1
    assert emulator.state() == before


def test_what_comes_after_is_seen(emulator: Emulator) -> None:
    """Our own words after a bottle that hid the cursor, the colours and the text: plain."""
    clean(emulator)
    emulator.write(over("\x1b[8;30;40m\x1b[?25l\x1b[2;3r\x1b[?6h\x1b(0hidden") + b"\r\nbot-bottle: seen")
    assert "\nbot-bottle: seen\n" in emulator.shown()
