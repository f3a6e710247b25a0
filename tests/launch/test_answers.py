"""Invariant: an answer is short, fixed but for size, cursor, modes and our own colours, and holds nothing of the
question's but a number."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle import __version__
from bot_bottle.launch.answers import Answers
from bot_bottle.launch.terminal import OutputFilter, Query

ANSWER = re.compile(
    rb"(\x1b\[[>?]?[0-9;]{1,20}\$?[cnRty]"
    rb"|\x1b\](1[01]|4;[0-9]{1,3});rgb:[0-9a-f]{4}/[0-9a-f]{4}/[0-9a-f]{4}\x1b\\"
    rb"|\x1bP>\|bot-bottle [0-9.a-z+]+\x1b\\)?\Z"
)


def answered(written: str, *, cursor: tuple[int, int] | None = (7, 9)) -> str:
    """What a program that writes this is to read."""
    screen = OutputFilter()
    answers = Answers(
        size=lambda: (24, 80),
        cursor=lambda: cursor,
        mode=screen.mode,
        colors={"background": "#082008", "10": "#2ecc71"},
    )
    pieces = screen.pieces(written.encode())
    return b"".join(answers.to(piece) for piece in pieces if isinstance(piece, Query)).decode()


@pytest.mark.parametrize(
    ("name", "asked", "answer"),
    [
        ("DA1", "\x1b[c\x1b[0c", "\x1b[?62;22c\x1b[?62;22c"),
        ("DA2", "\x1b[>c", "\x1b[>0;0;0c"),
        ("DA3", "\x1b[=c", ""),
        ("DSR", "\x1b[5n", "\x1b[0n"),
        ("CPR", "\x1b[6n", "\x1b[7;9R"),
        ("DECXCPR", "\x1b[?6n", "\x1b[?7;9R"),
        ("XTVERSION", "\x1b[>q\x1b[>0q", f"\x1bP>|bot-bottle {__version__}\x1b\\" * 2),
        ("size", "\x1b[18t", "\x1b[8;24;80t"),
        ("size in pixels", "\x1b[14t\x1b[16t", ""),
        ("DECRQM", "\x1b[?2026$p\x1b[?2026h\x1b[?2026$p", "\x1b[?2026;2$y\x1b[?2026;1$y"),
        ("DECRQM, on by default", "\x1b[?25$p", "\x1b[?25;1$y"),
        ("DECRQM, not passed", "\x1b[?69$p\x1b[12$p\x1b[?1016$p", "\x1b[?69;0$y\x1b[12;0$y\x1b[?1016;0$y"),
        ("background", "\x1b]11;?\x1b\\", "\x1b]11;rgb:0808/2020/0808\x1b\\"),
        ("foreground, not ours", "\x1b]10;?\x07", ""),
        ("palette", "\x1b]4;10;?\x07\x1b]4;3;?\x07", "\x1b]4;10;rgb:2e2e/cccc/7171\x1b\\"),
        ("keyboard protocol", "\x1b[?u", ""),
        ("title report", "\x1b[21t", ""),
        ("DECRQSS", "\x1bP$qm\x1b\\", ""),
        ("XTGETTCAP", "\x1bP+q544e\x1b\\", ""),
        ("checksum", "\x1b[1;1;1;1;1;1*y", ""),
        ("answerback", "\x05", ""),
        ("clipboard", "\x1b]52;c;?\x07", ""),
        ("font", "\x1b]50;?\x07", ""),
    ],
)
def test_a_question_has_this_answer(name: str, asked: str, answer: str) -> None:
    """What can't be answered truly gets none."""
    assert answered(asked) == answer


def test_an_unknown_cursor_is_not_made_up() -> None:
    """Where nobody knows where it is."""
    assert answered("\x1b[6n", cursor=None) == ""


@given(
    st.text(
        st.sampled_from("\x1b[]PX^_\\;:?>=!$ 0123456789cnthlmqpuy\x07\x9b\x9d\x90\x18aR\r\n|"), max_size=60
    )
)
def test_property_no_answer_carries_what_was_asked(text: str) -> None:
    """Nothing that a shell would take for a command: no answer has a line's end, or text of the question's."""
    screen = OutputFilter()
    answers = Answers(
        size=lambda: (1, 1), cursor=lambda: (1, 1), mode=screen.mode, colors={"background": "#082008"}
    )
    for piece in screen.pieces(text.encode()):
        if isinstance(piece, Query):
            assert ANSWER.match(answers.to(piece)), piece
