"""What a sidecar starts with is made before the fork, once for all of them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from bot_bottle.dlp import patterns
from bot_bottle.gitgate.config import GateSpec
from bot_bottle.ipc.sidecar import SidecarSecrets, SidecarSpec
from bot_bottle.sidecar.gate import leaks, starting
from bot_bottle.sidecar.proxy import arming


def test_a_gate_takes_the_patterns_that_its_parent_has_made(tmp_path, monkeypatch):
    """They take more than a second; a launch would wait for them."""
    arming.preload()

    async def find(*_):
        return SimpleNamespace(version="8.20.0", digest="", rules="", is_complete=True)

    def made_again(*_):
        raise AssertionError("patterns are compiled after the fork")

    monkeypatch.setattr(leaks, "find", find)
    monkeypatch.setattr(patterns.Patterns, "__init__", made_again)
    spec = SidecarSpec(
        kind="gate", gate=GateSpec(repos=(), gitleaks="/nonexistent"), bottle="b", nonce="n",
        egress_dir=str(tmp_path), run_dir=str(tmp_path),
    )  # fmt: skip
    events = SimpleNamespace(note=lambda *_, **__: None)
    judge = asyncio.run(
        starting.judge(
            spec, SidecarSecrets(tokens={}), None, None, events, told=tmp_path, run=tmp_path, work=tmp_path
        )
    )
    assert judge.looker.engine.scan(b"any text") is not None
