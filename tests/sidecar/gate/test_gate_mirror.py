"""A mirror holds what upstream has, whatever lies there at the start and whenever the gate is killed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from gate_ground import QUIET, GateGround

from bot_bottle.gitgate.config import GateRepo, RepoPolicy, UrlScheme
from bot_bottle.ipc.sidecar import Ready
from bot_bottle.sidecar.gate import confined, mirror
from bot_bottle.sidecar.gate.access import UpstreamFailed
from bot_bottle.sidecar.gate.mirror import Mirror
from bot_bottle.sidecar.gate.upstream import Advertised

# -- what upstream says, by a fake that counts

REPO = GateRepo(name="r", url="ssh://h/r", scheme=UrlScheme.SSH, host="h", path="r", slot="S")
A, B = "a" * 40, "b" * 40


class FakeUpstreams:
    """Has *refs*; remembers what it was asked."""

    def __init__(self, refs: Mapping[str, str]) -> None:
        self.refs, self.head = dict(refs), "refs/heads/main"
        self.asked: list[str] = []
        self.failing = ""
        self.hold: asyncio.Event | None = None

    async def ls_remote(self, repo: GateRepo) -> Advertised:
        self.asked.append("ls")
        if self.hold is not None:
            await self.hold.wait()
        await asyncio.sleep(0)
        if self.failing:
            raise UpstreamFailed(self.failing)
        return Advertised(dict(self.refs), self.head)

    async def fetch(
        self, repo: GateRepo, objects: Path, have: Mapping[str, str], *, sha256: bool = False
    ) -> dict[str, str]:
        self.asked.append("fetch")
        await asyncio.sleep(0)
        return dict(self.refs)


def made(place: Path, upstreams: FakeUpstreams, *, stale_ok: bool = False) -> tuple[Mirror, list[str]]:
    warned: list[str] = []
    repo = GateRepo(
        **{name: getattr(REPO, name) for name in REPO.__struct_fields__}
        | {"policy": RepoPolicy(stale_ok=stale_ok)}
    )
    found = Mirror(repo, place / "r.git", upstreams, warn=warned.append)  # type: ignore[arg-type]
    found.prepare()
    return found, warned


def test_nothing_is_fetched_where_nothing_is_new(tmp_path: Path) -> None:
    """A ref that went, or another name for what is here, needs no fetch."""
    upstreams = FakeUpstreams({"refs/heads/main": A, "refs/heads/b": B})
    here, _ = made(tmp_path, upstreams)

    async def turns() -> None:
        for change in ({}, {}, {"refs/heads/b": A}, {"refs/tags/t": B}):
            upstreams.refs.update(change)
            await here.refresh()
            assert here.refs == upstreams.refs
        del upstreams.refs["refs/heads/b"]
        await here.refresh()

    asyncio.run(turns())
    assert upstreams.asked == ["ls", "fetch", "ls", "ls", "ls", "fetch", "ls"]
    text = (tmp_path / "r.git/packed-refs").read_text()
    assert text == f"# pack-refs with: sorted \n{A} refs/heads/main\n{B} refs/tags/t\n"
    assert (tmp_path / "r.git/HEAD").read_text() == "ref: refs/heads/main\n"


def test_requests_that_come_together_share_a_turn(tmp_path: Path) -> None:
    """Twenty at once: one turn; those that come while it runs get the next, since upstream may have moved."""
    upstreams = FakeUpstreams({"refs/heads/main": A})
    here, _ = made(tmp_path, upstreams)

    async def turns() -> None:
        await asyncio.gather(*(here.refresh() for _ in range(20)))
        assert upstreams.asked == ["ls", "fetch"]
        upstreams.hold = asyncio.Event()
        first = asyncio.ensure_future(here.refresh())
        await asyncio.sleep(0.01)
        later = [asyncio.ensure_future(here.refresh()) for _ in range(10)]
        await asyncio.sleep(0.01)
        assert upstreams.asked == ["ls", "fetch", "ls"]
        upstreams.hold.set()
        await asyncio.gather(first, *later)

    asyncio.run(turns())
    assert upstreams.asked == ["ls", "fetch", "ls", "ls"]


def test_one_that_leaves_does_not_take_the_others_turn_away(tmp_path: Path) -> None:
    upstreams = FakeUpstreams({"refs/heads/main": A})
    here, _ = made(tmp_path, upstreams)

    async def turns() -> None:
        leaving = asyncio.ensure_future(here.refresh())
        staying = asyncio.ensure_future(here.refresh())
        await asyncio.sleep(0)
        leaving.cancel()
        await staying

    asyncio.run(turns())
    assert here.refs == {"refs/heads/main": A}


def test_stale_only_where_that_is_said(tmp_path: Path) -> None:
    """A failed turn fails what asked, but for a fetch with ``stale_ok`` from a mirror that has something."""

    async def turns(stale_ok: bool) -> None:
        upstreams = FakeUpstreams({"refs/heads/main": A})
        here, warned = made(tmp_path / str(stale_ok), upstreams, stale_ok=stale_ok)
        upstreams.failing = "it is down"
        with pytest.raises(UpstreamFailed, match="it is down"):
            await here.refresh_for_fetch()
        upstreams.failing = ""
        await here.refresh_for_fetch()
        upstreams.failing = "it is down"
        if stale_ok:
            await here.refresh_for_fetch()
            assert warned == ["it is down"] and here.refs == {"refs/heads/main": A}
        else:
            with pytest.raises(UpstreamFailed, match="it is down"):
                await here.refresh_for_fetch()
        with pytest.raises(UpstreamFailed, match="it is down"):
            await here.refresh()

    for stale_ok in (False, True):
        asyncio.run(turns(stale_ok))


def test_another_hash_starts_anew(tmp_path: Path) -> None:
    upstreams = FakeUpstreams({"refs/heads/main": "c" * 64})
    here, _ = made(tmp_path, upstreams)
    asyncio.run(here.refresh())
    assert here.is_sha256 and (here.path / "config").read_bytes() == confined.CONFIG_SHA256
    again, _ = made(tmp_path, upstreams)
    assert again.is_sha256


# -- what lies there at the start


def test_of_what_lies_there_only_objects_and_refs_stay(tmp_path: Path) -> None:
    """Hooks, configuration, pointers to other stores, links and locks of an earlier run are gone."""
    path, secret = tmp_path / "r.git", tmp_path / "elsewhere"
    secret.mkdir()
    (secret / "kept").write_text("kept")
    subprocess.run(["git", "init", "-q", "--bare", str(path)], check=True, env=QUIET)
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"],
        input=b"x",
        cwd=path,
        env=QUIET,
        capture_output=True,
        check=True,
    )
    loose = path / "objects" / blob.stdout.decode()[:2]
    for name, text in {
        "hooks/post-update": "#!/bin/sh\ntouch /tmp/ran\n",
        "config": '[core]\n\tfsmonitor = "touch /tmp/ran"\n[include]\n\tpath = /etc/passwd\n',
        "objects/info/alternates": f"{secret}\n",
        "objects/info/http-alternates": "http://example.com\n",
        "objects/info/commit-graph": "x",
        "objects/pack/pack-1.pack": "x",
        "objects/pack/pack-1.keep": "x",
        "objects/pack/tmp_pack_abc": "x",
        "objects/pack/multi-pack-index": "x",
        "objects/tmp_objdir-incoming-1/pack/x": "x",
        "packed-refs.lock": "",
        "HEAD.lock": "",
        "refs/heads/main.lock": "",
        "shallow": A,
        "info/grafts": A,
        "info/attributes": "* filter=x",
        "worktrees/x/gitdir": "x",
        "commondir": "/",
        "packed-refs": f"# pack-refs with: peeled fully-peeled sorted \n{A} refs/heads/main\n^{B}\nx y\n",
    }.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    (path / "objects/ab").symlink_to(secret)
    (path / "objects/cd").mkdir()
    (path / "objects/cd" / ("0" * 38)).symlink_to(secret / "kept")
    os.mkfifo(path / "objects/cd" / ("1" * 38))
    (path / "logs").symlink_to(secret)
    here, _ = made(tmp_path, FakeUpstreams({}))
    found = {str(each.relative_to(path)) for each in path.rglob("*") if not each.is_dir()}
    assert found == {
        "HEAD",
        "config",
        "packed-refs",
        "objects/pack/pack-1.pack",
        f"objects/{loose.name}/{blob.stdout.decode().strip()[2:]}",
    }
    assert (path / "config").read_bytes() == confined.CONFIG
    assert (secret / "kept").read_text() == "kept"
    assert here.refs == {}  # until upstream has been asked


@pytest.mark.parametrize("kind", ["link", "file", "fifo"])
def test_a_mirror_that_is_no_directory_is_replaced(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "r.git", tmp_path / "other"
    other.mkdir()
    if kind == "link":
        path.symlink_to(other)
    elif kind == "file":
        path.write_text("x")
    else:
        os.mkfifo(path)
    made(tmp_path, FakeUpstreams({}))
    assert path.is_dir() and not path.is_symlink() and list(other.iterdir()) == []


def test_a_push_gets_a_repository_of_its_own(tmp_path: Path) -> None:
    """The refs of the mirror, its objects by a pointer; gone afterwards."""
    here, _ = made(tmp_path, FakeUpstreams({"refs/heads/main": A}))
    asyncio.run(here.refresh())
    with mirror.incoming(here, tmp_path / "in.git") as place:
        assert (place / "packed-refs").read_bytes() == (here.path / "packed-refs").read_bytes()
        assert (place / "objects/info/alternates").read_text() == f"{here.objects}\n"
    assert not (tmp_path / "in.git").exists()


# -- with a gate's process


@pytest.mark.slow
def test_the_next_gate_goes_on_from_what_is_there(gate_ground: GateGround) -> None:
    """Also from rubbish: what can't be read is fetched again."""
    upstream = gate_ground.add()
    tip = upstream.commit({"big": os.urandom(3_000_000)})
    gate_ground.start()
    gate_ground.clone(upstream)
    gate_ground.kill()
    later = upstream.commit({"small": "x"})
    gate_ground.start()
    assert gate_ground.git("ls-remote", gate_ground.url(upstream), "main").stdout.split()[0] == later
    packs = gate_ground.place / "run/mirrors" / upstream.path.name / "objects"
    sizes = [each.stat().st_size for each in packs.rglob("*") if each.is_file()]
    assert sum(sizes) < 4_000_000  # the large one was not brought again
    gate_ground.kill()
    for each in packs.rglob("*"):
        if each.is_file():
            each.chmod(0o600)
            each.write_bytes(b"rubbish")
    last = upstream.commit({"again": "x"})
    gate_ground.start()
    clone = gate_ground.clone(upstream)
    assert gate_ground.git("rev-parse", "HEAD", cwd=clone).stdout.strip() == last
    assert gate_ground.git("cat-file", "-e", tip, cwd=clone).returncode == 0


def test_a_failed_refresh_tells_the_client_why(gate_ground: GateGround) -> None:
    upstream = gate_ground.add()
    gate_ground.start()
    shutil.move(upstream.path, f"{upstream.path}.away")
    done = gate_ground.git("clone", gate_ground.url(upstream), "c")
    assert done.returncode != 0
    assert "does not appear to be a git repository" in done.stderr, done.stderr
    assert gate_ground.upstreams.ssh.key.split("\n")[1] not in done.stderr + gate_ground.said()


def test_branches_that_went_upstream_go_and_head_follows(gate_ground: GateGround) -> None:
    upstream = gate_ground.add()
    upstream.git("branch", "a")
    gate_ground.start()
    gate_ground.clone(upstream)
    upstream.git("branch", "-D", "a")
    upstream.git("branch", "a/b")
    upstream.git("symbolic-ref", "HEAD", "refs/heads/a/b")
    said = gate_ground.git("ls-remote", "--symref", gate_ground.url(upstream)).stdout
    assert "ref: refs/heads/a/b\tHEAD" in said and "refs/heads/a\n" not in said


def test_an_empty_upstream_is_cloned(gate_ground: GateGround) -> None:
    upstream = gate_ground.add()
    upstream.git("update-ref", "-d", "refs/heads/main")
    gate_ground.start()
    done = gate_ground.git("clone", gate_ground.url(upstream), "c")
    assert done.returncode == 0 and "empty repository" in done.stderr


def test_shallow_and_partial_clones(gate_ground: GateGround) -> None:
    upstream = gate_ground.add()
    for number in range(5):
        upstream.commit({"a": f"{number}" * 1000})
    gate_ground.start()
    shallow = gate_ground.clone(upstream, "--depth=1")
    assert gate_ground.git("rev-list", "--count", "HEAD", cwd=shallow).stdout == "1\n"
    assert gate_ground.git("fetch", "--unshallow", cwd=shallow).returncode == 0
    partial = gate_ground.clone(upstream, "--filter=blob:none")
    assert gate_ground.git("cat-file", "-p", "HEAD~3:a", cwd=partial).stdout == "1" * 1000


@pytest.mark.slow
def test_a_gate_killed_while_it_fetches_is_mended_by_the_next(gate_ground: GateGround) -> None:
    """At five moments of a fetch; and nothing of the killed one goes on running."""
    upstream = gate_ground.add()
    upstream.commit({f"file-{number}": os.urandom(200_000) for number in range(40)})
    for moment in range(5):
        upstream.commit({"a": str(moment), f"more-{moment}": os.urandom(2_000_000)})
        gate_ground.start()
        where = gate_ground.place / f"killed-{moment}"
        argv = ["git", "clone", "-q", gate_ground.url(upstream), str(where)]
        client = subprocess.Popen(argv, env=QUIET, stderr=subprocess.DEVNULL)
        time.sleep(0.15 * moment)
        os.kill(gate_ground.pid, signal.SIGKILL)
        gate_ground.wait()
        client.wait(60)
        assert isinstance(gate_ground.start(), Ready)
        clone = gate_ground.clone(upstream)
        assert gate_ground.git("rev-parse", "HEAD", cwd=clone).stdout.strip() == upstream.tip()
        assert gate_ground.git("fsck", "--full", cwd=clone).returncode == 0
        gate_ground.kill()


def test_nobody_else_waits_for_a_slow_upstream(gate_ground: GateGround) -> None:
    """While one repository's upstream says nothing, another is served."""
    slow, other = gate_ground.add(https=True), gate_ground.add()
    slow.hook("unused", "")
    gate_ground.start()
    hold = threading.Event()
    web = gate_ground.upstreams.web
    answer = web._backend

    def held(request, connection):
        hold.wait(60)
        answer(request, connection)

    web._backend = held  # type: ignore[method-assign]
    try:
        argv = ["git", "ls-remote", gate_ground.url(slow)]
        waiting = subprocess.Popen(argv, env=QUIET, stdout=subprocess.PIPE)
        gate_ground.clone(other)
        assert waiting.poll() is None
        hold.set()
        assert b"refs/heads/main" in waiting.communicate(timeout=60)[0]
    finally:
        hold.set()
        del web._backend
