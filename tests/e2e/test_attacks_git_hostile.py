"""Hostile repositories through the gate (threats H6): nothing of them runs, and what git's checks refuse is refused.

The corpus is pushed byte for byte from a bottle, and fetched from an upstream that holds it. What it would run leaves a
file behind and stands still for seconds under a name of its own: both are looked for on this machine.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from git_ground import AUTHOR, QUIET, Repository
from git_support import GATE, Gate, gate, gate_processes
from git_watch import Memory
from hostile_objects import NAMES, Object
from hostile_repositories import Hostile, corpus

pytestmark = pytest.mark.slow
PROBE = Path(__file__).with_name("git_probe.py").read_text()
CANARY = "bb-git-canary"
SECONDS = "3.1415926"
HERE = f"sh -c 'touch ./{CANARY}; exec sleep {SECONDS}'"
ORDER = HERE.replace("; exec", f" /tmp/{CANARY} /run/bot-bottle/{CANARY}; exec")
"""also where a gate can write, whatever directory it is in"""
SLEEPER = f"sleep\0{SECONDS}\0".encode()


@pytest.fixture
def at(person):
    with gate(person) as made:
        made.write_bottle({"lfs": "refuse"})
        yield made


class Canaries:
    """Looks for traces until the end of the context."""

    def __init__(self, *places: Path) -> None:
        self.seen: set[str] = set()
        self._places = places
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.is_set():
            for entry in filter(str.isdigit, os.listdir("/proc")):
                try:
                    if Path(f"/proc/{entry}/cmdline").read_bytes() == SLEEPER:
                        self.seen.add("process")
                except OSError:
                    continue
            time.sleep(0.3)

    def files(self) -> list[Path]:
        return [path for place in self._places for path in place.rglob(CANARY)]


@contextmanager
def canaries(*places: Path) -> Iterator[Canaries]:
    made = Canaries(*places)
    made._thread.start()
    try:
        yield made
    finally:
        made._over.set()
        made._thread.join()


def _orders(url: str, table: list[Hostile]) -> str:
    return json.dumps(
        [
            {"url": url, "refs": one.refs, "pack": base64.b64encode(one.sent).decode(), **one.more}
            for one in table
        ]
    )


@pytest.mark.parametrize("person", ["self"], indirect=True)
@pytest.mark.load
def test_nothing_of_the_corpus_runs_when_it_is_pushed(at: Gate) -> None:
    """Each entry: refused where it must be; what the client was told is what upstream has; the gate lives on within its
    memory."""
    inside = at.start()
    inside.ok("cat > ~/probe.py", PROBE)
    (pid,) = gate_processes(at.person)
    guests = at.person.layout.guest(inside.identity)
    wrong = []
    with canaries(guests, at.ground.repositories) as found, Memory(pid) as memory:
        for one in corpus(ORDER):
            before = at.ssh.refs()
            said = inside.ok("python3 ~/probe.py", _orders(f"{GATE}/project.git", [one]), timeout_s=300)
            (result,) = json.loads(said)
            after = at.ssh.refs()
            told = {line[3:] for line in result["report"] if line.startswith("ok ")}
            arrived = {ref for ref in after if after[ref] != before.get(ref)}
            if one.refused and arrived:
                wrong.append(f"{one.name}: arrived: {result}")
            if (
                arrived != told - {ref for ref, new in one.refs.items() if set(new) == {"0"}}
                and after != before
            ):
                wrong.append(f"{one.name}: told {told}, arrived {arrived}")
            if one.refused is False and not arrived:
                wrong.append(f"{one.name}: refused: {result}")
            for ref in arrived:
                at.ssh.git("update-ref", "-d", ref)
    print(f"peak {memory.peak_bytes / 2**20:.0f} MiB", memory.by_name)
    assert not wrong, "\n".join(wrong)
    assert not found.seen and found.files() == []
    assert gate_processes(at.person) == [pid]
    inside.ok(
        f"git clone -q {at.ssh.ssh} ~/a && cd ~/a && git commit -q --allow-empty -m after && git push -q origin main"
    )
    assert memory.peak_bytes < 400 * 2**20, memory.by_name


def _lay(repository: Repository, one: Hostile) -> bool:
    """Its objects and refs as they are into an upstream; whether there was a way to."""
    for thing in one.objects:
        _loose(repository.path, thing)
    done = False
    for ref, oid in one.refs.items():
        argv = ["git", "update-ref", ref, oid]
        env = {**os.environ, **QUIET}
        done |= subprocess.run(argv, cwd=repository.path, env=env, capture_output=True).returncode == 0
    return done


def _loose(repository: Path, thing: Object) -> None:
    path = repository / "objects" / thing.oid[:2] / thing.oid[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(f"{NAMES[thing.kind]} {len(thing.body)}\0".encode() + thing.body))


@pytest.mark.parametrize("person", ["self"], indirect=True)
@pytest.mark.load
def test_nothing_of_the_corpus_runs_when_it_is_fetched(at: Gate) -> None:
    """An upstream that holds it: a fetch brings it or fails, nothing runs, and the gate serves the next one."""
    inside = at.start()
    (pid,) = gate_processes(at.person)
    guests = at.person.layout.guest(inside.identity)
    laid = came = 0
    with canaries(guests) as found, Memory(pid) as memory:
        for one in corpus(ORDER):
            if not _lay(at.ssh, one):
                continue
            laid += 1
            done = inside(f"rm -rf ~/h; git clone -q --bare {at.ssh.ssh} ~/h", timeout_s=120)
            came += done.status == 0
            for ref in set(at.ssh.refs()) - {"refs/heads/main"}:
                at.ssh.git("update-ref", "-d", ref)
    print(f"{laid} laid, {came} fetched, peak {memory.peak_bytes / 2**20:.0f} MiB")
    assert laid > 70 and came > 40
    assert not found.seen and found.files() == []
    assert inside.ok(f"git ls-remote {at.ssh.ssh}") and gate_processes(at.person) == [pid]


def test_the_canary_sings_where_git_is_careless(tmp_path: Path) -> None:
    """Control: the same objects, checked out by a git that runs in them, leave their traces."""
    (one,) = (one for one in corpus(HERE) if one.name == "a bare repository in a directory")
    repository = Repository(tmp_path / "r.git")
    env = {**os.environ, **QUIET, **AUTHOR}
    subprocess.run(["git", "init", "-q", "--bare", str(repository.path)], check=True, env=env)
    assert _lay(repository, one)
    clone = ["git", "clone", "-q", "-b", "hostile", str(repository.path), str(tmp_path / "w")]
    subprocess.run(clone, check=True, env=env)
    inner = Repository(tmp_path / "w" / "sub")
    with canaries(tmp_path) as found:
        careless = ("-c", "core.worktree=.")
        oid = inner.git(*careless, "hash-object", "-w", "--stdin", given=b"x")
        inner.git(*careless, "update-ref", "refs/x/y", oid)
        assert found.files(), "no trace: what the tests above look for never comes"
    assert found.seen == {"process"}
