"""Every line once and whole, whatever happens to the files meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot_bottle.store import logs
from bot_bottle.store.layout import Layout
from bot_bottle.store.log_tail import MAX_LINE_BYTES, LogTail


@pytest.fixture
def place(tmp_path: Path) -> Path:
    directory = tmp_path / "home" / "logs" / "one"
    directory.mkdir(parents=True)
    return directory


@pytest.fixture
def tail(tmp_path: Path) -> LogTail:
    home = tmp_path / "home"
    return LogTail(Layout(home=home, shared=home, run=tmp_path / "run"), "one", [logs.EGRESS])


def read(tail: LogTail) -> list[str]:
    return list(tail.lines())


def test_lines_come_once(place: Path, tail: LogTail) -> None:
    """What has no end yet is left until it has one; a launch's new file is read as well."""
    log = place / "1.egress.log"
    assert read(tail) == []
    log.write_bytes(b"one\ntw")
    assert read(tail) == ["one"]
    with open(log, "ab") as file:
        file.write(b"o\n")
    (place / "2.egress.log").write_bytes(b"three\n")
    (place / "2.bottle.log").write_bytes(b"another kind\n")
    assert read(tail) == ["two", "three"]
    assert read(tail) == []


def test_a_file_that_was_replaced_or_cut_is_read_anew(place: Path, tail: LogTail) -> None:
    log = place / "1.egress.log"
    log.write_bytes(b"one\ntwo\n")
    assert read(tail) == ["one", "two"]
    other = place / "other"
    other.write_bytes(b"three\nfour\n")
    os.replace(other, log)
    assert read(tail) == ["three", "four"]
    os.truncate(log, 0)
    assert read(tail) == []
    with open(log, "ab") as file:
        file.write(b"five\n")
    assert read(tail) == ["five"]
    log.unlink()
    assert read(tail) == []


def test_a_long_line_comes_in_pieces(place: Path, tail: LogTail) -> None:
    (place / "1.egress.log").write_bytes(b"x" * (MAX_LINE_BYTES + 5) + b"\n")
    assert [len(line) for line in read(tail)] == [MAX_LINE_BYTES, 5]


def test_no_link_pipe_or_directory_is_read(place: Path, tail: LogTail, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret\n")
    (place / "1.egress.log").symlink_to(secret)
    os.mkfifo(place / "2.egress.log")
    (place / "3.egress.log").mkdir()
    (place / "4.egress.log").write_bytes(b"\xff\n")
    assert read(tail) == ["\ufffd"]
