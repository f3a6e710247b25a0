"""Bounds on asking, each with its unit and reason. Values alone, and how the one setting is read."""

from __future__ import annotations

MAX_PENDING = 32
"""of one bottle (supervise.md §2): more is no question but noise"""
KEPT_PROCESSED = 200
"""files of answered proposals, of one launch: the audit has them for good"""

TIMEOUT_VARIABLE = "EGRESS_TOKEN_ALLOW_TIMEOUT_SECONDS"
TIMEOUT_S = 300.0
"""how long a request is held for an answer"""
MAX_TIMEOUT_S = 24 * 3600.0


def read_timeout(text: str | None) -> tuple[float, str | None]:
    """The wait in seconds that *text* says, and a warning where it says none that can be used (dlp.md §3)."""
    if text is None or not text.strip():
        return TIMEOUT_S, None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if 0 < seconds <= MAX_TIMEOUT_S:
        return seconds, None
    what = f"{TIMEOUT_VARIABLE} is no number of seconds from 1 to {MAX_TIMEOUT_S:.0f}"
    return TIMEOUT_S, f"{what}: {TIMEOUT_S:.0f} are waited"
