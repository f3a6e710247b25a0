"""What the client of a push reads while it waits: a line at least every few seconds (ruling 17)."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from bot_bottle.base.text import printable

EVERY_S = 4.0
"""between lines; 5 s are promised, and the server gives up a transfer after 15"""
MAX_CHARS = 2000
PREFIX = "bot-bottle: "


class Progress:
    """The lines of one push, to its hook. As a context: the last thing said is said again while it lasts."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._now = "looking at the push"
        self._aside = ""
        self._ticker: asyncio.Task[None] | None = None

    def say(self, text: str) -> None:
        """What is being done; shown with the next tick."""
        self._now = text

    def now(self, text: str) -> None:
        """The same, shown at once as well."""
        self.say(text)
        self.line(text)

    def aside(self, text: str) -> None:
        """What is being done beside that."""
        self._aside = text

    def line(self, text: str) -> None:
        """A line at once."""
        clean = printable(text, limit=MAX_CHARS)
        self._writer.write(b"P " + (PREFIX + clean).encode("utf-8", "replace") + b"\n")

    async def __aenter__(self) -> Self:
        self._ticker = asyncio.ensure_future(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._ticker is not None
        self._ticker.cancel()
        await asyncio.gather(self._ticker, return_exceptions=True)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self.line(f"{self._now}; {self._aside}" if self._aside else self._now)
