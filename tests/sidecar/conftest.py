"""The hosts of ``tests/controller`` serve here too: a sidecar is only ever made by a daemon."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_path = Path(__file__).parent.parent / "controller" / "conftest.py"
_spec = importlib.util.spec_from_file_location("controller_conftest", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

host = _module.host
