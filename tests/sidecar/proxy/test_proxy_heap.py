"""What large bodies leave in the heap: nothing, whatever lives on beside them."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

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
