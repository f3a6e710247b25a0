"""Line questions on the operator's terminal, and whether there is one.

The terminal is ``/dev/tty``: standard input and output may be redirected. Where a process has none, or one
that can do nothing (``TERM=dumb`` for screens), nobody is asked and whoever wants an answer names its flag.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot_bottle.base import messages
from bot_bottle.base.text import printable
from bot_bottle.cli.errors import FIXABLE, USAGE, Exit

TERMINAL = "/dev/tty"
YES = frozenset({"y", "Y", "yes", "YES"})
MAX_ANSWER_BYTES = 64 * 1024
"""A terminal's line has 4 KiB; more is not an answer."""


class Asker:
    """A terminal with somebody at it; :func:`find_asker` makes one."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def line(self, question: str) -> str | None:
        """Ask, and read one line; None at its end (Ctrl-D). The question is made printable."""
        self._say(f"{printable(question)} ")
        data = b""
        while not data.endswith(b"\n") and len(data) < MAX_ANSWER_BYTES:
            piece = os.read(self.descriptor, 4096)
            if not piece:
                if not data:
                    self._say("\n")
                    return None
                break
            data += piece
        return data.decode("utf-8", "replace").rstrip("\r\n")

    def yes(self, question: str) -> bool:
        """y/N: only ``y``, ``Y``, ``yes``, ``YES`` are yes."""
        answer = self.line(f"{question} [y/N]")
        return answer is not None and answer.strip() in YES

    def say(self, text: str) -> None:
        """A line of explanation, printable."""
        self._say(f"{printable(text)}\n")

    def _say(self, text: str) -> None:
        """On standard error, and on the terminal itself where standard error goes elsewhere."""
        sys.stderr.write(text)
        sys.stderr.flush()
        if not _is_terminal(2):
            os.write(self.descriptor, text.encode("utf-8", "replace"))


def find_asker() -> Asker | None:
    """The terminal of this process; None where there is none. The caller closes it."""
    try:
        return Asker(os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return None


@contextmanager
def asking() -> Iterator[Asker | None]:
    """:func:`find_asker` for as long as there is something to ask: what is started later must not hold it."""
    asker = find_asker()
    try:
        yield asker
    finally:
        if asker is not None:
            os.close(asker.descriptor)


def can_show_screens() -> bool:
    """Whether the terminal moves its cursor; one without ``TERM`` is taken for an ordinary one."""
    return os.environ.get("TERM") != "dumb"


def missing(question: str, flag: str) -> Exit:
    """The end of a command that can't ask: usage, and the flag that answers (rulings 29, 35)."""
    messages.error(f"{question} there is no terminal to ask on: give {flag}")
    return Exit(USAGE)


def cancelled() -> Exit:
    """The end of a command whose question was not answered (ruling 64)."""
    messages.info("cancelled; nothing was done")
    return Exit(FIXABLE)


def ask_until(
    asker: Asker, question: str, default: str, parse: Callable[[str], str], *, empty: bool = False
) -> str:
    """Ask until *parse* takes the answer; it raises ``ValueError`` with what is wrong. Enter is *default*.

    Raises :class:`Exit` at the end of input.
    """
    shown = f"{question} [{default}]:" if default else f"{question}:"
    while True:
        answer = asker.line(shown)
        if answer is None:
            raise cancelled()
        answer = answer.strip() or default
        if not answer and not empty:
            continue
        try:
            return parse(answer)
        except ValueError as error:
            asker.say(f"  {error}")


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
