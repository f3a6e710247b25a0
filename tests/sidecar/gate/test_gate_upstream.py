"""What the gate's three commands bring to upstream and back; asserted on what upstream has."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import git_ground
import pytest
from gate_ground import TOKEN

from bot_bottle.base.secret import Secret
from bot_bottle.gitgate.config import GateRepo, UrlScheme
from bot_bottle.gitgate.refs import RefUpdate
from bot_bottle.sidecar.gate import access, confined
from bot_bottle.sidecar.gate.access import UpstreamFailed
from bot_bottle.sidecar.gate.upstream import PushResult, Upstreams

NONE = "0" * 40
MAIN = "refs/heads/main"


class Gate:
    """The upstream side of a gate, in this process; *repository* is what it reaches."""

    def __init__(self, ground: git_ground.Ground, place: Path, *, https: bool, **changed: Any) -> None:
        self.ground, self.place = ground, place
        self.repository = ground.repository(f"up-{os.urandom(4).hex()}")
        url = self.repository.https if https else self.repository.ssh
        fields: dict[str, Any] = {
            "name": "r",
            "url": url,
            "scheme": UrlScheme.HTTPS if https else UrlScheme.SSH,
            "host": git_ground.WEB if https else git_ground.HOST,
            "user": "" if https else "git",
            "path": url.split("/", 3)[3],
            "host_keys": (ground.ssh.host_key,),
            "slot": "S",
        }
        secret = changed.pop("secret", TOKEN if https else ground.ssh.key)
        reached = changed.pop("connect_to", None)
        extra_ca_pem = changed.pop("extra_ca_pem", ground.web.ca_pem)
        self.resolver = changed.pop("resolver", access.system_resolver)
        self.repo = GateRepo(**{**fields, **changed})
        for name in ("keys", "work"):
            (place / name).mkdir()
        self.upstreams = Upstreams(
            [self.repo],
            {"S": Secret(secret)},
            confined.Confinement(place / "work"),
            keys=place / "keys",
            work=place / "work",
            connect_to=reached
            if reached is not None
            else {
                (git_ground.HOST, 22): ("127.0.0.1", ground.ssh.port),
                (git_ground.WEB, 443): ("127.0.0.1", ground.web.port),
            },
            extra_ca_pem=extra_ca_pem,
            resolver=self.resolver,
        )

    def local(self) -> git_ground.Repository:
        """A bare repository with the same objects, where new ones are made."""
        path = self.place / "local.git"
        if not path.exists():
            self.repository.git("clone", "-q", "--bare", ".", str(path))
        return git_ground.Repository(path)

    def push(self, *updates: RefUpdate) -> PushResult:
        objects = self.local().path / "objects"
        return asyncio.run(self.upstreams.push(self.repo, updates, objects=objects))


Make = Callable[..., Gate]


@pytest.fixture
def make(upstreams: git_ground.Ground, tmp_path: Path) -> Make:
    def made(*, https: bool = False, **changed: Any) -> Gate:
        return Gate(upstreams, tmp_path, https=https, **changed)

    return made


both = pytest.mark.parametrize("https", [False, True], ids=["ssh", "https"])


def failure(work: Coroutine[Any, Any, object]) -> str:
    with pytest.raises(UpstreamFailed) as caught:
        asyncio.run(work)  # type: ignore[arg-type]
    return str(caught.value)


@both
def test_ls_remote_tells_branches_tags_notes_and_head(make: Make, https: bool) -> None:
    """A forge's own refs are left out, a tag is the tag object and not what it points at."""
    gate = make(https=https)
    first = gate.repository.tip()
    for ref in ("refs/heads/other", "refs/notes/commits", "refs/pull/1/head"):
        gate.repository.git("update-ref", ref, MAIN)
    gate.repository.git("tag", "-a", "v1", "-m", "one", "main")
    gate.repository.git("symbolic-ref", "HEAD", "refs/heads/other")
    found = asyncio.run(gate.upstreams.ls_remote(gate.repo))
    assert found.head == "refs/heads/other"
    assert found.refs == {
        MAIN: first,
        "refs/heads/other": first,
        "refs/notes/commits": first,
        "refs/tags/v1": gate.repository.tip("refs/tags/v1"),
    }


@both
def test_a_push_arrives_by_object_id_and_only_over_what_was_expected(make: Make, https: bool) -> None:
    """New branch, advance, stale lease, delete: upstream has what the result says."""
    gate = make(https=https)
    local, old = gate.local(), gate.repository.tip()
    assert old is not None
    new = local.commit({"a": "1"})
    local.git("update-ref", MAIN, old)  # names in the local repository count for nothing
    assert gate.push(RefUpdate(MAIN, old, new), RefUpdate("refs/heads/b", NONE, new)).ok
    assert gate.repository.refs() == {MAIN: new, "refs/heads/b": new}
    newer = local.commit({"a": "2"}, ref="refs/heads/tmp")
    stale = gate.push(RefUpdate(MAIN, old, newer), RefUpdate("refs/heads/c", NONE, newer))
    assert not stale.ok and any("stale info" in line for line in stale.lines)
    assert gate.repository.refs() == {MAIN: new, "refs/heads/b": new}
    there = gate.push(RefUpdate("refs/heads/b", NONE, newer))
    assert not there.ok
    assert gate.push(RefUpdate("refs/heads/b", new, NONE)).ok
    assert gate.repository.refs() == {MAIN: new}


@both
def test_upstreams_refusal_is_told_word_for_word(make: Make, https: bool) -> None:
    gate = make(https=https)
    gate.repository.hook("pre-receive", "echo 'no pushes on Fridays' >&2\nexit 1")
    old = gate.repository.tip()
    assert old is not None
    new = gate.local().commit({"a": "1"})
    result = gate.push(RefUpdate(MAIN, old, new))
    assert not result.ok
    assert "remote: no pushes on Fridays" in result.lines
    assert any("pre-receive hook declined" in line and MAIN in line for line in result.lines)
    assert gate.repository.tip() == old


def test_an_upstream_that_is_not_atomic_takes_one_ref_and_no_more(make: Make) -> None:
    """Ruling 69."""
    gate = make()
    gate.repository.git("config", "receive.advertiseAtomic", "false")
    old = gate.repository.tip()
    assert old is not None
    new = gate.local().commit({"a": "1"})
    several = gate.push(RefUpdate(MAIN, old, new), RefUpdate("refs/heads/b", NONE, new))
    assert not several.ok and "one at a time" in several.lines[0]
    assert gate.repository.refs() == {MAIN: old}
    assert gate.push(RefUpdate(MAIN, old, new)).ok
    assert gate.repository.tip() == new


def test_fetch_brings_objects_and_warns_of_old_formats_only(make: Make, tmp_path: Path) -> None:
    """A commit with a time zone of no clock comes (ruling 69); a tree with ``.git`` in it does not."""
    gate = make()
    tree = gate.repository.git("rev-parse", f"{MAIN}^{{tree}}")
    raw = f"tree {tree}\nauthor A <a@example.com> 1 +051800\ncommitter A <a@example.com> 1 +051800\n\nold\n"
    old = gate.repository.git(
        "hash-object", "-t", "commit", "-w", "--stdin", "--literally", given=raw.encode()
    )
    gate.repository.git("update-ref", "refs/heads/old", old)
    objects = confined_objects(tmp_path / "mirror.git")
    refs = asyncio.run(gate.upstreams.fetch(gate.repo, objects, {}))
    assert refs == gate.repository.refs()
    assert git_ground.Repository(tmp_path / "mirror.git").has(old)
    evil = tree_of(gate.repository, ".git")
    raw = f"tree {evil}\nauthor A <a@example.com> 1 +0000\ncommitter A <a@example.com> 1 +0000\n\nbad\n"
    bad = gate.repository.git("hash-object", "-t", "commit", "-w", "--stdin", given=raw.encode())
    gate.repository.git("update-ref", "refs/heads/bad", bad)
    assert "hasDotgit" in failure(gate.upstreams.fetch(gate.repo, objects, refs))


def confined_objects(path: Path) -> Path:
    confined.bare_repository(path)
    return path / "objects"


def tree_of(repository: git_ground.Repository, name: str) -> str:
    blob = repository.git("hash-object", "-w", "--stdin", given=b"x")
    entry = b"100644 " + name.encode() + b"\0" + bytes.fromhex(blob)
    return repository.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", given=entry)


def test_another_host_key_is_not_taken(make: Make, tmp_path: Path) -> None:
    """Nothing is asked and nothing is sent: no session begins."""
    gate = make(host_keys=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43,))
    before = len(gate.ground.ssh.commands)
    assert "Host key verification failed" in failure(gate.upstreams.ls_remote(gate.repo))
    assert len(gate.ground.ssh.commands) == before


def test_a_wrong_token_is_refused_and_never_shown(make: Make) -> None:
    gate = make(https=True, secret="wrong-" + "x" * 20)
    text = failure(gate.upstreams.ls_remote(gate.repo))
    assert "Authentication failed" in text or "401" in text or "could not read" in text
    assert "x" * 20 not in text


def test_a_certificate_of_an_unknown_authority_is_refused(make: Make) -> None:
    gate = make(https=True, extra_ca_pem="")
    before = len(gate.ground.web.requests)
    assert "certificate" in failure(gate.upstreams.ls_remote(gate.repo)).lower()
    assert len(gate.ground.web.requests) == before


def test_a_redirect_is_not_followed(make: Make) -> None:
    """The token stays with the host that it belongs to."""
    gate = make(https=True)
    with socket.create_server(("127.0.0.1", 0)) as other:
        gate.ground.web.redirect_to = f"http://127.0.0.1:{other.getsockname()[1]}"
        try:
            failure(gate.upstreams.ls_remote(gate.repo))
        finally:
            gate.ground.web.redirect_to = None
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()


@pytest.mark.parametrize(
    ("address", "port", "reason"),
    [
        ("169.254.169.254", None, "metadata"),
        ("169.254.169.254", 22, "metadata"),
        ("127.0.0.1", None, "loopback"),
        ("0.0.0.0", 22, "unspecified"),
        ("::ffff:169.254.10.1", 22, "link-local"),
    ],
)
def test_addresses_that_may_not_be_dialled(make: Make, address: str, port: int | None, reason: str) -> None:
    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return [address]

    gate = make(connect_to={}, resolver=resolver, port=port)
    assert reason in failure(gate.upstreams.ls_remote(gate.repo))


def test_an_address_is_asked_for_once_and_used(make: Make, upstreams: git_ground.Ground) -> None:
    """A name that no resolver knows leads where it was said to; an explicit port opens the loopback."""
    asked = []

    async def resolver(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    port = upstreams.ssh.port
    gate = make(connect_to={}, resolver=resolver, port=port)
    assert asyncio.run(gate.upstreams.ls_remote(gate.repo)).refs == gate.repository.refs()
    assert asked == [(git_ground.HOST, port)]


def test_an_address_in_the_url_is_taken_as_it_is(
    make: Make, upstreams: git_ground.Ground, tmp_path: Path
) -> None:
    """IPv6, in brackets as a URL has it: judged, and dialled without a look-up."""
    gate = make(host="[::1]", port=upstreams.ssh.port, connect_to={})
    assert "refused" in failure(gate.upstreams.ls_remote(gate.repo))  # nobody listens there
    (tmp_path / "other").mkdir()
    for https in (False, True):
        place = tmp_path / f"other/{https}"
        place.mkdir()
        other = Gate(upstreams, place, https=https, host="[fe80::1]", connect_to={})
        assert "link-local" in failure(other.upstreams.ls_remote(other.repo))


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(listener.accept()[0])

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for each in held:
            each.close()


@both
def test_an_upstream_that_says_nothing_is_given_up(
    make: Make, monkeypatch: pytest.MonkeyPatch, https: bool
) -> None:
    monkeypatch.setattr("bot_bottle.sidecar.gate.upstream.STALL_S", 1.0)
    with silent() as port:
        reached = {(git_ground.HOST, 22): ("127.0.0.1", port), (git_ground.WEB, 443): ("127.0.0.1", port)}
        gate = make(https=https, connect_to=reached)
        assert "no progress" in failure(gate.upstreams.ls_remote(gate.repo))


def test_no_secret_is_in_arguments_or_environments(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of bubblewrap's, nor of git's, nor of ssh's; only in files below the keys' directory."""
    monkeypatch.setattr("bot_bottle.sidecar.gate.upstream.STALL_S", 2.0)
    with silent() as port:
        gate = make(https=True, connect_to={(git_ground.WEB, 443): ("127.0.0.1", port)})
        seen = bytearray()

        async def look() -> None:
            task = asyncio.ensure_future(gate.upstreams.ls_remote(gate.repo))
            await asyncio.sleep(0.7)
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    for name in ("cmdline", "environ"):
                        with contextlib.suppress(OSError):
                            seen.extend((entry / name).read_bytes())
            with contextlib.suppress(UpstreamFailed):
                await task

        asyncio.run(look())
    assert b"git-remote-https" in seen or b"remote-https" in seen  # it was looked at while it ran
    assert TOKEN.encode() not in seen
