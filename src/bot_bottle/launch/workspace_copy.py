"""Copying files out of a directory that others may be changing: by descriptor, no link followed.

A path is walked part by part from an open directory, each part opened without following links; what was
looked at is what is copied. Nothing waits on a FIFO, opens a device, keeps a setuid bit or a hard link.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Sequence

from bot_bottle.base.errors import BotBottleError

MAX_DEPTH = 256
"""Each level holds two descriptors; no tree that people work in is a tenth as deep."""

FICLONE = 0x40049409
"""linux/fs.h: share the extents (btrfs, xfs, bcachefs)."""

SMALL_FILE_BYTES = 64 * 1024
"""Up to here one read and one write are quicker than asking for a clone."""
CHUNK_BYTES = 8 * 1024 * 1024

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SOURCE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_TARGET = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class WorkspaceError(BotBottleError):
    """The workspace can't be brought into a bottle."""


class LeftOut(Exception):
    """One entry that can't or must not be copied; the message is the reason. Never leaves ``launch``."""


def open_directory(name: str, parent: int | None = None) -> int:
    """Open a directory without following a link at *name*; raises :class:`LeftOut`."""
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except OSError as error:
        raise LeftOut(reason(error)) from error


class Descent:
    """Walks from one directory to the next, in the source and (with *target*) in the copy of it.

    Paths that come sorted open each directory once. The descriptors handed in stay the caller's.
    """

    def __init__(self, source: int, target: int | None = None, uid: int | None = None) -> None:
        self._uid = uid
        self._parts: list[str] = []
        self._stack: list[tuple[int, int | None]] = [(source, target)]

    def enter(self, parts: Sequence[str]) -> tuple[int, int | None]:
        """Descriptors of the directory *parts* (made in the copy when missing); raises :class:`LeftOut`.

        They are valid until the next call."""
        if len(parts) > MAX_DEPTH:
            raise LeftOut("nested too deep")
        common = 0
        while common < min(len(parts), len(self._parts)) and parts[common] == self._parts[common]:
            common += 1
        self._leave(common)
        for part in parts[common:]:
            source, target = self._stack[-1]
            child = open_directory(part, source)
            try:
                copy = None if target is None else self._make(part, target, os.fstat(child))
            except BaseException:
                os.close(child)
                raise
            self._stack.append((child, copy))
            self._parts.append(part)
        return self._stack[-1]

    def _make(self, name: str, parent: int, source: os.stat_result) -> int:
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            pass
        made = open_directory(name, parent)
        if self._uid is not None:
            os.fchown(made, self._uid, self._uid)
        os.fchmod(made, stat.S_IMODE(source.st_mode) & 0o777 | 0o700)
        return made

    def _leave(self, depth: int) -> None:
        while len(self._parts) > depth:
            self._parts.pop()
            for fd in self._stack.pop():
                if fd is not None:
                    os.close(fd)

    def close(self) -> None:
        self._leave(0)


def copy_entry(source: int, target: int, name: str, uid: int | None) -> int:
    """Copy the file or link *name* from directory *source* to directory *target*; returns its bytes.

    Raises :class:`LeftOut` for anything else and for what can't be read; OSError when the copy can't be
    written (disk full).
    """
    try:
        found = os.stat(name, dir_fd=source, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            destination = os.readlink(name, dir_fd=source)
        elif stat.S_ISREG(found.st_mode):
            fd = os.open(name, _SOURCE, dir_fd=source)
        else:
            raise LeftOut(kind_of(found.st_mode))
    except OSError as error:
        raise LeftOut(reason(error)) from error
    if stat.S_ISLNK(found.st_mode):
        os.symlink(destination, name, dir_fd=target)
        if uid is not None:
            os.chown(name, uid, uid, dir_fd=target, follow_symlinks=False)
        return len(os.fsencode(destination))
    try:
        return _copy_open_file(fd, target, name, uid)
    finally:
        os.close(fd)


def _copy_open_file(source: int, target: int, name: str, uid: int | None) -> int:
    found = os.fstat(source)
    if not stat.S_ISREG(found.st_mode):
        raise LeftOut(kind_of(found.st_mode))
    copy = os.open(name, _TARGET, 0o600, dir_fd=target)
    try:
        copied = copy_data(source, copy, found.st_size)
        if uid is not None:
            os.fchown(copy, uid, uid)
        os.fchmod(copy, stat.S_IMODE(found.st_mode) & 0o777 | 0o400)
        os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))
    except BaseException:
        os.unlink(name, dir_fd=target)
        raise
    finally:
        os.close(copy)
    return copied


def copy_data(source: int, target: int, size: int) -> int:
    """Copy at most *size* bytes (a file that grows meanwhile is cut there); returns the number copied."""
    if size > SMALL_FILE_BYTES:
        try:
            fcntl.ioctl(target, FICLONE, source)
        except OSError:
            pass  # another file system, or one without shared extents
        else:
            os.ftruncate(target, size)
            return size
    done = _copy_in_kernel(source, target, size) if size > SMALL_FILE_BYTES else 0
    while done < size:
        try:
            block = os.read(source, min(size - done, CHUNK_BYTES))
        except OSError as error:
            raise LeftOut(reason(error)) from error
        if not block:
            break
        view = memoryview(block)
        while view:
            view = view[os.write(target, view) :]
        done += len(block)
    return done


def _copy_in_kernel(source: int, target: int, size: int) -> int:
    done = 0
    while done < size:
        try:
            count = os.copy_file_range(source, target, min(size - done, CHUNK_BYTES))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            break  # not between these file systems: the rest by reading
        if count == 0:
            break
        done += count
    return done


def kind_of(mode: int) -> str:
    """What a file that is not copied is, in words."""
    kinds = {
        stat.S_IFIFO: "FIFO", stat.S_IFSOCK: "socket", stat.S_IFBLK: "device", stat.S_IFCHR: "device",
        stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFREG: "regular file",
    }  # fmt: skip
    return kinds.get(stat.S_IFMT(mode), "special file")


def reason(error: OSError | LeftOut) -> str:
    """Why an entry was left out, in words."""
    if isinstance(error, LeftOut):
        return str(error)
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return "a link or file where a directory was"
    return (error.strerror or str(error)).lower()
