"""Memory for bodies that are held whole, until they are redacted or somebody has decided (ruling 9).

Bounded for the bottle. What finds no room waits in line and is told: there is room, or its time is over. The
provider's routes have a part to themselves, so that a held upload does not silence the agent (ruling 52).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

MIB = 1024 * 1024

TOTAL_BYTES = 128 * MIB
PROVIDER_BYTES = 64 * MIB
WAIT_S = 30.0


class Held:
    """The account of one bottle. Its clients: :class:`Reservation`."""

    def __init__(
        self, *, total: int = TOTAL_BYTES, provider: int = PROVIDER_BYTES, wait_s: float = WAIT_S
    ) -> None:
        self._total = total
        self._for_others = total - provider
        self.wait_s = wait_s
        self.used = 0
        """bytes of all"""
        self._others = 0
        """bytes of routes that no provider owns"""
        self._line: list[Reservation] = []

    def has_room(self, size: int, *, provider: bool) -> bool:
        if self.used + size > self._total:
            return False
        return provider or self._others + size <= self._for_others

    def add(self, size: int, *, provider: bool) -> None:
        self.used += size
        if not provider:
            self._others += size

    def wait(self, reservation: Reservation) -> None:
        self._line.append(reservation)

    def leave(self, reservation: Reservation) -> None:
        if reservation in self._line:
            self._line.remove(reservation)

    def give_back(self, size: int, *, provider: bool) -> None:
        self.add(-size, provider=provider)
        for waiting in list(self._line):
            waiting.look()


class Reservation:
    """What one flow holds of it. It may grow; it is given back whole."""

    def __init__(self, held: Held, *, provider: bool, loop: asyncio.AbstractEventLoop) -> None:
        self._held = held
        self._provider = provider
        self._loop = loop
        self._size = 0
        self._wanted = 0
        self._then: Callable[[bool], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> bool:
        return self._then is not None

    def grow(self, size: int, then: Callable[[bool], None]) -> bool:
        """Have at least *size* bytes. False: not now; *then* is called with True once it is so, or with False
        when the wait is over."""
        more = size - self._size
        if more <= 0 or self._take(more):
            return True
        self._wanted, self._then = size, then
        self._held.wait(self)
        self._timer = self._loop.call_later(self._held.wait_s, self._over)
        return False

    def look(self) -> None:
        """There may be room now."""
        if self._then is not None and self._take(self._wanted - self._size):
            self._end(True)

    def give_back(self) -> None:
        """Idempotent."""
        self._then = None
        self._stop_waiting()
        size, self._size = self._size, 0
        if size:
            self._held.give_back(size, provider=self._provider)

    def _take(self, more: int) -> bool:
        if not self._held.has_room(more, provider=self._provider):
            return False
        self._held.add(more, provider=self._provider)
        self._size += more
        return True

    def _over(self) -> None:
        self._end(False)

    def _end(self, there_is_room: bool) -> None:
        then, self._then = self._then, None
        self._stop_waiting()
        if then is not None:
            then(there_is_room)

    def _stop_waiting(self) -> None:
        self._held.leave(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
