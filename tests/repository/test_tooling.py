"""The repository's own tools find what they are for, and pass what is fine."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("index = https://py" + "pi.org/simple", "registry"),
        ("curl https://registry.npm" + "js.org/x", "registry"),
        ("PYTHON = '/work" + "/main/.venv/bin/python'", "a path of one machine"),
        ("open('/root" + "/.ssh/id')", "a path of one machine"),
        ("x = 1  # TO" + "DO later", "unfinished"),
        ("<" * 7 + " ours", "merge conflict"),
    ],
)
def test_forbidden_words_are_found(root: Path, line: str, what: str) -> None:
    """Each kind of word that must not be in a file is named with its line."""
    tree = load(root / "scripts" / "check_tree.py")
    found = list(tree.forbidden_words(root / "some.py", f"fine\n{line}\nfine\n"))
    assert len(found) == 1
    assert found[0].startswith("some.py:2: ")
    assert what in found[0]


@pytest.mark.parametrize(
    "line", ["/home/node/workspace", "~/.bot-bottle/x", "the root/work/x of it", "https://example.com/root/x"]
)
def test_ordinary_words_are_not(root: Path, line: str) -> None:
    """Guest paths, home paths and URLs are no paths of a machine."""
    tree = load(root / "scripts" / "check_tree.py")
    assert list(tree.forbidden_words(root / "some.py", line)) == []


@pytest.mark.parametrize(
    ("link", "dead"),
    [("b.md", False), ("b.md#a-heading-here", False), ("#own", False), ("c.md", True), ("b.md#none", True)],
)
def test_dead_links_are_found(root: Path, tmp_path: Path, link: str, dead: bool) -> None:
    """A relative link needs its file, and its heading when it names one."""
    tree = load(root / "scripts" / "check_tree.py")
    tree.ROOT = tmp_path
    (tmp_path / "b.md").write_text("# A `heading`, here\n")
    text = f"# Own\n[x]({link})\n"
    (tmp_path / "a.md").write_text(text)
    assert bool(list(tree.dead_links(tmp_path / "a.md", text))) is dead


def test_marked_section_is_replaced_and_nothing_else(root: Path, tmp_path: Path) -> None:
    """The benchmark writes between its markers; a page without them is an error, not a longer page."""
    report = load(root / "bench" / "report.py")
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- t:begin -->\nold\n<!-- t:end -->\nb\n")
    report.put_between_markers(page, "t", "new")
    assert page.read_text() == "a\n<!-- t:begin -->\nnew\n<!-- t:end -->\nb\n"
    with pytest.raises(ValueError, match="no markers"):
        report.put_between_markers(page, "u", "new")


def test_core_list_names_modules_that_exist(root: Path) -> None:
    """Each line of the list matches a module; one that matches none is an error."""
    coverage_report = load(root / "scripts" / "coverage_report.py")
    found = coverage_report.core_modules((root / "scripts" / "core-modules.txt").read_text())
    proxy = root / "src" / "bot_bottle" / "sidecar" / "proxy"
    assert proxy / "connection.py" in found
    assert proxy / "process.py" not in found
    with pytest.raises(LookupError):
        coverage_report.core_modules("nothing/there.py\n")


@pytest.mark.parametrize(("broken", "status"), [("", 0), ("check", 1), ("test", 1), ("test-slow", 1)])
def test_ci_runs_all_parts_and_fails_when_one_does(
    root: Path, tmp_path: Path, broken: str, status: int
) -> None:
    """Every part runs, whatever the others did; skips and minutes are printed; any failure is the result."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "scripts").mkdir()
    shutil.copy(root / ".ci" / "run", tmp_path / ".ci")
    (tmp_path / "scripts" / "host_state.py").write_text("print('the same')\n")
    rules = []
    for part in ("check", "test", "test-slow"):
        end = "false" if part == broken else "true"
        rules.append(f"{part}:\n\t@echo ran {part}; echo 'SKIPPED [1] x.py:1: needs {part}'; {end}\n")
    (tmp_path / "Makefile").write_text("\n".join(rules))
    done = subprocess.run(
        ["bash", ".ci/run"], cwd=tmp_path, capture_output=True, text=True, env=dict(os.environ), timeout=60
    )
    assert done.returncode == status, done.stdout + done.stderr
    for part in ("check", "test", "test-slow"):
        assert f"ran {part}\n" in done.stdout
        table = done.stdout.partition("=== minutes")[2]
        (row,) = [line for line in table.splitlines() if line.split()[:1] == [part]]
        assert row.endswith("failed" if part == broken else "passed")
        assert f"needs {part}\n" in done.stdout.partition("=== skipped")[2]
