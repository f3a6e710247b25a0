"""``make bench``: what one more bottle costs, in memory and in CPU, and fifty of them at once.

*Memory* is private memory (``Private_*`` and ``Swap`` of ``smaps_rollup``): what would not be in use without
this bottle. What processes share counts for none of them; in the total each has its share (``Pss``).
*CPU* is that of every process of ours, in nanoseconds: all of them, the daemon and its parent of sidecars
included, run in one ``cpuacct`` control group, which is read when the command is started, when the program
in the bottle has said its first word, and when all is cleared away. Where there is no such group (control
groups v2, a user), the whole life is measured instead, by ``wait4`` and the daemon's clocks.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import report
from contestants import ROOT, TOOLS, Contestant, bot_bottle, layout_of

from bot_bottle.ipc.client import DaemonClient

FIRST_WORD = ["sh", "-c", "echo up; read line"]
GROUPS = Path("/sys/fs/cgroup/cpuacct")


# -- memory of processes


def descendants(pid: int) -> list[int]:
    """All that *pid* has started and that is still its."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def private_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (ProcessLookupError, FileNotFoundError):  # it has ended
        return 0
    counted = ("Private_Clean:", "Private_Dirty:", "Swap:")
    return sum(int(line.split()[1]) for line in lines if line.startswith(counted))


def share_kib(pid: int) -> int:
    """What *pid* has for itself and its share of what it has with others."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (ProcessLookupError, FileNotFoundError):
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def name_of(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def by_role(launcher: int) -> dict[str, int]:
    """KiB of one bottle's processes but its sidecar; the agent's own program is left out."""
    roles = {"launching process": private_kib(launcher), "in the bottle (bwrap, init)": 0}
    for pid in descendants(launcher):
        if name_of(pid) == "bwrap" or name_of(pid).startswith("python"):
            roles["in the bottle (bwrap, init)"] += private_kib(pid)
    return roles


# -- bottles


def daemon_pids(home: Path) -> tuple[int, int]:
    """The daemon and the parent that forks sidecars."""
    client = DaemonClient.connect(layout_of(home))
    if client is None:
        raise RuntimeError("there is no daemon")
    pid = client.status().pid
    client.close()
    return pid, next(child for child in descendants(pid) if name_of(child) != "bottle-proxy")


def sidecars(home: Path) -> list[int]:
    return [pid for pid in descendants(daemon_pids(home)[1]) if name_of(pid) == "bottle-proxy"]


@contextlib.contextmanager
def held(contestant: Contestant, count: int, prefix: list[str] | None = None) -> Iterator[list[int]]:
    """So many bottles, one after the other, each past its first word; the launching processes."""
    running = []
    try:
        for _ in range(count):
            process = subprocess.Popen(
                [*(prefix or []), *contestant.argv(FIRST_WORD)],
                env=contestant.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            running.append(process)
            assert process.stdout is not None
            if process.stdout.readline() != b"up\n":
                raise RuntimeError("a bottle did not start")
        yield [process.pid for process in running]
    finally:
        for process in running:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.stdout.close()
        if any(process.wait(60) not in (0, 1) for process in running):  # 1: `read` at the end of its input
            raise RuntimeError("a bottle did not end in good order")


def measure_memory(contestant: Contestant, home: Path, count: int) -> dict[str, float]:
    """MiB a bottle by role (the mean of *count*), and of all together."""
    with held(contestant, 1), held(contestant, count) as launchers:
        time.sleep(1.0)  # what a start leaves to do afterwards
        pair = daemon_pids(home)
        proxies = sidecars(home)[-count:]
        rows = [by_role(launcher) for launcher in launchers]
        roles = {role: statistics.mean(row[role] for row in rows) for role in rows[0]}
        roles = {"its proxy (sidecar)": statistics.mean(map(private_kib, proxies)), **roles}
        shared = sum(map(private_kib, pair))
        inside = [pid for launcher in launchers for pid in [launcher, *descendants(launcher)]]
        total = sum(map(share_kib, [*pair, *proxies, *inside]))
    found = {role: kib / 1024 for role, kib in roles.items()}
    found["one more bottle, all of it"] = sum(found.values())
    found["daemon and parent of sidecars, once"] = shared / 1024
    found[f"{count} idle bottles with all that they share, their programs too"] = total / 1024
    return found


# -- CPU


@contextlib.contextmanager
def group(home: Path) -> Iterator[Path | None]:
    """A control group with the daemon and its parent of sidecars in it; None where none can be made."""
    directory = GROUPS / f"bot-bottle-bench-{os.getpid()}"
    try:
        directory.mkdir()
    except OSError:
        yield None
        return
    try:
        for pid in daemon_pids(home):
            (directory / "cgroup.procs").write_text(str(pid))
        yield directory
    finally:
        for pid in (directory / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (GROUPS / "cgroup.procs").write_text(pid)
        directory.rmdir()


def measure_cpu(contestant: Contestant, home: Path, runs: int) -> dict[str, list[float]]:
    """Milliseconds: to the first word, and of the whole life."""
    with held(contestant, 1):
        pass
    with group(home) as directory:
        if directory is None:
            return {"of its whole life": life_ms(contestant, home, runs)}
        found: dict[str, list[float]] = {"to start": [], "of its whole life": []}
        enter = ["/bin/sh", "-c", f'echo $$ >{directory}/cgroup.procs; exec "$@"', "sh"]

        def used_ms() -> float:
            return int((directory / "cpuacct.usage").read_text()) / 1e6

        for _ in range(runs):
            before = used_ms()
            with held(contestant, 1, enter):
                found["to start"].append(used_ms() - before)
            while sidecars(home):
                time.sleep(0.01)
            found["of its whole life"].append(used_ms() - before)
        return found


def life_ms(contestant: Contestant, home: Path, runs: int) -> list[float]:
    """The mean of *runs* launches of ``true``, as one number: the daemon's clocks tick in 10 ms."""

    def theirs() -> float:
        fields = [
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in daemon_pids(home)
        ]
        return sum(sum(map(int, row[11:15])) for row in fields) / os.sysconf("SC_CLK_TCK") * 1e3

    before, ours = theirs(), 0.0
    for _ in range(runs):
        process = subprocess.Popen(
            contestant.argv(["true"]), env=contestant.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        ours += (usage.ru_utime + usage.ru_stime) * 1e3
    while sidecars(home):
        time.sleep(0.01)
    return [(ours + theirs() - before) / runs]


def markdown(memory: dict[str, float], cpu: dict[str, list[float]], runs: int) -> str:
    lines = [f"{report.machine()}; CPU: {runs} launches.", "", "| private memory | MiB |", "|---|---|"]
    lines += [f"| {what} | {mib:.1f} |" for what, mib in memory.items()]
    lines += ["", "| CPU of one bottle | ms: median (least to most) |", "|---|---|"]
    lines += [f"| {what} | {report.spread(values)} |" for what, values in cpu.items()]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bottles", type=int, default=50)
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md as it is")
    options = parser.parse_args()
    TOOLS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bb-bench-") as scratch:
        home = Path(scratch)
        with bot_bottle(home) as contestant:
            cpu = measure_cpu(contestant, home, options.runs)
            memory = measure_memory(contestant, home, options.bottles)
    (TOOLS / "footprint.json").write_text(json.dumps({"memory_mib": memory, "cpu_ms": cpu}, indent=2) + "\n")
    text = markdown(memory, cpu, options.runs)
    print(text)
    if not options.no_write:
        report.put_between_markers(ROOT / "docs" / "benchmarks.md", "footprint", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
