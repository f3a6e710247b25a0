"""What each reader of the git gate must hold for any bytes; run by hypothesis in ``make test`` and by atheris in
``make fuzz``.

Invariants: no exception but the declared one; the same in two ways of cutting; what was read is written back equal;
what is said is fit for a terminal; a path that a rule holds is held however its case is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from bot_bottle.base.text import printable
from bot_bottle.gitgate.changes import ChangeReader, entries
from bot_bottle.gitgate.elsewhere import RUN_ELSEWHERE
from bot_bottle.gitgate.findings import client_lines, operator_lines
from bot_bottle.gitgate.gitleaks import ReportError, config, merge, parse_report
from bot_bottle.gitgate.lfs import is_pointer
from bot_bottle.gitgate.listing import BatchReader, GitOutputError, Listing
from bot_bottle.gitgate.paths import PathRules
from bot_bottle.gitgate.refs import RefsError, bad_name, folded, holds, parse_updates
from bot_bottle.gitgate.trees import (
    ObjectError,
    parse_commit,
    parse_tag,
    place_in_commit,
    place_in_tag,
    tree_entries,
)


class Broken(AssertionError):
    """An invariant does not hold."""


def hold(condition: object, what: str) -> None:
    if not condition:
        raise Broken(what)


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def objects(data: bytes) -> None:
    """Trees, commits, tags."""
    for id_bytes in (20, 32):
        try:
            found = list(tree_entries(data, id_bytes))
        except ObjectError:
            continue
        for entry in found:
            hold(entry.name and b"/" not in entry.name and b"\0" not in entry.name, "a name that is none")
        hold(len(data) >= len(found) * (id_bytes + 8), "more entries than there is room for")
    for read in (parse_commit, parse_tag):
        try:
            hold(0 < read(data).message_at <= len(data), "a message outside of the object")
        except ObjectError:
            pass
    start = data[0] if data else 0
    place_in_commit(data, start)
    place_in_tag(data, start)
    is_pointer(data)


def _listed(data: bytes, size: int) -> object:
    reader = Listing()
    for piece in _pieces(data, size):
        reader.feed(piece)
    reader.finish()
    return reader.paths


def _batch(data: bytes, size: int) -> object:
    reader = BatchReader()
    said = [str(event) for piece in _pieces(data, size) for event in reader.feed(piece)]
    reader.finish()
    return [line for line in said if not line.startswith("Data")]


def _changes(data: bytes, size: int) -> object:
    reader = ChangeReader()
    said = [change for piece in _pieces(data, size) for change in reader.feed(piece)]
    reader.finish()
    return said


def _outcome(read: Callable[[bytes, int], object], data: bytes, size: int) -> object:
    try:
        return read(data, size)
    except GitOutputError:
        return GitOutputError


def output(data: bytes) -> None:
    """What git says, whole and in pieces."""
    size = 1 + (data[0] if data else 0) % 40
    for read in (_listed, _batch, _changes):
        hold(_outcome(read, data[1:], 1 << 20) == _outcome(read, data[1:], size), "pieces make a difference")
    try:
        entries(data)
    except GitOutputError:
        pass


def reports(data: bytes) -> None:
    """What gitleaks says, and its rules."""
    try:
        found = parse_report(data, str)
    except ReportError:
        found = ()
    for finding in merge(found, found[1:]):
        lines = (*client_lines([finding]), *operator_lines([finding]))
        hold(all(printable(line) == line for line in lines), "a control character is told")
    config(b'\0title = "gitleaks config"\n' + data)


def updates(data: bytes) -> None:
    """What the hook reads, and names of refs."""
    try:
        found = parse_updates(data)
    except RefsError:
        found = ()
    for update in found:
        hold(bad_name(update.ref) or update.ref.startswith("refs/"), "a ref outside of refs/")
        hold(printable(update.shown) == update.shown, "a control character is told")
        hold(holds(update.ref, update.ref) or "*" in update.ref, "a name does not hold itself")
        folded(update.ref)
    hold("".join(f"{u.old} {u.new} {u.ref}\n" for u in found).encode() in (data, b""), "not what was read")


@cache
def _rules() -> PathRules:
    return PathRules(("/deny/**", "*.secret"), RUN_ELSEWHERE)


def names(data: bytes) -> None:
    """Paths, and globs: those never match what RE2 could hang on."""
    path = data[:200]
    verdict = _rules().judge(path, links=bool(data[:1] > b"\x80"))
    hold(verdict is None or printable(verdict.rule) == verdict.rule, "a control character is told")
    upper = _rules().judge(path.upper(), links=bool(data[:1] > b"\x80"))
    hold((verdict is None) == (upper is None) or not path.isascii(), "case makes a difference")
    text = data[200:260].decode("utf-8", "replace")
    PathRules((text,), ()).judge(path)
    for prefix in (b".github/workflows/", b".GIT\xe2\x80\x8cHUB\\workflows/"):
        hold(_rules().judge(prefix + b"x" + path) is not None, "a workflow is not held")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "gate-objects": objects,
    "gate-output": output,
    "gate-reports": reports,
    "gate-updates": updates,
    "gate-names": names,
}
