"""Mount points in a root that a bottle has written to: no link in it leads a mount, or us, elsewhere.

Works by directory descriptors, one name at a time, never following a link. What stands in the way (a
link, a file where a directory must be) is moved aside, not removed: it may be somebody's work.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import PurePosixPath

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def prepare(root: str | os.PathLike[str], inside: PurePosixPath, *, directory: bool = True) -> None:
    """Make the path *inside* below *root* a real directory (or file), with real directories above it.

    Raises OSError when that can't be done, ValueError for a path with ``..``.
    """
    parts = [part for part in inside.parts if part != "/"]
    if ".." in parts:
        raise ValueError(f"{str(inside)!r} leads upwards")
    here = os.open(root, _DIRECTORY)
    try:
        for index, name in enumerate(parts):
            if index == len(parts) - 1 and not directory:
                _file(here, name)
                return
            below = _directory(here, name)
            os.close(here)
            here = below
    finally:
        os.close(here)


def prepare_all(root: str | os.PathLike[str], paths: Sequence[str]) -> None:
    """:func:`prepare` for several directories."""
    for path in paths:
        prepare(root, PurePosixPath(path))


def _directory(parent: int, name: str) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        pass
    except OSError:
        _move_aside(parent, name)
    os.mkdir(name, 0o755, dir_fd=parent)
    return os.open(name, _DIRECTORY, dir_fd=parent)


def _file(parent: int, name: str) -> None:
    try:
        if stat.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            return
        _move_aside(parent, name)
    except FileNotFoundError:
        pass
    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644, dir_fd=parent))


def _move_aside(parent: int, name: str) -> None:
    for number in range(1000):
        aside = f"{name[:200]}.moved-aside-{number}"
        try:
            os.stat(aside, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            os.rename(name, aside, src_dir_fd=parent, dst_dir_fd=parent)
            return
    raise OSError(17, f"{name!r} can't be moved aside: too many such names")
