"""Whether an operator session is there (ruling 52): nobody waits for who isn't.

The lease is the boot clock (``CLOCK_BOOTTIME``, seconds) of its last renewal, as text: a wall clock that is set
neither ends nor prolongs it.
"""

from __future__ import annotations

LEASE_S = 10.0
RENEW_S = 3.0
"""how often a session renews it: one that is late once or twice is still there"""
MAX_LEASE_BYTES = 64


def write_lease(now: float) -> bytes:
    return f"{now:.3f}\n".encode()


def is_live(data: bytes | None, now: float) -> bool:
    """Whether the lease in *data* holds at *now*; one from the future is none."""
    if data is None or len(data) > MAX_LEASE_BYTES:
        return False
    try:
        renewed = float(data)
    except ValueError:
        return False
    return 0.0 <= now - renewed <= LEASE_S
