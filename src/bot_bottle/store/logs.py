"""``logs/<identity>/``: what a bottle and its sidecar wrote; outlives the state, 30 days by default.

One file a launch and kind, opened here and handed on as a descriptor: nobody else needs a way to the
directory. What is in them may be hostile text.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Container
from pathlib import Path

from bot_bottle.base.clock import utc_now
from bot_bottle.base.ids import BadIdentity
from bot_bottle.store.files import StoreError, make_directory, make_home
from bot_bottle.store.layout import Layout

KEEP_DAYS = 30
BOTTLE = "bottle"
"""messages of the backend and the shim"""
EGRESS = "egress"
"""the proxy's records, JSON lines"""
GIT = "git"
"""the git gate's records, JSON lines"""
SESSION = "session"
"""messages of a session process, which has no terminal of its own"""
SCREEN = "screen"
"""the end of what an agent printed while nobody was attached"""
_KINDS = (BOTTLE, EGRESS, GIT, SESSION, SCREEN)
_SUFFIX = ".log"
_UNUSED_S = 3600.0
"""An empty directory younger than this may be a launch's that is about to open its log: the daemon that it starts
prunes at the same moment."""


def new_log(layout: Layout, identity: str, kind: str, *, started_at: str = "") -> Path:
    """The path of this launch's log of *kind* (:data:`BOTTLE`, :data:`EGRESS`, …); directories are made.

    *started_at* (``base.clock.utc_now``) names the launch: the same one gives the same path. Raises
    ``StoreError``, ``BadIdentity``.
    """
    if kind not in _KINDS:
        raise StoreError(f"{kind!r} is no kind of log: use one of {', '.join(_KINDS)}")
    directory = layout.logs(identity)
    make_home(layout.home)
    for part in (directory.parent, directory):
        make_directory(part, 0o700)
    stamp = "".join(char for char in (started_at or utc_now()) if char.isascii() and char.isalnum())
    return directory / f"{stamp}.{kind}{_SUFFIX}"


def open_log(path: Path) -> int:
    """Open *path* for appending (0600, made when missing); the descriptor is close-on-exec and the
    caller's. Raises ``StoreError``."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(path, flags, 0o600)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise StoreError(f"log {str(path)!r} is no regular file: remove it")
        os.fchmod(fd, 0o600)
    except OSError as error:
        raise StoreError(f"log {str(path)!r} can't be opened: {error.strerror}") from error
    os.set_blocking(fd, True)
    return fd


def list_logs(layout: Layout, identity: str, kind: str = "") -> list[Path]:
    """The logs of a bottle, oldest first; of one *kind*, or all. Never raises on content."""
    suffix = f".{kind}{_SUFFIX}" if kind else _SUFFIX
    directory = layout.logs(identity)
    return [directory / name for name in _names(directory) if name.endswith(suffix)]


def latest(layout: Layout, identity: str, kind: str = EGRESS) -> Path | None:
    """The newest log of *kind*; None when there is none."""
    found = list_logs(layout, identity, kind)
    return found[-1] if found else None


def prune(
    layout: Layout, *, keep_days: float = KEEP_DAYS, now_s: float | None = None, spare: Container[str] = ()
) -> int:
    """Delete logs that nobody wrote to for *keep_days*, and directories left empty. Returns the number
    of files deleted; what can't be deleted stays for the next time. Never raises.

    The logs of the identities in *spare* stay (bottles that run)."""
    deleted = [path for path in old(layout, keep_days=keep_days, now_s=now_s, spare=spare) if _delete(path)]
    emptied = {path.parent for path in deleted}
    unused_s = (time.time() if now_s is None else now_s) - _UNUSED_S
    for directory in _directories(layout):
        try:
            if directory in emptied or os.lstat(directory).st_mtime < unused_s:
                os.rmdir(directory)
        except OSError:
            pass  # not empty
    return len(deleted)


def old(
    layout: Layout, *, keep_days: float = KEEP_DAYS, now_s: float | None = None, spare: Container[str] = ()
) -> list[Path]:
    """What :func:`prune` would delete. Never raises."""
    oldest_s = (time.time() if now_s is None else now_s) - keep_days * 86_400
    return [
        directory / name
        for directory in _directories(layout)
        if directory.name not in spare
        for name in _names(directory)
        if _is_older(directory / name, oldest_s)
    ]


def _directories(layout: Layout) -> list[Path]:
    found = []
    for identity in _names(layout.home / "logs"):
        try:
            directory = layout.logs(identity)
        except BadIdentity:
            continue
        if not directory.is_symlink():
            found.append(directory)
    return found


def _is_older(path: Path, oldest_s: float) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_mtime < oldest_s


def _delete(path: Path) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True


def _names(directory: Path) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []
