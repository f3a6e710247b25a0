"""Fairness between the connections of one event loop: long work goes on in later turns, one piece in each.

Without it a client that sends thousands of tiny requests or chunks at once, or an upstream that does, keeps
everybody else waiting: libuv reads a busy descriptor up to 32 times before it looks at the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

TURN_S = 0.002
"""What one connection may use at a time; some twenty refused requests, or 2,000 chunks of one byte."""


class Turns:
    """Callables that were put off, first in, first out; each turn of the loop runs one."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._scheduled = False

    def later(self, work: Callable[[], None]) -> None:
        """Call *work* in a later turn, after those that wait already. It must not raise."""
        self._waiting.append(work)
        self._schedule()

    def _schedule(self) -> None:
        if self._waiting and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        self._scheduled = False
        work = self._waiting.popleft()
        self._schedule()
        work()
