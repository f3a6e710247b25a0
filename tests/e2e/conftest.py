"""The product as a person runs it: the console command in a process of its own, a fresh home of mode 0700.

Each test runs as whoever runs the tests and, where that is root, as an ordinary user too. Upstreams and
attackers listen on this host's loopback; what they received is what is asserted on.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot_bottle.store import bottles
from bot_bottle.store.layout import Layout
from bot_bottle.testing.upstream import FakeUpstream

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: what tests share is found here

from e2e_support import eventually, processes_of
from screen_terminal import Terminal

REPOSITORY = Path(__file__).resolve().parents[2]
USER = 64997
"""Of the ordinary user that root's tests play: nobody's."""
TIMEOUT_S = 60.0


@dataclass
class Person:
    """Somebody with a home, a shell and the command."""

    home: Path
    uid: int
    program: tuple[str, ...]
    source: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    homes: set[str] = field(default_factory=set)
    """every HOME that was used; what lies elsewhere for it is removed at the end"""
    enter: tuple[str, ...] = ()
    """argv in front of every command: into a namespace of the test's"""

    @property
    def prefix(self) -> tuple[str, ...]:
        if self.uid == os.geteuid():
            return self.enter
        return (
            *self.enter,
            shutil.which("setpriv") or "setpriv",
            f"--reuid={self.uid}",
            f"--regid={self.uid}",
            "--clear-groups",
            "--",
        )

    def environ(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        self.homes.add((extra or {}).get("HOME", str(self.home)))
        plain = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8"}
        return {**plain, "PYTHONPATH": str(self.source), **(extra or {})}

    def popen(
        self, *args: str, env: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[bytes]:
        options.setdefault("cwd", self.home)
        options.setdefault("start_new_session", True)  # no terminal, whoever runs the tests
        process = subprocess.Popen([*self.prefix, *self.program, *args], env=self.environ(env), **options)
        self.started.append(process)
        return process

    def run(
        self, *args: str, env: Mapping[str, str] | None = None, given: bytes = b"", timeout_s: float = TIMEOUT_S,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        process = self.popen(
            *args,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd or self.home,
        )
        out, err = process.communicate(given, timeout=timeout_s)
        return subprocess.CompletedProcess(args, process.returncode, out.decode(), err.decode())

    @property
    def layout(self) -> Layout:
        """The state root of this person's, as their own process finds it."""
        return self.layout_of(str(self.home))

    def layout_of(self, home: str) -> Layout:
        """The same for another HOME."""
        code = (
            "import json; from bot_bottle.store.layout import default_layout as d; l = d(); "
            "print(json.dumps([str(l.home), str(l.shared), str(l.run)]))"
        )
        argv = [*self.prefix, self.program[0], "-c", code]
        env = self.environ({"HOME": home})
        out = subprocess.run(argv, env=env, capture_output=True, check=True, cwd=self.home).stdout
        return Layout(*map(Path, json.loads(out)))

    def states(self) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self.home / ".bot-bottle" / "state") if name[0] != ".")
        except FileNotFoundError:
            return []

    def write(self, path: str, text: str) -> Path:
        """A file of this person's below the home."""
        target = self.home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        for made in (target, *target.parents):
            if made == self.home:
                break
            os.chown(made, self.uid, self.uid)
        return target

    def end(self) -> None:
        """End all that this person started, the daemon too; remove all that lies about."""
        for process in self.started:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        for home in sorted(self.homes):
            if home.startswith(str(self.home)):
                _clear(self.layout_of(home))


def _end_sessions(layout: Layout) -> None:
    """Those that outlived their terminal."""
    for summary in bottles.list_states(layout):
        if summary.running and summary.launch is not None and summary.launch.launcher_is_alive():
            os.kill(summary.launch.launcher_pid, signal.SIGTERM)
            eventually(lambda at=summary.identity: not bottles.is_running(layout, at), "the session ends")


def _clear(layout: Layout) -> None:
    """End the sessions and the daemon of a state root and remove what lies outside of its home."""
    _end_sessions(layout)
    for pid in processes_of(layout):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    eventually(lambda: not processes_of(layout), "the daemon ends")
    for path in (layout.shared, layout.run):
        if path != layout.home:
            shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        layout.run.parent.rmdir()  # of this user alone, unless something is left in it


@pytest.fixture(scope="session")
def installation() -> Iterator[tuple[Path, Path]]:
    """(python, source) that any user can reach: the checkout's own, or a copy where its path is private."""
    reachable = all(parent.stat().st_mode & 0o001 for parent in REPOSITORY.parents)
    if reachable and REPOSITORY.stat().st_mode & 0o005 == 0o005:
        yield Path(sys.executable), REPOSITORY / "src"
        return
    copy = Path(tempfile.mkdtemp(prefix="bb-install-", dir="/var/tmp"))
    copy.chmod(0o755)
    subprocess.run(["cp", "-a", sys.prefix, str(copy / "venv")], check=True)
    shutil.copytree(REPOSITORY / "src", copy / "src")
    subprocess.run(["chmod", "-R", "a+rX", str(copy)], check=True)
    yield copy / "venv" / "bin" / Path(sys.executable).name, copy / "src"
    shutil.rmtree(copy)


@pytest.fixture(scope="session")
def patterns(installation: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled patterns, as a second launch finds them: each fresh home would pay two seconds for its own."""
    python, source = installation
    kept = tmp_path_factory.mktemp("patterns")
    prepare = "import sys; from bot_bottle.sidecar import kinds; kinds.prepare(sys.argv[1])"
    subprocess.run(
        [python, "-P", "-c", prepare, kept],
        env={**os.environ, "PYTHONPATH": str(source)},
        check=True,
        timeout=120,
    )
    return kept


def _lay_patterns(kept: Path, home: Path, uid: int) -> None:
    place = home
    for name in (".bot-bottle", "cache", "patterns"):
        place /= name
        place.mkdir(mode=0o700)
        os.chown(place, uid, uid)
    for file in kept.iterdir():
        shutil.copy(file, place)
        os.chown(place / file.name, uid, uid)


@pytest.fixture(params=["self", "user"])
def person(
    request: pytest.FixtureRequest, installation: tuple[Path, Path], patterns: Path
) -> Iterator[Person]:
    """A fresh home (0700), but for compiled patterns unless the test is marked ``new_user``; ``self`` is whoever
    runs the tests, ``user`` an ordinary user."""
    if request.param == "user" and os.geteuid() != 0:
        pytest.skip("is the same as the other one where the tests don't run as root")
    uid = USER if request.param == "user" else os.geteuid()
    python, source = installation
    home = Path(tempfile.mkdtemp(prefix="bb-home-", dir="/var/tmp"))
    home.chmod(0o700)
    os.chown(home, uid, uid)
    if request.node.get_closest_marker("new_user") is None:
        _lay_patterns(patterns, home, uid)
    someone = Person(home, uid, (str(python), "-P", "-m", "bot_bottle"), source)
    try:
        yield someone
    finally:
        someone.end()
        shutil.rmtree(home, ignore_errors=True)


@dataclass
class World:
    """An upstream that plays api.example.com (its real key in the person's environment), and one that plays
    everything else, which nobody may reach."""

    api: FakeUpstream
    evil: FakeUpstream
    ca: Path

    @property
    def env(self) -> dict[str, str]:
        return {"API_KEY": "real-key-of-the-operator"}

    def flags(self, *, auth: bool = True) -> Sequence[str]:
        """For ``run``: the API is allowed with its credential; the other host would be found if it were."""
        way = ["--auth", "api.example.com=Bearer:API_KEY"] if auth else ["--allow", "api.example.com"]
        for name, upstream in (("api.example.com", self.api), ("evil.example.com", self.evil)):
            way += ["--connect-to", f"{name}:443:127.0.0.1:{upstream.port}"]
        return [*way, "--extra-ca", str(self.ca)]


@pytest.fixture
def world(person: Person) -> Iterator[World]:
    with FakeUpstream() as api, FakeUpstream() as evil:
        yield World(api, evil, person.write("upstreams.pem", api.ca_pem + evil.ca_pem))


@pytest.fixture
def terminal(person: Person, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal for this person; see ``screen_terminal``."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    made = Terminal(tmp_path / "tmux", person)
    yield made
    made.end()
