"""Which refusals on a forge's hosts point to the git gate (threats H1): what changes a repository, by its API.

Only the wording of a refusal depends on this: what is refused is decided by the route's ``matches``.
"""

from __future__ import annotations

from bot_bottle.egress.config import Route

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_API_ROOTS = ("/repos/", "/api/v3/repos/", "/api/v1/repos/", "/api/v4/projects/")
_CLONE = "/git-upload-pack"
_TALK = frozenset(
    {
        "issues",
        "pulls",
        "merge_requests",
        "notes",
        "discussions",
        "comments",
        "labels",
        "reviews",
        "reactions",
    }
)
"""Segments of what is said about code; ``access`` opens it"""
_CODE = frozenset({"git", "merge", "update", "update-branch", "rebase"})
"""Segments that go with code all the same: below a pull request, and Git's own notes"""


def is_forge(route: Route) -> bool:
    """Whether some entry of ``matches`` is what a forge's preset writes: its API, or cloning."""
    return any(
        path.value.startswith(_API_ROOTS) or path.value.endswith(_CLONE)
        for match in route.matches
        for path in match.paths
    )


def writes_code(method: str, path: str) -> bool:
    """Whether a request that a forge's route does not open would write anything but words about code."""
    if method in _READS:
        return False
    segments = set(path.split("/"))
    return bool(segments & _CODE) or not segments & _TALK
