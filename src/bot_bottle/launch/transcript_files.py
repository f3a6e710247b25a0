"""Finding an agent's conversations below a directory that it may have filled with anything; pure reading.

The patterns of the provider decide what is looked at, and their length how deep: nothing else is opened. A
directory is opened from its parent's descriptor without following a link, a file's name has to be one that
agents give, and the numbers of entries and files are bounded. Never raises on what lies there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from bot_bottle.base.text import printable
from bot_bottle.launch.workspace_copy import LeftOut, kind_of, open_directory

MAX_LOOKED_AT = 50_000
"""Entries; agents have some 100 conversations, and directories of their own beside them."""
MAX_FILES = 10_000
MAX_NAME_CHARACTERS = 200
"""Below every file system's limit, with room for the suffix that a writer may add for a moment."""
MAX_NAMED = 5
"""Of what is left out."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
"""What the names of the three agents' conversations are made of: dates, identifiers, paths with ``-`` for ``/``."""


class Conversation(Struct, frozen=True):
    """A regular file that matches, as it was when it was looked at."""

    parts: tuple[str, ...]
    """of its path below the directory"""
    size: int
    """bytes"""
    mtime_ns: int


class Found(Struct):
    """What a look came to."""

    files: list[Conversation] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """the first few things in the place of a conversation that are none, with the reason; printable"""
    left_out_count: int = 0

    def leave_out(self, parts: Sequence[str], why: str) -> None:
        self.left_out_count += 1
        if len(self.left_out) < MAX_NAMED:
            self.left_out.append(f"{printable('/'.join(parts), limit=200)} ({why})")


def find(top: int, patterns: Sequence[str]) -> Found:
    """Files below the open directory *top* that match one of *patterns* (``providers.contract.Transcript``)."""
    look = _Look()
    try:
        look.directory(top, [tuple(pattern.split("/")) for pattern in patterns], ())
    except _Enough as enough:
        look.found.leave_out(("further ones",), str(enough))
    return look.found


def open_below(top: int, parts: Sequence[str]) -> int:
    """The directory *parts* below *top*, no link on the way followed; the caller's. Raises :class:`LeftOut`."""
    fd = os.dup(top)
    for part in parts:
        try:
            child = open_directory(part, fd)
        finally:
            os.close(fd)
        fd = child
    return fd


class _Enough(Exception):
    """Nothing more is looked at; the message is the reason."""


class _Look:
    def __init__(self) -> None:
        self.found = Found()
        self._looked_at = 0

    def directory(self, fd: int, patterns: list[tuple[str, ...]], path: tuple[str, ...]) -> None:
        """*patterns*: what is left of those that matched so far, none of them empty."""
        for name in self._names(fd, {pattern[0] for pattern in patterns}):
            rests = [pattern[1:] for pattern in patterns if _matches(pattern[0], name)]
            if rests:
                self._entry(fd, rests, (*path, name))

    def _names(self, fd: int, heads: set[str]) -> Iterator[str]:
        """Those that may match; where no pattern has a ``*`` the directory is not listed."""
        if not any("*" in head for head in heads):
            yield from sorted(heads)
            return
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    self._looked_at += 1
                    if self._looked_at > MAX_LOOKED_AT:
                        raise _Enough(f"there are more than {MAX_LOOKED_AT} entries")
                    yield entry.name
        except OSError:  # it is what it is: the agent's own
            return

    def _entry(self, directory: int, rests: list[tuple[str, ...]], path: tuple[str, ...]) -> None:
        name = path[-1]
        wanted, further = () in rests, [rest for rest in rests if rest]
        try:
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        except OSError:
            return
        if further and stat.S_ISDIR(status.st_mode):
            self._enter(directory, further, path)
        elif wanted:
            self._file(path, status)
        elif stat.S_ISLNK(status.st_mode):
            self.found.leave_out(path, "link")

    def _enter(self, directory: int, further: list[tuple[str, ...]], path: tuple[str, ...]) -> None:
        try:
            if not _is_plain(path[-1]):
                raise LeftOut("not a name that agents give")
            child = open_directory(path[-1], directory)
        except LeftOut as error:
            self.found.leave_out(path, str(error))
            return
        try:
            self.directory(child, further, path)
        finally:
            os.close(child)

    def _file(self, path: tuple[str, ...], status: os.stat_result) -> None:
        why = refused(status)
        if why is None and not _is_plain(path[-1]):
            why = "not a name that agents give"
        if why is not None:
            self.found.leave_out(path, why)
            return
        if len(self.found.files) >= MAX_FILES:
            raise _Enough(f"there are more than {MAX_FILES} files")
        self.found.files.append(Conversation(path, status.st_size, status.st_mtime_ns))


def refused(status: os.stat_result) -> str | None:
    """Why a file of this kind is no conversation; None: it may be one."""
    if not stat.S_ISREG(status.st_mode):
        return kind_of(status.st_mode)
    return "hard link" if status.st_nlink != 1 else None


def _matches(pattern: str, name: str) -> bool:
    return name.endswith(pattern[1:]) if pattern.startswith("*") else name == pattern


def _is_plain(name: str) -> bool:
    return len(name) <= MAX_NAME_CHARACTERS and not name.startswith(".") and _PLAIN.issuperset(name)
