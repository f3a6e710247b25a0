"""The bubblewrap backend passes the whole suite, as whoever runs it and as an ordinary user."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from bot_bottle.sandbox.backends import bubblewrap
from bot_bottle.sandbox.backends.bubblewrap import BubblewrapBackend, BubblewrapBottle
from bot_bottle.sandbox.contract import Backend, SandboxError
from bot_bottle.testing.backend_ground import Ground, finish
from bot_bottle.testing.backend_isolation import IsolationSuite

SCOPE = "5017e5"
ORDINARY_UID = 64902


class TestBubblewrap(IsolationSuite):
    """Every property of a backend."""

    @pytest.fixture
    def ground(self, make_ground: Callable[[Backend], Ground]) -> Ground:
        return make_ground(BubblewrapBackend(SCOPE))


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_suite_as_an_ordinary_user() -> None:
    """The same suite, started by a uid without any privilege."""
    command = [
        "setpriv", f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}", "--clear-groups", "--no-new-privs",
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "TestBubblewrap", __file__,
    ]  # fmt: skip
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_root_needs_a_uid_for_the_bottle(make_ground: Callable[[Backend], Ground]) -> None:
    """The host's root in a bottle is no sandbox: without another uid there is none (research 5.5)."""
    ground = make_ground(BubblewrapBackend(SCOPE))
    for uid in (0, None) if os.geteuid() == 0 else (0, os.geteuid() + 1):
        with pytest.raises(SandboxError):
            ground.backend.start(replace(ground.spec, uid=uid))


def test_death_of_bwrap_ends_the_bottle(make_ground: Callable[[Backend], Ground]) -> None:
    """Every process inside ends, whoever waits hears of it, and stopping is still clean."""
    ground = make_ground(BubblewrapBackend(SCOPE))
    with ground.bottle() as bottle:
        process = bottle.spawn(["sleep", "600"])
        assert isinstance(bottle, BubblewrapBottle)
        os.kill(bottle._monitor, signal.SIGKILL)
        assert select.select([bottle], [], [], 20)[0]
        with pytest.raises(SandboxError):
            process.wait(20)
        for fd in (process.stdin, process.stdout, process.stderr):
            assert fd is not None
            os.close(fd)
    assert not ground.spec.exec_socket.exists()


def test_without_its_proxy_nothing_answers(make_ground: Callable[[Backend], Ground]) -> None:
    """A sidecar that has died opens nothing: connections end at once."""
    ground = make_ground(BubblewrapBackend(SCOPE))
    script = (
        "import socket\n"
        "for name, port in (('127.0.0.1', 9099), ('open.example', 80), ('open.example', 443)):\n"
        "    s = socket.create_connection((name, port), timeout=10)\n"
        "    try:\n        s.sendall(b'GET http://open.example/ HTTP/1.0\\r\\n\\r\\n'); print(len(s.recv(10)))\n"
        "    except ConnectionError: print(0)\n"
    )
    with ground.bottle() as bottle:
        ground.spec.sockets.joinpath("proxy.sock").unlink()
        ended = finish(bottle.spawn(["python3", "-c", script]))
    assert ended.stdout.split() == [b"0", b"0", b"0"], ended


def test_an_interpreter_of_another_version(
    make_ground: Callable[[Backend], Ground], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets the shim as source."""
    python, _, mounts = bubblewrap._interpreter()
    monkeypatch.setattr(bubblewrap, "_interpreter", lambda: (python, False, mounts))
    ground = make_ground(BubblewrapBackend(SCOPE))
    with ground.bottle() as bottle:
        assert ground.sh(bottle, "exit 6").status == 6


@pytest.mark.parametrize(
    ("own", "system", "expected"),
    [
        ("/usr/bin/python3.11", "/usr/bin/python3.9", ("/usr/bin/python3.11", True, [])),
        ("/opt/p/bin/python3.11", f"/usr/bin/python3.{sys.version_info[1]}", (None, True, [])),
        ("/opt/p/bin/python3.11", "/usr/bin/python3.9", ("/usr/bin/python3.9", False, [])),
        ("/opt/p/bin/python3.11", "/usr/bin/python3.8", ("/opt/p/bin/python3.11", True, ["/opt/p"])),
        ("/opt/p/bin/python3.11", None, ("/opt/p/bin/python3.11", True, ["/opt/p"])),
    ],
)
def test_choice_of_the_interpreter(
    monkeypatch: pytest.MonkeyPatch,
    own: str,
    system: str | None,
    expected: tuple[str | None, bool, list[str]],
) -> None:
    """Below /usr first, since that is bound anyway; else the one that runs here, with its prefix."""
    monkeypatch.setattr(sys, "executable", own)
    monkeypatch.setattr(sys, "base_prefix", "/opt/p")
    monkeypatch.setattr("os.path.realpath", lambda path: path)
    monkeypatch.setattr("shutil.which", lambda name, path: system)
    python, compiled, mounts = bubblewrap._interpreter()
    assert (python, compiled, [str(mount.source) for mount in mounts]) == (
        expected[0] or system,
        *expected[1:],
    )


def test_doctor_finds_nothing_wrong_here() -> None:
    """This host can run bottles; if it can't, the other tests say why."""
    assert BubblewrapBackend(SCOPE).check() == []
