"""``state/<id>/transcript/``: an agent's conversations, copied out at its session's end and put back when its home
is gone (ruling 34).

Copied from the overlay of a stopped bottle, out of a home that the agent could write as it liked: by descriptor,
regular files with the names and places of the provider's contract alone. The copy replaces the one before in one
step, or leaves it. Put back by the bottle itself, as its own user, and only where the home has no conversation:
what is there is never written over.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from msgspec import Struct

from bot_bottle.base import linux
from bot_bottle.launch.transcript_files import Conversation, Found, find, open_below, refused
from bot_bottle.launch.workspace_copy import LeftOut, copy_data, open_directory, reason
from bot_bottle.providers.contract import GUEST_HOME, Transcript
from bot_bottle.store.removal import remove_tree

MAX_BYTES = 256 * 1024 * 1024
"""In all; the newest conversations count first."""
MAX_FILE_BYTES = 64 * 1024 * 1024
"""One file is put back in one message, which the bottle's init holds in its memory."""

_STAGING_PREFIX = ".transcript-"
_SOURCE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_TARGET = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

Write = Callable[[PurePosixPath, bytes, int], None]
"""``sandbox.contract.Bottle.write``"""


class Saved(Struct, frozen=True):
    """What was copied."""

    files: int
    bytes: int
    left_out: tuple[str, ...]
    """the first few, printable"""
    left_out_count: int


Paths = tuple[PurePosixPath, ...]


def conversations_at(place: Path, transcript: Transcript) -> Paths:
    """The files of the copy at *place*, below the transcript's directory, the newest first."""
    try:
        return _newest_first(open_directory(os.fspath(place)), transcript)
    except LeftOut:
        return ()


def conversations_in(upper: Path, transcript: Transcript) -> Paths:
    """The same for a home as it lies on the host; no link in it is followed."""
    try:
        return _newest_first(_open_in_home(upper, transcript), transcript)
    except LeftOut:
        return ()


def _newest_first(top: int, transcript: Transcript) -> Paths:
    try:
        files = sorted(find(top, transcript.files).files, key=lambda file: file.mtime_ns, reverse=True)
    finally:
        os.close(top)
    return tuple(PurePosixPath(*file.parts) for file in files)


def save(upper: Path, transcript: Transcript, place: Path) -> Saved:
    """Copy the conversations in the home *upper* to *place*; nothing of the bottle runs any more.

    Where there is none, an earlier copy stays. Raises OSError when the copy can't be written, with the earlier
    one in place.
    """
    state = place.parent
    for leftover in state.glob(f"{_STAGING_PREFIX}*"):  # of a process that was killed
        remove_tree(leftover)
    try:
        top = _open_in_home(upper, transcript)
    except LeftOut as error:
        nothing = Found()
        if not isinstance(error.__cause__, FileNotFoundError):
            nothing.leave_out((str(transcript.directory),), str(error))
        return Saved(0, 0, tuple(nothing.left_out), nothing.left_out_count)
    staging = state / f"{_STAGING_PREFIX}{os.urandom(6).hex()}"
    try:
        found = find(top, transcript.files)
        os.mkdir(staging, 0o700)
        target = os.open(staging, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            files, copied = _copy(top, target, found)
        finally:
            os.close(target)
        if files:
            _replace(staging, place)
        return Saved(files, copied, tuple(found.left_out), found.left_out_count)
    finally:
        os.close(top)
        remove_tree(staging)


def restore(place: Path, transcript: Transcript, write: Write) -> int:
    """Put the copy in *place* back by *write*; the number of files.

    The oldest first, so that their order by time stays. Raises what *write* raises, and OSError.
    """
    try:
        top = open_directory(os.fspath(place))
    except LeftOut as error:
        raise OSError(errno.ENOENT, str(error), str(place)) from error
    try:
        files = sorted(find(top, transcript.files).files, key=lambda file: file.mtime_ns)
        for file in files:
            write(transcript.directory.joinpath(*file.parts), _read(top, file), 0o600)
        return len(files)
    finally:
        os.close(top)


def _open_in_home(upper: Path, transcript: Transcript) -> int:
    """Raises :class:`LeftOut` where the way is no way of directories."""
    home = open_directory(os.fspath(upper))
    try:
        return open_below(home, transcript.directory.relative_to(GUEST_HOME).parts)
    finally:
        os.close(home)


def _copy(top: int, target: int, found: Found) -> tuple[int, int]:
    """The numbers of files and bytes; what can't be copied is added to what is left out."""
    files = total = 0
    for file in sorted(found.files, key=lambda file: file.mtime_ns, reverse=True):
        try:
            total += _copy_file(top, target, file, limit=min(MAX_FILE_BYTES, MAX_BYTES - total))
            files += 1
        except LeftOut as error:
            found.leave_out(file.parts, str(error))
    return files, total


def _copy_file(top: int, target: int, file: Conversation, *, limit: int) -> int:
    """Raises :class:`LeftOut` for what is no conversation any more or larger than *limit* bytes."""
    *directories, name = file.parts
    source = _open_file(top, file)
    try:
        status = os.fstat(source)
        if (why := refused(status)) is not None:
            raise LeftOut(why)
        if status.st_size > limit:
            raise LeftOut("too large")
        place = _make_below(target, directories)
        try:
            copy = os.open(name, _TARGET, 0o600, dir_fd=place)
            try:
                copied = copy_data(source, copy, status.st_size)
                os.utime(copy, ns=(status.st_mtime_ns, status.st_mtime_ns))
            except LeftOut:
                os.unlink(name, dir_fd=place)
                raise
            finally:
                os.close(copy)
        finally:
            os.close(place)
    finally:
        os.close(source)
    return copied


def _open_file(top: int, file: Conversation) -> int:
    *directories, name = file.parts
    directory = open_below(top, directories)
    try:
        return os.open(name, _SOURCE, dir_fd=directory)
    except OSError as error:
        raise LeftOut(reason(error)) from error
    finally:
        os.close(directory)


def _make_below(top: int, parts: list[str]) -> int:
    """The directory *parts* below *top*, which is ours, made where it is missing."""
    for depth in range(len(parts)):
        try:
            os.mkdir("/".join(parts[: depth + 1]), 0o700, dir_fd=top)
        except FileExistsError:
            pass
    return open_below(top, parts)


def _read(top: int, file: Conversation) -> bytes:
    try:
        source = _open_file(top, file)
    except LeftOut as error:
        raise OSError(errno.ENOENT, str(error), "/".join(file.parts)) from error
    with open(source, "rb") as stream:
        return stream.read(MAX_FILE_BYTES)


def _replace(staging: Path, place: Path) -> None:
    """Put *staging* at *place*; what was there before is at *staging* afterwards, to be removed."""
    if not os.path.lexists(place):
        os.rename(staging, place)
        return
    try:
        linux.exchange(staging, place)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS):
            raise
        remove_tree(place)  # a file system that can't swap: for a moment there is none
        os.rename(staging, place)
