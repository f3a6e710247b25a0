"""The rooms: import-linter's contracts hold, and they notice when one is broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    env = dict(os.environ, PYTHONPATH=str(directory / "src"))
    argv = [program, "--no-cache", "--config", "pyproject.toml"]
    return subprocess.run(argv, cwd=directory, env=env, capture_output=True, text=True, timeout=120)


def test_imports_go_down_only(root: Path) -> None:
    """cli, then launch beside controller beside sidecar, then the sandbox … down to the leaves."""
    done = lint(root)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("base/text.py", "import bot_bottle.egress.config"),
        ("launch/plan.py", "import bot_bottle.controller"),
        ("egress/config.py", "import socket"),
        ("providers/contract.py", "import subprocess"),
        ("launch/plan.py", "import bot_bottle.testing"),
    ],
)
def test_a_broken_rule_is_noticed(root: Path, tmp_path: Path, module: str, statement: str) -> None:
    """One import against the rules in a copy of the tree, and the check fails."""
    shutil.copytree(root / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    changed = tmp_path / "src" / "bot_bottle" / module
    changed.write_text(changed.read_text() + f"\n{statement}\n")
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout
