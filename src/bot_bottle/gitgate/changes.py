"""Which files the commits of a push change: what ``diff-tree --raw -z`` says, read piece by piece. No I/O.

Formats: "RAW OUTPUT FORMAT" and "DIFF FORMAT FOR MERGES" of git-diff-tree(1)::

    :OLDMODE NEWMODE OLDID NEWID STATUS NUL PATH NUL
    ::OLDMODE OLDMODE NEWMODE OLDID OLDID NEWID STATUS… NUL PATH NUL      a merge, a colon for each parent

With ``--stdin`` a commit's id and a NUL stand before its changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from bot_bottle.gitgate.listing import MAX_LINE_BYTES, GitOutputError
from bot_bottle.gitgate.refs import is_object_id

_MODE_CHARS = frozenset("01234567")


class Change(Struct, frozen=True):
    """One file in one commit."""

    commit: str
    path: bytes
    new_mode: int
    """0: it is gone"""
    old_modes: tuple[int, ...]
    """one for each parent; 0: it was not there"""
    new: str
    """object id; zeros: it is gone"""

    @property
    def gone(self) -> bool:
        return self.new_mode == 0


class ChangeReader:
    """Changes in their order. *commit*: of all of them, where none is named."""

    def __init__(self, commit: str = "") -> None:
        self._commit = commit
        self._rest = b""
        self._head: tuple[tuple[int, ...], int, str] | None = None

    def feed(self, data: bytes) -> Iterator[Change]:
        """Raises :class:`GitOutputError`, when that place is reached."""
        *fields, self._rest = (self._rest + data).split(b"\0")
        for field in fields:
            if self._head is not None:
                (olds, mode, new), self._head = self._head, None
                if not field:
                    raise GitOutputError("a change has no path")
                yield Change(self._commit, field, mode, olds, new)
            elif field.startswith(b":"):
                self._head = _head(field)
                if not self._commit:
                    raise GitOutputError("a change belongs to no commit")
            else:
                self._commit = field.decode("ascii", "replace")
                if not is_object_id(self._commit):
                    raise GitOutputError("a line of diff-tree is neither a change nor a commit")
        if len(self._rest) > MAX_LINE_BYTES:
            raise GitOutputError("a line of diff-tree is too long")

    def finish(self) -> None:
        if self._rest or self._head is not None:
            raise GitOutputError("diff-tree breaks off")


def _head(field: bytes) -> tuple[tuple[int, ...], int, str]:
    """Old modes, new mode, new id."""
    text = field.decode("ascii", "replace")
    parents = len(text) - len(text.lstrip(":"))
    parts = text[parents:].split(" ")
    if len(parts) != 2 * (parents + 1) + 1:
        raise GitOutputError("a change of diff-tree has not the parts that it should")
    modes, ids = parts[: parents + 1], parts[parents + 1 : -1]
    if not all(len(mode) == 6 and set(mode) <= _MODE_CHARS for mode in modes) or not all(
        map(is_object_id, ids)
    ):
        raise GitOutputError("a change of diff-tree has a mode or an object id that is none")
    numbers = tuple(int(mode, 8) for mode in modes)
    return numbers[:-1], numbers[-1], ids[-1]


def entries(listing: bytes) -> dict[bytes, tuple[int, str]]:
    """The files of ``ls-tree -r -z`` (``MODE TYPE ID TAB PATH NUL``): path to mode and object id."""
    found = {}
    *fields, rest = listing.split(b"\0")
    if rest:
        raise GitOutputError("ls-tree breaks off")
    for field in fields:
        head, tab, path = field.partition(b"\t")
        mode, _, rest_of_head = head.decode("ascii", "replace").partition(" ")
        object_id = rest_of_head.rpartition(" ")[2]
        if (
            not tab
            or not path
            or len(mode) != 6
            or not set(mode) <= _MODE_CHARS
            or not is_object_id(object_id)
        ):
            raise GitOutputError("a line of ls-tree is no file")
        found[path] = (int(mode, 8), object_id)
    return found
