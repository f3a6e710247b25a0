"""Invariant: nothing that the filter lets out makes a terminal answer, store, fetch or rename anything."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.launch.terminal import OutputFilter, as_text


def shown(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return OutputFilter().feed(data).decode()


@pytest.mark.parametrize(
    "text",
    [
        "plain text, tabs\tand\r\nlines\n",
        "ünïcödé 漢字 🙂 combining e\u0301",
        "\x1b[0m\x1b[1;31mred\x1b[38;2;1;2;3m\x1b[38:5:12mdeep\x1b[m",
        "\x1b[2J\x1b[H\x1b[10;20H\x1b[K\x1b[1A\x1b[3B\x1b[5C\x1b[2D\x1b[7G\x1b[4d",
        "\x1b[?25l\x1b[?25h\x1b[?1049h\x1b[?1049l\x1b[?2004h\x1b[?1000;1006h\x1b[?2026h",
        "\x1b[1;24r\x1b7\x1b8\x1b[s\x1b[u\x1bM\x1b(0\x1b(B\x1b=\x1b>",
        "\x1b[2 q\x1b[3L\x1b[2M\x1b[4P\x1b[5@\x1b[2X\x1b[3S\x1b[1T",
    ],
)
def test_what_screens_are_made_of_passes(text: str) -> None:
    """Text, SGR, cursor, screen, mouse and mode sequences come out as they went in."""
    assert shown(text) == text


@pytest.mark.parametrize(
    ("name", "attack"),
    [
        ("clipboard", "\x1b]52;c;Y3VybCBldmls\x07"),
        ("clipboard, ST", "\x1b]52;c;Y3VybCBldmls\x1b\\"),
        ("clipboard, C1 introducer", "\x9d52;c;Y3VybCBldmls\x9c"),
        ("file transfer", "\x1b]1337;File=name=YQ==:AAAA\x07"),
        ("kitty clipboard", "\x1b]5522;type=read\x1b\\"),
        ("title", "\x1b]0;rm -rf\x07\x1b]2;x\x1b\\"),
        ("palette", "\x1b]4;1;#000000\x07\x1b]10;?\x07\x1b]11;#fff\x1b\\"),
        ("device attributes", "\x1b[c\x1b[>c\x1b[=c\x1b[0c"),
        ("status report", "\x1b[5n\x1b[6n\x1b[?6n\x1b[?996n"),
        ("window report", "\x1b[14t\x1b[21t\x1b[22;0t\x1b[8;1;1t"),
        ("checksum report", "\x1b[1;1;1;1;1;1*y"),
        ("DECRQSS", '\x1bP$q"p\x1b\\'),
        ("DCS, C1", "\x90$qm\x9c"),
        ("sixel", "\x1bPq#0;2;0;0;0#0~~@@vv\x1b\\"),
        ("APC, PM and SOS", "\x1b_Ga=T;AAAA\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\"),
        ("answerback", "\x05"),
        ("reset", "\x1bc\x1b[!p"),
        ("DECRQM", "\x1b[?2026$p\x1b[4$p"),
        ("media copy", "\x1b[5i\x1b[?4i\x1b[4i"),
        ("keyboard protocol", "\x1b[>1u\x1b[?u\x1b[>4;2m"),
        ("scrollback wiped", "\x1b[3J\x1b[?3J"),
        ("tab stops", "\x1b[3g\x1bH"),
        ("modes saved and restored", "\x1b[?1000s\x1b[?1000r"),
        ("endless repetition", "\x1b[999999999b"),
        ("conceal", "\x1b[8m\x1b[08m\x1b[38;7;8m"),
        ("wrong modes", "\x1b[?3h\x1b[?80h\x1b[20;99h"),
        ("control inside a sequence", "\x1b[5\x1b[6n"),
        ("DEL and NUL", "\x7f\x00"),
    ],
)
def test_attacks_leave_nothing(name: str, attack: str) -> None:
    """Strings, queries and unknown sequences vanish whole; the text around them stays."""
    assert shown(f"a{attack}b") == "ab", name


@pytest.mark.parametrize(
    ("written", "out"),
    [
        ("\x1b[1;8;31m", "\x1b[1;31m"),
        ("\x1b[38;5;8;8m", "\x1b[38;5;8m"),
        ("\x1b[48;2;8;8;8m", "\x1b[48;2;8;8;8m"),
        ("\x1b[38:5:8m", "\x1b[38:5:8m"),
        ("\x1b[28m", "\x1b[28m"),
    ],
)
def test_concealed_text_is_seen(written: str, out: str) -> None:
    """SGR 8 goes, wherever it stands; an 8 that is part of a colour stays."""
    assert shown(written) == out


def test_a_hyperlink_becomes_its_text() -> None:
    """OSC 8 may show one address and open another."""
    assert shown("\x1b]8;;https://evil.example\x1b\\docs\x1b]8;;\x1b\\!") == "docs!"


def test_invalid_utf8_is_replaced() -> None:
    """A lone 0x9B would be CSI to a terminal in an 8-bit mode."""
    assert shown(b"a\x9b6nb") == "a\ufffd6nb"


@given(st.binary(max_size=200), st.integers(0, 200))
def test_property_chunking_changes_nothing(data: bytes, cut: int) -> None:
    """The same bytes in any pieces give the same output."""
    whole = OutputFilter().feed(data)
    pieces = OutputFilter()
    assert pieces.feed(data[:cut]) + pieces.feed(data[cut:]) == whole


@given(
    st.text(
        alphabet=st.sampled_from("\x1b[]PX^_\\;:?>=!$ 0123456789cnthlmqpuy\x07\x9b\x9d\x90\x18a"), max_size=80
    )
)
def test_property_output_has_no_string_and_no_query(text: str) -> None:
    """Whatever goes in: no control string, no C1, no query among what comes out; filtering again is a no-op."""
    once = shown(text)
    assert not re.search(r"\x1b[\]PX^_c]|[\x80-\x9f]|\x1b\[[^@-~]*[cntxyip]", once)
    assert shown(once) == once


@pytest.mark.parametrize(
    ("written", "restored"),
    [
        ("plain", ""),
        ("\x1b]0;title\x07", ""),
        ("\x1b[1mbold", "\x1b[0m\x1b(B\x1b)B\x0f\x1b>"),
        ("\x1b[?1049h\x1b[?25l", "\x1b[0m\x1b(B\x1b)B\x0f\x1b>\x1b[?1049l\x1b[?25h"),
        ("\x1b[?1000;1006h\x1b[4h", "\x1b[0m\x1b(B\x1b)B\x0f\x1b>\x1b[?1000l\x1b[?1006l\x1b[4l"),
        ("\x1b[?1049h\x1b[?1049l", "\x1b[0m\x1b(B\x1b)B\x0f\x1b>"),
        ("\x1b[2;5r", "\x1b[0m\x1b(B\x1b)B\x0f\x1b>\x1b7\x1b[r\x1b8"),
        ("\x0e", "\x1b[0m\x1b(B\x1b)B\x0f\x1b>"),
    ],
)
def test_what_was_let_out_is_undone(written: str, restored: str) -> None:
    """Our own words after a bottle's end can't be hidden by what it left on: and no more is sent than that."""
    screen = OutputFilter()
    screen.feed(written.encode())
    assert screen.restore().decode() == restored


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("\x1b[31mred\x1b[0m\x1b[2J\x1b[H\x1b[5Aup\x1b[?1049h\x07\x0e", "\x1b[31mred\x1b[0mup\x1b[0m"),
        ("\x1b]0;x\x07\x1b[8mseen", "seen"),
    ],
)
def test_a_screen_can_be_read_as_text(written: str, text: str) -> None:
    """Nothing of it moves the cursor over what stands there."""
    assert as_text(written.encode()).decode() == text
