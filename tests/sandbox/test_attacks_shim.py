"""Attacks on what runs first in a bottle: no flow's end may touch another flow."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bot_bottle.sandbox.backends.bubblewrap import BubblewrapBackend
from bot_bottle.sandbox.contract import Backend
from bot_bottle.sandbox.shim.loop import IN, Loop
from bot_bottle.testing.backend_ground import Ground


class _Done(BaseException):
    """Ends a loop that has no end of its own."""


def test_an_event_of_a_closed_descriptor_is_not_told_to_its_number_s_next_owner() -> None:
    """Both ends of a flow hang up in one batch; the first closes both, and a new connection gets the second
    one's number: the second's event is not the new connection's."""
    loop = Loop()
    pairs = [socket.socketpair() for _ in range(2)]
    fresh = socket.socketpair()
    told: list[str] = []

    def ended(index: int) -> None:
        told.append("ended")
        other = pairs[1 - index][0]
        for sock in (pairs[index][0], other):
            loop.forget(sock.fileno())
        number = other.fileno()
        other.close()
        os.dup2(fresh[0].fileno(), number)
        loop.watch(number, IN, lambda _events: told.append("fresh"))
        loop.every_second(stop)

    def stop(_now: float) -> None:
        raise _Done

    for index, pair in enumerate(pairs):
        loop.watch(pair[0].fileno(), IN, lambda _events, index=index: ended(index))
    for pair in pairs:
        pair[1].close()
    try:
        loop.run()
    except _Done:
        pass
    assert told == ["ended"]
    for sock in (*fresh, *(pair[0] for pair in pairs)):
        sock.close()


RELAY = """
import socket, sys
from bot_bottle.sandbox.shim import relay
from bot_bottle.sandbox.shim.loop import Loop
from bot_bottle.sandbox.shim.names import StandIns
fd, path, port, flows, relay.FIRST_BYTES_S = sys.argv[1:]
relay.FIRST_BYTES_S = float(relay.FIRST_BYTES_S)
loop = Loop()
relay.Relay(loop, path, StandIns(), int(flows)).listen(socket.socket(fileno=int(fd)), int(port) or None)
loop.run()
"""


@contextmanager
def relayed(
    path: str, *, port: int = 0, flows: int = 1000, first_bytes_s: float = 60
) -> Iterator[tuple[str, int]]:
    """A relay to the socket at *path*, in a process of its own; where it listens. *port* 0: the proxy's."""
    with socket.create_server(("127.0.0.1", 0)) as front:
        fd = front.fileno()
        argv = [sys.executable, "-P", "-c", RELAY, *map(str, (fd, path, port, flows, first_bytes_s))]
        with subprocess.Popen(argv, pass_fds=[fd]) as process:
            try:
                yield front.getsockname()
            finally:
                process.kill()


def test_more_flows_than_the_bound_are_closed_and_end_no_other(tmp_path: Path) -> None:
    """When one has ended there is room again."""
    path = str(tmp_path / "proxy.sock")
    with ExitStack() as stack:
        proxy = stack.enter_context(socket.create_server(path, family=socket.AF_UNIX))
        proxy.settimeout(20)
        where = stack.enter_context(relayed(path, flows=3))

        def client() -> socket.socket:
            return stack.enter_context(socket.create_connection(where, 20))

        clients = [client() for _ in range(3)]
        flows = [stack.enter_context(proxy.accept()[0]) for _ in clients]
        assert client().recv(1) == b""
        for flow in flows:
            flow.sendall(b"x")
        assert [sock.recv(1) for sock in clients] == [b"x"] * 3
        clients[1].close()
        flows[1].close()
        while proxy not in select.select([client(), proxy], [], [], 20)[0]:
            pass  # a client more is closed while the end of that one is not seen
        stack.enter_context(proxy.accept()[0]).sendall(b"z")


def test_who_does_not_say_for_whom_it_is_is_not_kept(tmp_path: Path) -> None:
    """Neither with nothing at all nor with half a head; nothing of it reaches the proxy."""
    path = str(tmp_path / "proxy.sock")
    with ExitStack() as stack:
        proxy = stack.enter_context(socket.create_server(path, family=socket.AF_UNIX))
        proxy.setblocking(False)
        where = stack.enter_context(relayed(path, port=80, first_bytes_s=0.1))
        clients = [stack.enter_context(socket.create_connection(where, 20)) for _ in range(2)]
        clients[1].sendall(b"GET / HTTP/1.1\r\nHost: slow.exam")
        assert [sock.recv(1) for sock in clients] == [b"", b""]
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_flows_wait_while_the_proxy_s_queue_is_full(tmp_path: Path) -> None:
    """Many at once, at a proxy that takes none for now: all arrive later, the first first, and none is reset.
    The control: without waiting the queue takes two."""
    path = str(tmp_path / "proxy.sock")
    with ExitStack() as stack:
        proxy = stack.enter_context(socket.socket(socket.AF_UNIX))
        proxy.settimeout(20)
        proxy.bind(path)
        proxy.listen(1)
        direct = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(3)]
        for sock in direct:
            sock.setblocking(False)
        assert [sock.connect_ex(path) for sock in direct] == [0, 0, errno.EAGAIN]
        for _ in range(2):
            proxy.accept()[0].close()

        where = stack.enter_context(relayed(path))
        clients = [stack.enter_context(socket.create_connection(where, 20)) for _ in range(50)]
        for number, client in enumerate(clients):
            client.sendall(b"%d\n" % number)
        clients.pop(7).close()  # one that has gone meanwhile keeps nobody
        heard = []
        for _ in range(50):
            with proxy.accept()[0] as flow, flow.makefile("rb") as lines:
                heard.append(lines.readline())
                flow.sendall(b"taken")
        assert heard == [b"%d\n" % number for number in range(50)]
        assert [client.recv(5) for client in clients] == [b"taken"] * 49


_C_LIBRARYS = 0b11 << 31
"""Signals 32 and 33: the C library lets no program of its set them; where whoever started us ignores one, so do
we."""


def test_a_program_ignores_no_signal_that_its_launcher_ignores(
    make_ground: Callable[[Backend], Ground],
) -> None:
    """nohup ignores SIGHUP, by which abandoned programs are ended; a shell's background SIGINT and SIGQUIT."""
    ground = make_ground(BubblewrapBackend("516a15"))
    ignored = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGTERM)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ignored}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        with ground.bottle() as bottle:
            said = ground.sh(bottle, "grep -E '^Sig(Ign|Blk)' /proc/self/status").stdout
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
    told = said.split()
    assert told[::2] == [b"SigBlk:", b"SigIgn:"]
    assert [int(value, 16) & ~_C_LIBRARYS for value in told[1::2]] == [0, 0]
