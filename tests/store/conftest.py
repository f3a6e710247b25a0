"""Layouts below a temporary directory, and a way to run a step as an ordinary user."""

from __future__ import annotations

import os
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot_bottle.store.layout import Layout

ORDINARY_UID = 65_534


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """As for root: three separate roots. The home is 0700 and its path some 90 characters long."""
    operator = tmp_path / ("h" * 90)
    operator.mkdir(mode=0o700)
    roots = [tmp_path / name / "bot-bottle" / "0123abcd" for name in ("lib", "run")]
    return Layout(operator / ".bot-bottle", *roots)


@pytest.fixture
def own_layout(tmp_path: Path) -> Layout:
    """As for an ordinary user: what bottles reach lies in the home."""
    home = tmp_path / "home" / ".bot-bottle"
    return Layout(home, home, tmp_path / "runtime" / "bot-bottle" / "0123abcd")


@pytest.fixture
def open_tmp() -> Iterator[Path]:
    """A directory that other uids can pass through (pytest's own is 0700)."""
    path = Path(tempfile.mkdtemp(prefix="bot-bottle-test-"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def as_user() -> Callable[[Callable[[], None]], None]:
    """Runs a function in a child as an ordinary user; fails with the child's traceback."""

    def run(step: Callable[[], None], uid: int = ORDINARY_UID) -> None:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(reader)
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setresgid(uid, uid, uid)
                    os.setresuid(uid, uid, uid)
                step()
                os._exit(0)
            except BaseException:
                os.write(writer, traceback.format_exc().encode()[-60_000:])
                os._exit(1)
        os.close(writer)
        with open(reader, "rb") as pipe:
            said = pipe.read().decode()
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0, said

    return run
