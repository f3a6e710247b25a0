"""The shape of the code: docstrings, sizes, and the places where a secret is revealed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

MAX_LINES = 400
LONGER: dict[str, int] = {}
"""Modules that may be longer, with the reason; a new one needs a better one than "it grew"."""

MAX_FUNCTION_LINES = 100
"""Sixty is the aim; a table or a long argument list may pass it, nothing passes this."""


def test_every_module_says_what_it_is(modules: list[Path], root: Path) -> None:
    """A module without a docstring has no stated duty, and none that it could overstep."""
    bare = [
        str(path.relative_to(root)) for path in modules if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert bare == []


def test_no_module_outgrows_its_reader(modules: list[Path], root: Path) -> None:
    """Over 400 lines a module is split by stage."""
    lengths = {str(path.relative_to(root)): len(path.read_text().splitlines()) for path in modules}
    assert {name: count for name, count in lengths.items() if count > LONGER.get(name, MAX_LINES)} == {}


def test_no_function_outgrows_its_reader(modules: list[Path], root: Path) -> None:
    """Long functions hide the one line that matters."""
    long = {}
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                count = (node.end_lineno or node.lineno) - node.lineno + 1
                if count > MAX_FUNCTION_LINES:
                    long[f"{path.relative_to(root)}::{node.name}"] = count
    assert long == {}


def test_packages_export_nothing_again(modules: list[Path], root: Path) -> None:
    """An __init__ holds a docstring (the top one the version too), so that each name has one home."""
    for path in modules:
        if path.name != "__init__.py":
            continue
        body = ast.parse(path.read_text()).body[1:]
        imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert imports == [], path.relative_to(root)


def reveal_sites(path: Path, root: Path) -> set[str]:
    """Each function of a module that calls ``.reveal()``, as ``path::Class.function``."""
    found: set[str] = set()

    def walk(node: ast.AST, names: tuple[str, ...]) -> None:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names = (*names, node.name)
        if isinstance(node, ast.Attribute) and node.attr == "reveal":
            found.add(f"{path.relative_to(root / 'src' / 'bot_bottle')}::{'.'.join(names) or 'module'}")
        for child in ast.iter_child_nodes(node):
            walk(child, names)

    walk(ast.parse(path.read_text()), ())
    return found


def test_secrets_are_revealed_only_where_the_threat_model_says(modules: list[Path], root: Path) -> None:
    """Each use of ``Secret.reveal`` is on the list in docs/threat-model.md with its reason, and no other."""
    text = (root / "docs" / "threat-model.md").read_text()
    section = text.partition("<!-- reveal:begin -->")[2].partition("<!-- reveal:end -->")[0]
    listed = set(re.findall(r"^\| `([^`]+)` \| \S", section, re.MULTILINE))
    used: set[str] = set()
    for path in modules:
        used |= reveal_sites(path, root)
    assert used == listed
