"""The client's side: what it costs to import, and what it makes of a daemon that is none of ours."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

import pytest

from bot_bottle.ipc import wire
from bot_bottle.ipc.client import DaemonClient, DaemonError, start_lock
from bot_bottle.ipc.daemon import Failed, Status
from bot_bottle.store.layout import Layout

HEAVY = ("asyncio", "logging", "cryptography", "yaml", "rich", "click", "ssl", "subprocess", "uvloop", "re2")


@pytest.fixture
def layout(tmp_path):
    (tmp_path / "run").mkdir(mode=0o700)
    return Layout(tmp_path / "home", tmp_path / "home", tmp_path / "run")


@pytest.fixture
def serve(layout):
    """A socket in the daemon's place that answers each connection's first packet with *reply*."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(os.path.relpath(layout.daemon_socket))
    listener.listen()
    threads = []

    def start(reply):
        def work():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                if reply is not None:
                    wire.send(connection, reply)

        threads.append(threading.Thread(target=work))
        threads[0].start()

    with listener:
        yield start
        for thread in threads:
            thread.join()


def test_importing_it_loads_nothing_heavy():
    code = f"import sys, bot_bottle.ipc.client; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_socket_is_no_daemon(layout):
    assert DaemonClient.connect(layout) is None


def test_a_daemon_that_is_just_ending_counts_as_none(layout, serve):
    serve(None)
    assert DaemonClient.connect(layout) is None


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Failed("the running daemon speaks protocol 0: end it with 'kill 1'"), "kill 1"),
        (Status(77, "9.9", 99, ()), "kill 77"),
    ],
)
def test_a_daemon_of_another_version_is_named_with_the_way_to_end_it(layout, serve, reply, words):
    serve(reply)
    with pytest.raises(DaemonError, match=words):
        DaemonClient.connect(layout)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (["/nonexistent/python"], "can't be started"),
        ([sys.executable, "-c", "raise SystemExit(1)"], "could not start"),
        ([sys.executable, "-c", "import os; os.write(3, b'no room on the moon')"], "no room on the moon"),
        ([sys.executable, "-c", "import os; os.write(3, b'ready\\n')"], "ended at once"),
    ],
)
def test_a_daemon_that_does_not_come_up_is_an_error_with_its_reason(layout, program, words):
    with pytest.raises(DaemonError, match=words):
        DaemonClient.ensure(layout, program)
    with start_lock(layout, wait=False) as held:
        assert held


def test_the_start_lock_is_held_by_one(layout):
    with start_lock(layout) as first, start_lock(layout, wait=False) as second:
        assert first and not second
