"""Invariant: whatever comes in through the socket, the program goes on, and who keeps to the protocol is served."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: what tests share is found here

from host_process import HostProcess

from bot_bottle.ipc import attach, wire
from bot_bottle.launch import attach_hub
from bot_bottle.launch.attach_hub import MAX_VIEWERS, Hub
from bot_bottle.store.layout import Layout

ECHO = ["sh", "-c", "stty raw -echo; echo ready; exec cat"]


class Peer:
    """One connection to a hub."""

    def __init__(self, path: Path) -> None:
        self.sock = attach.connect(str(path), 20)
        self.shown = b""

    def hello(self, rows: int = 24, columns: int = 80, **options: bool) -> Peer:
        self.send(attach.Hello(rows, columns, **options))
        return self

    def send(self, message: Any) -> None:
        self.sock.send(attach.pack(message))

    def next(self) -> Any:
        message, fds = wire.receive(self.sock, attach.FromSession)
        assert not fds
        if isinstance(message, attach.Show):
            self.shown += message.data
        return message

    def until(self, text: bytes) -> bytes:
        while text not in self.shown:
            self.next()
        return self.shown

    def until_message(self, kind: type) -> Any:
        while not isinstance(message := self.next(), kind):
            pass
        return message

    def is_dropped(self) -> bool:
        """The hub ends the connection, whatever it says before."""
        try:
            while True:
                self.next()
        except wire.WireError as error:
            return error.closed

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()


@contextlib.contextmanager
def running(directory: Path, argv: list[str]) -> Iterator[Path]:
    """A hub in a process of its own that carries *argv*; yields its socket."""
    layout = Layout(directory / "h", directory / "h", directory / "r")
    (layout.run / "x").mkdir(parents=True, mode=0o700)
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            hub = Hub(layout, "one (worker)", "red")
            hub.begin("one")
            status = hub.carry(HostProcess(argv, terminal=True), {}, lambda: None)
            hub.notice("put away")
            hub.finish(attach.Ended(0, status))
        os._exit(0)
    path = layout.tty_socket("one")
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield path
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@pytest.fixture
def directory() -> Iterator[Path]:
    import shutil
    import tempfile

    path = Path(tempfile.mkdtemp(prefix="bb-h-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A program that writes what is typed."""
    with running(tmp_path_factory.mktemp("e"), ECHO) as path:
        with Peer(path).hello() as peer:
            peer.until(b"ready")
        yield path


def condition(path: Path) -> attach.Condition:
    with Peer(path) as peer:
        peer.send(attach.Ask())
        found = peer.next()
        assert isinstance(found, attach.Condition)
        return found


PACKETS = st.one_of(
    st.binary(min_size=1, max_size=100),
    st.builds(
        lambda kind, field, value: f'{{"type":"{kind}","{field}":{value}}}'.encode(),
        st.sampled_from(["hello", "ask", "keys", "resize", "show", "ended", "welcome", "nobody"]),
        st.sampled_from(["rows", "columns", "data", "protocol", "raw", "text"]),
        st.sampled_from(["0", "-1", "99999999999999999999", '"QQ=="', "null", "[[[[]]]]", "1e400", "true"]),
    ),
    st.just(b'{"type":"hello","rows":24,"columns":80}'),
    st.just(b'{"type":"resize","rows":5,"columns":5,"redraw":true}'),
    st.just(b"[" * 50_000),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example([b'{"type":"hello","rows":24,"columns":80,"protocol":9}'])
@example([b'{"type":"keys","data":"QQ=="}'])
@given(st.lists(PACKETS, min_size=1, max_size=5))
def test_property_no_packet_ends_it(echo: Path, packets: list[bytes]) -> None:
    """Anything, in any order, from anyone who got in: the next one is served."""
    with Peer(echo) as peer, contextlib.suppress(OSError):
        for packet in packets:
            peer.sock.send(packet)
    with Peer(echo).hello() as peer:
        peer.until_message(attach.Welcome)
        peer.send(attach.Keys(b"<still there>"))
        peer.until(b"<still there>")


@pytest.mark.parametrize(
    "messages",
    [
        [attach.Keys(b"x")],
        [attach.Resize(5, 5)],
        [attach.Hello(24, 80), attach.Hello(24, 80)],
        [attach.Hello(24, 80, protocol=2)],
        [attach.Hello(24, 80, read_only=True), attach.Keys(b"typed by a looker")],
        [attach.Hello(24, 80), attach.Ask()],
    ],
)
def test_who_breaks_the_rules_is_dropped(echo: Path, messages: list[Any]) -> None:
    """Nothing of it reaches the program."""
    with Peer(echo) as peer:
        for message in messages:
            peer.send(message)
        assert peer.is_dropped()
    with Peer(echo).hello() as peer:
        peer.send(attach.Keys(b"<end>"))
        assert b"typed by a looker" not in peer.until(b"<end>")


def test_descriptors_that_nobody_asked_for_are_closed(echo: Path) -> None:
    """They can't be used to fill the session's table."""
    reading, writing = os.pipe()
    with Peer(echo) as peer:
        socket.send_fds(peer.sock, [attach.pack(attach.Hello(24, 80))], [writing] * 10)
        os.close(writing)
        peer.until_message(attach.Welcome)
        assert os.read(reading, 1) == b""
    os.close(reading)


def test_there_is_room_for_some_only(echo: Path) -> None:
    """Who comes when all places are taken is turned away; those who are there stay."""
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(Peer(echo)) for _ in range(MAX_VIEWERS)]
        for peer in peers:
            peer.hello(read_only=True).until_message(attach.Welcome)
        with Peer(echo) as late:
            assert late.is_dropped()
        peers[0].sock.close()
    deadline, watching = time.monotonic() + 20, MAX_VIEWERS
    while watching:
        assert time.monotonic() < deadline
        with contextlib.suppress(wire.WireError):  # the places are not free yet
            watching = condition(echo).watching


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_another_uid_is_turned_away(echo: Path) -> None:
    """Even where the modes of the socket would let it in."""
    code = (
        "import os, socket, sys\n"
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        "os.chdir(sys.argv[1]); os.setresgid(64996, 64996, 64996); os.setresuid(64996, 64996, 64996)\n"
        "s.connect('one.tty'); s.settimeout(20); print(s.recv(100))\n"
    )
    modes = {path: path.stat().st_mode for path in (echo, *list(echo.parents)[:4])}
    try:
        for path in modes:
            path.chmod(0o777)
        done = subprocess.run(
            ["/usr/bin/python3", "-c", code, str(echo.parent)], capture_output=True, text=True, timeout=30
        )
    finally:
        for path, mode in modes.items():
            path.chmod(mode & 0o7777)
    assert (done.stdout, done.returncode) == ("b''\n", 0), done.stderr


def test_the_newest_that_types_takes_over(echo: Path) -> None:
    """The one before is told; its keys go nowhere."""
    with Peer(echo).hello() as first, Peer(echo).hello(read_only=True) as looker:
        first.until_message(attach.Welcome)
        looker.until_message(attach.Welcome)
        with Peer(echo).hello() as second:
            first.until_message(attach.Taken)
            assert first.is_dropped()
            second.send(attach.Keys(b"<second>"))
            second.until(b"<second>")
            looker.until(b"<second>")


def test_a_terminal_that_reads_nothing_is_left_behind(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program writes to its end; who reads again gets the screen as it is, not all of the past."""
    monkeypatch.setattr(attach_hub, "LAG_S", 0.2)
    argv = ["sh", "-c", "sleep 0.3; seq 1 200000; echo all-written; exec cat"]
    with (
        running(directory, argv) as path,
        Peer(path).hello() as slow,
        Peer(path).hello(read_only=True) as other,
    ):
        other.until(b"all-written")
        assert condition(path).attached
        slow.until_message(attach.Clear)
        slow.shown = b""
        slow.until(b"all-written")
        assert len(slow.shown) < 1_000_000


def test_sizes_reach_the_program(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new one at once; the same one as two changes, so that it draws anew."""
    monkeypatch.setattr(attach_hub, "NUDGE_S", 1.0)  # a busy machine is slow to look
    code = (
        "import os, signal\n"
        "def look(*_): rows = os.get_terminal_size(); print(rows.lines, rows.columns, flush=True)\n"
        "signal.signal(signal.SIGWINCH, look); print('ready', flush=True)\n"
        "while True: signal.pause()"
    )
    with running(directory, [sys.executable, "-c", code]) as path, Peer(path).hello(30, 100) as peer:
        peer.until(b"ready")
        peer.send(attach.Resize(31, 101))
        peer.until(b"31 101")
        peer.send(attach.Resize(31, 101, redraw=True))
        peer.until_message(attach.Clear)
        peer.shown = b""
        peer.until(b"30 101")
        peer.until(b"31 101")


def test_questions_are_answered_with_nobody_there(directory: Path) -> None:
    """A program that needs the cursor's place at its start gets it."""
    code = (
        "import sys, tty; tty.setraw(0); sys.stdout.write('ab\\x1b[6n'); sys.stdout.flush()\n"
        "got = ''\n"
        "while not got.endswith('R'): got += sys.stdin.read(1)\n"
        "print(repr(got)); sys.stdout.flush(); sys.stdin.read(1)"
    )
    with running(directory, [sys.executable, "-c", code]) as path, Peer(path) as peer:
        deadline = time.monotonic() + 20
        while condition(path).idle_s < 0.3:
            assert time.monotonic() < deadline
        peer.hello().until(b"1;3R")


def test_the_end_is_told_to_everyone(directory: Path) -> None:
    """What was printed last, then the end of the program, our own messages, and the status."""
    argv = ["sh", "-c", "read x; echo last words; exit 7"]
    with (
        running(directory, argv) as path,
        Peer(path).hello() as peer,
        Peer(path).hello(read_only=True) as other,
    ):
        peer.until_message(attach.Welcome)
        other.until_message(attach.Welcome)
        peer.send(attach.Keys(b"\r"))
        for one in (peer, other):
            one.until_message(attach.ProgramEnded)
            assert b"last words" in one.shown
            assert one.until_message(attach.Notice).text == "put away"
            assert one.until_message(attach.Ended) == attach.Ended(0, 7)
        assert not path.exists()


WORK = "i=0; while [ $i -lt 20000000 ]; do i=$((i + 1)); done"
"""It ends by itself: a test that is killed leaves nothing that works for ever."""


@pytest.mark.parametrize(("argv", "waiting"), [("read x", True), (WORK, False), ("exec sleep 60", False)])
def test_waiting_is_told_from_working(
    directory: Path, monkeypatch: pytest.MonkeyPatch, argv: str, waiting: bool
) -> None:
    """By what its processes sleep on, once nothing more comes."""
    monkeypatch.setattr(attach_hub, "IDLE_S", 0.3)
    with running(directory, ["sh", "-c", f"echo ready; {argv}"]) as path:
        deadline = time.monotonic() + 20
        while (found := condition(path)).idle_s < 0.5 or found.waiting is not waiting:
            assert time.monotonic() < deadline


def test_a_program_may_say_so_itself(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OSC 7501, as agents report it; nothing of it is shown."""
    argv = ["sh", "-c", r"printf '\033]7501;state=idle:app=x\033\\ready'; exec sleep 60"]
    with running(directory, argv) as path, Peer(path).hello() as peer:
        assert b"7501" not in peer.until(b"ready")
        assert condition(path).waiting
