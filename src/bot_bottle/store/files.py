"""Reading and writing single files and directories of ours, safely.

Writers fail loudly (``StoreError``); readers never raise on what they find. Nothing here follows a link in
the last component of a path, and nothing here waits on a FIFO.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot_bottle.base.errors import BotBottleError

MAX_RECORD_BYTES = 1024 * 1024
"""1 MiB: a launch record is some 2 KiB; more is damage."""


class StoreError(BotBottleError):
    """A record or directory of ours can't be made, or is not safe to use."""


def atomic_write(path: Path, content: bytes, *, mode: int = 0o600, uid: int | None = None) -> None:
    """Write *content* to *path*: a new file beside it, fsync, rename. Missing parents are made (0700).

    A reader sees the old content or the new, never a part. *uid* gets the file (root only).
    Raises :class:`StoreError`; no temporary file is left then.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        os.makedirs(path.parent, mode=0o700, exist_ok=True)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            try:
                write_all(fd, content)
                if uid is not None:
                    os.fchown(fd, uid, uid)
                os.fchmod(fd, mode)
                os.fsync(fd)
            finally:
                os.close(fd)
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        _sync_directory(path.parent)
    except OSError as error:
        raise StoreError(f"{str(path)!r} can't be written: {error.strerror or error}") from error


def _sync_directory(path: Path) -> None:
    """Make the rename durable; some file systems can't sync a directory, which is no error."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError:
        pass
    finally:
        os.close(fd)


def write_all(fd: int, content: bytes) -> None:
    """Write every byte of *content*."""
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def read_small(path: Path, limit: int = MAX_RECORD_BYTES) -> bytes | None:
    """The content of a regular file of at most *limit* bytes; None for anything else. Never raises."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        content = bytearray()
        while len(content) <= limit:
            block = os.read(fd, min(limit + 1 - len(content), 1 << 20))
            if not block:
                return bytes(content)
            content += block
        return None
    except OSError:
        return None
    finally:
        os.close(fd)


def write_object(path: Path, record: Mapping[str, Any]) -> None:
    """Write *record* as indented JSON (0600), atomically. Raises :class:`StoreError`."""
    atomic_write(path, (json.dumps(record, indent=2) + "\n").encode("ascii"))


def read_object(path: Path) -> dict[str, Any] | None:
    """The JSON object in *path*; None when it is missing, too large, not JSON or no object. Never raises."""
    content = read_small(path)
    if content is None:
        return None
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def make_directory(path: Path, mode: int, uid: int | None = None, gid: int | None = None) -> None:
    """Make *path* (its parent exists), or take one that is there and ours; set mode and owner.

    Refused (:class:`StoreError`): a link or another file at *path*, a directory of a foreign owner, which
    somebody may have put there before us (``/tmp``). The owners that it may have: us, *uid*.
    """
    try:
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            pass
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(f"directory {str(path)!r} can't be made: {error.strerror or error}") from error
    try:
        found = os.fstat(fd)
        if found.st_uid not in (os.geteuid(), uid):
            raise StoreError(
                f"directory {str(path)!r} belongs to uid {found.st_uid}, not to you: "
                "remove it or ask who made it"
            )
        group = uid if gid is None else gid
        if uid is not None or gid is not None:
            os.fchown(fd, -1 if uid is None else uid, -1 if group is None else group)
        if stat.S_IMODE(found.st_mode) != mode:
            os.fchmod(fd, mode)
    except OSError as error:
        raise StoreError(f"directory {str(path)!r} can't be set up: {error.strerror or error}") from error
    finally:
        os.close(fd)


def make_missing(path: Path, mode: int) -> None:
    """Make *path* and its missing parents with *mode*; what exists is left as it is."""
    missing: list[Path] = []
    while not os.path.lexists(path):
        missing.append(path)
        path = path.parent
    for directory in reversed(missing):
        make_directory(directory, mode)


def make_home(home: Path) -> None:
    """Make ``~/.bot-bottle``, 0700. The operator may have made it a link to another disk."""
    target = Path(os.path.realpath(home))
    make_missing(target.parent, 0o700)
    make_directory(target, 0o700)
