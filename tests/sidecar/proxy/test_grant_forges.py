"""Real git through a forge's preset: the named repository is cloned, fetched and read, no other, and nothing pushed.

The forge is git's own ``http-backend`` behind a fake upstream; what it received is what is asserted on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bot_bottle.egress.codec import dump_policy, load_policy
from bot_bottle.egress.config import Policy
from bot_bottle.egress.preset_keys import without_presets
from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest, UpstreamConnection

FORGE = "git.example.com"
TOKEN = "forge-t0ken"
PRESET = f"routes: [{{preset: gitea, host: {FORGE}, repos: [owner/name], auth_scheme: token, token_env: T}}]"
OFF = "dlp: {outbound_detectors: false, inbound_detectors: false}"
WHOLE = f"routes: [{{host: {FORGE}, git: {{fetch: true}}, {OFF}}}]"
GIT_TIMEOUT_S = 60

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


class Backend:
    """A responder: CGI of git http-backend over the repositories below *root*."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __call__(self, request: RecordedRequest, connection: UpstreamConnection) -> None:
        path, _, query = request.target.partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self._root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_PROTOCOL": request.header("git-protocol") or "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": request.method,
            "REMOTE_USER": "anybody",
            "CONTENT_TYPE": request.header("content-type") or "",
            "HTTP_CONTENT_ENCODING": request.header("content-encoding") or "",
            "CONTENT_LENGTH": str(len(request.body)),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=env, input=request.body, capture_output=True, timeout=GIT_TIMEOUT_S
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(fields.pop("Status", "200 OK").split(" ")[0])
        connection.reply(status, body, list(fields.items()))


def git(*argv: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    plain = {
        "PATH": os.environ["PATH"], "HOME": str(cwd), "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x@a.example",
        "GIT_COMMITTER_NAME": "x", "GIT_COMMITTER_EMAIL": "x@a.example",
    }  # fmt: skip
    return subprocess.run(
        ["git", *argv], cwd=cwd, env={**plain, **env}, capture_output=True, text=True, timeout=GIT_TIMEOUT_S
    )


def succeeded(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr


@pytest.fixture
def forge(tmp_path):
    """Two repositories with one commit each, both open for pushing."""
    work = tmp_path / "work"
    work.mkdir()
    succeeded(git("init", "-q", "-b", "main", ".", cwd=work))
    (work / "file").write_text("text\n" * 1000)
    succeeded(git("add", "file", cwd=work))
    succeeded(git("commit", "-q", "-m", "one", cwd=work))
    root = tmp_path / "forge"
    for name in ("owner/name.git", "attackers/name.git"):
        succeeded(git("clone", "-q", "--bare", str(work), str(root / name), cwd=tmp_path))
        succeeded(git("config", "http.receivepack", "true", cwd=root / name))
    with FakeUpstream(Backend(root)) as upstream:
        yield upstream


@pytest.fixture
def through(run_proxy, forge, to, tmp_path):
    """``through(policy)``: git's environment for a proxy with that."""

    def started(text: str) -> dict[str, str]:
        policy = load_policy(text)
        written = dump_policy(Policy(without_presets(policy.routes)))
        proxy = run_proxy(written, upstream=forge, tokens={"T": TOKEN}, connect_to=to(forge, (FORGE, 443)))
        ca = tmp_path / "ca.pem"
        ca.write_text(proxy.authority.ca_pem)
        host, port = proxy.address
        return {"https_proxy": f"http://{host}:{port}", "GIT_SSL_CAINFO": str(ca)}

    return started


def asked(forge: FakeUpstream) -> set[str]:
    return {request.target.partition("?")[0] for request in forge.requests}


def test_clone_and_fetch(through, forge, tmp_path):
    """Of the named repository, in both of git's protocols, with and without ``.git``; the credential is ours."""
    env = through(PRESET)
    for version, suffix in (("2", ".git"), ("0", "")):
        place = tmp_path / f"clone{version}"
        url = f"https://mine:attackers@{FORGE}/owner/name{suffix}"
        succeeded(
            git("-c", f"protocol.version={version}", "clone", "-q", url, str(place), cwd=tmp_path, **env)
        )
        assert (place / "file").exists()
        succeeded(git("fetch", "-q", cwd=place, **env))
    assert {request.header("authorization") for request in forge.requests} == {f"token {TOKEN}"}
    assert {request.header("git-protocol") for request in forge.requests} >= {"version=2"}
    assert b"attackers" not in forge.raw


def test_nothing_else(through, forge, tmp_path):
    """Another repository is not cloned, nothing is pushed to either."""
    env = through(PRESET)
    place = tmp_path / "clone"
    succeeded(git("clone", "-q", f"https://{FORGE}/owner/name", str(place), cwd=tmp_path, **env))
    before = len(forge.requests)
    other = f"https://{FORGE}/attackers/name.git"
    assert git("clone", "-q", other, "x", cwd=tmp_path, **env).returncode != 0
    for url in (other, f"https://{FORGE}/owner/name.git"):
        refused = git("push", "-q", url, "HEAD:refs/heads/stolen", cwd=place, **env)
        assert refused.returncode != 0
        assert "403" in refused.stderr
    assert len(forge.requests) == before


def test_the_control(through, forge, tmp_path):
    """A route for the whole host lets the attacker's repository be fetched; pushing is refused there as well."""
    env = through(WHOLE)
    other = f"https://{FORGE}/attackers/name.git"
    succeeded(git("clone", "-q", other, "x", cwd=tmp_path, **env))
    assert "/attackers/name.git/info/refs" in asked(forge)
    assert git("push", "-q", other, "HEAD:refs/heads/stolen", cwd=tmp_path / "x", **env).returncode != 0
    assert not any("receive-pack" in request.target for request in forge.requests)
