"""The bubblewrap backend passes the whole suite, as whoever runs it and as an ordinary user."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot_bottle.sandbox.backends.bubblewrap import BubblewrapBackend
from bot_bottle.sandbox.contract import Backend, SandboxError
from bot_bottle.testing.backend_ground import Ground
from bot_bottle.testing.backend_suite import IsolationSuite

SCOPE = "5017e5"
ORDINARY_UID = 64902


class TestBubblewrap(IsolationSuite):
    """Every property of a backend."""

    @pytest.fixture
    def ground(self, make_ground: Callable[[Backend], Ground]) -> Ground:
        return make_ground(BubblewrapBackend(SCOPE))


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_suite_as_an_ordinary_user() -> None:
    """The same suite, started by a uid without any privilege."""
    command = [
        "setpriv", f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}", "--clear-groups", "--no-new-privs",
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "TestBubblewrap", __file__,
    ]  # fmt: skip
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_root_needs_a_uid_for_the_bottle(make_ground: Callable[[Backend], Ground]) -> None:
    """The host's root in a bottle is no sandbox: without another uid there is none (research 5.5)."""
    ground = make_ground(BubblewrapBackend(SCOPE))
    for uid in (0, None) if os.geteuid() == 0 else (0, os.geteuid() + 1):
        with pytest.raises(SandboxError):
            ground.backend.start(replace(ground.spec, uid=uid))


def test_doctor_finds_nothing_wrong_here() -> None:
    """This host can run bottles; if it can't, the other tests say why."""
    assert BubblewrapBackend(SCOPE).check() == []
