"""Compiled patterns on the disk (``cache/patterns/``): disposable, safe to delete at any time.

What is read here is handed to native code, so that nobody but the person, or root, may have written it: anything
else is left alone and nothing is kept. Never in the way: whatever goes wrong, patterns are compiled as if there
were no cache.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

MAX_BYTES = 32 * 1024 * 1024
"""of one file; ours have under 2 MB"""
MAX_FILES = 32
"""some six a version; the oldest go"""
_SUFFIX = ".hsdb"


class PatternCache:
    """A ``dlp.databases.Keeper`` in *directory*, which is made when something is first kept."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get(self, name: str) -> bytes | None:
        """What was kept under *name*, if only its owner can have written it."""
        try:
            if not _is_ours(os.stat(self._directory)):
                return None
            fd = os.open(self._path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(fd, "rb") as file:
                about = os.fstat(fd)
                if not stat.S_ISREG(about.st_mode) or not _is_ours(about) or about.st_size > MAX_BYTES:
                    return None
                return file.read(MAX_BYTES)
        except OSError:
            return None

    def put(self, name: str, data: bytes) -> None:
        """Keep *data* under *name*, whole or not at all."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours(os.stat(self._directory)):
                return
            fd, temporary = tempfile.mkstemp(dir=self._directory, suffix=".part")
            try:
                with os.fdopen(fd, "wb") as file:
                    file.write(data)
                os.replace(temporary, self._path(name))
            except OSError:
                os.unlink(temporary)
                raise
            self._make_room()
        except OSError:
            return

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}{_SUFFIX}"

    def _make_room(self) -> None:
        kept = sorted(self._directory.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
        for path in kept[: max(0, len(kept) - MAX_FILES)]:
            path.unlink(missing_ok=True)


def _is_ours(about: os.stat_result) -> bool:
    return about.st_uid in (0, os.geteuid()) and not about.st_mode & 0o022
