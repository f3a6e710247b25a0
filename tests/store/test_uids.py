"""No two bottles on a host share a uid, whatever home they belong to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot_bottle.store import uids
from bot_bottle.store.files import StoreError
from bot_bottle.store.uids import (
    FIRST_BOTTLE_UID,
    FIRST_GATE_UID,
    FIRST_SIDECAR_UID,
    UIDS,
    UidRegistry,
    gate_uid_for,
    sidecar_uid_for,
)


def _state(tmp_path: Path, name: str) -> Path:
    path = tmp_path / "state" / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def test_claims_differ_and_stay(tmp_path: Path) -> None:
    """Each bottle gets its own three, in the reserved ranges; asking again gives the same ones."""
    registry = UidRegistry(tmp_path / "uids")
    pairs = {}
    for name in ("a", "b", "c"):
        state = _state(tmp_path, name)
        pairs[name] = registry.claim(state, tmp_path / "guest" / name)
        assert registry.claim(state, tmp_path / "guest" / name) == pairs[name] == registry.find(state)
    assert len({pair.bottle for pair in pairs.values()}) == 3
    for pair in pairs.values():
        assert FIRST_BOTTLE_UID <= pair.bottle < FIRST_BOTTLE_UID + UIDS
        assert pair.sidecar - FIRST_SIDECAR_UID == pair.bottle - FIRST_BOTTLE_UID
        assert sidecar_uid_for(pair.bottle) == pair.sidecar
        assert pair.gate - FIRST_GATE_UID == pair.bottle - FIRST_BOTTLE_UID
        assert gate_uid_for(pair.sidecar) == pair.gate
    assert FIRST_BOTTLE_UID + UIDS <= FIRST_SIDECAR_UID
    assert FIRST_SIDECAR_UID + UIDS <= FIRST_GATE_UID and FIRST_GATE_UID + UIDS < 2**31


def test_a_number_is_not_used_again_soon(tmp_path: Path) -> None:
    """Released or stale, the next claim takes the number after it, round the end of the range."""
    registry = UidRegistry(tmp_path / "uids")
    registry.root.mkdir()
    (registry.root / ".lock").write_text(str(UIDS - 1))
    state = _state(tmp_path, "a")
    assert registry.claim(state, tmp_path / "g").bottle == FIRST_BOTTLE_UID + UIDS - 1
    registry.release(state)
    registry.release(state)
    assert registry.find(state) is None
    assert registry.claim(state, tmp_path / "g").bottle == FIRST_BOTTLE_UID


def test_stale_claims_are_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With three numbers: all taken is an error; a claim whose state directory is gone is free again, but
    not while its guest directory is there."""
    monkeypatch.setattr(uids, "UIDS", 3)
    registry = UidRegistry(tmp_path / "uids")
    guest = tmp_path / "guest"
    guest.mkdir()
    for name in ("a", "b", "c"):
        registry.claim(_state(tmp_path, name), guest if name == "a" else tmp_path / "none")
    with pytest.raises(StoreError, match="cleanup"):
        registry.claim(_state(tmp_path, "d"), guest)
    (tmp_path / "state" / "a").rmdir()
    with pytest.raises(StoreError, match="cleanup"):
        registry.claim(_state(tmp_path, "d"), guest)
    guest.rmdir()
    freed = registry.claim(_state(tmp_path, "d"), guest)
    others = {registry.claim(tmp_path / "state" / name, guest) for name in ("b", "c")}
    assert freed not in others and len(others) == 2


@pytest.mark.parametrize("content", [b"", b"\n", b"\0\n\0", b"x" * 20_000, b"/no/such/state\n/no/guest\n"])
def test_a_damaged_claim_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """A claim cut off by a crash names nothing that exists; odd names in the directory are nobody's."""
    monkeypatch.setattr(uids, "UIDS", 1)
    registry = UidRegistry(tmp_path / "uids")
    registry.root.mkdir()
    (registry.root / "0").write_bytes(content)
    for name in ("00", "-1", "7", "x", "²"):
        (registry.root / name).write_text("")
    (registry.root / ".lock").write_text("rubbish")
    state = _state(tmp_path, "a")
    assert registry.claim(state, tmp_path / "g").bottle == FIRST_BOTTLE_UID
    assert registry.find(state) is not None


def test_a_claim_needs_a_state(tmp_path: Path) -> None:
    """Without its state directory a claim would be stale at once; release without a registry is nothing."""
    registry = UidRegistry(tmp_path / "uids")
    with pytest.raises(StoreError, match="make the state directory first"):
        registry.claim(tmp_path / "none", tmp_path / "g")
    registry.release(tmp_path / "none")
    assert registry.find(tmp_path / "none") is None
    for outside in (0, 1000, FIRST_BOTTLE_UID - 1, FIRST_BOTTLE_UID + UIDS, FIRST_SIDECAR_UID):
        with pytest.raises(StoreError):
            sidecar_uid_for(outside)
    for outside in (0, FIRST_BOTTLE_UID, FIRST_SIDECAR_UID - 1, FIRST_SIDECAR_UID + UIDS):
        with pytest.raises(StoreError):
            gate_uid_for(outside)


def test_claims_at_once(tmp_path: Path) -> None:
    """Eight processes claim for eight bottles at once: eight different uids."""
    registry = UidRegistry(tmp_path / "uids")
    states = [_state(tmp_path, f"s{number}") for number in range(8)]
    start, go = os.pipe()
    children = []
    for state in states:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(go)
                os.read(start, 1)
                registry.claim(state, tmp_path / "g")
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    os.close(go)
    os.close(start)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
    found = [registry.find(state) for state in states]
    assert None not in found and len(set(found)) == 8


@pytest.mark.parametrize("odd", ["a\nb", "a\\nb", "a\\\nb", "\\", "c:d, e"])
def test_a_homes_name_may_hold_anything(tmp_path: Path, odd: str) -> None:
    """A line's end in a path neither hides a claim from its owner nor from those who look for a free one."""
    registry = UidRegistry(tmp_path / "uids")
    state, guest = _state(tmp_path, odd), tmp_path / odd / "guest"
    pair = registry.claim(state, guest)
    (registry.root / ".lock").write_text(str(pair.bottle - FIRST_BOTTLE_UID))  # its number is next
    assert registry.claim(_state(tmp_path, "other"), tmp_path / "g").bottle != pair.bottle
    assert registry.claim(state, guest) == registry.find(state) == pair
    state.rmdir()
    guest.mkdir(parents=True)
    (registry.root / ".lock").write_text(str(pair.bottle - FIRST_BOTTLE_UID))
    assert registry.claim(_state(tmp_path, "third"), tmp_path / "g3").bottle != pair.bottle
    registry.release(state)
    assert registry.find(state) is None
