"""``--cwd``: a copy goes in, the original is untouched, what the agent changed is kept and named."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def project(person) -> Path:
    """A small repository with a secret by name and an ignored file."""
    root = person.home / "project"
    person.write("project/main.py", "print('one')\n")
    person.write("project/.env", "KEY=planted-secret\n")
    person.write("project/.gitignore", "build/\n")
    person.write("project/build/out.bin", "x")
    os.chown(root, person.uid, person.uid)
    for argv in (
        ["git", "init", "-q"],
        ["git", "add", "main.py", ".gitignore"],
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "first"],
    ):
        subprocess.run([*person.prefix, *argv], cwd=root, env=person.environ(), check=True)
    return root


def test_the_copy_is_what_git_knows(person, project: Path) -> None:
    """Tracked and not ignored; secrets by name stay outside and are named; git works inside."""
    script = "pwd; ls -A; git status --short; git log --format=%s; cat .env 2>&1"
    done = person.run("run", "--cwd", "--", "sh", "-c", script, cwd=project)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "/home/node/workspace"
    assert set(lines[1:4]) == {".git", ".gitignore", "main.py"}
    assert "first" in lines
    assert "planted-secret" not in done.stdout
    assert ".env" in done.stderr


def test_a_clean_session_leaves_nothing(person, project: Path) -> None:
    """Looking is no work."""
    script = "python3 main.py; git status --short; git log >/dev/null"
    done = person.run("run", "--cwd", "--", "sh", "-c", script, cwd=project)
    assert (done.returncode, done.stdout) == (0, "one\n"), done.stderr
    assert person.states() == []


def test_changes_stay_in_the_bottle_until_somebody_takes_them(person, project: Path) -> None:
    """The original keeps its content; the changed files are named and lie where it is said; resume has them,
    even when the original is gone."""
    script = "echo \"print('two')\" > main.py; rm .gitignore; echo new > new.txt"
    done = person.run("run", "--cwd", "--", "sh", "-c", script, cwd=project)
    assert done.returncode == 0, done.stderr
    assert (project / "main.py").read_text() == "print('one')\n"
    assert "/home/node/workspace/main.py" in done.stderr
    assert "/home/node/workspace/new.txt" in done.stderr
    (identity,) = person.states()
    upper = next(line.rpartition(": ")[2] for line in done.stderr.splitlines() if "work left" in line)
    assert (Path(upper) / "main.py").read_text() == "print('two')\n"
    shutil.rmtree(project)
    again = person.run("resume", "--yes", identity, "--", "sh", "-c", "pwd; python3 main.py; ls")
    assert again.stdout.splitlines() == ["/home/node/workspace", "two", "main.py", "new.txt"], again.stderr


@pytest.mark.parametrize("where", ["home", "root"])
def test_a_home_or_the_root_is_no_workspace(person, where: str) -> None:
    """Ruling 30."""
    done = person.run("run", "--cwd", "--", "true", cwd=person.home if where == "home" else Path("/"))
    assert done.returncode == 125
    assert "choose a project's directory" in done.stderr
    assert person.states() == []
