"""Programs of the host are never looked for in the current directory, which may be a stranger's project."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot_bottle.base.process import find_program


@pytest.mark.parametrize("path", [None, "", ".", ":/usr/bin:", "tools:/usr/bin"])
def test_the_current_directory_is_never_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str | None
) -> None:
    """A missing, empty or relative PATH finds the system's program or none."""
    for program in (tmp_path / "sh", tmp_path / "only-here", tmp_path / "tools" / "only-here"):
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    if path is None:
        monkeypatch.delenv("PATH")
    else:
        monkeypatch.setenv("PATH", path)
    assert find_program("only-here") is None
    found = find_program("sh")
    assert found is None or found.is_absolute()
