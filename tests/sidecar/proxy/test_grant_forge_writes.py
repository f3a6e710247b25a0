"""The way around the git gate (threats H1, E4): with a forge's preset reading passes, and no verb of its API writes.

Paths are those of the vendors' documentation: docs.github.com/en/rest and /graphql, docs.gitlab.com/api,
docs.gitea.com/api. The witness is a host that answers everything: what it did not receive was refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from bot_bottle.egress.codec import dump_policy, load_policy
from bot_bottle.egress.config import Policy
from bot_bottle.egress.preset_keys import without_presets
from bot_bottle.testing.upstream import FakeUpstream

OFF = "dlp: {outbound_detectors: false, inbound_detectors: false}"
HUB = "api.github.com"
LAB = "gitlab.com"
TEA = "git.example.com"
ENTERPRISE = "hub.example.com"
HOSTS = (
    "github.com", HUB, "codeload.github.com", "raw.githubusercontent.com", "release-assets.githubusercontent.com",
    "objects.githubusercontent.com", LAB, TEA, ENTERPRISE,
)  # fmt: skip
NOT_OPENED = ("uploads.github.com", "gist.github.com", "github-cloud.s3.amazonaws.com")
"""Where further writes would go: no preset has a route there"""


def presets(access: str) -> str:
    return f"""routes:
  - {{preset: github, repos: [o/r], access: {access}, {OFF}}}
  - {{preset: github, host: {ENTERPRISE}, repos: [o/r], access: {access}, {OFF}}}
  - {{preset: gitlab, repos: [g/s/r, "42"], access: {access}, {OFF}}}
  - {{preset: gitea, host: {TEA}, repos: [o/r], access: {access}, {OFF}}}
"""


class Around:
    """A proxy with the presets, before the witness."""

    numbers = count()
    """of the requests of all of them: the witness is one"""

    def __init__(self, proxy, witness: FakeUpstream) -> None:
        self._proxy = proxy
        self._witness = witness

    def ask(self, host: str, method: str, path: str, body: bytes = b"{}"):
        """The answer, and whether the witness received the request."""
        mark = f"={next(self.numbers)}"
        target = f"{path}{'&' if '?' in path else '?'}page{mark}"
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nConnection: close\r\n"
        if method not in ("GET", "HEAD"):
            head += f"Content-Length: {len(body)}\r\n"
        client = self._proxy.tls(host)
        client.send(head.encode() + b"\r\n" + (body if method not in ("GET", "HEAD") else b""))
        answer = client.answer(method=method)
        client.close()
        return answer, any(request.target.endswith(mark) for request in self._witness.requests)

    def passes(self, host: str, method: str, path: str) -> None:
        answer, arrived = self.ask(host, method, path)
        assert (answer.status, arrived) == (200, True), (host, method, path, answer.body)

    def refused(
        self, host: str, method: str, path: str, hint: str = "push through git: the git gate"
    ) -> None:
        answer, arrived = self.ask(host, method, path)
        assert (answer.status, arrived) == (403, False), (host, method, path)
        assert answer.headers["x-bot-bottle"] == "blocked"
        assert hint in answer.json()["hint"], (host, method, path, answer.json()["hint"])


@pytest.fixture(scope="module")
def around(run_shared_proxy) -> Iterator:
    """By what ``access`` says."""
    with FakeUpstream() as witness:
        connect = dict.fromkeys(
            [(host, 443) for host in (*HOSTS, *NOT_OPENED)], (witness.address, witness.port)
        )
        made: dict[str, Around] = {}

        def with_access(access: str) -> Around:
            if access not in made:
                policy = dump_policy(Policy(without_presets(load_policy(presets(access)).routes)))
                made[access] = Around(run_shared_proxy(policy, upstream=witness, connect_to=connect), witness)
            return made[access]

        yield with_access


READS = [
    ("github.com", "/o/r/info/refs?service=git-upload-pack"),
    ("github.com", "/o/r.git/info/refs?service=git-upload-pack"),
    ("github.com", "/o/r/releases/download/v1/x.tar.gz"),
    ("github.com", "/o/r/archive/refs/heads/main.zip"),
    ("github.com", "/o/r/raw/main/README.md"),
    ("codeload.github.com", "/o/r/tar.gz/refs/heads/main"),
    ("raw.githubusercontent.com", "/o/r/main/README.md"),
    ("release-assets.githubusercontent.com", "/github-production-release-asset/1/x"),
    *((HUB, f"/repos/o/r{rest}") for rest in (
        "", "/contents/README.md", "/git/trees/main", "/git/blobs/0123", "/git/refs/heads/main", "/commits",
        "/commits/main/status", "/compare/a...b", "/pulls", "/pulls/1", "/pulls/1/files", "/pulls/1/merge",
        "/issues", "/issues/1/comments", "/releases/latest", "/tags", "/branches", "/tarball/main", "/zipball/main",
        "/actions/runs", "/collaborators", "/forks", "/labels",
    )),
    (HUB, "/rate_limit"),
    (ENTERPRISE, "/api/v3/repos/o/r/contents/README.md"),
    *((LAB, f"/api/v4/projects/42{rest}") for rest in (
        "", "/repository/files/README.md/raw", "/repository/tree", "/repository/commits", "/merge_requests/1",
        "/issues", "/releases", "/pipelines",
    )),
    (LAB, "/g/s/r.git/info/refs?service=git-upload-pack"),
    (LAB, "/g/s/r/-/archive/main/r-main.tar.gz"),
    (LAB, "/g/s/r/-/raw/main/README.md"),
    *((TEA, f"/api/v1/repos/o/r{rest}") for rest in (
        "", "/contents/README.md", "/raw/README.md", "/git/trees/main", "/branches", "/pulls/1.diff", "/issues",
        "/releases", "/archive/main.zip", "/commits",
    )),
    (TEA, "/o/r/archive/main.tar.gz"),
]  # fmt: skip

HUB_WRITES = [
    ("PUT", "/contents/README.md"),
    ("DELETE", "/contents/README.md"),
    ("POST", "/git/blobs"),
    ("POST", "/git/trees"),
    ("POST", "/git/commits"),
    ("POST", "/git/tags"),
    ("POST", "/git/refs"),
    ("PATCH", "/git/refs/heads/main"),
    ("DELETE", "/git/refs/heads/main"),
    ("POST", "/merges"),
    ("POST", "/merge-upstream"),
    ("PUT", "/pulls/1/merge"),
    ("PUT", "/pulls/1/update-branch"),
    ("POST", "/branches/main/rename"),
    ("PUT", "/branches/main/protection"),
    ("DELETE", "/branches/main/protection"),
    ("POST", "/releases"),
    ("PATCH", "/releases/1"),
    ("POST", "/releases/1/assets"),
    ("POST", "/forks"),
    ("POST", "/generate"),
    ("POST", "/transfer"),
    ("PATCH", ""),
    ("DELETE", ""),
    ("POST", "/dispatches"),
    ("POST", "/actions/workflows/ci.yml/dispatches"),
    ("POST", "/actions/runs/1/rerun"),
    ("PUT", "/actions/secrets/NAME"),
    ("POST", "/keys"),
    ("POST", "/hooks"),
    ("PUT", "/collaborators/somebody"),
    ("POST", "/deployments"),
    ("POST", "/statuses/0123"),
    ("POST", "/check-runs"),
    ("POST", "/pages"),
    ("PUT", "/topics"),
    ("POST", "/code-scanning/sarifs"),
    ("PATCH", "/import"),
]
TEA_WRITES = [
    ("POST", "/contents"),
    ("POST", "/contents/README.md"),
    ("PUT", "/contents/README.md"),
    ("DELETE", "/contents/README.md"),
    ("POST", "/diffpatch"),
    ("POST", "/branches"),
    ("DELETE", "/branches/main"),
    ("PATCH", "/branches/main"),
    ("POST", "/branch_protections"),
    ("POST", "/tags"),
    ("DELETE", "/tags/v1"),
    ("POST", "/pulls/1/merge"),
    ("POST", "/pulls/1/update"),
    ("POST", "/releases"),
    ("POST", "/releases/1/assets"),
    ("POST", "/forks"),
    ("POST", "/generate"),
    ("POST", "/mirror-sync"),
    ("POST", "/push_mirrors"),
    ("POST", "/transfer"),
    ("PATCH", ""),
    ("DELETE", ""),
    ("POST", "/hooks"),
    ("PATCH", "/hooks/git/pre-receive"),
    ("POST", "/keys"),
    ("PUT", "/collaborators/somebody"),
    ("POST", "/statuses/0123"),
    ("POST", "/wiki/new"),
    ("PUT", "/git/notes/0123"),
    ("POST", "/actions/workflows/ci.yml/dispatches"),
]
LAB_WRITES = [
    ("POST", "/repository/files/README.md"),
    ("PUT", "/repository/files/README.md"),
    ("DELETE", "/repository/files/README.md"),
    ("POST", "/repository/commits"),
    ("POST", "/repository/commits/0123/cherry_pick"),
    ("POST", "/repository/commits/0123/revert"),
    ("POST", "/repository/branches"),
    ("DELETE", "/repository/branches/main"),
    ("DELETE", "/repository/merged_branches"),
    ("POST", "/repository/tags"),
    ("PUT", "/repository/submodules/lib"),
    ("POST", "/repository/changelog"),
    ("PUT", "/merge_requests/1/merge"),
    ("PUT", "/merge_requests/1/rebase"),
    ("POST", "/releases"),
    ("POST", "/uploads"),
    ("PUT", "/packages/generic/x/1/x.tar.gz"),
    ("POST", "/fork"),
    ("POST", "/trigger/pipeline"),
    ("POST", "/pipeline"),
    ("POST", "/variables"),
    ("POST", "/hooks"),
    ("POST", "/deploy_keys"),
    ("POST", "/access_tokens"),
    ("POST", "/remote_mirrors"),
    ("POST", "/protected_branches"),
    ("POST", "/snippets"),
    ("PUT", ""),
    ("DELETE", ""),
]
WRITES = [
    *((HUB, method, f"/repos/o/r{path}") for method, path in HUB_WRITES),
    *((ENTERPRISE, method, f"/api/v3/repos/o/r{path}") for method, path in HUB_WRITES),
    *((TEA, method, f"/api/v1/repos/o/r{path}") for method, path in TEA_WRITES),
    *((LAB, method, f"/api/v4/projects/42{path}") for method, path in LAB_WRITES),
    (HUB, "POST", "/graphql"),
    (HUB, "POST", "/gists"),
    (HUB, "PATCH", "/gists/0123"),
    (HUB, "POST", "/user/repos"),
    (HUB, "POST", "/orgs/o/repos"),
    (HUB, "POST", "/user/keys"),
    (HUB, "PUT", "/repos/attackers/r/contents/x"),
    (HUB, "POST", "/markdown"),
    (ENTERPRISE, "POST", "/api/graphql"),
    (ENTERPRISE, "POST", "/api/uploads/repos/o/r/releases/1/assets"),
    (ENTERPRISE, "POST", "/api/v3/gists"),
    (LAB, "POST", "/api/graphql"),
    (LAB, "POST", "/api/v4/projects"),
    (LAB, "POST", "/api/v4/snippets"),
    (LAB, "POST", "/api/v4/projects/43/repository/commits"),
    (LAB, "POST", "/api/v4/user/keys"),
    (TEA, "POST", "/api/v1/user/repos"),
    (TEA, "POST", "/api/v1/repos/migrate"),
    (TEA, "POST", "/api/v1/markdown"),
    (TEA, "PUT", "/api/v1/repos/attackers/r/contents/x"),
    *((host, "POST", f"{repo}.git/info/lfs/objects/batch") for host, repo in (
        ("github.com", "/o/r"), (LAB, "/g/s/r"), (TEA, "/o/r"), (ENTERPRISE, "/o/r"),
    )),
    *((host, "POST", f"{repo}.git/git-receive-pack") for host, repo in (
        ("github.com", "/o/r"), (LAB, "/g/s/r"), (TEA, "/o/r"), (ENTERPRISE, "/o/r"),
    )),
    ("github.com", "GET", "/o/r.git/info/refs?service=git-receive-pack"),
    ("github.com", "POST", "/o/r/upload/main"),
    ("github.com", "POST", "/o/r/settings/keys"),
]  # fmt: skip
TALK = {
    "issues": [
        (HUB, "POST", "/repos/o/r/issues"),
        (HUB, "PATCH", "/repos/o/r/issues/1"),
        (HUB, "POST", "/repos/o/r/issues/1/labels"),
        (ENTERPRISE, "POST", "/api/v3/repos/o/r/issues"),
        (LAB, "POST", "/api/v4/projects/42/issues"),
        (LAB, "POST", "/api/v4/projects/42/issues/1/notes"),
        (TEA, "POST", "/api/v1/repos/o/r/issues"),
        (TEA, "PATCH", "/api/v1/repos/o/r/issues/1"),
    ],
    "pulls": [
        (HUB, "POST", "/repos/o/r/pulls"),
        (HUB, "PATCH", "/repos/o/r/pulls/1"),
        (HUB, "POST", "/repos/o/r/pulls/1/comments"),
        (ENTERPRISE, "POST", "/api/v3/repos/o/r/pulls"),
        (LAB, "POST", "/api/v4/projects/42/merge_requests"),
        (LAB, "PUT", "/api/v4/projects/42/merge_requests/1"),
        (TEA, "POST", "/api/v1/repos/o/r/pulls"),
        (TEA, "PATCH", "/api/v1/repos/o/r/pulls/1"),
    ],
}
ALL = "[read, issues, pulls]"


@pytest.mark.parametrize(("host", "path"), READS)
def test_reading_passes(around, host: str, path: str) -> None:
    """Clones, downloads, the API's answers: the positive control of all that follows."""
    around("[read]").passes(host, "GET", path)


@pytest.mark.parametrize(("host", "method", "path"), WRITES)
def test_nothing_is_written(around, host: str, method: str, path: str) -> None:
    """With all that ``access`` can say, so with less too; the refusal points to the gate."""
    around(ALL).refused(host, method, path)


@pytest.mark.parametrize("word", TALK)
@pytest.mark.parametrize("asked", TALK)
def test_issues_and_pulls_are_opened_one_by_one(around, word: str, asked: str) -> None:
    """The word opens its own paths, and the other's stay closed, with the hint to ask for them."""
    here = around(f"[read, {word}]")
    for host, method, path in TALK[asked]:
        if asked == word:
            here.passes(host, method, path)
        else:
            here.refused(host, method, path, hint="ask for the route")


@pytest.mark.parametrize(("host", "method", "path"), [row for rows in TALK.values() for row in rows])
def test_reading_alone_says_nothing(around, host: str, method: str, path: str) -> None:
    around("[read]").refused(host, method, path, hint="ask for the route")


@pytest.mark.parametrize("host", NOT_OPENED)
def test_the_hosts_of_uploads_have_no_route(around, host: str) -> None:
    around(ALL).refused(host, "POST", "/repos/o/r/releases/1/assets", hint="ask for the route")


@pytest.mark.parametrize(
    ("host", "path"),
    [
        (HUB, "/repos/o/r%2fx/contents/a"),
        (HUB, "/repos/o/r/../other/contents/a"),
        (HUB, "/repos/attackers/r"),
        (HUB, "/repos/o/rx"),
        (HUB, "/user"),
        (LAB, "/api/v4/projects/421"),
        (LAB, "/api/v4/projects/g%2Fs%2Fr"),
        ("github.com", "/attackers/r/info/refs?service=git-upload-pack"),
    ],
)
def test_other_repositories_are_not_read(around, host: str, path: str) -> None:
    """Nor is the named one under a name that has two readings."""
    answer, arrived = around(ALL).ask(host, "GET", path)
    assert answer.status in (400, 403) and not arrived
