"""What gitleaks has not read to its end is not scanned: it says "nothing found" and status 0 all the same."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from gate_ground import GITLEAKS, QUIET

from bot_bottle.sidecar.gate import log_end
from bot_bottle.sidecar.gate.log_end import LogEnd, Unfinished

RULES = b"title = 'rules'\n[extend]\nuseDefault = true\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = tmp_path / "repository"
    made.mkdir()
    for argv in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run(["git", *argv], cwd=made, env=QUIET, check=True)
    (made / "file").write_text("text\n")
    for argv in (["add", "-A"], ["commit", "-q", "-m", "diff --git a/b b/b"]):
        subprocess.run(["git", *argv], cwd=made, env=QUIET, check=True)
    return made


def _run(end: LogEnd, repository: Path, place: Path, git: str = "/usr/bin/git") -> tuple[int, bytes]:
    """gitleaks as in its sandbox, its files below *place*, with *git* behind the wrapper."""
    for name, content in end.files(RULES).items():
        path = place / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        moved = content.replace(b"/gate-last", f"{place}/gate-last".encode()).replace(
            b"/usr/bin/git", git.encode()
        )
        path.write_bytes(moved)
        path.chmod(0o755)
    argv = [str(GITLEAKS), "git", "--no-banner", "--log-level", "error", "--exit-code", "0", "--redact=100"]
    argv += ["--config", f"{place}/gitleaks.toml", "--report-format", "json", "--report-path", "-"]
    done = subprocess.run(
        [*argv, "--log-opts", "--all", str(repository)],
        env={**QUIET, "PATH": f"{place}{log_end.BIN}:{os.environ['PATH']}"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_log_that_was_read_to_its_end_is_believed(repository: Path, tmp_path: Path) -> None:
    end = LogEnd()
    status, report = _run(end, repository, tmp_path / "root")
    assert status == 0
    assert end.mark.encode() not in report  # blackened
    assert end.read(report) == b"[]"


@pytest.mark.parametrize("last", ["kill -9 $$", "kill -11 $$", "exit 3"])
def test_a_git_that_ends_before_its_log_does_is_not_believed(
    repository: Path, tmp_path: Path, last: str
) -> None:
    broken = tmp_path / "git"
    broken.write_text(f'#!/bin/bash\n/usr/bin/git "$@" | head -c 200\n{last}\n')
    broken.chmod(0o755)
    end = LogEnd()
    status, report = _run(end, repository, tmp_path / "root", str(broken))
    if status == 0:
        with pytest.raises(Unfinished):
            end.read(report)


def test_a_report_that_is_none_or_has_another_mark_is_not_believed(repository: Path, tmp_path: Path) -> None:
    _, report = _run(LogEnd(), repository, tmp_path / "root")
    twice = report.strip()[:-1] + b"," + report.strip()[1:]
    for other in (b"", b"[]", b"{}", report[:-5], twice):
        with pytest.raises(Unfinished):
            LogEnd().read(other)
