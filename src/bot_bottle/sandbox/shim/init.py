"""Process 1 of a bottle: sets everything up, then serves the host until the launching process is gone.

Started with descriptors that the host made (``launch control, exec listener, proxy, http, https, DNS
datagrams, DNS stream``, then by their ports ``gate, redirected...``, as far as there are any) and nothing of
the bottle's own. When the launch control ends, it ends, and the
kernel ends every other process of its namespace with it.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import _socket
import os
import resource

from . import files, native, probes, wire
from .lookup import Lookup
from .loop import IN, Loop
from .names import StandIns
from .programs import Programs, Setup, confine
from .relay import GATE_FLOWS, Relay, spare_flows

TYPE_CHECKING = False  # as in typing, which takes 3 ms to import
if TYPE_CHECKING:
    from collections.abc import Sequence

PROXY_SOCKET = "/run/bot-bottle/proxy.sock"
GATE_SOCKET = "/run/bot-bottle/gate.sock"
GATE_PORT = 9418
"""git's own; only the number, what is spoken is HTTP"""


class Service:
    """Answers the launching process and, on the exec listener, the operator's other commands."""

    def __init__(self, loop: Loop, setup: Setup) -> None:
        self._loop = loop
        self._setup = setup
        self.programs = Programs(loop, setup)

    def serve(self, connection: _socket.socket, *, launcher: bool) -> None:
        """Take requests from *connection*; the end of the launcher's is our own."""
        connection.setblocking(False)
        self._loop.watch(
            connection.fileno(), IN, lambda _events: self._request(connection, launcher=launcher)
        )

    def listen(self, listener: _socket.socket) -> None:
        """Serve everyone who reaches the exec socket: its path and mode decide who that is."""
        listener.setblocking(False)

        def accept(_events: int) -> None:
            try:
                fd, _address = listener._accept()  # type: ignore[attr-defined]
            except OSError:
                return
            self.serve(_socket.socket(fileno=fd), launcher=False)

        self._loop.watch(listener.fileno(), IN, accept)

    def _request(self, connection: _socket.socket, *, launcher: bool) -> None:
        try:
            fields, fds = wire.receive(connection, large=True)
        except (BlockingIOError, InterruptedError):
            return
        except wire.WireError:
            if launcher:
                os._exit(0)
            self._loop.forget(connection.fileno())
            connection.close()
            return
        try:
            self._handle(fields, fds)
        except Exception as error:
            self._loop.complain(f"a request failed: {error!r}")
        finally:
            wire.close_all(fds)

    def _handle(self, fields: Sequence[bytes], fds: list[int]) -> None:
        if fields[0] == b"spawn":
            self.programs.spawn(fields[1:], fds)
            return
        channel = _socket.socket(fileno=fds.pop(0))
        try:
            if fields[0] == b"write":
                try:
                    files.write(fields[1], int(fields[2], 8), fields[3])
                except (OSError, ValueError) as error:
                    wire.send(channel, [b"failed", str(error).encode()[:500]])
                else:
                    wire.send(channel, [b"done"])
            elif fields[0] == b"selftest":
                self._self_test(channel, probes.Order(fields[1:]))
        finally:
            channel.close()

    def _self_test(self, channel: _socket.socket, order: probes.Order) -> None:
        """In a child: init must go on carrying, and what is probed is a program's view, not init's."""
        if os.fork():
            return
        try:
            os.dup2(channel.fileno(), 3)
            os.closerange(4, 1 << 20)
            confine(self._setup.processes)
            wire.send(_socket.socket(fileno=3), [b"report", *probes.run(order)])
        except Exception as error:
            self._loop.complain(f"the self-test failed: {error!r}")
        finally:
            os._exit(0)


def _setup(control: _socket.socket) -> Setup:
    fields, fds = wire.receive(control, large=True)
    wire.close_all(fds)
    if fields[0] != b"setup":
        raise wire.WireError("the first packet is no set-up")
    return Setup(fields[1], int(fields[2]), fields[3:])


def _watch_children(loop: Loop, programs: Programs) -> None:
    told, tells = os.pipe()
    os.set_blocking(told, False)
    os.set_blocking(tells, False)
    _signal.signal(_signal.SIGCHLD, lambda _number, _frame: None)
    _signal.set_wakeup_fd(tells, warn_on_full_buffer=False)

    def reap(_events: int) -> None:
        os.read(told, 512)
        programs.reap()

    loop.watch(told, IN, reap)


def main(descriptors: Sequence[int]) -> None:
    """Never returns."""
    native.hide()
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # which the kernel keeps from a namespace's init
    for fd in descriptors:
        os.set_inheritable(fd, False)
    control, exec_listener, proxy, http, https, datagrams, stream, *others = (
        _socket.socket(fileno=fd) for fd in descriptors
    )
    gates = [sock for sock in others if sock.getsockname()[1] == GATE_PORT]
    redirected = [sock for sock in others if sock not in gates]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    loop = Loop()
    service = Service(loop, _setup(control))
    names = StandIns()
    spare = (hard if hard > 0 else 1 << 16) - 2 * GATE_FLOWS * len(gates)
    relay = Relay(loop, PROXY_SOCKET, names, spare_flows(spare))
    relay.listen(proxy, None)
    relay.listen(http, 80)
    relay.listen(https, 443)
    for listener in redirected:
        relay.listen_redirected(listener)
    for listener in gates:
        Relay(loop, GATE_SOCKET, names, GATE_FLOWS).listen(listener, None)
    lookup = Lookup(loop, names)
    lookup.datagrams(datagrams)
    lookup.stream(stream)
    _watch_children(loop, service.programs)
    service.serve(control, launcher=True)
    service.listen(exec_listener)
    wire.send(control, [b"ready", b"every" if redirected else b"few"], [os.pidfd_open(os.getpid())])
    loop.run()
