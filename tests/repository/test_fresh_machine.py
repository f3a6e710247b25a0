"""The set-up commands on a machine that has nothing of ours: a minimal Debian 12 in namespaces of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mmdebstrap and pivot_root"),
    pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="needs mmdebstrap"),
]


def test_make_try_on_a_fresh_machine(root: Path) -> None:
    """A user without packages is told what to install; then `make try` ends well as root and as that user."""
    done = subprocess.run(
        [root / "scripts" / "fresh_machine.sh"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    assert done.stdout.rstrip().endswith("== passed")
