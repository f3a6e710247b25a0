"""The disk limit of a running bottle: counted beside the session, looked at by its ticks (ruling 45).

A bottle may hold millions of files: counting them must hold up neither the terminal nor a stop.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from bot_bottle.base import messages
from bot_bottle.base.errors import BotBottleError
from bot_bottle.launch.plan import LaunchError
from bot_bottle.sandbox.contract import Layer
from bot_bottle.sandbox.layers import DiskCount

COUNTING_SHARE = 20
"""The counting takes at most a 20th of the time."""


class DiskFull(LaunchError):
    """The bottle's layers grew over the limit; it was stopped and its storage kept."""


class DiskWatch:
    """Call :meth:`tick` every few seconds, :meth:`close` at the end."""

    def __init__(self, layers: Sequence[Layer], limit_bytes: int) -> None:
        self._layers = layers
        self._limit_bytes = limit_bytes
        self._count: DiskCount | None = None
        self._started = 0.0
        self._next = 0.0
        self._warned = False

    def tick(self) -> None:
        """Raises :class:`DiskFull` when the last count is over the limit; begins another when it is time."""
        now = time.monotonic()
        try:
            if self._count is None:
                if now >= self._next:
                    self._started, self._count = now, DiskCount(self._layers)
                return
            used = self._count.result()
        except BotBottleError as error:
            if not self._warned:
                messages.warning(f"the bottle's disk limit is not watched: {error}")
            self._warned, used = True, 0
        if used is None:
            return
        self._count = None
        self._next = now + COUNTING_SHARE * (now - self._started)
        if used > self._limit_bytes:
            raise DiskFull(
                f"the bottle's files take {used} bytes, over its limit of {self._limit_bytes}: raise resources.disk"
            )

    def close(self) -> None:
        """Idempotent."""
        if self._count is not None:
            self._count.close()
            self._count = None
