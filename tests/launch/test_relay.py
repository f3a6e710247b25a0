"""The relay carries bytes both ways to the program's end, whatever it, the operator or a watcher does."""

from __future__ import annotations

import os
import pty
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: what tests share is found here

from host_process import HostProcess

from bot_bottle.launch.relay import Console, Relay
from bot_bottle.launch.watching import Stopped


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@contextmanager
def console(tmp_path: Path, given: bytes = b"") -> Iterator[Console]:
    """The operator's side as three files."""
    (tmp_path / "in").write_bytes(given)
    fds = [
        os.open(tmp_path / name, flags, 0o600)
        for name, flags in (
            ("in", os.O_RDONLY),
            ("out", os.O_RDWR | os.O_CREAT),
            ("err", os.O_RDWR | os.O_CREAT),
        )
    ]
    try:
        yield Console(*fds)
    finally:
        for fd in fds:
            os.close(fd)


@pytest.mark.parametrize(
    ("code", "status"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 15)", 143)]
)
def test_the_status_is_the_programs(tmp_path: Path, code: str, status: int) -> None:
    """Its own, and 128+n for a signal."""
    with console(tmp_path) as operator:
        assert Relay(HostProcess(python(code)), operator, terminal=False).run() == status


def test_every_byte_goes_both_ways(tmp_path: Path) -> None:
    """More than the pipes hold, on all three streams; the end of our input is the end of the program's."""
    given = os.urandom(700_000)
    code = (
        "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data); "
        "sys.stderr.buffer.write(data[::-1])"
    )
    with console(tmp_path, given) as operator:
        assert Relay(HostProcess(python(code)), operator, terminal=False).run() == 0
    assert (tmp_path / "out").read_bytes() == given
    assert (tmp_path / "err").read_bytes() == given[::-1]


def test_a_program_that_reads_nothing_ends(tmp_path: Path) -> None:
    """A full pipe is not waited for."""
    with console(tmp_path, os.urandom(700_000)) as operator:
        assert Relay(HostProcess(["true"]), operator, terminal=False).run() == 0


def test_a_file_is_not_filtered(tmp_path: Path) -> None:
    """Escapes are data where nobody's terminal obeys them."""
    with console(tmp_path) as operator:
        Relay(HostProcess(["printf", r"\033]52;c;eA==\007x"]), operator, terminal=False).run()
    assert (tmp_path / "out").read_bytes() == b"\x1b]52;c;eA==\x07x"


def test_a_terminal_is_protected_and_restored(tmp_path: Path) -> None:
    """What the program says passes the filter; the operator's modes are back at the end."""
    import termios

    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = HostProcess(["printf", r"\033]52;c;eA==\007shown\033[1m"], terminal=True)
    assert Relay(process, Console(slave, slave, slave), terminal=True).run() == 0
    shown = b""
    while not shown.endswith(b">"):
        shown += os.read(master, 1000)
    assert shown == b"shown\x1b[1m\x1b[0m\x1b(B\x1b)B\x0f\x1b>"
    assert termios.tcgetattr(slave) == before
    for fd in (master, slave):
        os.close(fd)


def test_a_watcher_can_end_it(tmp_path: Path) -> None:
    """What it raises comes out; the program is the caller's to end."""

    class ProxyGone(Exception):
        pass

    def gone() -> None:
        raise ProxyGone

    reading, writing = os.pipe()
    process = HostProcess(["sleep", "60"])
    threading.Timer(0.1, os.close, (writing,)).start()
    with console(tmp_path) as operator, pytest.raises(ProxyGone):
        Relay(process, operator, terminal=False, watch={reading: gone}).run()
    process.signal(signal.SIGKILL)
    process.wait()
    os.close(reading)


def test_a_watcher_can_name_the_next(tmp_path: Path) -> None:
    """A second daemon is watched after the first one's end."""
    first, second = os.pipe(), os.pipe()
    seen = []

    def on_second() -> None:
        seen.append("second")
        process.signal(signal.SIGTERM)

    def on_first() -> dict[int, object]:
        seen.append("first")
        os.close(second[1])
        return {second[0]: on_second}

    process = HostProcess(["sleep", "60"])
    os.close(first[1])
    with console(tmp_path) as operator:
        assert Relay(process, operator, terminal=False, watch={first[0]: on_first}).run() == 143  # type: ignore[dict-item]
    assert seen == ["first", "second"]
    os.close(first[0])
    os.close(second[0])


def test_termination_stops_it(tmp_path: Path) -> None:
    """SIGTERM to us is not the program's affair."""
    process = HostProcess(["sleep", "60"])
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
    with console(tmp_path) as operator, pytest.raises(Stopped) as caught:
        Relay(process, operator, terminal=False).run()
    assert caught.value.signal == signal.SIGTERM
    process.signal(signal.SIGKILL)
    process.wait()


def test_interrupts_go_inside_and_the_third_stops(tmp_path: Path) -> None:
    """An agent may take Ctrl-C as "stop this turn"; one that ignores it can't hold the terminal."""
    process = HostProcess(["sh", "-c", "trap 'echo no' INT; while :; do sleep 0.1; done"])
    for delay in (0.3, 0.6, 0.9):
        threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT)).start()
    with console(tmp_path) as operator, pytest.raises(Stopped):
        Relay(process, operator, terminal=False).run()
    process.signal(signal.SIGKILL)
    process.wait()
    assert (tmp_path / "out").read_bytes().count(b"no\n") == 2
