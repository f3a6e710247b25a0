"""What the documents promise: two set-up commands, tested invariants, explained dependencies."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

INVARIANT = re.compile(r"^\| (INV-\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TEST_NAME = re.compile(r"`((?:tests|src/bot_bottle/testing)/[\w/]+\.py)::(\w+)`")
"""The suite that every backend must pass is shipped, so it lies with the product."""


def invariants(root: Path) -> list[tuple[str, str]]:
    text = (root / "docs" / "threat-model.md").read_text()
    return [(number, tests) for number, _, tests in INVARIANT.findall(text)]


def test_invariants_are_numbered_without_gaps(root: Path) -> None:
    """A number is never given twice and never skipped, so that INV-7 means one thing."""
    numbers = [number for number, _ in invariants(root)]
    assert numbers == [f"INV-{index}" for index in range(1, len(numbers) + 1)]
    assert len(numbers) >= 10


def test_each_invariant_names_tests_that_exist(root: Path) -> None:
    """A promise without a test that holds it is a wish."""
    missing = []
    for number, tests in invariants(root):
        named = TEST_NAME.findall(tests)
        if not named:
            missing.append(f"{number} names no test")
        for path, name in named:
            if not (root / path).is_file() or name not in test_functions(root / path):
                missing.append(f"{number}: {path}::{name}")
    assert missing == []


def test_functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


test_functions.__test__ = False  # type: ignore[attr-defined]


def test_readme_has_exactly_two_set_up_commands(root: Path) -> None:
    """From a fresh clone: one command to see it work, one to test it."""
    readme = (root / "README.md").read_text()
    section = readme.partition("## Set up")[2].partition("\n## ")[0]
    block = re.search(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert block is not None
    commands = [line.partition("#")[0].strip() for line in block[1].splitlines() if line.strip()]
    assert commands == ["make try", "make test"]


def test_every_dependency_is_explained(root: Path) -> None:
    """docs/dependencies.md has a row for each direct dependency, and none for what is gone."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    wanted = {re.split(r"[\[<>=~! ;]", item)[0].lower() for group in groups for item in group}
    text = (root / "docs" / "dependencies.md").read_text().partition("## Programs of the host")[0]
    listed = {name.lower() for name in re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE)}
    assert listed == wanted


@pytest.mark.parametrize("script", ["check_tree.py", "generate_docs.py --check"])
def test_the_tree_passes_its_own_checks(root: Path, script: str) -> None:
    """No registry host, machine path or unfinished work in a tracked file; generated pages are in step."""
    name, *options = script.split()
    done = subprocess.run(
        [sys.executable, root / "scripts" / name, *options], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_ruling_that_the_code_names_is_written_down(root: Path, modules: list[Path]) -> None:
    """A comment that says "ruling 5" can be followed: docs/rulings.md has that number, once."""
    numbers = re.findall(r"^(\d+)\. \*\*", (root / "docs" / "rulings.md").read_text(), re.MULTILINE)
    assert len(numbers) == len(set(numbers))
    named: set[str] = set()
    for path in [*modules, *(root / "tests").rglob("*.py")]:
        for found in re.findall(r"[Rr]ulings? (\d+(?:(?:, | and |, and )\d+)*)", path.read_text()):
            named |= set(re.findall(r"\d+", found))
    assert named - set(numbers) == set()
