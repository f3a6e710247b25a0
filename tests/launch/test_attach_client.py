"""Invariant: however it ends, the operator's terminal is as it was before."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot_bottle.ipc import attach, wire
from bot_bottle.launch.attach_client import Client, Reason
from bot_bottle.launch.relay import Console

KEYS = b"\x1dd"
WELCOME = attach.Welcome("one", "one (worker)", "red")
DIRTY = attach.Show(b"\x1b[?1049h\x1b[?1000;1006h\x1b[?25l\x1b[31mhello\x1b]52;c;eA==\x07")


class Operator:
    """A terminal with a person at it, whose session is played by the test in a thread."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.session, self.client_end = wire.pair()
        self.session.settimeout(20)
        self.said: list[str] = []
        self.shown = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self.master, 65536):
                self.shown += data

    def client(self, **options: Any) -> Client:
        console = Console(self.slave, self.slave, self.slave, raw=options.pop("raw", False))
        return Client(self.client_end, console, KEYS, self.said.append, **options)

    def send(self, *messages: Any) -> None:
        for message in messages:
            self.session.send(attach.pack(message))

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    def heard(self) -> Any:
        return wire.receive(self.session, attach.FromClient)[0]

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, (self.shown, self.said)
            time.sleep(0.01)

    def raw(self) -> bool:
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def play(self, script: Callable[[], None], **options: Any) -> Any:
        """Run the client while *script* runs beside it; how it ended."""
        failed: list[BaseException] = []

        def run() -> None:
            try:
                script()
            except BaseException as error:
                failed.append(error)
                self.session.close()

        beside = threading.Thread(target=run)
        beside.start()
        parting = self.client(**options).run()
        beside.join()
        if failed:
            raise failed[0]
        return parting


@pytest.fixture
def operator() -> Iterator[Operator]:
    person = Operator()
    yield person
    person.session.close()
    os.close(person.slave)
    person._reader.join(5)
    os.close(person.master)


def begin(operator: Operator) -> None:
    """The program runs and has made a mess of the terminal."""
    assert operator.heard() == attach.Hello(24, 80)
    operator.send(WELCOME, DIRTY)
    operator.until(lambda: b"hello" in operator.shown)
    assert operator.raw()


ENDINGS: dict[str, tuple[Callable[[Operator], None], Reason]] = {
    "the program ends": (lambda op: op.send(attach.ProgramEnded(5), attach.Ended(0, 3)), Reason.ENDED),
    "detach keys": (lambda op: op.type(KEYS), Reason.DETACHED),
    "another takes over": (lambda op: op.send(attach.Taken()), Reason.TAKEN),
    "the session is killed": (lambda op: op.session.close(), Reason.LOST),
    "SIGTERM": (lambda _op: os.kill(os.getpid(), signal.SIGTERM), Reason.SIGNAL),
    "SIGHUP": (lambda _op: os.kill(os.getpid(), signal.SIGHUP), Reason.SIGNAL),
    "SIGINT": (lambda _op: os.kill(os.getpid(), signal.SIGINT), Reason.SIGNAL),
    "nonsense from the session": (lambda op: op.session.send(b"{nonsense"), Reason.LOST),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_the_terminal_is_put_back(operator: Operator, how: str) -> None:
    """Modes of the line, screen, mouse, cursor, colours, title, palette; and it is known why."""
    end, reason = ENDINGS[how]

    def script() -> None:
        begin(operator)
        end(operator)

    parting = operator.play(script)
    assert (parting.reason, parting.identity) == (reason, "one")
    assert termios.tcgetattr(operator.slave) == operator.before
    operator.until(lambda: b"\x1b[23;0t" in operator.shown)
    tail = operator.shown.partition(b"hello")[2]
    for undone in (
        b"\x1b[0m",
        b"\x1b[?1049l",
        b"\x1b[?1000l",
        b"\x1b[?1006l",
        b"\x1b[?25h",
        b"\x1b]104;9;1",
        b"\x1b]111",
    ):
        assert undone in tail
    assert b"]52;" not in operator.shown
    assert b"\x1b]0;one (worker)" in operator.shown


def test_keys_go_inside_as_they_are(operator: Operator) -> None:
    """Ctrl-C, Ctrl-Z and Ctrl-\\ are the agent's; the beginning of the detach keys goes on after a moment."""

    def script() -> None:
        begin(operator)
        operator.type(b"a\x03\x1a\x1c\x04\r\x1d")
        typed = b""
        while not typed.endswith(b"\x1d"):
            message = operator.heard()
            assert isinstance(message, attach.Keys)
            typed += message.data
        assert typed == b"a\x03\x1a\x1c\x04\r\x1d"
        operator.send(attach.Ended(0, 0))

    assert operator.play(script).ended == attach.Ended(0, 0)


def test_a_size_is_told(operator: Operator) -> None:
    """When it changes; asked for again after a stop."""

    def script() -> None:
        begin(operator)
        fcntl.ioctl(operator.slave, termios.TIOCSWINSZ, struct.pack("4H", 50, 200, 0, 0))
        os.kill(os.getpid(), signal.SIGWINCH)
        assert operator.heard() == attach.Resize(50, 200)
        operator.send(attach.Ended(0))

    operator.play(script)


def test_messages_wait_until_the_screen_is_ours(operator: Operator) -> None:
    """Those from before the program runs are shown at once."""

    def script() -> None:
        operator.heard()
        operator.send(attach.Notice("making it"))
        operator.until(lambda: operator.said == ["making it"])
        operator.send(WELCOME, DIRTY, attach.Notice("meanwhile"))
        operator.until(lambda: b"hello" in operator.shown)
        assert operator.said == ["making it"]
        operator.send(attach.ProgramEnded())
        operator.until(lambda: operator.said == ["making it", "meanwhile"])
        assert not operator.raw()
        operator.send(attach.Notice("done"), attach.Ended(0, 0))

    operator.play(script)
    assert operator.said == ["making it", "meanwhile", "done"]


def test_who_only_looks_types_nothing(operator: Operator) -> None:
    """q leaves."""

    def script() -> None:
        assert operator.heard() == attach.Hello(24, 80, read_only=True)
        operator.send(WELCOME, DIRTY)
        operator.until(lambda: b"hello" in operator.shown)
        operator.type(b"rm -rf")
        operator.type(b"q")

    assert operator.play(script, read_only=True).reason is Reason.DETACHED
    operator.session.setblocking(False)
    with pytest.raises((wire.WireError, BlockingIOError)):
        operator.heard()


def test_raw_is_raw(operator: Operator) -> None:
    """``--raw-terminal``: what comes is shown, and the usual things are undone."""

    def script() -> None:
        assert operator.heard() == attach.Hello(24, 80, raw=True)
        operator.send(WELCOME, DIRTY)
        operator.until(lambda: b"]52;" in operator.shown)
        operator.send(attach.Ended(0))

    operator.play(script, raw=True)
    operator.until(lambda: b"\x1b[23;0t" in operator.shown)
    assert b"\x1b[?1000l" in operator.shown


def test_a_first_ctrl_c_is_passed_on(operator: Operator) -> None:
    """Before the program runs the terminal is not raw: the session is told, which ends the launch."""
    passed: list[int] = []

    def script() -> None:
        operator.heard()
        os.kill(os.getpid(), signal.SIGINT)
        operator.until(lambda: passed == [signal.SIGINT])
        operator.send(attach.Ended(130))

    assert operator.play(script, interrupt=passed.append).ended == attach.Ended(130)
    assert termios.tcgetattr(operator.slave) == operator.before


def test_it_can_be_stopped_and_go_on(operator: Operator) -> None:
    """SIGTSTP gives the shell its terminal as it was; SIGCONT takes it again and asks for the screen."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            operator.client().run()
        os._exit(0)
    operator.client_end.close()
    begin(operator)
    os.kill(pid, signal.SIGTSTP)
    assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
    assert termios.tcgetattr(operator.slave) == operator.before
    operator.until(lambda: b"\x1b[?1049l" in operator.shown)
    os.kill(pid, signal.SIGCONT)
    assert operator.heard() == attach.Resize(24, 80, redraw=True)
    assert operator.raw()
    operator.send(attach.Ended(0))
    assert os.waitpid(pid, 0)[1] == 0
    assert termios.tcgetattr(operator.slave) == operator.before
