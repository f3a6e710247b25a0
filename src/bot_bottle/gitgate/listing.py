"""What git says of the objects of a push, read piece by piece: ``rev-list --objects`` and ``cat-file --batch``.

Git is ours, but it reads the agent's objects: anything that is not exactly as documented (git-rev-list(1),
git-cat-file(1)) is a :class:`GitOutputError`, and then the push is refused. Memory: one line, or one piece. No I/O.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from bot_bottle.base.errors import BotBottleError
from bot_bottle.gitgate.refs import is_object_id

MAX_OBJECTS = 2_000_000
"""of one push; their ids and paths are held (some 200 bytes each)"""
MAX_LINE_BYTES = 64 * 1024
"""an id and a path; git's own paths end at 4096 by default, a tree's names don't"""
_TYPES = frozenset((b"blob", b"tree", b"commit", b"tag"))


class GitOutputError(BotBottleError):
    """Git said something that it should not. The message quotes nothing."""


class Listing:
    """``rev-list --objects``: ``ID`` or ``ID PATH`` a line; a path ends before its first line end."""

    def __init__(self) -> None:
        self.paths: dict[str, bytes] = {}
        """object id to one path of it (empty for commits, tags and root trees), in git's order"""
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line)
        if len(self._rest) > MAX_LINE_BYTES:
            raise GitOutputError("a line of rev-list is too long")

    def finish(self) -> None:
        if self._rest:
            raise GitOutputError("rev-list breaks off")

    def _take(self, line: bytes) -> None:
        raw, _, path = line.partition(b" ")
        object_id = raw.decode("ascii", "replace")
        if not is_object_id(object_id) or len(line) > MAX_LINE_BYTES:
            raise GitOutputError("a line of rev-list is not an object")
        if len(self.paths) >= MAX_OBJECTS and object_id not in self.paths:
            raise GitOutputError(f"more than {MAX_OBJECTS} objects")
        if path or object_id not in self.paths:
            self.paths[object_id] = path


class Begin(Struct, frozen=True):
    """An object's content comes."""

    object_id: str
    kind: str
    """blob, tree, commit or tag"""
    size: int


class Data(Struct, frozen=True):
    """A piece of it."""

    data: bytes


class End(Struct, frozen=True):
    """All of it was given."""


Event = Begin | Data | End
_END = End()
_MAX_HEAD_BYTES = 128


class BatchReader:
    """``cat-file --batch``: ``ID TYPE SIZE``, a line end, the content, a line end. One that is missing is an error."""

    def __init__(self) -> None:
        self._head = b""
        self._left = -1
        """bytes of content still to come; -1: a head comes; -2: the line end after the content"""

    def feed(self, data: bytes) -> Iterator[Event]:
        """Raises :class:`GitOutputError`, when that place is reached."""
        at = 0
        while at < len(data):
            if self._left > 0:
                piece = data[at : at + self._left]
                self._left -= len(piece)
                at += len(piece)
                yield Data(piece)
            elif self._left == -1:
                end = data.find(b"\n", at)
                self._head += data[at : end if end >= 0 else len(data)]
                at = end + 1 if end >= 0 else len(data)
                if len(self._head) > _MAX_HEAD_BYTES:
                    raise GitOutputError("a head of cat-file is too long")
                if end >= 0:
                    begin = _begin(self._head)
                    self._head, self._left = b"", begin.size
                    yield begin
            else:
                if data[at] != ord("\n"):
                    raise GitOutputError("an object of cat-file is longer than it says")
                at += 1
                self._left = -1
                yield _END
            if self._left == 0:
                self._left = -2

    def finish(self) -> None:
        if self._left != -1 or self._head:
            raise GitOutputError("cat-file breaks off")


def _begin(head: bytes) -> Begin:
    parts = head.split(b" ")
    if len(parts) != 3 or parts[1] not in _TYPES or not parts[2].isdigit() or len(parts[2]) > 15:
        raise GitOutputError("cat-file lacks an object, or gives something else")
    object_id = parts[0].decode("ascii", "replace")
    if not is_object_id(object_id):
        raise GitOutputError("a head of cat-file names no object")
    return Begin(object_id, parts[1].decode(), int(parts[2]))
