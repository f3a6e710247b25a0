"""The lines of a bottle's logs, and later those that have come since, over new, replaced and cut files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot_bottle.store import logs
from bot_bottle.store.layout import Layout

MAX_LINE_BYTES = 256 * 1024
"""Records have at most some 30 KiB; a longer line is read in pieces: what a bottle had written fills no memory."""


class LogTail:
    """Reads on where it was. A file that was replaced or cut is read from its beginning."""

    def __init__(self, layout: Layout, identity: str, kinds: Sequence[str]) -> None:
        """*kinds*: as ``logs`` has them, in the order in which they are read."""
        self._layout = layout
        self._identity = identity
        self._kinds = tuple(kinds)
        self._places: dict[Path, tuple[int, int]] = {}
        """path to inode and offset"""

    def lines(self) -> Iterator[str]:
        """Those that were not read yet, without their ends; a last one that has none is left for the next time."""
        for kind in self._kinds:
            for path in logs.list_logs(self._layout, self._identity, kind):
                yield from self._new(path)

    def _new(self, path: Path) -> Iterator[str]:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return  # pruned since it was listed
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            os.close(fd)
            return
        with open(fd, "rb") as file:
            inode, offset = self._places.get(path, (found.st_ino, 0))
            if inode != found.st_ino or offset > found.st_size:
                offset = 0
            file.seek(offset)
            self._places[path] = (found.st_ino, offset)
            while (line := file.readline(MAX_LINE_BYTES)) and (
                line.endswith(b"\n") or len(line) == MAX_LINE_BYTES
            ):
                offset += len(line)
                self._places[path] = (found.st_ino, offset)
                yield line.decode("utf-8", "replace").rstrip("\n")
