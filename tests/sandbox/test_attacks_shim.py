"""Attacks on what runs first in a bottle: no flow's end may touch another flow."""

from __future__ import annotations

import os
import socket

from bot_bottle.sandbox.shim.loop import IN, Loop


class _Done(BaseException):
    """Ends a loop that has no end of its own."""


def test_an_event_of_a_closed_descriptor_is_not_told_to_its_number_s_next_owner() -> None:
    """Both ends of a flow hang up in one batch; the first closes both, and a new connection gets the second
    one's number: the second's event is not the new connection's."""
    loop = Loop()
    pairs = [socket.socketpair() for _ in range(2)]
    fresh = socket.socketpair()
    told: list[str] = []

    def ended(index: int) -> None:
        told.append("ended")
        other = pairs[1 - index][0]
        for sock in (pairs[index][0], other):
            loop.forget(sock.fileno())
        number = other.fileno()
        other.close()
        os.dup2(fresh[0].fileno(), number)
        loop.watch(number, IN, lambda _events: told.append("fresh"))
        loop.every_second(stop)

    def stop(_now: float) -> None:
        raise _Done

    for index, pair in enumerate(pairs):
        loop.watch(pair[0].fileno(), IN, lambda _events, index=index: ended(index))
    for pair in pairs:
        pair[1].close()
    try:
        loop.run()
    except _Done:
        pass
    assert told == ["ended"]
    for sock in (*fresh, *(pair[0] for pair in pairs)):
        sock.close()
