"""A home and a project directory to put manifests into."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from bot_bottle.base.yamltext import dotted
from bot_bottle.manifest import load, source
from bot_bottle.manifest.load import Loaded
from bot_bottle.manifest.schema import Bottle
from bot_bottle.manifest.source import Index
from bot_bottle.manifest.tree import ManifestError


@dataclass
class Files:
    """``home`` and ``project`` exist; ``.bot-bottle`` in ``home`` does too."""

    home: Path
    project: Path

    def write(self, path: str, text: str, *, project: bool = False) -> Path:
        """Write ``<root>/.bot-bottle/<path>``; *text* is dedented."""
        file = (self.project if project else self.home) / ".bot-bottle" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
        return file

    def bottle(self, name: str, keys: str) -> Path:
        """A bottle with *keys* as front matter: the first key stands at line 2."""
        return self.write(f"bottles/{name}.md", f"---\n{dedent(keys).strip()}\n---\n")

    def agent(self, name: str, keys: str, body: str = "", *, project: bool = False) -> Path:
        return self.write(f"agents/{name}.md", f"---\n{dedent(keys).strip()}\n---\n{body}", project=project)

    def index(self) -> Index:
        return source.resolve(self.home, self.project)

    def load(self, *bottles: str, agent: str | None = None, trust_project: bool = False) -> Loaded:
        return load.load(self.index(), agent, bottles, trust_project=trust_project)

    def effective(self, *bottles: str) -> Bottle:
        return self.load(*bottles).bottle

    def refusal(self, *bottles: str, agent: str | None = None) -> ManifestError:
        with pytest.raises(ManifestError) as caught:
            self.load(*bottles, agent=agent)
        return caught.value


@pytest.fixture
def files(tmp_path: Path) -> Files:
    home, project = tmp_path / "home", tmp_path / "project"
    (home / ".bot-bottle").mkdir(parents=True)
    project.mkdir()
    return Files(home, project)


def check_error(error: ManifestError, file: Path, line: int, path: str, *says: str) -> None:
    """File, line and key path, as fields and in front of the message; *says* in the message."""
    assert (error.file, error.line, dotted(error.path)) == (str(file), line, path)
    where = f"{file}:{line}: {path}: " if path else f"{file}:{line}: "
    assert str(error).startswith(where if line else f"{file}: ")
    for part in says:
        assert part in error.message
    assert not error.message.endswith(".")


@pytest.fixture
def check():
    return check_error
