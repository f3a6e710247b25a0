"""A gate's process without the rest of the product, and loopback upstreams that are real."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE), str(_HERE.parents[1] / "e2e")]  # importlib mode: what tests share is found here

import git_ground  # noqa: E402
from gate_ground import TOKEN, GateGround  # noqa: E402


@pytest.fixture(scope="module")
def upstreams() -> Iterator[git_ground.Ground]:
    with git_ground.ground(TOKEN) as ground:
        yield ground


@pytest.fixture
def gate_ground(upstreams: git_ground.Ground, tmp_path: Path) -> Iterator[GateGround]:
    with GateGround(upstreams, tmp_path) as ground:
        yield ground
