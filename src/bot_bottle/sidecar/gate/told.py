"""What git prints about an upstream, read: a listing of refs, the outcome of a push, progress or message. Pure.

Upstream is not the agent's, but it is not ours either: a line that is not as git-ls-remote(1) and git-push(1) have it
is left out, never guessed at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot_bottle.base.text import printable

_ID_CHARS = frozenset("0123456789abcdef")
_METERS = (
    "Enumerating objects", "Counting objects", "Compressing objects", "Receiving objects", "Resolving deltas",
    "Writing objects", "Unpacking objects", "Delta compression", "Total ", "Checking connectivity", "Finding sources",
    "Getting sizes", "Checking objects", "Indexing objects", "Updating references", "Filtering content",
)  # fmt: skip


@dataclass
class Told:
    """How a push to upstream ended."""

    refused: bool | None = None
    """None: git ended without saying what became of it"""
    not_atomic: bool = False
    """upstream doesn't know how to take several refs at once"""
    lines: list[str] = field(default_factory=list)


def is_object_id(text: str) -> bool:
    return len(text) in (40, 64) and set(text) <= _ID_CHARS


def parse_listing(out: bytes, kept: tuple[str, ...]) -> tuple[dict[str, str], str | None]:
    """Refs below the prefixes *kept*, and the branch of ``HEAD``, of ``git ls-remote --symref``.

    Where HEAD is no branch's name, a branch at the same commit stands for it.
    """
    refs: dict[str, str] = {}
    head: str | None = None
    at_head = ""
    for line in out.decode("utf-8", "surrogateescape").split("\n"):
        value, tab, name = line.partition("\t")
        if not tab:
            continue
        if value.startswith("ref: refs/heads/") and name == "HEAD":
            head = value.removeprefix("ref: ")
        elif not is_object_id(value):
            continue
        elif name == "HEAD":
            at_head = value
        elif name.startswith(kept) and not name.endswith("^{}") and _is_plain(name):
            refs[name] = value
    if head is None and at_head:
        same = [ref for ref, oid in refs.items() if oid == at_head and ref.startswith("refs/heads/")]
        usual = [ref for ref in ("refs/heads/main", "refs/heads/master") if ref in same]
        head = next(iter([*usual, *same]), None)
    return refs, head if head is None or _is_plain(head) else None


def symbolic_refs(out: bytes) -> frozenset[str]:
    """Refs that stand for others there: a push to one moves the other, whatever the rules say of its name.

    Told in version 2 of the protocol; before that of ``HEAD`` alone.
    """
    found = set()
    for line in out.decode("utf-8", "surrogateescape").split("\n"):
        value, tab, name = line.partition("\t")
        if tab and value.startswith("ref: ") and name != "HEAD":
            found.add(name)
    return frozenset(found)


def _is_plain(name: str) -> bool:
    """Whether *name* can stand in a file of refs; git itself would not have listed another."""
    return not any(char in name for char in " \t\n\r\0\x7f~^:?*[\\") and ".." not in name and "//" not in name


def parse_push(status: int, out: str, errors: Sequence[str]) -> Told:
    """The outcome of ``git push --porcelain``: *out*, and the lines of its standard error."""
    told = Told()
    for line in out.split("\n"):
        flag, _, rest = line.partition("\t")
        if len(flag) != 1 or not rest:
            continue
        names, _, summary = rest.partition("\t")
        told.refused = bool(told.refused) or flag == "!"
        if flag == "!":
            told.lines.append(printable(f"{names.rpartition(':')[2]}: {summary}"))
    told.not_atomic = any("does not support --atomic" in line for line in errors)
    said = [line for line in errors if not is_progress(line) and not line.startswith("To ")]
    told.lines[:0] = [printable(line) for line in said]
    if status != 0 and told.refused is False:
        told.refused = None  # every ref was taken, and yet it failed: the answer was cut off
    return told


def is_progress(line: str) -> bool:
    """Whether *line* of git's standard error is a meter, its own or upstream's."""
    return line.removeprefix("remote: ").startswith(_METERS) or line.strip() in ("", "remote:")
