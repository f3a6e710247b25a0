"""The proxy benchmark measures what it says, and shows a miss as a miss."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

STREAMING = "mitmdump streaming"


@pytest.fixture
def bench(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(root / "bench"))
    return importlib.import_module("proxy_report")


def cost(report: ModuleType, **changed: float) -> object:
    values = {"done": 1000, "seconds": 1.0, "bytes": 100_000_000, "cpu_s": 0.1, "p50_us": 100, "p99_us": 200}
    values |= {"max_us": 300, "proxy_cpu_s": 0.1, "origin_cpu_s": 0.1, "before_mb": 50, "peak_mb": 51}
    return report.Cost(**{**values, **changed})


def result(report: ModuleType, ours: dict[str, float], *, peers: bool = True) -> object:
    """A run where ours is ten times as fast as the peers, but for what *ours* changes."""
    measures = ("keep", "single", "fresh", "down", "up", "slow", "names")
    slower = {"seconds": 10.0, "proxy_cpu_s": 1.1, "p50_us": 900}
    costs = {"bot-bottle": {what: [cost(report, **ours)] for what in measures}}
    for name in ("mitmdump", STREAMING, "squid") if peers else ():
        costs[name] = {what: [cost(report, **slower)] for what in measures}
    costs["direct"] = {"single": [cost(report, p50_us=50)]}
    shown = {name: ("1", "none") for name in costs if name != "direct"}
    plan = {"rounds": 1, "names": 5000}
    return report.Result("a machine", plan, shown, costs, {}, {}, {"bot-bottle": 45.0})


def verdicts(report: ModuleType, run: object) -> dict[str, str]:
    lines = report.markdown(run).partition("| asked of")[2].splitlines()[2:]
    return {cells[1]: cells[4] for cells in ([part.strip() for part in line.split("|")] for line in lines)}


def test_what_is_met_is_shown_as_met(bench: ModuleType) -> None:
    found = verdicts(bench, result(bench, {}))
    assert len(found) == 11
    assert set(found.values()) == {"yes"}


@pytest.mark.parametrize(
    ("changed", "missed"),
    [
        ({"proxy_cpu_s": 0.2}, ["CPU a request, of mitmdump's"]),
        ({"done": 700, "proxy_cpu_s": 0.07}, ["requests a second, 16 connections, of mitmdump's"]),
        ({"p50_us": 901}, ["added median latency, of squid's"]),
        ({"bytes": 12_000_000}, ["MB/s down, of streaming mitmdump's", "MB/s up, of streaming mitmdump's"]),
        ({"peak_mb": 53.5}, ["memory growth with a slow reader, MB"]),
        (
            {"peak_mb": 54.5},
            ["memory growth with 5000 hosts more, MB", "memory growth with a slow reader, MB"],
        ),
    ],
)
def test_a_miss_is_shown_as_a_miss(bench: ModuleType, changed: dict[str, float], missed: list[str]) -> None:
    found = verdicts(bench, result(bench, changed))
    assert sorted(words for words, met in found.items() if met == "**no**") == missed


def test_nothing_is_met_without_the_peer(bench: ModuleType) -> None:
    found = verdicts(bench, result(bench, {}, peers=False))
    assert [words for words, met in found.items() if met == "yes"] == [
        words for words in found if words.startswith("memory")
    ]


def test_the_page_has_a_place_for_the_tables(root: Path) -> None:
    page = (root / "docs" / "benchmarks.md").read_text()
    for name in ("launch", "proxy"):
        assert page.count(f"<!-- {name}:begin -->\n") == page.count(f"<!-- {name}:end -->") == 1


@pytest.mark.slow
def test_the_proxy_benchmark_runs(root: Path) -> None:
    """All of it but the peers: built, namespaces entered, policy proven, every measure taken once."""
    namespaces = [
        "unshare",
        "--net",
        "--mount",
        *(["--user", "--map-root-user"] if os.geteuid() else []),
        "true",
    ]
    if subprocess.run(namespaces, capture_output=True).returncode != 0:
        pytest.skip("needs to make a network and a mount namespace")
    argv = [sys.executable, str(root / "bench" / "proxy.py"), "--quick", "--no-write", "--only", "bot-bottle"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("| bot-bottle |"))
    cells = [cell.strip() for cell in row.split("|")][4:-1]
    assert len(cells) == 10
    assert all(float(cell) > 0 for cell in (cells[0], cells[1], cells[4], cells[5], cells[6])), row
    assert done.stdout.count("not measured") == 8
