"""Places to start bottles in: as the suite's own user, below a private and long home."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot_bottle.base import linux
from bot_bottle.sandbox.contract import Backend
from bot_bottle.testing import backend_isolation
from bot_bottle.testing.backend_ground import Ground

BOTTLE_UID = 64901
"""Of bottles where the suite is root: nobody's."""


@pytest.fixture
def make_ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Backend], Ground]]:
    """A function from a backend to an entered ground; all is removed at the end.

    Root's bottles live where their uid can go (``/var/tmp`` stands for ``/var/lib``); a user's below a home
    of mode 0700 with a 90-character path.
    """
    monkeypatch.setenv(backend_isolation.HOST_MARKER, "of the host")
    root = os.geteuid() == 0
    top = Path(tempfile.mkdtemp(prefix="bb", dir="/var/tmp"))
    run = Path(tempfile.mkdtemp(prefix="bb", dir="/tmp"))
    for path in (top, run):
        path.chmod(0o711 if root else 0o700)
    base = top / ("h" * max(90 - len(str(top)) - 1, 1)) / "guest, with: odd chars"
    base.mkdir(parents=True)
    if root:
        base.parent.chmod(0o711)
        os.chown(base, BOTTLE_UID, BOTTLE_UID)
    with ExitStack() as stack:
        yield lambda backend: stack.enter_context(Ground(backend, base, run, BOTTLE_UID if root else None))
    shutil.rmtree(top)
    shutil.rmtree(run)


@pytest.fixture
def launcher() -> Iterator[backend_isolation.LauncherKill]:
    """The test becomes the reaper of what a killed launcher leaves, so that it can be counted."""
    linux.set_child_subreaper(True)
    yield backend_isolation.LauncherKill()
    linux.set_child_subreaper(False)
