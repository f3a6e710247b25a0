"""What is over leaves nothing: large bodies in the heap, whatever lives on beside them, and cycles of objects."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
import weakref
from itertools import pairwise

import pytest

from bot_bottle.sidecar.proxy import heap
from bot_bottle.sidecar.proxy.heap import ALL_EVERY, ALL_SHARE, MIDDLE_EVERY, Garbage

SCRIPT = """
import sys
from bot_bottle.sidecar.proxy.heap import keep_heap_small

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

if sys.argv[1] == "kept":
    keep_heap_small()
del bytearray(16 << 20)[:]  # what glibc takes for the size of things to come
before = resident()
blocks, little = [], []
for _ in range(200):
    blocks.append(bytearray(b"x") * 300_000)
    little.append(bytearray(b"x") * 2_000)
blocks.clear()
print(resident() - before)
"""


def left(how: str) -> int:
    """Bytes that are resident after 60 MB were freed, 400 KB among them not."""
    out = subprocess.run(
        [sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, check=True
    ).stdout
    return int(out)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the bounds are glibc's")
def test_what_is_freed_is_given_back() -> None:
    assert left("kept") < 4_000_000
    assert left("as it comes") > 30_000_000  # else it is not worth a module


class Ring:
    """Holds itself."""

    def __init__(self) -> None:
        self.self = self


@pytest.mark.parametrize("survived", [0, 1, 2])
def test_a_cycle_is_found_whatever_it_has_survived(survived: int) -> None:
    """Also one that ends after collections have taken it for something that stays; with too few new objects for
    Python to look by itself."""
    garbage, ring = Garbage(), Ring()
    gone = weakref.ref(ring)
    gc.disable()
    try:
        for generation in range(survived):
            gc.collect(generation)
        del ring
        assert gone() is not None
        for sweep in range(ALL_EVERY):
            garbage.sweep(float(sweep))
        assert gone() is None
    finally:
        gc.enable()


def generations(monkeypatch: pytest.MonkeyPatch, sweeps: int, all_takes_s: float) -> list[int]:
    """What is collected in so many sweeps, half a second apart."""
    done: list[int] = []
    clock = [0.0]

    def collect(generation: int = 2) -> None:
        done.append(generation)
        clock[0] += all_takes_s if generation == 2 else 0.0

    monkeypatch.setattr(heap, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(heap.gc, "collect", collect)
    garbage = Garbage()
    for sweep in range(sweeps):
        garbage.sweep(sweep * 0.5)
    monkeypatch.undo()
    return done


def test_the_young_are_collected_often_and_all_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    done = generations(monkeypatch, 10 * ALL_EVERY, all_takes_s=0.001)
    assert done.count(2) == 10
    assert done.count(1) == 10 * (ALL_EVERY // MIDDLE_EVERY - 1)
    assert done.count(0) == len(done) - done.count(1) - done.count(2)


def test_a_collection_of_all_that_takes_long_is_made_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes a second: 200 seconds apart."""
    done = generations(monkeypatch, 2000, all_takes_s=1.0)
    at = [number * 0.5 for number, generation in enumerate(done) if generation == 2]
    assert len(at) >= 4
    assert all(later - earlier >= 1.0 / ALL_SHARE for earlier, later in pairwise(at))
