"""Invariant: no spelling of a push is taken for anything else."""

from __future__ import annotations

import pytest

from bot_bottle.egress.git_http import GitUse, git_use

PUSH_TYPE = "application/x-git-receive-pack-request"


@pytest.mark.parametrize(
    ("path", "query", "content_type", "use"),
    [
        ("/o/r.git/info/refs", "service=git-receive-pack", "", GitUse.PUSH),
        ("/o/r.git/git-receive-pack", None, "", GitUse.PUSH),
        ("/o/r.git/git-receive-pack/", None, "", GitUse.PUSH),
        ("/o/r.git/Git-Receive-Pack", None, "", GitUse.PUSH),
        ("/o/r.git/git-receive-pack;x", None, "", GitUse.PUSH),
        ("/o/r.git/info/refs", "service=git-upload-pack&service=git-receive-pack", "", GitUse.PUSH),
        ("/o/r.git/info/refs", "service=git-upload-pack;service=git-receive-pack", "", GitUse.PUSH),
        ("/o/r.git/info/refs", "SERVICE=git%2Dreceive%2Dpack", "", GitUse.PUSH),
        ("/o/r.git/info/refs", "service=+git-receive-pack", "", GitUse.PUSH),
        ("/o/r.git/info/refs", "service=git-receive-pack%00", "", GitUse.PUSH),
        ("/o/r.git/info/refs", "service%00x=git-receive-pack%00x", "", GitUse.PUSH),
        ("/o/r.git/info/refs", "service=git-receive-pack%0a", "", GitUse.PUSH),
        ("/other", "service=git-receive-pack", "", GitUse.PUSH),
        ("/other", "service=Git-Receive-Pack", "", GitUse.PUSH),
        ("/other", None, PUSH_TYPE, GitUse.PUSH),
        ("/other", None, PUSH_TYPE.title(), GitUse.PUSH),
        ("/other", "service=git-upload-pack", "", GitUse.FETCH),
        ("/other", None, "application/x-git-upload-pack-request", GitUse.FETCH),
        ("/o/r.git/git-upload-pack", None, "", GitUse.FETCH),
        ("/o/r.git/git-upload-pack", None, PUSH_TYPE, GitUse.PUSH),
        ("/o/r.git/info/refs", "service=git-upload-pack", "", GitUse.FETCH),
        ("/o/r.git/git-upload-pack", None, "application/x-git-upload-pack-request", GitUse.FETCH),
        ("/o/r.git/info/refs", None, "", GitUse.FETCH),
        ("/o/r.git/INFO/refs/", "service=", "", GitUse.FETCH),
        ("/", None, "", GitUse.NONE),
        ("/refs", None, "", GitUse.NONE),
        ("/git-receive-pack/docs", None, "", GitUse.NONE),
        ("/api", "service=web", "application/json", GitUse.NONE),
    ],
)
def test_use(path: str, query: str | None, content_type: str, use: GitUse) -> None:
    """Read as the most lenient server would."""
    assert git_use(path, query, content_type) is use
