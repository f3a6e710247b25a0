"""Which files a push may not touch, or only with the operator's yes. A refusal names the file and the rule.

Globs are those of gitignore(5), without ``!``: ``*`` and ``?`` stand for what has no ``/`` in it, ``[a-z]`` for one
character, ``**`` as a whole name for any number of directories. A glob without ``/`` but at its end holds at any
depth, another one from the root on. A glob that holds a directory holds all below it.

A path is compared as any checkout could read it (``gitgate.names``), without regard to case: too much is asked about
rather than too little. A link or a submodule that stands where a directory of the glob would be is held too, since
with it the files are elsewhere. RE2: linear in the length of the path, whatever the glob. No I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol

import re2
from msgspec import Struct

from bot_bottle.gitgate.config import RepoPolicy
from bot_bottle.gitgate.elsewhere import RUN_ELSEWHERE, what_runs
from bot_bottle.gitgate.names import bad_path, folded, readings

_CACHED_PATHS = 4096
"""a push changes the same files over and over"""
_SPECIAL = frozenset("*?[")


class PathVerdict(Struct, frozen=True):
    denied: bool
    """False: to be asked about"""
    rule: str


class _Pattern(Protocol):
    def search(self, text: bytes) -> Any: ...


class GlobSet:
    """Globs that are compared at once."""

    def __init__(self, globs: Iterable[str]) -> None:
        self._globs = tuple(globs)
        self._files = [_compiled([_whole(glob)]) for glob in self._globs]
        self._any = _compiled([_whole(glob) for glob in self._globs])
        self._links = [_compiled(_above(glob)) for glob in self._globs]
        self._any_link = _compiled([pattern for glob in self._globs for pattern in _above(glob)])

    def first(self, texts: Iterable[str], *, links: bool) -> str | None:
        """The first glob that holds one of *texts*; *links*: it is a link or a submodule."""
        raw = [text.encode("utf-8", "surrogateescape") for text in dict.fromkeys(texts)]
        if not _holds(self._any, raw) and not (links and _holds(self._any_link, raw)):
            return None
        for number, glob in enumerate(self._globs):
            if _holds(self._files[number], raw) or (links and _holds(self._links[number], raw)):
                return glob
        return None


def _holds(pattern: _Pattern | None, texts: list[bytes]) -> bool:
    return pattern is not None and any(pattern.search(text) for text in texts)


class PathRules:
    """The path rules of one repository."""

    def __init__(self, deny: tuple[str, ...], ask: tuple[str, ...]) -> None:
        self._deny = GlobSet(deny)
        self._ask = GlobSet(ask)
        self._judged = lru_cache(_CACHED_PATHS)(self._judge)

    @classmethod
    def of(cls, policy: RepoPolicy) -> PathRules:
        ask = RUN_ELSEWHERE if policy.ask_paths is None else policy.ask_paths
        return cls(policy.deny_paths, ask)

    def judge(self, path: bytes, *, links: bool = False) -> PathVerdict | None:
        """None: no rule speaks of it. *links*: it is, or becomes, a symbolic link or a submodule."""
        return self._judged(path, links)

    def _judge(self, path: bytes, links: bool) -> PathVerdict | None:
        texts = readings(path)
        bad = bad_path(path, texts[1])
        if bad is not None:
            return PathVerdict(True, bad)
        glob = self._deny.first(texts, links=links)
        if glob is not None:
            return PathVerdict(True, f"matches {glob!r} of deny_paths")
        glob = self._ask.first(texts, links=links)
        return None if glob is None else PathVerdict(False, what_runs(glob))


# -- globs as patterns
def _parts(glob: str) -> list[str]:
    """From the root on; what is held at any depth begins with ``**``."""
    body = glob.rstrip("/")
    anchored = "/" in body
    parts = [folded(part) for part in body.split("/") if part]
    return parts if anchored else ["**", *parts]


def _whole(glob: str) -> str:
    """The pattern of what *glob* holds: it, and all below."""
    return _path_pattern(_parts(glob)) + "(?:/.*)?"


def _above(glob: str) -> list[str]:
    """The patterns of the directories that *glob* itself names on the way to what it holds."""
    parts = _parts(glob)
    cuts = [parts[:end] for end in range(1, len(parts)) if parts[end - 1] != "**"]
    return [_path_pattern(cut) for cut in cuts]


def _path_pattern(parts: list[str]) -> str:
    out = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            out += ".+" if last else "(?:.+/)?"
        else:
            out += _name_pattern(part) + ("" if last else "/")
    return out


def _name_pattern(part: str) -> str:
    """One name, or the short name that NTFS may have made of it (``GITHUB~1``, ``GI1A2B~1``): its first characters,
    or two of them and a hash, a tilde and a number."""
    out, at = "", 0
    while at < len(part):
        char = part[at]
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += _ANY
        elif char == "[" and (end := part.find("]", at + 2)) > 0:
            out += _class(part[at + 1 : end])
            at = end
        else:
            out += re2.escape(part[at + 1] if char == "\\" and at + 1 < len(part) else char)
            at += char == "\\"
        at += 1
    return f"(?:{out}|{_short_start(part)}[^/]{{0,5}}~[0-9]+(?:\\.[^/]{{0,3}})?)"


def _short_start(part: str) -> str:
    """What a short name of *part* begins with for certain."""
    literal = part[: next((at for at, char in enumerate(part) if char in _SPECIAL), len(part))]
    start = literal.replace(".", "").replace(" ", "")[:2]
    return start if start.isascii() and start.isalnum() else ""


def _class(body: str) -> str:
    """Of characters that are not ASCII any one will do."""
    negated = body[0] in "!^"
    chars = body[1:] if negated else body
    if not chars.isascii() or not chars:
        return _ANY
    inner = "".join(
        "-" if char == "-" and 0 < at < len(chars) - 1 else re2.escape(char) for at, char in enumerate(chars)
    )
    return f"(?:[^/{inner}\\x80-\\xff]|{_WIDE})" if negated else f"[{inner}]"


_WIDE = r"[\xc0-\xff][\x80-\xbf]{0,3}|[\x80-\xff]"
_ANY = rf"(?:[^/\x80-\xff]|{_WIDE})"
"""one character of UTF-8, or one byte of what is none"""


def _compiled(patterns: list[str]) -> _Pattern | None:
    if not patterns:
        return None
    options = re2.Options()
    options.dot_nl = True
    options.never_capture = True
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1  # bytes: a path need not be UTF-8
    compiled: _Pattern = re2.compile(f"\\A(?:{'|'.join(patterns)})\\z".encode(), options)
    return compiled
