"""After the end the operator's terminal is as it was, and nothing that was meant for the bottle is left in it."""

from __future__ import annotations

import os
import pty
import select
import termios
import threading
import tty
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bot_bottle.ipc import attach, wire
from bot_bottle.launch.attach_client import Client
from bot_bottle.launch.relay import Console, Relay
from bot_bottle.sandbox.contract import Terminal


@dataclass
class Program:
    """A process whose end never comes."""

    stdin: int
    stdout: int
    stderr: int | None = None

    def fileno(self) -> int:
        return self.stdout

    def wait(self, timeout_s: float | None = None) -> int:
        raise TimeoutError

    def signal(self, number: int) -> None:
        """It heeds none."""

    def resize(self, terminal: Terminal) -> None:
        """It has one size."""


@pytest.fixture
def operator() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: who sits at it, and the programs that have it."""
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def _relay(slave: int) -> tuple[Relay, list[int]]:
    reading, writing = os.pipe()
    return Relay(Program(writing, reading), Console(slave, slave, slave), terminal=True), [reading, writing]


def test_a_late_answer_is_no_command(operator: tuple[int, int]) -> None:
    """The terminal was asked where its cursor is, and answers when the program has ended: a shell sees nothing."""
    master, slave = operator
    before = termios.tcgetattr(slave)
    relay, pipes = _relay(slave)
    answering = threading.Timer(0.05, os.write, (master, b"\x1b[7;9R"))
    with relay._raw_terminal():
        assert relay._cursor() is None
        answering.start()
    answering.join()
    assert termios.tcgetattr(slave) == before
    tty.setraw(slave, termios.TCSANOW)  # else only whole lines can be read
    assert select.select([slave], [], [], 0.1)[0] == []
    for fd in pipes:
        os.close(fd)


def test_keys_for_the_program_are_no_command(operator: tuple[int, int]) -> None:
    """What was typed or pasted and not read before the program's end is not run by the shell."""
    master, slave = operator
    relay, pipes = _relay(slave)
    with relay._raw_terminal():
        os.write(master, b"rm -rf precious\r")
        assert select.select([slave], [], [], 5)[0] == [slave]
    tty.setraw(slave, termios.TCSANOW)
    assert select.select([slave], [], [], 0.1)[0] == []
    for fd in pipes:
        os.close(fd)


@pytest.mark.parametrize("raw", [True, False])
def test_answers_to_an_unfiltered_program_are_no_command(operator: tuple[int, int], raw: bool) -> None:
    """Attached with ``--raw-terminal`` the terminal may be answering when it is let go; else what is typed ahead is
    for the shell."""
    master, slave = operator
    ours, theirs = wire.pair()
    with ours, theirs:
        client = Client(ours, Console(slave, slave, slave, raw=raw), b"\x1dd", lambda _: None)
        client._welcome = attach.Welcome("one", "one", "")
        client._enter()
        os.write(master, b"\x1b[7;9R")
        assert select.select([slave], [], [], 5)[0] == [slave]
        client._restore()
    tty.setraw(slave, termios.TCSANOW)
    assert select.select([slave], [], [], 0.1)[0] == ([] if raw else [slave])
