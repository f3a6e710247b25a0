"""The benchmark of scanning in the proxy runs, measures all that it says, and writes nothing when told so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_it_runs() -> None:
    enters = ["unshare", "--net", "--mount", *(["--user", "--map-root-user"] if os.geteuid() else []), "true"]
    if subprocess.run(enters, capture_output=True).returncode != 0:
        pytest.skip("needs to make a network and a mount namespace")
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    assert page.count("<!-- dlp-proxy:begin -->\n") == page.count("<!-- dlp-proxy:end -->") == 1
    argv = [sys.executable, str(ROOT / "bench" / "dlp_proxy.py"), "--quick", "--no-write"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-2000:]
    for name in ("scanning", "route's detectors off", "scanner taken out"):
        row = next(line for line in done.stdout.splitlines() if line.startswith(f"| {name} |"))
        cells = [cell.strip() for cell in row.split("|")][2:-1]
        assert len(cells) == 10
        assert all(float(cell) > 0 for cell in cells), row
    assert len([line for line in done.stdout.splitlines() if line.startswith(("| up |", "| down |"))]) == 4
    assert (ROOT / "docs" / "benchmarks.md").read_text() == page
