"""Git over HTTPS, as far as a request line and its content type show it (egress.md §2.5; threats H2).

Pushing never passes, whatever the route says: it goes through the git gate. Fetching is a word of the route.
The dumb protocol's entry (``info/refs`` without a service) counts as fetching; its object files are plain
downloads, judged like any.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from bot_bottle.base.memo import Memo
from bot_bottle.egress.paths import query_pairs

_PUSH = "git-receive-pack"
_FETCH = "git-upload-pack"


class GitUse(StrEnum):
    NONE = "none"
    FETCH = "fetch"
    PUSH = "push"


def git_use(path: str, query: str | None, content_type: str) -> GitUse:
    """What a request with this canonical *path* does, read as the most lenient server would: in any case,
    with trailing slashes and parameters, by any of several ``service`` parameters."""
    uses = (_BY_PATH[path], _BY_QUERY[query or ""], _BY_TYPE[content_type])
    return GitUse.PUSH if GitUse.PUSH in uses else GitUse.FETCH if GitUse.FETCH in uses else GitUse.NONE


def _by_path(path: str) -> GitUse:
    segments = [segment.partition(";")[0].lower() for segment in path.split("/") if segment]
    return GitUse.FETCH if segments[-2:] == ["info", "refs"] else _by_names(segments[-1:])


def _by_query(query: str) -> GitUse:
    # A server in C, git's own among them, ends a value at NUL.
    named = [(name.partition("\0")[0], value.partition("\0")[0]) for name, value in query_pairs(query)]
    return _by_names([value.lower().strip("/ \t\r\n") for name, value in named if name.lower() == "service"])


def _by_type(content_type: str) -> GitUse:
    kind = content_type.lower()
    return _by_names([name for name in (_PUSH, _FETCH) if name in kind])


def _by_names(names: Collection[str]) -> GitUse:
    return GitUse.PUSH if _PUSH in names else GitUse.FETCH if _FETCH in names else GitUse.NONE


_BY_PATH, _BY_QUERY, _BY_TYPE = Memo(_by_path), Memo(_by_query), Memo(_by_type)
