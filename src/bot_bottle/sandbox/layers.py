"""What a bottle's layers take on the disk, and their removal.

What lies in them is hostile: directories without permissions (overlayfs leaves one too), links, trees
deeper than any path or recursion can go. No link is followed; depth costs neither stack nor descriptors.
Only for layers that no bottle is using (removal); the usage may be asked while one runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from bot_bottle.base.process import run
from bot_bottle.sandbox.contract import Layer, SandboxError

_USAGE_TIMEOUT_S = 120.0
"""Some million files are counted in ten seconds; a slow disk takes longer."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def disk_usage(layers: Iterable[Layer]) -> int:
    """Bytes that the writable parts of *layers* take on the disk, by ``du``.

    A user's own files are counted as the root of a user namespace: a directory that a bottle has closed
    with its mode hides nothing. Raises ProcessFailed, or SandboxError when ``du`` says nothing.
    """
    directories = [str(path) for layer in layers for path in (layer.upper, layer.work)]
    argv = ["du", "--summarize", "--one-file-system", "--block-size=1", "--total", "--", *directories]
    if os.geteuid() != 0:
        argv = ["unshare", "--map-root-user", *argv]
    done = run(argv, timeout_s=_USAGE_TIMEOUT_S, check=False)  # 1 where a file vanished meanwhile
    total, _, name = done.stdout.rstrip().rpartition(b"\n")[2].partition(b"\t")
    if name != b"total":
        raise SandboxError(f"du could not count the bottle's layers: {done.stderr[-300:]!r}")
    return int(total)


def remove_tree(directory: Path) -> None:
    """Remove *directory* and all below it, as its owner or root; missing is no error.

    Every directory that is met is first moved up beside the others, so that depth never grows.
    """
    try:
        top = _open(os.fspath(directory), None)
    except FileNotFoundError:
        return
    try:
        waiting = _empty(top, top, 0)
        moved = len(waiting)
        while waiting:
            name = waiting.pop()
            below = _open(name, top)
            try:
                found = _empty(below, top, moved)
            finally:
                os.close(below)
            os.rmdir(name, dir_fd=top)
            waiting += found
            moved += len(found)
    finally:
        os.close(top)
    os.rmdir(directory)


def _open(name: str, parent: int | None) -> int:
    """The directory *name*, opened up for its owner first: its mode may keep everybody out."""
    try:
        fd = os.open(name, _DIRECTORY, dir_fd=parent)
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=parent)
        fd = os.open(name, _DIRECTORY, dir_fd=parent)
    try:
        os.fchmod(fd, 0o700)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _empty(directory: int, top: int, moved: int) -> list[str]:
    """Unlink the files of *directory*, move its directories to *top*; their names there."""
    found: list[str] = []
    with os.scandir(directory) as entries:
        listed = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_directory in listed:
        if not is_directory:
            os.unlink(name, dir_fd=directory)
            continue
        os.chmod(name, 0o700, dir_fd=directory)  # a closed directory can't be moved
        target = f".bot-bottle-removed-{moved + len(found)}"
        while target in (other for other, _ in listed):
            target += "_"
        os.rename(name, target, src_dir_fd=directory, dst_dir_fd=top)
        found.append(target)
    return found
