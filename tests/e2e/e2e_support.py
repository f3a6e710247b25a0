"""What the end-to-end tests share: waiting, and finding processes of a state root."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot_bottle.store.layout import Layout


def processes_of(layout: Layout) -> list[int]:
    """The daemon (and its preloaded parent) of a state root."""
    found = []
    needle = str(layout.run).encode()
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            argv = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
            if b"bot_bottle.cli.daemon" in argv and needle in argv:
                found.append(int(entry))
    return found


def eventually(holds: Callable[[], Any], what: str, within_s: float = 20.0) -> Any:
    """Wait until *holds()* is true and return its value."""
    deadline = time.monotonic() + within_s
    while not (value := holds()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)
    return value
