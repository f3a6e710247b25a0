"""Deploy keys in a real launch: one opens the real sshd, lives as long as the bottle, and is seen nowhere."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from git_ground import ROOT
from git_support import GATE, Gate, Inside, gate

from bot_bottle.manifest.schema import Forge
from bot_bottle.store import bottles
from bot_bottle.store.deploy_keys import has_deploy_keys
from bot_bottle.testing.fake_forge import Answer, FakeForge, refusal
from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest

REPOSITORY = f"{ROOT.strip('/')}/project"


class ForgeOfSshd(FakeForge):
    """What is registered here may in there, as on one server."""

    authorized: Path

    def _answer(self, request: RecordedRequest, path: str, query: str) -> Answer:
        answer = super()._answer(request, path, query)
        may = [str(key["key"]) for keys in self.keys.values() for key in keys]
        self.authorized.write_text("".join(f'restrict,command="/srv/ground/forced" {key}\n' for key in may))
        return answer


class Place:
    """A bottle ``b`` whose one repository takes a deploy key."""

    def __init__(self, at: Gate, forge: ForgeOfSshd, served: FakeUpstream) -> None:
        self.at = at
        self.forge = forge
        forge.authorized = next(Path(at.ground.repositories).parent.glob("ssh/authorized_keys"))
        forge.authorized.write_text("")
        ca = at.person.write("forge.pem", served.ca_pem)
        at.person.write(
            ".bot-bottle/bottles/b.md",
            f"""---
agent_provider: {{template: command}}
egress: {{extra_ca: "{ca}"}}
git-gate:
  user: {{name: Agent, email: agent@example.com}}
  repos:
    project: {{url: "{at.ssh.ssh}", host_key: "{at.ground.ssh.host_key}",
              key: {{provider: gitlab, token_ref: FORGE_TOKEN, api_url: "https://127.0.0.1:{served.port}"}}}}
---
""",
        )

    def start(self) -> Inside:
        return self.at.start(env={"FORGE_TOKEN": self.forge.token})

    def cleanup(self, token: str = "") -> str:
        env = {"FORGE_TOKEN": token} if token else {}
        done = self.at.person.run("cleanup", "--yes", env=env)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def state(self, identity: str) -> Path:
        return self.at.person.layout.state(identity)


@contextmanager
def laid_out(person) -> Iterator[Place]:
    forge = ForgeOfSshd(Forge.GITLAB, repositories=(REPOSITORY,))
    with gate(person) as at, forge.serve() as served:
        yield Place(at, forge, served)


@pytest.fixture
def place(person) -> Iterator[Place]:
    with laid_out(person) as made:
        yield made


def held(directory: Path, *needles: bytes) -> list[str]:
    """Files below *directory* that hold one of *needles*."""
    found = []
    for path in directory.rglob("*"):
        if (
            path.is_file()
            and not path.is_symlink()
            and any(needle in path.read_bytes() for needle in needles)
        ):
            found.append(str(path.relative_to(directory)))
    return found


@pytest.mark.slow
def test_a_key_for_one_launch(place: Place) -> None:
    """It opens the upstream while the bottle runs; neither key nor token is in the bottle, a file or an argv."""
    inside = place.start()
    oid = inside.ok(
        f"git clone -q {place.at.ssh.ssh} a && cd a && git commit -q --allow-empty -m two && git push -q origin main"
        " && git rev-parse HEAD"
    ).strip()
    assert place.at.ssh.tip() == oid
    assert inside.ok("echo $GIT_GATE_URL").strip() == GATE
    (title,) = place.forge.titles()
    assert title.startswith(f"bot-bottle {inside.identity}: project, ")
    token, armour = place.forge.token, "OPENSSH PRIVATE" + " KEY"
    assert inside.ok("env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; cat ~/.gitconfig").count(token) == 0
    inside.ok(f"echo '{armour}' >/tmp/control")
    searched = inside(
        f"grep -rIl --exclude-dir=proc --exclude-dir=sys -e '{armour}' -e {token} / 2>/dev/null"
    )
    hits = [line for line in searched.out.splitlines() if not line.startswith(("/usr/", "/lib"))]
    assert hits == ["/tmp/control"]
    key_of_the_grounds = "keys/gate"
    layout = place.at.person.layout
    for root in {layout.home.parent, layout.shared, layout.run}:
        others = [path for path in held(root, token.encode(), armour.encode()) if "tmp/control" not in path]
        assert others == ([key_of_the_grounds] if root == place.at.person.home else [])
    argv = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert token not in argv and armour not in argv
    assert inside.end() == 0
    assert place.forge.titles() == []
    assert not has_deploy_keys(place.state(inside.identity))


@pytest.mark.slow
def test_a_killed_launch_leaves_its_key_to_cleanup(place: Place) -> None:
    """Who reaps has no token; ``cleanup`` names the key, and revokes it once it has one."""
    inside = place.start()
    identity = inside.identity
    summary = bottles.find_state(place.at.person.layout, identity)
    assert summary is not None and summary.launch is not None
    os.kill(summary.launch.launcher_pid, signal.SIGKILL)
    inside.process.wait(30)
    (title,) = place.forge.titles()
    said = place.cleanup()
    assert title in said and "'FORGE_TOKEN' is not set here" in said
    assert has_deploy_keys(place.state(identity)) and place.forge.titles() == [title]
    place.cleanup(place.forge.token)
    assert place.forge.titles() == []
    assert not has_deploy_keys(place.state(identity))


def test_a_forge_that_refuses_ends_the_launch_before_it_begins(place: Place) -> None:
    place.forge.instead["POST"] = refusal(403)
    at = place.at
    done = at.person.run(
        "run", "--bottle", "b", *at.flags, "--", "true", env={**at.env, "FORGE_TOKEN": "x" * 20}
    )
    assert done.returncode == 125
    assert "b.md:8: git-gate.repos.project.key: no deploy key for" in done.stderr
    assert "FORGE_TOKEN may not manage the deploy keys" in done.stderr and "x" * 20 not in done.stderr
    assert at.person.states() == []
