"""The lock files hold what pyproject.toml asks for, with hashes, and name no place to get it from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PINNED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[\w.+!-]+)(?: ;[^\\]*)? \\$")


def locked(path: Path) -> dict[str, str]:
    """The versions of a lock file; every line of it must be a pin or a hash."""
    versions: dict[str, str] = {}
    hashed: set[str] = set()
    current = ""
    for line in path.read_text().splitlines():
        if match := PINNED.match(line):
            current = canonicalize_name(match["name"])
            versions[current] = match["version"]
        else:
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line), line
            hashed.add(current)
    assert hashed == set(versions)
    return versions


def requirements(root: Path, groups: list[str]) -> list[Requirement]:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    texts = list(project["project"]["dependencies"])
    for group in groups:
        texts += project["dependency-groups"][group]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize(
    ("name", "groups"), [("requirements.lock", ["build"]), ("requirements-dev.lock", ["build", "dev"])]
)
def test_lock_files_are_in_step_with_pyproject(root: Path, name: str, groups: list[str]) -> None:
    """Each direct dependency is pinned to a version that its specifier allows."""
    versions = locked(root / name)
    wrong = [
        str(wanted)
        for wanted in requirements(root, groups)
        if not wanted.specifier.contains(versions.get(canonicalize_name(wanted.name), "0"))
    ]
    assert wrong == []


def test_tests_run_with_the_versions_that_users_get(root: Path) -> None:
    """The development lock pins the same versions as the one that `make try` installs."""
    runtime, development = locked(root / "requirements.lock"), locked(root / "requirements-dev.lock")
    assert {name: development.get(name) for name in runtime} == runtime
