"""Which commands of git and gitleaks a push needs: argument lists and what goes into standard input. No I/O.

Only object ids are handed on, never names: what was scanned is what is pushed. The base of a scan is *known*, the
object ids that upstream itself said it has; the caller has checked that the mirror holds each of them, since
``rev-list`` fails on one that is missing. Arguments are those after ``git``, for a repository without any
configuration, hook or ref of the agent's.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from bot_bottle.base.errors import BotBottleError
from bot_bottle.gitgate.refs import is_object_id

MAX_DECODE_DEPTH = 5
"""layers of base64, hex and percent that gitleaks reads (its ``--max-decode-depth``, since 8.20)"""


class PlanError(BotBottleError):
    """Something that is no object id was to be handed to git."""


class Step(Struct, frozen=True):
    """One command of git, with its whole input."""

    args: tuple[str, ...]
    stdin: bytes = b""


def _checked(ids: Iterable[str]) -> tuple[str, ...]:
    out = tuple(dict.fromkeys(ids))
    if not all(map(is_object_id, out)):
        raise PlanError("not an object id")
    return out


def _range(news: Iterable[str], known: Iterable[str]) -> bytes:
    lines = [*_checked(news), *(f"^{known_id}" for known_id in _checked(known))]
    return "".join(f"{line}\n" for line in lines).encode()


def objects(news: Iterable[str], known: Iterable[str]) -> Step:
    """Every object that the push adds: ``listing.Listing`` reads what comes."""
    return Step(("rev-list", "--objects", "--stdin"), _range(news, known))


def batch() -> Step:
    """The content of objects, whose ids go to its input, one a line: ``listing.BatchReader`` reads what comes."""
    return Step(("cat-file", "--batch", "--buffer"))


def types(ids: Iterable[str]) -> Step:
    """``ID TYPE SIZE`` for each: what a ref would point at."""
    return Step(("cat-file", "--batch-check"), "".join(f"{i}\n" for i in _checked(ids)).encode())


def descends(old: str, new: str) -> Step:
    """Exit status 0: *new* descends from *old*; 1: it does not; anything else: no answer."""
    return Step(("merge-base", "--is-ancestor", *_checked((old, new))))


_RAW = ("-r", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff", "--no-textconv")


def changes() -> Step:
    """What each commit of its input (ids, one a line) changes against all its parents (``-c``): a new blob is in one,
    what a merge takes from one side was changed on that side."""
    return Step(("diff-tree", "--stdin", "--root", "-c", *_RAW))


def tip_changes(old: str, new: str) -> Step:
    """What a ref's update changes as a whole: a merge can also bring back what upstream had changed."""
    return Step(("diff-tree", *_RAW, *_checked((old, new))))


def entries(commit: str) -> Step:
    """All files of a commit: what a merge brings from upstream's own branch needs no question."""
    return Step(("ls-tree", "-r", "-z", "--full-tree", *_checked((commit,))))


# -- gitleaks
def gitleaks(
    binary: str, repository: str, opts: str, *, config: str, ignore: str, report: str, allow: bool
) -> tuple[str, ...]:
    """The argument list of one run. *config*: a file with ``gitleaks.config``; *ignore*: an empty file; *report*:
    where its JSON goes; *allow*: lines that say ``gitleaks:allow`` are passed over (the second run).

    Exit status 0 in any case but an error (``--exit-code 0``), so that a crash is not taken for a finding.
    """
    return (
        *(binary, "git", "--no-banner", "--no-color", "--log-level", "error", "--exit-code", "0"),
        *("--redact=100", "--max-decode-depth", str(MAX_DECODE_DEPTH), "--config", config),
        *("--gitleaks-ignore-path", ignore, "--report-format", "json", "--report-path", report),
        *(() if allow else ("--ignore-gitleaks-allow",)),
        *("--log-opts", opts, repository),
    )
