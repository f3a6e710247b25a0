"""Git over HTTPS, as far as a request line and its content type show it (egress.md §2.5; threats H2).

Pushing never passes, whatever the route says: it goes through the git gate. Fetching is a word of the route.
The dumb protocol's entry (``info/refs`` without a service) counts as fetching; its object files are plain
downloads, judged like any.
"""

from __future__ import annotations

from enum import StrEnum

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
    segments = [segment.partition(";")[0].lower() for segment in path.split("/") if segment]
    services = {
        value.lower().strip("/ ") for name, value in query_pairs(query or "") if name.lower() == "service"
    }
    kind = content_type.lower()
    last = segments[-1] if segments else ""
    if last == _PUSH or _PUSH in services or _PUSH in kind:
        return GitUse.PUSH
    if last == _FETCH or _FETCH in services or _FETCH in kind or segments[-2:] == ["info", "refs"]:
        return GitUse.FETCH
    return GitUse.NONE
