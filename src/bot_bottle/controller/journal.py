"""The daemon's own log: one JSON line an event on standard error, which is its log file."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from bot_bottle.base.clock import utc_now


def note(event: str, **fields: Any) -> None:
    """Write one line; never raises (a full disk must not stop reaping)."""
    line = msgspec.json.encode({"time": utc_now(), "event": event, "pid": os.getpid(), **fields}) + b"\n"
    try:
        os.write(2, line)
    except OSError:
        pass
