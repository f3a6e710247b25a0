"""A screen on a real terminal: whatever ends it, terminal and process are as they were before."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSCTTY, TIOCSWINSZ

import pytest

CHILD = Path(__file__).with_name("screen_child.py")
WITHIN_S = 30.0
LEAVES = b"\x1b[?1049l"
"""The alternate screen's end."""


class Screen:
    """The child, and what its terminal has seen."""

    def __init__(self, kind: str, columns: int = 80, rows: int = 24, **env: str) -> None:
        self._master, slave = pty.openpty()
        ioctl(slave, TIOCSWINSZ, pack("HHHH", rows, columns, 0, 0))
        self.seen = b""
        self.process = subprocess.Popen(
            [sys.executable, str(CHILD), kind],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: ioctl(slave, TIOCSCTTY, 0),
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm", **env},
        )
        os.close(slave)
        os.set_blocking(self._master, False)

    def _pump(self) -> None:
        try:
            self.seen += os.read(self._master, 65536)
        except (BlockingIOError, OSError):
            time.sleep(0.02)

    def wait(self, text: bytes) -> None:
        deadline = time.monotonic() + WITHIN_S
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            self._pump()

    def settle(self) -> int:
        """How much it has seen once nothing more comes."""
        quiet = 0
        while quiet < 20:
            before = len(self.seen)
            self._pump()
            quiet = quiet + 1 if len(self.seen) == before else 0
        return len(self.seen)

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def end(self) -> str:
        deadline = time.monotonic() + WITHIN_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.seen
            self._pump()
        self._pump()
        return self.process.stdout.read().decode()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self._master)


@pytest.fixture
def screen() -> Iterator[list[Screen]]:
    made: list[Screen] = []
    yield made
    for each in made:
        each.close()


def start(screen: list[Screen], *args, **options) -> Screen:
    screen.append(Screen(*args, **options))
    return screen[-1]


def test_chosen_with_standard_streams_elsewhere(screen) -> None:
    """Drawn and answered on the terminal alone; nothing of it reaches standard output or error."""
    one = start(screen, "plain")
    one.wait(b"Enter choose")
    one.type(b"\x1b[B")
    one.wait(b"> two")
    one.type(b"\r")
    assert one.end() == "shown=True result=1 restored=True\n"
    assert one.process.stderr.read() == b""
    assert one.seen.rindex(LEAVES) > one.seen.rindex(b"> two")


def test_names_reach_the_terminal_as_text(screen) -> None:
    one = start(screen, "plain")
    one.wait(b"[red]three")
    one.type(b"q")
    assert one.end() == "shown=True result=None restored=True\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_end_it_in_good_order(screen, number, status) -> None:
    one = start(screen, "plain")
    one.wait(b"Enter choose")
    one.process.send_signal(number)
    assert one.end() == f"exit={status} restored=True\n"
    assert LEAVES in one.seen


@pytest.mark.parametrize(("kind", "keys"), [("broken", b"x"), ("undrawable", b"")])
def test_a_bug_is_raised_not_taken_for_an_answer(screen, kind, keys) -> None:
    """And no traceback with variables is printed."""
    one = start(screen, kind)
    if keys:
        one.wait(b"Enter choose")
        one.type(keys)
    assert one.end().startswith("raised=a bug in a ")
    assert b"Traceback" not in one.process.stderr.read() + one.seen


def test_a_resize_is_followed(screen) -> None:
    one = start(screen, "plain", columns=80)
    one.wait("─".encode() * 40)
    before = one.settle()
    ioctl(one._master, TIOCSWINSZ, pack("HHHH", 24, 30, 0, 0))
    one.process.send_signal(signal.SIGWINCH)
    deadline = time.monotonic() + WITHIN_S
    while "─".encode() * 29 not in one.seen[before:]:
        assert time.monotonic() < deadline, one.seen[before:]
        one._pump()
    assert "─".encode() * 30 not in one.seen[before:]
    one.type(b"\x03")
    assert one.end() == "shown=True result=None restored=True\n"


def test_too_small(screen) -> None:
    """Not opened at all; a warning says so."""
    one = start(screen, "plain", rows=5)
    assert one.end() == "shown=False result=None restored=True\n"
    assert b"too small" in one.process.stderr.read()
    assert b"\x1b" not in one.seen
