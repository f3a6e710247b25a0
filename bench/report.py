"""Numbers into a table: medians, spread and ratios, and the section of docs/benchmarks.md between markers."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """The runs of one contestant, in milliseconds."""

    name: str
    version: str
    shown: str
    first_ms: list[float]
    end_ms: list[float]


@dataclass(frozen=True)
class Result:
    """One run of the benchmark; *absent* maps a contestant to the reason why it could not be measured."""

    machine: str
    runs: int
    rows: list[Row]
    absent: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def machine() -> str:
    """What a reader needs to judge the numbers by; nothing that names this machine."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    who = "root" if os.geteuid() == 0 else "a user"
    load = os.getloadavg()[0]
    day = datetime.now(UTC).date().isoformat()
    return (
        f"{day}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, {system}, kernel {platform.release()}, "
        f"Python {platform.python_version()}, as {who}, load average at the end {load:.1f}"
    )


def spread(values: list[float]) -> str:
    """Median, and the range from the fastest to the slowest run."""
    return f"{statistics.median(values):.0f} ({min(values):.0f}–{max(values):.0f})"


def markdown(result: Result) -> str:
    lines = [
        f"{result.machine}; {result.runs} interleaved rounds; milliseconds: median (fastest–slowest).",
        "",
    ]
    lines += ["| command | version | first instruction | end | ratio of ends |", "|---|---|---|---|---|"]
    ours = next((statistics.median(row.end_ms) for row in result.rows if row.name == "bot-bottle"), None)
    for row in result.rows:
        ratio = f"{statistics.median(row.end_ms) / ours:.2f}" if ours else "–"
        what = f"`{row.shown} true`" + (f" ({row.name.partition(', ')[2]})" if ", " in row.name else "")
        lines.append(f"| {what} | {row.version} | {spread(row.first_ms)} | {spread(row.end_ms)} | {ratio} |")
    for name, reason in result.absent.items():
        lines.append(f"| {name} | – | not measured: {reason} | | |")
    return "\n".join(lines)


def put_between_markers(page: Path, name: str, text: str) -> None:
    """Replace what stands between the comments ``NAME:begin`` and ``NAME:end``; both must be there once."""
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    head, found_begin, rest = page.read_text().partition(begin)
    _, found_end, tail = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"{page} has no markers {name}:begin and {name}:end")
    page.write_text(f"{head}{begin}{text}\n{end}{tail}")
