"""``make bench-git-gate``: what the git gate costs, beside bare ``gitleaks git`` and beside no gate at all.

One repository, made here, lies behind a real sshd on loopback. In every round the same commits are pushed from a
bottle through the gate and from outside straight to the daemon, and ``gitleaks git`` looks through the same
commits in a bare repository; then the repository is cloned through the gate and straight. What the gate does more
(its own scanner over every object, its rules, the push upstream, confinement) is part of its time.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import report

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from conftest import Person  # noqa: E402
from git_ground import AUTHOR, HOST, QUIET, Repository  # noqa: E402
from git_ground import ROOT as SERVED  # noqa: E402
from git_support import (  # noqa: E402
    Gate,
    gate,
    gate_processes,
)
from git_watch import Memory  # noqa: E402

GITLEAKS = ROOT / "tools" / "gitleaks" / "usr" / "bin" / "gitleaks"
WORDS = (
    "parser",
    "stream",
    "buffer",
    "route",
    "window",
    "policy",
    "cursor",
    "widget",
    "value",
    "return",
    "import",
)
LINES = 60


def history(commits: int) -> Iterator[bytes]:
    """A stream for ``git fast-import``: files of code-like text, each commit changes one of 400."""
    rng = random.Random(7)
    for number in range(commits):
        text = "".join(line(rng) for _ in range(LINES)).encode()
        message = f"Change {rng.choice(WORDS)} {number}".encode()
        head = b"commit refs/heads/long\nmark :%d\ncommitter A <a@example.com> %d +0000\ndata %d\n%b\n"
        yield head % (number + 1, 1_700_000_000 + number, len(message), message)
        yield b"from refs/heads/main^0\n" if number == 0 else b""
        yield b"M 100644 inline src/d%d/f%d.py\ndata %d\n%b\n" % (number % 20, number % 400, len(text), text)
    yield b"done\n"


def line(rng: random.Random) -> str:
    return f"{rng.choice(WORDS)}_{rng.randrange(10_000)} = {rng.choice(WORDS)}({rng.randrange(100)})\n"


def timed(act: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


class Bench:
    def __init__(self, at: Gate, scratch: Path, commits: int) -> None:
        self.at, self.scratch, self.commits = at, scratch, commits
        self.source = Repository(scratch / "source.git")
        self._run("git", "clone", "-q", "--bare", str(at.ssh.path), str(self.source.path))
        self._run(
            "git", "fast-import", "--quiet", "--done", given=b"".join(history(commits)), cwd=self.source.path
        )
        self.url = f"ssh://git@{HOST}{SERVED}/{at.ssh.path.name}"
        self.inside = at.start()
        self.inside.ok(f"git clone -q {self.url} ~/a")
        bundle = scratch / "long.bundle"
        self.source.git("bundle", "create", "-q", str(bundle), "long")
        self._give(bundle)

    def _give(self, bundle: Path) -> None:
        """The commits into the bottle, as if they had been made there."""
        data = bundle.read_bytes()
        for at in range(0, len(data), 4_000_000):
            self.inside.ok("base64 -d >> ~/b", base64.b64encode(data[at : at + 4_000_000]).decode())
        self.inside.ok("cd ~/a && git fetch -q ~/b long:long", timeout_s=300)

    def _run(self, *argv: str, given: bytes = b"", cwd: Path | None = None) -> None:
        env = {**os.environ, **QUIET, **AUTHOR, "GIT_SSH_COMMAND": self.at.ground.ssh.client_command()}
        subprocess.run(
            argv, input=given, cwd=cwd or self.scratch, env=env, check=True, capture_output=True, timeout=1200
        )

    def _forget(self) -> None:
        self.at.ssh.git("update-ref", "-d", "refs/heads/long")
        self.at.ssh.git("-c", "gc.pruneExpire=now", "gc", "-q", "--prune=now")

    def push_by_gate(self) -> float:
        self._forget()
        return timed(lambda: self.inside.ok("cd ~/a && git push -q origin long", timeout_s=1200))

    def push_straight(self) -> float:
        self._forget()
        return timed(lambda: self._run("git", "push", "-q", self.url, "long", cwd=self.source.path))

    def gitleaks(self) -> float:
        argv = [str(GITLEAKS), "git", "--no-banner", "--log-level=error", "--log-opts=main..long", "."]
        return timed(lambda: self._run(*argv, cwd=self.source.path))

    def clone_by_gate(self) -> float:
        self.inside.ok("rm -rf ~/c")
        return timed(lambda: self.inside.ok(f"git clone -q {self.url} ~/c", timeout_s=300))

    def clone_straight(self) -> float:
        shutil.rmtree(self.scratch / "c", ignore_errors=True)
        return timed(lambda: self._run("git", "clone", "-q", self.url, str(self.scratch / "c")))


def markdown(found: dict[str, list[float]], peak: int, commits: int, megabytes: float, rounds: int) -> str:
    def median(name: str) -> float:
        return statistics.median(found[name])

    lines = [
        f"{report.machine()}; {commits:,} commits, a pack of {megabytes:.1f} MB; {rounds} interleaved rounds; seconds:"
        " median (fastest–slowest).",
        "",
        "| scanned | seconds per 1,000 commits | × `gitleaks git` |",
        "|---|---|---|",
    ]
    for name in ("push through the gate", "`gitleaks git`", "push without a gate"):
        per = [value * 1000 / commits for value in found[name]]
        ratio = median(name) / median("`gitleaks git`")
        lines.append(
            f"| {name} | {statistics.median(per):.2f} ({min(per):.2f}–{max(per):.2f}) | {ratio:.2f} |"
        )
    lines += ["", "| cloned | seconds | × straight |", "|---|---|---|"]
    for name in ("clone through the gate", "clone without a gate"):
        values = found[name]
        ratio = median(name) / median("clone without a gate")
        lines.append(f"| {name} | {median(name):.2f} ({min(values):.2f}–{max(values):.2f}) | {ratio:.2f} |")
    lines += [
        "",
        f"Most memory of the gate with all that it started, while it was pushed through: {peak / 2**20:.0f} MiB.",
    ]
    return "\n".join(lines)


@contextlib.contextmanager
def somebody() -> Iterator[Person]:
    home = Path(tempfile.mkdtemp(prefix="bb-home-", dir="/var/tmp"))
    home.chmod(0o700)
    made = Person(home, os.geteuid(), (sys.executable, "-P", "-m", "bot_bottle"), ROOT / "src")
    try:
        yield made
    finally:
        made.end()
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--commits", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md as it is")
    options = parser.parse_args()
    found: dict[str, list[float]] = {}
    with somebody() as person, gate(person) as at, tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        bench = Bench(at, Path(scratch), options.commits)
        contestants = {
            "push through the gate": bench.push_by_gate,
            "`gitleaks git`": bench.gitleaks,
            "push without a gate": bench.push_straight,
            "clone through the gate": bench.clone_by_gate,
            "clone without a gate": bench.clone_straight,
        }
        (pid,) = gate_processes(person)
        with Memory(pid) as memory:
            bench.push_by_gate()
        bench.clone_by_gate()
        for number in range(options.rounds):
            for name, measure in contestants.items():
                found.setdefault(name, []).append(measure())
                print(f"round {number + 1}: {name}: {found[name][-1]:.2f} s", file=sys.stderr)
        megabytes = sum(path.stat().st_size for path in bench.source.path.rglob("*.pack")) / 1e6
    text = markdown(found, memory.peak_bytes, options.commits, megabytes, options.rounds)
    print(text)
    if not options.no_write:
        report.put_between_markers(ROOT / "docs" / "benchmarks.md", "git-gate", text)


if __name__ == "__main__":
    main()
