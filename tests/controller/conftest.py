"""A host of its own for each test: state root, daemon, launchers; as whoever runs the tests, and, where that
is root, as an ordinary user too. Everything started is ended by pid at the end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bot_bottle.store.layout import Layout

HERE = Path(__file__).parent
USER = 65534
BOTTLE_UID = 64999
WAIT_S = 20.0


def eventually(holds, what: str, within_s: float = WAIT_S):
    """Wait until *holds()* is true and return its value."""
    deadline = time.monotonic() + within_s
    while not (value := holds()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)
    return value


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError):
                if int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry))
    return found


class Launcher:
    """A launching process under the test's control."""

    def __init__(self, host: Host, options: dict) -> None:
        self.bottle = options.get("bottle", "")
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(HERE / "launcher_under_test.py"), json.dumps(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=host.env, cwd="/",
            user=host.uid, group=host.uid, extra_groups=None if host.uid is None else [],
        )  # fmt: skip
        self.pid = self.process.pid

    def said(self) -> dict:
        line = self.process.stdout.readline()
        assert line, "the launching process ended"
        return json.loads(line)

    def tell(self, word: str) -> dict:
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.said()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Host:
    """One state root. ``uid`` is None for whoever runs the tests."""

    def __init__(self, root: Path, uid: int | None) -> None:
        self.root, self.uid = root, uid
        self.is_root = os.geteuid() == 0 and uid is None
        home = root / "operator" / ".bot-bottle"
        self.layout = Layout(home, root / "shared" if self.is_root else home, root / "r")
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(root / "operator"), "MARK": "environment-mark"}
        self.launchers: list[Launcher] = []
        self.daemons: set[int] = set()

    def options(self, entry: str = "obedient", reaper: str = "works", idle_s: float = 60, **more) -> dict:
        program = [
            sys.executable, "-P", str(HERE / "daemon_under_test.py"), entry, reaper, "--idle-s", str(idle_s)
        ]  # fmt: skip
        if entry == "proxy":
            program = [sys.executable, "-P", "-m", "bot_bottle.cli.daemon"]
        layout = {"home": self.layout.home, "shared": self.layout.shared, "run": self.layout.run}
        return {
            **{name: str(path) for name, path in layout.items()},
            "program": program,
            "bottle_uid": BOTTLE_UID if self.is_root else None,
            **more,
        }

    eventually = staticmethod(eventually)
    alive = staticmethod(alive)

    def start(self, options: dict) -> Launcher:
        made = Launcher(self, options)
        self.launchers.append(made)
        return made

    def launcher(self, bottle: str = "one", **options) -> Launcher:
        return self.start(self.options(bottle=bottle, **options))

    def race(self, clients: int, **options) -> Launcher:
        return self.start(self.options(race=clients, **options))

    def ready(self, bottle: str = "one", **options) -> tuple[Launcher, dict]:
        launcher = self.launcher(bottle, **options)
        event = launcher.said()
        assert event["event"] == "ready", event
        self.daemons.add(event["daemon"])
        return launcher, event

    def zygote(self, daemon: int) -> int:
        """The preloaded parent: the daemon's child that is not a chore."""
        for pid in children(daemon):
            with contextlib.suppress(OSError):
                if b"zygote" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return 0

    def log(self) -> str:
        path = self.layout.home / "logs" / "daemon.log"
        return path.read_text() if path.exists() else ""

    def daemon_pid(self) -> int:
        path = self.layout.home / "daemon.lock"
        return int(path.read_text().split()[0]) if path.exists() else 0

    def close(self) -> None:
        for launcher in self.launchers:
            launcher.end()
        with contextlib.suppress(OSError, ValueError, IndexError):
            self.daemons.add(self.daemon_pid())
        for pid in self.daemons - {0}:
            if alive(pid) and str(self.root).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)
                eventually(lambda pid=pid: not alive(pid), "the daemon ends")
        shutil.rmtree(self.root, ignore_errors=True)


def _identities() -> list:
    return ["self", "user"] if os.geteuid() == 0 else ["self"]


@pytest.fixture(params=_identities())
def host(request):
    uid = USER if request.param == "user" else None
    if uid is not None and not _may_run_as(uid):
        pytest.skip("the interpreter or the checkout can't be reached by an ordinary user")
    root = Path(tempfile.mkdtemp(prefix="bb-", dir="/tmp"))
    root.chmod(0o711)
    (root / "operator").mkdir(mode=0o700)
    if uid is not None:
        os.chown(root, uid, uid)
        os.chown(root / "operator", uid, uid)
    made = Host(root, uid)
    yield made
    made.close()


def _may_run_as(uid: int) -> bool:
    done = subprocess.run(
        [sys.executable, "-c", "import bot_bottle"], user=uid, group=uid, extra_groups=[], cwd="/",
        env={}, capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0
