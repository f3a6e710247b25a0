"""Waiting for a program in a bottle, and for all that may end the wait: one thread, one ``poll``.

The program's end, a signal to us, the bottle's end or whatever else is watched. Who carries the bytes
(``relay``: the foreground, ``attach_hub``: attached terminals) adds descriptors of its own.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bot_bottle.sandbox.contract import Process

TICK_S = 5.0
"""How often ``tick`` is called: the disk limit is looked at this often."""

Watchers = Mapping[int, Callable[[], "Watchers | None"]]
"""Descriptor to what is called, once, when it becomes readable; it may return further watchers."""


class Stopped(Exception):
    """The wait was ended by a signal to us; ``signal`` is its number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.signal = number


@contextmanager
def terminations() -> Iterator[None]:
    """SIGTERM and SIGHUP end what goes on in good order: they raise :class:`Stopped`, as Ctrl-C raises.

    One that is ignored stays so: ``nohup`` means it.
    """

    def stop(number: int, _frame: object) -> None:
        raise Stopped(number)

    previous = {number: signal.signal(number, stop) for number in heeded(signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def heeded(*numbers: signal.Signals) -> list[signal.Signals]:
    """Those that are not ignored."""
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def waking_signals(numbers: Sequence[int]) -> Iterator[int]:
    """A descriptor that gives the number of each of *numbers* as a byte, instead of what they do else."""
    wake_read, wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    previous_wakeup = signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    previous = {number: signal.signal(number, lambda *_: None) for number in numbers}
    try:
        yield wake_read
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous_wakeup)
        os.close(wake_read)
        os.close(wake_write)


class Watching:
    """The selector and what is looked at in every case; use as a context manager."""

    def __init__(self, process: Process, watch: Watchers | None, tick: Callable[[], None] | None) -> None:
        """What a watcher or *tick* (called every :data:`TICK_S`) raises ends the wait."""
        self.selector = selectors.PollSelector()
        self.ended = False
        """the program has"""
        self._watch: dict[int, Callable[[], Watchers | None]] = {}
        self._tick = tick
        self._next_tick = time.monotonic() + TICK_S
        self.selector.register(process.fileno(), selectors.EVENT_READ, "end")
        self._add(watch)

    def __enter__(self) -> Watching:
        return self

    def __exit__(self, *_: object) -> None:
        self.selector.close()

    def _add(self, watchers: Watchers | None) -> None:
        for fd, action in (watchers or {}).items():
            self._watch[fd] = action
            self.selector.register(fd, selectors.EVENT_READ, "watch")

    def ready(self, timeout_s: float | None = None) -> list[tuple[int, Any, int]]:
        """One round, at most *timeout_s*: descriptor, data and events of those that are not ours."""
        left = max(self._next_tick - time.monotonic(), 0.0)
        found = self.selector.select(left if timeout_s is None else min(left, max(timeout_s, 0.0)))
        if time.monotonic() >= self._next_tick:
            if self._tick:
                self._tick()
            self._next_tick = time.monotonic() + TICK_S
        others = []
        for key, events in found:
            if key.data == "watch":
                self.selector.unregister(key.fd)
                self._add(self._watch.pop(key.fd)())
            elif key.data == "end":
                self.ended = True
            else:
                others.append((key.fd, key.data, events))
        return others

    def register(self, fd: int, events: int, data: Any) -> None:
        self.selector.register(fd, events, data)

    def forget(self, fd: int) -> None:
        """No longer look at *fd*; nothing where that is so already."""
        if fd in self.selector.get_map():
            self.selector.unregister(fd)
