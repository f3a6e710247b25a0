"""A sidecar's end of its control socket, which its life hangs on, and the pipe that brings secrets.

Whatever its kind: it reads its secrets once, says that it is ready, takes what the launcher says, and ends with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable

import msgspec

from bot_bottle.ipc import wire
from bot_bottle.ipc.sidecar import (
    MAX_NEW_TOKENS_BYTES,
    Drain,
    NewTokens,
    Refused,
    Reload,
    SidecarSecrets,
    ToSidecar,
)

MAX_SECRETS_BYTES = 1024 * 1024
"""The pipe's one message: a thousand routes with a kilobyte of credential each."""


def read_secrets(fd: int, limit: int = MAX_SECRETS_BYTES) -> SidecarSecrets:
    """Read the pipe to its end, once, and close it. Raises ValueError."""
    with os.fdopen(fd, "rb") as pipe:
        data = pipe.read(limit + 1) or b""
    if len(data) > limit:
        raise ValueError("the secrets are too large")
    try:
        return msgspec.json.decode(data, type=SidecarSecrets)
    except msgspec.MsgspecError:
        raise ValueError("the secrets could not be read") from None  # its message could quote them


def say(control: socket.socket, message: msgspec.Struct) -> None:
    """Raises nothing."""
    try:
        wire.send(control, message)
    except (wire.WireError, BlockingIOError):
        pass  # the launcher has gone; its end of the socket says so too


class Control:
    """Watches *control* in the running loop. :attr:`over` is done when the sidecar is to end; True: it may drain."""

    def __init__(
        self,
        control: socket.socket,
        *,
        reload: Callable[[], msgspec.Struct],
        learn: Callable[[SidecarSecrets], msgspec.Struct | None],
    ) -> None:
        """*reload* answers ``Reload``; *learn* gets the secrets of ``NewTokens``, and answers at once or, with None,
        by :meth:`say` later. It may raise ValueError: refused."""
        self._control, self._reload, self._learn = control, reload, learn
        self._loop = asyncio.get_running_loop()
        self.over: asyncio.Future[bool] = self._loop.create_future()
        control.setblocking(False)
        self._loop.add_reader(control.fileno(), self._readable)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._end, True)

    def say(self, message: msgspec.Struct) -> None:
        say(self._control, message)

    def close(self) -> None:
        """Stop watching."""
        self._loop.remove_reader(self._control.fileno())

    def _readable(self) -> None:
        try:
            message, fds = wire.receive(self._control, ToSidecar)
        except (BlockingIOError, TimeoutError):
            return
        except wire.WireError as error:
            if error.closed:
                self._end(False)
            else:
                self.say(Refused(str(error)))
            return
        if isinstance(message, NewTokens) and len(fds) == 1:
            self._take(fds[0])
            return
        wire.close_all(fds)
        if isinstance(message, NewTokens):
            self.say(Refused("no tokens came with the message"))
        elif isinstance(message, Reload):
            self.say(self._reload())
        elif isinstance(message, Drain):
            self._end(True)

    def _take(self, pipe: int) -> None:
        """The pipe was written whole before its message was sent, so that nothing is ever waited for here."""
        try:
            os.set_blocking(pipe, False)
            answer = self._learn(read_secrets(pipe, MAX_NEW_TOKENS_BYTES))
        except (OSError, ValueError) as error:
            answer = Refused(str(error) or type(error).__name__)
        if answer is not None:
            self.say(answer)

    def _end(self, drain: bool) -> None:
        if not self.over.done():
            self.over.set_result(drain)
