"""``make bench-dlp``: megabytes per CPU second of the whole scan, beside other scanners, in one run.

Each measurement is a process of its own that gets the text on standard input; its CPU time is the kernel's
(``wait4``), less that of the same process with nothing to scan, so that nobody is charged for his start. The
contestants take turns. Slow ones get less text: the rate is what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dlp_texts
import report

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
OURS = (sys.executable, str(ROOT / "bench" / "dlp_contestant.py"))
GITLEAKS = TOOLS / "gitleaks" / "usr" / "bin" / "gitleaks"
DETECT_SECRETS = TOOLS / "bench" / "detect-secrets" / "bin" / "detect-secrets"

MB = 1_000_000


@dataclass(frozen=True)
class Contestant:
    name: str
    argv: tuple[str, ...]
    size: int
    """bytes of each text"""
    by_file: bool = False
    """reads a file that is named last, not standard input"""
    statuses: tuple[int, ...] = (0,)
    texts: str = "outbound"


CONTESTANTS = (
    Contestant("`bot-bottle`, outbound", (*OURS, "outbound", "--known", "20"), 64 * MB),
    Contestant(
        "the same with the entropy detector", (*OURS, "outbound", "--known", "20", "--entropy"), 32 * MB
    ),
    Contestant("30 patterns, Python's `re`", (*OURS, "re"), 8 * MB),
    Contestant(
        "`gitleaks stdin`",
        (str(GITLEAKS), "stdin", "--no-banner", "--log-level=error"),
        4 * MB,
        statuses=(0, 1),
    ),
    Contestant("`detect-secrets scan`", (str(DETECT_SECRETS), "scan"), MB // 2, by_file=True),
    Contestant("`bot-bottle`, inbound", (*OURS, "inbound", "--known", "20"), 32 * MB, texts="inbound"),
)

SECRETS = (1, 20, 100, 1000)
"""known secrets: the cost must stay flat"""

INBOUND = {"documents": dlp_texts.documents, "chat bodies with code": dlp_texts.chat_bodies}


def cpu_seconds(contestant: Contestant, text: bytes, argv: Sequence[str] = ()) -> float:
    """User and system time of one run over *text*. Raises RuntimeError when it failed."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "text.txt"
        path.write_bytes(text)
        command = list(argv or contestant.argv)
        if contestant.by_file:
            command.append(str(path))
        with path.open("rb") as file:
            process = subprocess.Popen(
                command, stdin=file, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=directory
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in contestant.statuses:
        raise RuntimeError(f"{contestant.name}: status {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def rate(contestant: Contestant, make: Callable[[int], bytes], argv: Sequence[str] = ()) -> float:
    """Megabytes per CPU second."""
    text = make(contestant.size)
    start = cpu_seconds(contestant, b"", argv)
    return len(text) / MB / max(cpu_seconds(contestant, text, argv) - start, 1e-6)


def measure(rounds: int) -> dict[str, dict[str, list[float]]]:
    """Rates by contestant and text."""
    found: dict[str, dict[str, list[float]]] = {}
    for number in range(rounds):
        for contestant in CONTESTANTS:
            texts = INBOUND if contestant.texts == "inbound" else dlp_texts.TEXTS
            for name, make in texts.items():
                try:
                    value = rate(contestant, make)
                except (RuntimeError, OSError) as error:
                    print(f"{contestant.name}: not measured: {error}", file=sys.stderr)
                    continue
                print(f"round {number + 1}: {contestant.name}, {name}: {value:.1f} MB/s", file=sys.stderr)
                found.setdefault(contestant.name, {}).setdefault(name, []).append(value)
    return found


def flatness(rounds: int) -> dict[int, list[float]]:
    """Rates over chat bodies by the number of known secrets."""
    ours = CONTESTANTS[0]
    found: dict[int, list[float]] = {count: [] for count in SECRETS}
    for _ in range(rounds):
        for count in SECRETS:
            argv = (*OURS, "outbound", "--known", str(count))
            found[count].append(rate(ours, dlp_texts.chat_bodies, argv))
    return found


def growth_kib(way: str, size: int) -> int:
    """How much more memory a stream of *size* bytes takes at its peak than before it."""
    argv = [*OURS, "memory", "--way", way, "--size", str(size)]
    return int(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)


def markdown(
    rates: dict[str, dict[str, list[float]]], flat: dict[int, list[float]], grown: dict[str, int], rounds: int
) -> str:
    lines = [f"{report.machine()}; {rounds} interleaved rounds; MB per CPU second, median.", ""]
    columns = [*dlp_texts.TEXTS, "documents"]
    lines += ["| scanner | " + " | ".join(columns) + " | × gitleaks |", "|" + "---|" * (len(columns) + 2)]
    peer = rates.get("`gitleaks stdin`", {})
    for name, by_text in rates.items():
        medians = {text: statistics.median(values) for text, values in by_text.items()}
        cells = [f"{medians[text]:,.1f}" if text in medians else "–" for text in columns]
        ratios = [value / statistics.median(peer[text]) for text, value in medians.items() if text in peer]
        compared = f"{min(ratios):,.1f}–{max(ratios):,.1f}" if ratios and "inbound" not in name else "–"
        lines.append(f"| {name} | {' | '.join(cells)} | {compared} |")
    lines += ["", "| known secrets | chat bodies with code |", "|---|---|"]
    lines += [f"| {count:,} | {statistics.median(values):,.1f} |" for count, values in flat.items()]
    lines += ["", "| one stream | memory that it takes at its peak |", "|---|---|"]
    lines += [f"| {name} | {kib / 1024:.1f} MiB |" for name, kib in grown.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only-ours", action="store_true", help="nobody else, nothing written")
    options = parser.parse_args()
    if options.only_ours:
        for contestant in CONTESTANTS:
            if contestant.name.startswith(("`bot-bottle`", "the same")):
                for name, make in (INBOUND if contestant.texts == "inbound" else dlp_texts.TEXTS).items():
                    print(f"{contestant.name}, {name}: {rate(contestant, make):.1f} MB per CPU second")
        return
    rates, flat = measure(options.rounds), flatness(options.rounds)
    grown = {
        "outbound, 64 MB": growth_kib("outbound", 64 * MB),
        "outbound, 1 GB": growth_kib("outbound", 1000 * MB),
        "inbound, 64 MB": growth_kib("inbound", 64 * MB),
        "inbound, 1 GB": growth_kib("inbound", 1000 * MB),
    }
    (TOOLS / "bench").mkdir(parents=True, exist_ok=True)
    (TOOLS / "bench" / "dlp.json").write_text(json.dumps({"rates": rates, "flat": flat, "grown_kib": grown}))
    report.put_between_markers(
        ROOT / "docs" / "benchmarks.md", "dlp", markdown(rates, flat, grown, options.rounds)
    )


if __name__ == "__main__":
    main()
