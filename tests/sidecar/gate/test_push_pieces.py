"""Large files: nothing is lost between the chunks that gitleaks reads."""

from __future__ import annotations

import json
import random
import subprocess

import pytest
from gate_ground import GITLEAKS, GateGround
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.ipc.sidecar import Ready
from bot_bottle.sidecar.gate.leaks import LARGE_BYTES
from bot_bottle.sidecar.gate.pieces import OVERLAP_BYTES, PIECE_BYTES, Pieces

ALPHABET = "abcdefghijkmnpqrstuvwxyz0123456789"


def _keys(count: int) -> list[str]:
    order = random.Random(2)
    return ["".join(order.choices(ALPHABET, k=32)) for _ in range(count)]


def _found(data: bytes) -> set[str]:
    argv = [str(GITLEAKS), "stdin", "--no-banner", "--exit-code", "0", "--log-level", "error"]
    done = subprocess.run(
        [*argv, "--report-format", "json", "--report-path", "-"],
        input=data,
        capture_output=True,
        timeout=100,
        check=True,
    )
    return {entry["Secret"] for entry in json.loads(done.stdout)}


def test_no_key_of_one_long_line_is_lost() -> None:
    keys = _keys(3000)
    data = "".join(f" adafruit_api_key = '{key}' " for key in keys).encode()
    pieces = Pieces()
    assert _found(pieces.feed(data) + pieces.finish()) >= set(keys)


@given(st.binary(max_size=60_000), st.integers(1, 9000))
def test_whatever_is_not_longer_than_the_overlap_is_whole_in_a_piece(data: bytes, size: int) -> None:
    pieces, given_out = Pieces(), list[bytes]()
    for at in range(0, len(data), size):
        given_out.append(pieces.feed(data[at : at + size]))
    out = b"".join([*given_out, pieces.finish()])
    assert len(out) <= len(data) + (len(data) // PIECE_BYTES + 1) * (OVERLAP_BYTES + 2)
    for at in range(0, len(data), OVERLAP_BYTES // 8):
        assert data[at : at + OVERLAP_BYTES // 2] in out


@pytest.mark.slow
def test_a_key_in_a_large_file_of_one_line_is_refused(gate_ground: GateGround) -> None:
    upstream = gate_ground.add()
    assert isinstance(gate_ground.start(), Ready), gate_ground.said()
    clone = gate_ground.clone(upstream)
    order = random.Random(3)
    filler = "\n".join(" ".join(order.choices(["lorem", "ipsum", "dolor"], k=900)) for _ in range(500))
    assert len(filler) > LARGE_BYTES
    gate_ground.commit(
        clone, "large.txt", f"{filler}\nadafruit_api_key = '{_keys(1)[0]}'\n{filler[:20000]}\n"
    )
    done = gate_ground.git("push", "origin", "HEAD:main", cwd=clone)
    assert done.returncode != 0
    assert "large.txt: adafruit-api-key" in done.stderr, (done.stderr, gate_ground.said()[-2000:])

    gate_ground.git("reset", "-q", "--hard", "origin/main", cwd=clone)
    gate_ground.commit(clone, "large.txt", filler)
    done = gate_ground.git("push", "origin", "HEAD:main", cwd=clone)
    assert done.returncode == 0, (done.stderr, gate_ground.said()[-2000:])
