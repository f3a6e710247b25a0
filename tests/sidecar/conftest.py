"""The hosts of ``tests/controller`` serve here too: a sidecar is only ever made by a daemon."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: what these tests share is found here

import kept_patterns

_path = Path(__file__).parent.parent / "controller" / "conftest.py"
_spec = importlib.util.spec_from_file_location("controller_conftest", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

bare_host = _module.host


@pytest.fixture
def host(bare_host: Any) -> Any:
    """With patterns compiled: a daemon that has to wait for them takes two seconds longer."""
    kept_patterns.lay(bare_host.layout.home.parent, bare_host.uid)
    return bare_host
