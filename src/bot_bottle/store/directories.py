"""The directories of the host's side, made with the modes that keep the trust zones apart.

Only directories that are certainly ours are used: one that another user owns, that others may write to, or
that is a symbolic link where we would have made a directory, is refused with the fix. What belongs to one
bottle is made by its launch, below these.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bot_bottle.base.errors import BotBottleError
from bot_bottle.store.layout import Layout

PRIVATE = 0o700
TRAVERSABLE = 0o711
"""What a bottle's uid passes through on the way to its own directory; it can list nothing (ruling 43)."""


class UnsafeDirectory(BotBottleError):
    """A directory is not certainly ours; nothing was put into it."""


def prepare(layout: Layout) -> None:
    """Make (or check) the three roots and their common subdirectories; cheap when all is there.

    Raises :class:`UnsafeDirectory`.
    """
    passage = TRAVERSABLE if os.geteuid() == 0 else PRIVATE
    layout.home.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    home = Path(os.path.realpath(layout.home))  # the operator may keep it elsewhere, behind a link
    make(home, PRIVATE)
    make(home / "state", PRIVATE)
    make(home / "logs", PRIVATE)
    if layout.shared != layout.home:
        make_parent(layout.shared.parent, passage)
        make(layout.shared, passage)
    make(layout.guests, passage)
    make_parent(layout.run.parent, passage)
    make(layout.run, passage)
    make(layout.run / "b", passage)
    make(layout.run / "x", PRIVATE)
    make(layout.run / "s", PRIVATE)


def make(path: Path, mode: int) -> None:
    """Make the directory *path* with exactly *mode*, or check that it is ours and tighten it to *mode*.

    Raises :class:`UnsafeDirectory` when it is a link, another user's, or was writable for others (then
    what lies in it may be theirs).
    """
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        pass
    except OSError as error:
        raise UnsafeDirectory(f"{str(path)!r} can't be made: {error.strerror}") from error
    fd = _open(path)
    try:
        status = os.fstat(fd)
        _check(path, status, owners=(os.geteuid(),))
        if status.st_mode & 0o777 != mode:
            os.fchmod(fd, mode)
    finally:
        os.close(fd)


def make_parent(path: Path, mode: int) -> None:
    """Like :func:`make`, for a directory that may be the system's (``/run``, ``/tmp``): root's is accepted
    too, and one that is writable for all when it is sticky, since nobody can move ours in it."""
    if not path.exists():
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        make(path, mode)
        return
    fd = _open(path)
    try:
        _check(path, os.fstat(fd), owners=(os.geteuid(), 0), sticky=True)
    finally:
        os.close(fd)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise UnsafeDirectory(
            f"{str(path)!r} is not a directory of ours ({error.strerror}): remove it"
        ) from error


def _check(path: Path, status: os.stat_result, *, owners: tuple[int, ...], sticky: bool = False) -> None:
    if status.st_uid not in owners:
        raise UnsafeDirectory(
            f"{str(path)!r} belongs to uid {status.st_uid}, not to you: remove it or set XDG_RUNTIME_DIR"
        )
    if status.st_mode & 0o022 and not (sticky and status.st_mode & stat.S_ISVTX):
        raise UnsafeDirectory(
            f"{str(path)!r} was writable for others, so what is in it can't be trusted: remove it"
        )
