"""What a git that was taken over while it takes in a push could reach; it is played by the hook."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from gate_ground import QUIET

from bot_bottle.gitgate.config import GateRepo, UrlScheme
from bot_bottle.sidecar.gate import confined
from bot_bottle.sidecar.gate.mirror import Mirror
from bot_bottle.sidecar.gate.server import GateServer
from bot_bottle.sidecar.gate.smart import SmartHttp
from bot_bottle.sidecar.gate.upstream import Advertised

REPO = GateRepo(name="r", url="ssh://h/r", scheme=UrlScheme.SSH, host="h", path="r", slot="S")


class Nothing:
    """An upstream that is empty."""

    async def ls_remote(self, repo: GateRepo) -> Advertised:
        return Advertised({}, None)


class Session:
    """The hook is a script of the test's."""

    fds: tuple[int, ...] = ()
    env: Mapping[str, str] = {}
    readable: tuple[Path, ...] = ()

    def __init__(self, script: str) -> None:
        self.files = {"/hooks/pre-receive": b"#!/bin/sh\n" + script.encode()}


class Judge:
    def __init__(self, script: str) -> None:
        self.script = script
        self.seen: list[Path] = []

    @contextlib.asynccontextmanager
    async def session(self, mirror: Any, repository: Path) -> AsyncIterator[Session]:
        self.seen.append(repository)
        yield Session(self.script)


def push(place: Path, judge: Judge) -> tuple[int, str]:
    """Of one commit, to a gate with an empty upstream: git's status and what it said."""
    clone = place / "clone"
    subprocess.run(["git", "init", "-q", "-b", "main", str(clone)], check=True, env=QUIET)
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "x"], check=True, env=QUIET, cwd=clone)
    for name in ("work", "incoming"):
        (place / name).mkdir()

    async def work() -> tuple[int, str]:
        mirror = Mirror(REPO, place / "mirrors/r.git", Nothing(), warn=lambda text: None)  # type: ignore[arg-type]
        mirror.prepare()
        events = itertools.count()
        app = SmartHttp(
            {"r": mirror},
            confined.Confinement(place / "work"),
            judge,
            lambda event, **fields: next(events),
            incoming_dir=place / "incoming",
        )
        server = GateServer(app)
        listener = socket.create_server(("127.0.0.1", 0))
        await server.start(listener)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/r.git"
        git = await asyncio.create_subprocess_exec(
            "git", "push", url, "main", cwd=clone, env=QUIET, stderr=asyncio.subprocess.PIPE
        )
        try:
            _, said = await asyncio.wait_for(git.communicate(), 60)
        finally:
            await server.close()
        return git.returncode or 0, said.decode()

    return asyncio.run(work())


def test_it_can_write_to_its_own_objects_alone(tmp_path: Path) -> None:
    """Not to the mirror, not to its own settings or pointers, not to the hooks; and it has no network."""
    mirror, own = tmp_path / "mirrors/r.git", "$(dirname $(dirname $GIT_QUARANTINE_PATH))"
    places = [
        *(
            f"{mirror}/{name}"
            for name in ("x", "config", "packed-refs", "HEAD", "objects/x", "objects/pack/x", "hooks")
        ),
        *(f"{own}/{name}" for name in ("config", "HEAD", "info/grafts", "objects/info/alternates")),
        "/hooks/pre-receive",
        "/hooks/update",
        "/etc/passwd",
        "/usr/x",
        "/x",
    ]
    script = "".join(f'(echo x >>"{place}") 2>/dev/null && echo "WROTE {place}" >&2\n' for place in places)
    script += '(echo x >"$GIT_QUARANTINE_PATH/x") && echo "wrote its own" >&2\n'
    script += (
        "(ls /proc /run /home /root) >&2 2>/dev/null; cat /sys/class/net/*/address >&2 2>/dev/null\nexit 1\n"
    )
    judge = Judge(script)
    status, said = push(tmp_path, judge)
    assert status != 0 and "pre-receive hook declined" in said
    assert "wrote its own" in said  # the probe works where it may
    assert [line for line in said.splitlines() if "WROTE" in line] == []
    assert not (mirror / "x").exists()
    assert (mirror / "config").read_bytes() == confined.CONFIG


def test_what_the_hook_refuses_leaves_nothing(tmp_path: Path) -> None:
    judge = Judge("echo 'not today' >&2\nexit 1\n")
    status, said = push(tmp_path, judge)
    assert status != 0 and "remote: not today" in said
    assert not judge.seen[0].exists()
    assert list((tmp_path / "mirrors/r.git/objects").rglob("*.pack")) == []


def test_what_it_accepts_is_told_and_moves_no_ref_of_the_mirrors(tmp_path: Path) -> None:
    """The mirror follows upstream, never a push."""
    judge = Judge("exit 0\n")
    status, said = push(tmp_path, judge)
    assert status == 0 and "main -> main" in said
    assert not judge.seen[0].exists()
    mirror = tmp_path / "mirrors/r.git"
    assert (mirror / "packed-refs").read_text() == "# pack-refs with: sorted \n"
    assert [each for each in mirror.rglob("*") if each.is_file() and "objects" in each.parts] == []
