"""Branch coverage: ``run`` runs all tests under it, ``core LIST`` holds the security core to 90 %.

Processes that the tests start (sidecars, the daemon, commands) are measured too: coverage's ``subprocess``
patch puts itself into each Python child, its ``_exit`` patch saves what a forked child has seen.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "bot_bottle"
MINIMUM_PERCENT = 90.0


@dataclass(frozen=True)
class Score:
    """Covered and all lines and branches of one module."""

    covered: int
    total: int

    @property
    def percent(self) -> float:
        return 100.0 * self.covered / self.total if self.total else 100.0


def coverage(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "coverage", *arguments]
    return subprocess.run(argv, cwd=ROOT, check=check, text=True, stdout=None)


def run_all() -> int:
    coverage("erase")
    status = coverage("run", "-m", "pytest", check=False).returncode
    coverage("combine", "--quiet", check=False)
    coverage("report", "--skip-covered", check=False)
    return status


def core_modules(listing: str) -> list[Path]:
    """The files that a list names; a line that matches nothing is an error, so that it can't rot."""
    found: dict[Path, None] = {}
    for line in listing.splitlines():
        pattern = line.partition("#")[0].strip()
        if not pattern:
            continue
        matches = sorted(SOURCE.glob(pattern.removeprefix("!")))
        if not matches:
            raise LookupError(f"{pattern!r} matches no module: mend the list")
        if pattern.startswith("!"):
            found = {path: None for path in found if path not in matches}
        else:
            found.update(dict.fromkeys(matches))
    return list(found)


def scores() -> dict[Path, Score]:
    argv = [sys.executable, "-m", "coverage", "json", "--quiet", "-o", "-"]
    data = json.loads(subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    table = {}
    for name, record in data["files"].items():
        summary = record["summary"]
        covered = summary["covered_lines"] + summary.get("covered_branches", 0)
        table[(ROOT / name).resolve()] = Score(
            covered, summary["num_statements"] + summary.get("num_branches", 0)
        )
    return table


def report_core(list_path: Path) -> int:
    measured = scores()
    # What runs only as another user, or where no file can be written, is not seen: so the core as a whole
    # is held to the bound, and a module below it is marked for somebody to look at.
    rows = [(path, measured.get(path.resolve(), Score(0, 1))) for path in core_modules(list_path.read_text())]
    for path, score in rows:
        mark = "" if score.percent >= MINIMUM_PERCENT else "  below"
        name = str(path.relative_to(SOURCE))
        print(f"{name:45} {score.covered:5}/{score.total:<5} {score.percent:6.1f} %{mark}")
    total = Score(sum(score.covered for _, score in rows), sum(score.total for _, score in rows))
    print(f"{'security core':45} {total.covered:5}/{total.total:<5} {total.percent:6.1f} %")
    return 1 if total.percent < MINIMUM_PERCENT else 0


def main(arguments: list[str]) -> int:
    match arguments:
        case ["run"]:
            return run_all()
        case ["core", listing]:
            return report_core(ROOT / listing)
        case _:
            print("usage: coverage_report.py run | core LIST", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
