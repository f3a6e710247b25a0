"""git of the agent's clones and fetches through a gate's process, from an SSH and from an HTTPS upstream."""

from __future__ import annotations

import pytest
from gate_ground import GateGround

from bot_bottle.ipc.sidecar import Ready


@pytest.mark.parametrize("https", [False, True], ids=["ssh", "https"])
@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_clone_and_fetch_bring_what_upstream_has(gate_ground: GateGround, https: bool, version: str) -> None:
    """All protocol versions; a commit that upstream gets later is there with the next fetch."""
    upstream = gate_ground.add(https=https)
    upstream.git("tag", "-a", "v1", "-m", "one", "main")
    assert isinstance(gate_ground.start(), Ready)
    clone = gate_ground.clone(upstream, "-c", f"protocol.version={version}")
    assert (clone / "README.md").read_text() == "hello\n"
    assert gate_ground.git("tag", cwd=clone).stdout == "v1\n"
    later = upstream.commit({"later": "x"})
    assert gate_ground.git("fetch", cwd=clone).returncode == 0
    assert gate_ground.git("rev-parse", "origin/main", cwd=clone).stdout.strip() == later
