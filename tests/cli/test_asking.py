"""Questions on a terminal: what is asked, what counts as yes, what a terminal may type back."""

from __future__ import annotations

import os
import select

import pytest

from bot_bottle.cli import asking
from bot_bottle.cli.asking import Asker, ask_until, can_show_screens, find_asker
from bot_bottle.cli.errors import Exit
from bot_bottle.cli.preflight import confirm


@pytest.fixture
def pty():
    """(asker, type, seen): a terminal, what a person types on it, what was written to it."""
    master, slave = os.openpty()

    def seen() -> bytes:
        found = b""
        while select.select([master], [], [], 0.1)[0]:
            found += os.read(master, 65536)
        return found

    yield Asker(slave), lambda text: os.write(master, text), seen
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("typed", "yes"),
    [
        (b"y\n", True), (b"Y\n", True), (b"yes\n", True), (b"YES\n", True), (b" y \r", True), (b"n\n", False),
        (b"\n", False), (b"yeah\n", False), (b"Yes!\n", False), (b"\x04", False), (b"\xff\xfe\n", False),
    ],
)  # fmt: skip
def test_yes(pty, typed, yes) -> None:
    asker, type_, _ = pty
    type_(typed)
    assert asker.yes("start?") is yes


def test_the_end_of_input_is_no_line(pty) -> None:
    asker, type_, _ = pty
    type_(b"\x04")
    assert asker.line("name:") is None
    type_(b"half\x04\x04")
    assert asker.line("name:") == "half"


def test_one_line_is_one_answer(pty) -> None:
    """What was typed ahead answers the next question."""
    asker, type_, _ = pty
    type_("erste\nzw\u00e4i\n".encode())
    assert [asker.line("a"), asker.line("b")] == ["erste", "zw\u00e4i"]


def test_a_question_drives_nothing(pty, monkeypatch, capsys) -> None:
    """Names in it may come from a project's file."""
    asker, type_, seen = pty
    monkeypatch.setattr(asking, "_is_terminal", lambda _: False)
    type_(b"y\n")
    assert asker.yes("take \x1b[2J\x1b]0;t\x07 \u202e?")
    written = seen()
    assert b"\x1b" not in written
    assert b"\\x1b[2J" in written
    assert "\x1b" not in capsys.readouterr().err


def test_the_question_is_on_the_terminal_where_standard_error_is_not(pty, monkeypatch, capsys) -> None:
    asker, type_, seen = pty
    for elsewhere in (True, False):
        monkeypatch.setattr(asking, "_is_terminal", lambda _, here=not elsewhere: here)
        type_(b"y\n")
        asker.yes("start?")
        assert (b"start? [y/N]" in seen()) is elsewhere
    assert capsys.readouterr().err.count("start? [y/N]") == 2


def test_wrong_answers_are_asked_again(pty) -> None:
    asker, type_, _ = pty
    type_(b"x\n\n7\n")

    def number(text: str) -> str:
        if not text.isdigit():
            raise ValueError("a number")
        return text

    assert ask_until(asker, "how many", "", number) == "7"
    type_(b"\n")
    assert ask_until(asker, "how many", "3", number) == "3"
    type_(b"\x04")
    with pytest.raises(Exit) as end:
        ask_until(asker, "how many", "3", number)
    assert end.value.status == 1


def test_without_a_terminal(monkeypatch, capsys, tmp_path) -> None:
    """Nobody is asked; the end is usage, with the flag's name."""
    monkeypatch.setattr(asking, "TERMINAL", str(tmp_path / "none"))
    assert find_asker() is None
    with pytest.raises(Exit) as end:
        confirm("remove these?")
    assert end.value.status == 2
    assert "--yes" in capsys.readouterr().err


@pytest.mark.parametrize(("term", "can"), [("dumb", False), ("xterm", True), (None, True), ("", True)])
def test_a_dumb_terminal_shows_no_screens(monkeypatch, term, can) -> None:
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setenv("TERM", term)
    assert can_show_screens() is can
