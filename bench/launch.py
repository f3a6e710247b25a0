"""``make bench``: how long a launch takes, beside srt and docker, in one run on one machine.

Two moments are measured for each sandbox, always from just before the command is started:

* *first instruction*: the program in the sandbox is ``date +%s%N``; what it prints is when it ran.
* *end*: the program is ``true``; the moment is when the command has ended and was waited for.

The runs are interleaved round by round, so that a busy machine is busy for all. Every run must exit 0.
Results go to ``tools/bench/launch.json`` and, between markers, into ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report
from contestants import ROOT, TOOLS, Contestant, Unavailable, bot_bottle, docker, srt

RUN_TIMEOUT_S = 120.0
ENTER = {"bot-bottle": bot_bottle, "srt": srt, "docker": docker}


def run(contestant: Contestant, program: list[str], cwd: Path) -> bytes:
    """Run *program* in the contestant's sandbox; its output. Another status than 0 ends the benchmark."""
    done = subprocess.run(
        contestant.argv(program),
        env=contestant.env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        message = done.stderr.decode(errors="replace")
        raise RuntimeError(f"{contestant.name} ended with status {done.returncode}: {message}")
    return done.stdout


def first_instruction_ms(contestant: Contestant, cwd: Path) -> float:
    started_ns = time.time_ns()
    printed = run(contestant, ["date", "+%s%N"], cwd)
    return (int(printed.split()[-1]) - started_ns) / 1e6


def end_ms(contestant: Contestant, cwd: Path) -> float:
    started_ns = time.monotonic_ns()
    run(contestant, ["true"], cwd)
    return (time.monotonic_ns() - started_ns) / 1e6


def measure_warm(contestants: list[Contestant], runs: int, cwd: Path) -> list[report.Row]:
    """Interleaved runs; the first of each is thrown away (page cache; our daemon starts in it)."""
    rows = {c.name: report.Row(c.name, c.version, c.shown, [], []) for c in contestants}
    for contestant in contestants:
        end_ms(contestant, cwd)
    for number in range(runs):
        for contestant in contestants[number % len(contestants) :] + contestants[: number % len(contestants)]:
            rows[contestant.name].first_ms.append(first_instruction_ms(contestant, cwd))
            rows[contestant.name].end_ms.append(end_ms(contestant, cwd))
        print(f"\rround {number + 1} of {runs}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return list(rows.values())


def measure_cold(runs: int, cwd: Path) -> report.Row:
    """bot-bottle with no daemon there: each run has a home of its own and starts one."""
    row = report.Row("bot-bottle, daemon not running", "", "bot-bottle run --", [], [])
    for _ in range(runs):
        for measure, values in ((first_instruction_ms, row.first_ms), (end_ms, row.end_ms)):
            with tempfile.TemporaryDirectory(prefix="bb-cold-") as home, bot_bottle(Path(home)) as contestant:
                values.append(measure(contestant, cwd))
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=25, help="rounds, at least 20 for numbers to keep")
    parser.add_argument("--cold-runs", type=int, default=10)
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md as it is")
    parser.add_argument("--only", action="append", choices=list(ENTER), help="measure this one (repeatable)")
    options = parser.parse_args()
    TOOLS.mkdir(parents=True, exist_ok=True)
    subprocess.run([ROOT / "scripts" / "peers.sh"], check=True)
    absent: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bb-bench-")))
        cwd = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bb-bench-cwd-")))
        contestants = []
        for name in options.only or ENTER:
            try:
                contestants.append(stack.enter_context(ENTER[name](home)))
            except Unavailable as error:
                absent[name] = str(error)
                print(f"bench: {name} left out: {error}", file=sys.stderr)
        rows = measure_warm(contestants, options.runs, cwd)
        if any(contestant.name == "bot-bottle" for contestant in contestants):
            rows.append(measure_cold(options.cold_runs, cwd))
    result = report.Result(report.machine(), options.runs, rows, absent)
    (TOOLS / "launch.json").write_text(json.dumps(result.as_json(), indent=2) + "\n")
    text = report.markdown(result)
    print(text)
    if not options.no_write:
        report.put_between_markers(ROOT / "docs" / "benchmarks.md", "launch", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
