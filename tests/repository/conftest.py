"""Where the repository is, for tests about the repository itself."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the clone."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def modules(root: Path) -> list[Path]:
    """Every module of the product."""
    return sorted((root / "src" / "bot_bottle").rglob("*.py"))
