"""Names looked up, so that one whose servers don't answer keeps no other waiting. Judges nothing: asked only
for what has an ``Allow``, and what it finds is checked by ``upstream``.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

Resolver = Callable[[str, int], Coroutine[Any, Any, Sequence[str]]]
"""Addresses of a name, in the order to try; raises OSError."""

LOOKUPS_A_ROUTE = 16
"""Names of one route that are looked up at once: those of a wildcard are the bottle's to make up, and each
whose server does not answer takes a thread for half a minute."""


async def system_resolver(host: str, port: int) -> list[str]:
    """The system's own look-up, in a thread of its own: the loop's four would make every other name wait
    for names whose servers don't answer."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[list[str]] = loop.create_future()

    def finish(found: list[str] | Exception) -> None:
        if done.done():
            return
        if isinstance(found, Exception):
            done.set_exception(found)
        else:
            done.set_result(found)

    def look_up() -> None:
        found: list[str] | Exception
        try:
            name = host.encode("ascii")  # as text it would go through Python's IDNA 2003 first
            entries = socket.getaddrinfo(
                name, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_ADDRCONFIG
            )
            found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        except Exception as error:
            found = error
        try:
            loop.call_soon_threadsafe(finish, found)
        except RuntimeError:
            pass  # the loop has ended; nobody waits

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    return await done


class Lookups:
    """Look-ups in progress. They go on when the request that asked has gone: a thread can't be stopped."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._running: dict[str, dict[tuple[str, int], asyncio.Task[Sequence[str]]]] = {}
        """by the host of the route"""

    async def addresses(self, host: str, port: int, route: str) -> Sequence[str]:
        """One look-up a name at a time; those of one *route* don't keep another's waiting. Raises as the
        resolver does."""
        running = self._running.setdefault(route, {})
        key = host, port
        while key not in running and len(running) >= LOOKUPS_A_ROUTE:
            await asyncio.wait(running.values(), return_when=asyncio.FIRST_COMPLETED)
        task = running.get(key)
        if task is None:

            def over(task: asyncio.Task[Sequence[str]]) -> None:
                running.pop(key, None)
                if not task.cancelled():
                    task.exception()  # whoever still waits is told

            task = running[key] = asyncio.get_running_loop().create_task(self._resolver(host, port))
            task.add_done_callback(over)
        return await asyncio.shield(task)
