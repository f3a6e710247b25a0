"""Lines on their way to standard error: whole ones stay whole, whatever happened to those before.

The system calls are played: when a disk is full in the middle of a line is nothing that can be waited for.
"""

from __future__ import annotations

import os
import select
from types import SimpleNamespace

import pytest

from bot_bottle.cli import spool


def test_a_line_that_was_cut_is_ended_before_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    came = [b"one\n", b"two\nth", b"ree\n", b"four\n", b"five\n", b""]
    takes = {b"one\n": 4, b"two\n": 2, b"o\n": None, b"\nthree\n": None, b"\nfour\n": 6, b"five\n": 5}
    """how much of it the file takes; None: it is full"""
    file = b""

    def write(_fd: int, data: memoryview) -> int:
        nonlocal file
        taken = takes[bytes(data)]
        if taken is None:
            raise OSError("no space left on device")
        file += data[:taken]
        return taken

    played = SimpleNamespace(
        pipe2=lambda _flags: (-1, -1),
        set_blocking=lambda _fd, _blocking: None,
        read=lambda _fd, _size: came.pop(0),
        write=write,
        close=lambda _fd: None,
        O_CLOEXEC=os.O_CLOEXEC,
    )
    monkeypatch.setattr(spool, "os", played)
    spool.Spool(2).close()
    assert file == b"one\ntw\nfour\nfive\n"


def test_text_goes_out_by_whole_lines_that_a_pipe_takes_at_once() -> None:
    """Pieces are put together; what is longer than one write may be is cut, and its end is a line's."""
    reading, target = os.pipe()
    lines = spool.Spool(target)
    for text in ("a ", "line\nand", " more\n", "l" * 9000 + "\n", "no end"):
        assert lines.write(text) == len(text)
    lines.close()
    os.close(target)
    with os.fdopen(reading, "rb") as file:
        assert file.read() == b"a line\nand more\n" + b"l" * (select.PIPE_BUF - 1) + b"\n"
