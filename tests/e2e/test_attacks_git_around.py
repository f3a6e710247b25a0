"""Around the git gate: a forge's own ways to write, and git straight to the host (threats H1, H2).

Played as the other tables (ruling 70): outside every request arrives, inside none that writes does. What may be read
passes, or a refusal would prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import attacks_ground
import pytest
from attacks_ground import UPSTREAM
from attacks_support import Row, carried, connect_line, play, tunnelled

pytestmark = pytest.mark.slow

GITHUB, WEB, UPLOADS = "api.github.com", "github.com", "uploads.github.com"
GITEA, GITLAB = "git.example.org", "lab.example.org"
PLAIN = "code.example.org"
"""a host whose route lets clones pass (``git: {fetch: true}``), and other requests of two methods"""
HOSTS = (GITHUB, WEB, UPLOADS, GITEA, GITLAB, PLAIN)
ROUTES = f"""\
routes:
  - {{preset: github, repos: [o/r]}}
  - {{preset: gitea, host: {GITEA}, repos: [o/r]}}
  - {{preset: gitlab, host: {GITLAB}, repos: [o/r]}}
  - {{host: {PLAIN}, git: {{fetch: true}}, matches: [{{methods: [GET, POST]}}]}}
"""

REST = {
    GITHUB: """
PUT /repos/o/r/contents/x
DELETE /repos/o/r/contents/x
POST /repos/o/r/git/blobs
POST /repos/o/r/git/trees
POST /repos/o/r/git/commits
POST /repos/o/r/git/tags
POST /repos/o/r/git/refs
PATCH /repos/o/r/git/refs/heads/main
DELETE /repos/o/r/git/refs/heads/main
POST /repos/o/r/merges
POST /repos/o/r/merge-upstream
PUT /repos/o/r/pulls/1/merge
PUT /repos/o/r/pulls/1/update-branch
POST /repos/o/r/pulls
POST /repos/o/r/issues
POST /repos/o/r/releases
POST /repos/o/r/dispatches
POST /repos/o/r/actions/workflows/1/dispatches
POST /repos/o/r/keys
POST /repos/o/r/hooks
POST /repos/o/r/forks
POST /repos/o/r/statuses/1
POST /repos/o/r/branches/main/rename
POST /gists
POST /user/repos
POST /graphql
""",
    UPLOADS: "POST /repos/o/r/releases/1/assets?name=x",
    WEB: """
GET /o/r.git/info/refs?service=git-receive-pack
POST /o/r.git/git-receive-pack
POST /o/r.git/info/lfs/objects/batch
PUT /o/r.git/objects/info/packs
PROPFIND /o/r.git/
MKCOL /o/r.git/refs/heads/x/
POST /o/r/upload/main
""",
    GITEA: """
POST /api/v1/repos/o/r/contents/x
PUT /api/v1/repos/o/r/contents/x
POST /api/v1/repos/o/r/contents
POST /api/v1/repos/o/r/diffpatch
POST /api/v1/repos/o/r/branches
POST /api/v1/repos/o/r/tags
POST /api/v1/repos/o/r/pulls/1/merge
POST /api/v1/repos/o/r/mirror-sync
POST /api/v1/repos/o/r/keys
PUT /api/packages/o/generic/x/1/x
POST /o/r.git/git-receive-pack
GET /o/r.git/info/refs?service=git-receive-pack
""",
    GITLAB: """
POST /api/v4/projects/o%2Fr/repository/commits
POST /api/v4/projects/7/repository/commits
POST /api/v4/projects/7/repository/files/x
PUT /api/v4/projects/7/repository/files/x
POST /api/v4/projects/7/repository/branches
POST /api/v4/projects/7/repository/tags
PUT /api/v4/projects/7/merge_requests/1/merge
POST /api/v4/projects/7/merge_requests
POST /api/v4/projects/7/trigger/pipeline
POST /api/v4/projects/7/uploads
POST /api/graphql
POST /o/r.git/git-receive-pack
GET /o/r.git/info/refs?service=git-receive-pack
""",
    PLAIN: """
GET /o/r.git/info/refs?service=git-receive-pack
GET /o/r.git/info/refs?service=git%2dreceive-pack
GET /o/r.git/info/refs?service=git-upload-pack&service=git-receive-pack
GET /o/r.git/info/refs?x=1&service=git-receive-pack
GET /o/r.git/info/refs?service=git-receive-pack%00
GET /o/r.git/info/refs?service=GIT-RECEIVE-PACK
POST /o/r.git/git-receive-pack
POST /o/r.git/git%2Dreceive-pack
POST /o/r.git/./git-receive-pack
POST /o/r.git/x/../git-receive-pack
POST /o/r.git//git-receive-pack
POST /o/r.git/git-receive-pack/
POST /o/r.git/GIT-RECEIVE-PACK
PUT /o/r.git/refs/heads/main
PUT /o/r.git/objects/aa/bb
MOVE /o/r.git/objects/aa/tmp
LOCK /o/r.git/refs/heads/main
MKCOL /o/r.git/refs/heads/x/
PROPFIND /o/r.git/
""",
}
READS = {
    GITHUB: "GET /repos/o/r/contents/x",
    GITEA: "GET /api/v1/repos/o/r/contents/x",
    GITLAB: "GET /o/r.git/info/refs?service=git-upload-pack",
    PLAIN: "GET /o/r.git/info/refs?service=git-upload-pack",
}


def _request(host: str, line: str, mark: bytes) -> bytes:
    body = b'{"message": "%b"}' % mark if line.partition(" ")[0] not in ("GET", "PROPFIND") else b""
    head = (
        f"{line} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nConnection: close\r\n".encode()
    )
    shown = b"" if body else b"User-Agent: git/%b\r\n" % mark
    return head + shown + (b"Content-Length: {len}\r\n" if body else b"") + b"\r\n" + body


def _sized(data: bytes) -> bytes:
    """With the length of what the marker becomes: seven bytes in all."""
    body = data.partition(b"\r\n\r\n")[2].replace(b"{m}", b"no0000x")
    return data.replace(b"{len}", str(len(body)).encode())


def _rows() -> Iterator[Row]:
    for host, lines in REST.items():
        for line in lines.strip().splitlines():
            sent = _sized(_request(host, line, b"{m}"))
            yield tunnelled(f"{host} {line}", host, host, sent, wants=(403,))
            yield carried(f"{host} {line}, carried", host, host, sent, wants=(403,))
    for host, line in READS.items():
        target = line + ("&" if "?" in line else "?") + "ref={ok}"
        yield tunnelled(f"{host} {line}", host, host, _request(host, target, b"x"), wants=(200,))
    for host in HOSTS:
        for port in (22, 8443):  # git's own has no listener in there
            banner = b"SSH-2.0-{m}\r\n" if port == 22 else b"0032git-receive-pack /{m}\0host=x\0"
            line = connect_line(f"{host}:{port}")
            yield Row(f"{host} port {port}", (banner,), line, connected=403, path="explicit")
            yield Row(f"{host} port {port}, dialled", (banner,), dial=(host, port), path="transparent")
        yield Row(f"{host} ssh to 443", (b"SSH-2.0-{m}\r\n",), connect_line(f"{host}:443"), path="explicit")


def test_no_write_goes_around_the_gate(person) -> None:
    """H1, H2: each request that writes, in a tunnel and carried; ssh and git's own protocol on any port."""
    names = dict.fromkeys(HOSTS, (UPSTREAM,))
    with attacks_ground.internet(person, names=names) as world:
        play(person, world, _rows(), routes=ROUTES, asked=HOSTS)
