"""Deleting a directory tree that a hostile program filled.

Never follows a link, never enters another file system, needs no recursion and two descriptors whatever
the depth (directories are moved up to the top before they are emptied), streams directories of any size,
gets past directories without permissions. What can't be deleted (an immutable file, another user's) is
reported and the rest still goes. Deletes nothing but what lies below the path that it is given.
"""

from __future__ import annotations

import enum
import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bot_bottle.base.text import printable

MAX_PROBLEMS = 20
"""Reported; more of the same help nobody."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class _Left(enum.Enum):
    """What unlinking one entry came to."""

    GONE = enum.auto()
    DIRECTORY = enum.auto()
    STUCK = enum.auto()
    """reported"""


def remove_tree(path: Path) -> tuple[str, ...]:
    """Delete *path*, whatever it is; nothing there is no error. Its parents must be ours.

    Returns what could not be deleted, one message each, at most :data:`MAX_PROBLEMS`; empty: all is gone.
    """
    remover = _Remover()
    try:
        parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return ()
    except OSError as error:
        return (f"{printable(str(path.parent))}: {error.strerror}",)
    try:
        remover.remove(parent, path.name)
    finally:
        os.close(parent)
    return tuple(remover.problems)


class _Remover:
    def __init__(self) -> None:
        self.problems: list[str] = []
        self._numbers = itertools.count()
        self._prefix = f".removing-{os.urandom(8).hex()}-"
        """not to be guessed: a tree with such names in it could keep directories from being moved"""

    def remove(self, parent: int, name: str) -> None:
        """Delete *name* in *parent*: a file at once, a directory by flattening it."""
        if self._unlink(parent, name) is not _Left.DIRECTORY:
            return
        try:
            top = _open_directory(parent, name)
        except FileNotFoundError:
            return
        except OSError as error:
            self._report(name, error)
            return
        try:
            self._empty(top)
        finally:
            os.close(top)
        try:
            os.rmdir(name, dir_fd=parent)
        except FileNotFoundError:
            pass
        except OSError as error:
            self._report(name, error)

    def _empty(self, top: int) -> None:
        """Delete everything below *top*. Each pass takes the entries of *top* itself; what is a directory
        has its own directories moved up into *top*, where a later pass finds them."""
        device = os.fstat(top).st_dev
        failed: set[str] = set()
        progress = True
        while progress:
            progress = False
            for name in _names(top):
                if name in failed:
                    continue
                progress = True
                left = self._unlink(top, name)
                if left is _Left.STUCK or (left is _Left.DIRECTORY and not self._flatten(top, name, device)):
                    failed.add(name)

    def _flatten(self, top: int, name: str, device: int) -> bool:
        """Empty the directory *name* of *top* (its directories go to *top*) and remove it."""
        try:
            os.rmdir(name, dir_fd=top)
        except OSError:
            pass
        else:
            return True
        try:
            directory = _open_directory(top, name)
        except FileNotFoundError:
            return True
        except OSError as error:
            return self._report(name, error)
        try:
            if os.fstat(directory).st_dev != device:
                return self._report(name, OSError(0, "another file system is mounted there"))
            kept = self._strip(directory, top)
        finally:
            os.close(directory)
        try:
            os.rmdir(name, dir_fd=top)
        except FileNotFoundError:
            return True
        except OSError as error:
            return False if kept else self._report(name, error)
        return True

    def _strip(self, directory: int, top: int) -> bool:
        """Unlink the files of *directory*, move its directories to *top*; True if something had to stay."""
        failed: set[str] = set()
        progress = True
        while progress:
            progress = False
            for name in _names(directory):
                if name in failed:
                    continue
                progress = True
                left = self._unlink(directory, name)
                if left is _Left.STUCK or (left is _Left.DIRECTORY and not self._lift(directory, name, top)):
                    failed.add(name)
        return bool(failed)

    def _lift(self, directory: int, name: str, top: int) -> bool:
        try:
            os.rmdir(name, dir_fd=directory)
        except OSError:
            pass
        else:
            return True
        try:
            # moving a directory rewrites its "..", for which its owner needs permission to write
            os.close(_open_directory(directory, name))
            os.rename(name, f"{self._prefix}{next(self._numbers)}", src_dir_fd=directory, dst_dir_fd=top)
        except FileNotFoundError:
            return True
        except OSError as error:
            return self._report(name, error)
        return True

    def _unlink(self, parent: int, name: str) -> _Left:
        """Delete *name* unless it is a directory."""
        try:
            os.unlink(name, dir_fd=parent)
        except FileNotFoundError:
            return _Left.GONE
        except OSError as error:
            try:
                if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                    return _Left.DIRECTORY
            except OSError:
                pass
            self._report(name, error)
            return _Left.STUCK
        return _Left.GONE

    def _report(self, name: str, error: OSError) -> bool:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(f"{printable(name, limit=120)}: {error.strerror}")
        return False


def _names(directory: int) -> Iterator[str]:
    """The entries of *directory* as the kernel hands them out; a listing that fails just ends."""
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                yield entry.name
    except OSError:
        return


def _open_directory(parent: int, name: str) -> int:
    """Open *name* for listing and changing, giving ourselves the permissions first where they lack."""
    handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        if os.fstat(handle).st_mode & 0o700 != 0o700:
            try:
                # through the handle: a name could have become a link to something else by now
                os.chmod(f"/proc/self/fd/{handle}", 0o700)
            except OSError:
                pass  # not ours to change; opening it says whether that matters
        return os.open(".", _DIRECTORY, dir_fd=handle)
    finally:
        os.close(handle)
