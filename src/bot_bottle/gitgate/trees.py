"""Git's objects as bytes: trees, commits and tags, read strictly, in linear time, whoever wrote them.

Formats: gitformat-pack(5) and the "Git Objects" chapter of https://git-scm.com/book/en/v2/Git-Internals-Git-Objects;
what git-fsck(1) takes for an error in a structure is an error here, what it warns of is not (a time zone, a missing
space before ``<``): the gate scans such an object all the same. No I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from bot_bottle.base.errors import BotBottleError
from bot_bottle.gitgate.findings import Place

_MODE = re.compile(rb"[0-7]{5,6}\Z")
_ID = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")

TREE, FILE, LINK, GITLINK = 0o040000, 0o100000, 0o120000, 0o160000
_TYPE = 0o170000
_FORBIDDEN_NAMES = frozenset((b"", b".", b".."))
MAX_PARENTS = 1000
"""An octopus of Linux has 66 parents; more is work for nothing."""


class ObjectError(BotBottleError):
    """The bytes are no such object. Its message quotes none of them."""


class TreeEntry(Struct, frozen=True):
    mode: int
    name: bytes
    """never empty, ``.``, ``..`` or with a ``/`` or NUL in it"""
    object_id: str

    @property
    def kind(self) -> int:
        """:data:`TREE`, :data:`FILE`, :data:`LINK` or :data:`GITLINK`."""
        return self.mode & _TYPE


def tree_entries(data: bytes, id_bytes: int) -> Iterator[TreeEntry]:
    """The entries of a tree: mode, space, name, NUL, *id_bytes* (20 or 32) of object id. Raises ObjectError."""
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 7)
        nul = data.find(b"\0", space + 1) if space > 0 else -1
        if nul < 0 or nul + 1 + id_bytes > len(data):
            raise ObjectError("a tree breaks off")
        mode, name = data[at:space], data[space + 1 : nul]
        at = nul + 1 + id_bytes
        if not _MODE.match(mode):
            raise ObjectError("a tree holds a mode that is none")
        if name in _FORBIDDEN_NAMES or b"/" in name:
            raise ObjectError("a tree holds a name that is none")
        entry = TreeEntry(int(mode, 8), name, data[nul + 1 : at].hex())
        if entry.kind not in (TREE, FILE, LINK, GITLINK):
            raise ObjectError("a tree holds a mode that is none")
        yield entry


class Commit(Struct, frozen=True):
    tree: str
    parents: tuple[str, ...]
    message_at: int
    """where in the bytes the message begins"""


class Tag(Struct, frozen=True):
    target: str
    target_type: str
    name: bytes
    message_at: int


def parse_commit(data: bytes) -> Commit:
    """Raises :class:`ObjectError`."""
    lines = _Headers(data)
    at = lines.at("tree")
    parents = []
    while lines.next_is(b"parent "):
        parents.append(lines.at("parent"))
        if len(parents) > MAX_PARENTS:
            raise ObjectError(f"a commit has more than {MAX_PARENTS} parents")
    for name in (b"author ", b"committer "):
        if not lines.next_is(name):
            raise ObjectError("a commit lacks its author or committer")
        lines.take(name)
    return Commit(at, tuple(parents), lines.end())


def parse_tag(data: bytes) -> Tag:
    """Raises :class:`ObjectError`. A tag without a tagger is taken, as git does."""
    lines = _Headers(data)
    target = lines.at("object")
    kind = lines.take(b"type ").decode("ascii", "replace")
    if kind not in ("commit", "tree", "blob", "tag"):
        raise ObjectError("a tag names a type that is none")
    name = lines.take(b"tag ")
    return Tag(target, kind, name, lines.end())


class _Headers:
    """The lines of a header, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def next_is(self, name: bytes) -> bool:
        return self._data.startswith(name, self._at)

    def take(self, name: bytes) -> bytes:
        """The rest of the line that begins with *name*."""
        end = self._data.find(b"\n", self._at)
        if end < 0 or not self.next_is(name):
            raise ObjectError(f"an object lacks its line {name.decode().strip()!r}")
        value = self._data[self._at + len(name) : end]
        if b"\0" in value:
            raise ObjectError("a header holds a NUL")
        self._at = end + 1
        return value

    def at(self, name: str) -> str:
        """The object id in the line that begins with *name*."""
        value = self.take(name.encode() + b" ")
        if not _ID.match(value):
            raise ObjectError(f"the line {name!r} of an object holds no object id")
        return value.decode()

    def end(self) -> int:
        """Where the message begins: after the first empty line; the end, where there is none."""
        if self._data.startswith(b"\n", self._at):
            return self._at + 1
        found = self._data.find(b"\n\n", self._at)
        return len(self._data) if found < 0 else found + 2


def place_in_commit(data: bytes, start: int) -> tuple[Place, int | None]:
    """What part of a commit the byte at *start* belongs to, and in a message its line. For any bytes."""
    place, line = _place(data, start)
    if place is not None:
        return place, line
    begins = data.rfind(b"\n", 0, start) + 1
    if data.startswith(b"author ", begins):
        return Place.AUTHOR, None
    return (Place.COMMITTER if data.startswith(b"committer ", begins) else Place.COMMIT), None


def place_in_tag(data: bytes, start: int) -> tuple[Place, int | None]:
    """The same for a tag."""
    place, line = _place(data, start)
    return (Place.TAG, None) if place is None else (Place.TAG_MESSAGE, line)


def _place(data: bytes, start: int) -> tuple[Place | None, int | None]:
    blank = data.find(b"\n\n")
    if blank < 0 or start < blank + 2:
        return None, None
    return Place.MESSAGE, data.count(b"\n", blank + 2, start) + 1
