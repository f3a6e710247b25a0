"""Pushes that must not arrive (threats H3, H4, H5, H7): judged by what upstream holds afterwards.

Each attack is a script of plain git in a clone. Inside it goes through the gate, and upstream stays as it was;
outside the same script, with the key in its hand, changes a second upstream, or the row proves nothing (ruling 70).
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from e2e_support import eventually
from git_attacks import PREAMBLE, Attack, elsewhere, evasions, refs
from git_ground import AUTHOR, HOST, QUIET, ROOT, Repository
from git_kinds import MAKE, kinds
from git_support import Gate, Inside, gate, questions

from bot_bottle.proposals.records import Status

pytestmark = pytest.mark.slow

SECRET = next(kind for kind in kinds() if kind.rule == "github-token")


class Outside:
    """Whoever holds the key, on this machine and without a gate."""

    def __init__(self, at: Gate, home: Path) -> None:
        url = f"ssh://git@{HOST}{ROOT}/control.git"
        self._env = {
            **os.environ,
            **QUIET,
            **AUTHOR,
            "HOME": str(home),
            "U": url,
            "GIT_SSH_COMMAND": at.ground.ssh.client_command(),
        }

    def __call__(self, script: str, given: str = "") -> str:
        done = subprocess.run(
            ["bash", "-c", script], env=self._env, input=given, capture_output=True, text=True, timeout=120
        )
        return done.stdout + done.stderr


def _prepare(run: Outside | Inside, prefix: str) -> None:
    run(f"{prefix} cat > ~/make.py", MAKE)
    run("cat > ~/given", json.dumps({SECRET.rule: SECRET.secret}))
    run(f"{prefix} git clone -q $U ~/a")


def _state(repository: Repository) -> tuple[dict[str, str], bool]:
    return repository.refs(), repository.holds(SECRET.secret.encode())


def _lay(repository: Repository, needs: str) -> None:
    """Only ``main`` as it began, and the ref that an attack needs."""
    first = repository.git("rev-list", "--max-parents=0", "main").split()[-1]
    for ref in set(repository.refs()) - {"refs/heads/main"}:
        repository.git("update-ref", "-d", ref)
    repository.git("update-ref", "refs/heads/main", first)
    if needs:
        made = repository.commit({"d": "somebody else's"}, ref="refs/heads/somebody")
        repository.git("update-ref", needs, made)
        repository.git("update-ref", "-d", "refs/heads/somebody")
    repository.git("reflog", "expire", "--all", "--expire=now")
    repository.git("-c", "gc.pruneExpire=now", "gc", "-q", "--prune=now")


def _play(at: Gate, attacks: Iterable[Attack]) -> None:
    table = list(attacks)
    control = at.ground.repository("control")
    with tempfile.TemporaryDirectory() as home:
        outside, inside = Outside(at, Path(home)), at.start()
        inside_prefix = f"export U={at.ssh.ssh};"
        _prepare(inside, inside_prefix)
        _prepare(outside, "")
        wrong = []
        for attack in table:
            script = f"export S={SECRET.secret}\n{PREAMBLE}{attack.script}"
            for repository in (at.ssh, control):
                _lay(repository, attack.needs)
            before = _state(control)
            said = outside(script)
            if _state(control) == before:
                wrong.append(f"{attack.name}: the control does not arrive, not proven: {said}")
            before = _state(at.ssh)
            done = inside(inside_prefix + script, timeout_s=120)
            if _state(at.ssh) != before:
                wrong.append(f"{attack.name}: arrived: {done.said}")
    print(f"{len(table)} attacks")
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def at(person):
    with gate(person) as made:
        yield made


@pytest.mark.parametrize("table", [evasions, refs, elsewhere], ids=["H3", "H4", "H5"])
@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_what_must_not_arrive(at: Gate, table) -> None:
    """No ref of upstream's moves and no object with the secret is there; outside the same push arrives."""
    _play(at, list(table()))


# -- H7


def _waiting(at: Gate, inside: Inside, asked, text: str, branch: str):
    """A push that waits for the operator; its proposal and commit."""
    inside.ok(
        f"set -e; cd ~/a; git checkout -q -B {branch} origin/main; cat > x.txt; git add .; git commit -qm x",
        text,
    )
    commit = inside.ok("git -C ~/a rev-parse HEAD").strip()
    asked.renew_lease()
    inside.send(f"cd ~/a; git push origin {branch} & wait $!; echo over $?")
    (proposal,) = eventually(lambda: (asked.renew_lease(), asked.pending())[1], "the push asks", 60)
    return proposal, commit


@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_what_was_approved_is_what_arrives(at: Gate) -> None:
    """H7: the agent's repository changes while a push waits: upstream gets the commit that was scanned. Another
    commit needs an answer of its own, and a ref that moved meanwhile is not overwritten."""
    inside = at.start(env={"SUPERVISE_GITLEAKS_ALLOW_TIMEOUT_SECONDS": "60"})
    asked = questions(at, inside)
    inside.ok(f"git clone -q {at.ssh.ssh} ~/a")
    line = f'k = "{SECRET.secret}" # gitleaks:allow\n'
    inside.ok(
        "set -e; cd ~/a; git checkout -q -B work origin/main; cat > x.txt; git add .; git commit -qm x", line
    )
    scanned = inside.ok("git -C ~/a rev-parse HEAD").strip()
    asked.renew_lease()
    other = next(kind for kind in kinds() if kind.rule == "stripe-key")
    inside.send(
        f"cd ~/a; git push origin work >~/first 2>&1 & cd ~/a; sleep 2; echo 'k = \"{other.secret}\"' > y.txt;"
        " git add .; git commit -qm y; git update-ref refs/heads/work HEAD; git gc -q;"
        " git push origin HEAD:work >~/second 2>&1; wait"
    )
    (proposal,) = eventually(lambda: (asked.renew_lease(), asked.pending())[1], "the push asks", 60)
    asked.claim(proposal.id)
    asked.answer(proposal.id, Status.APPROVED, "a test's")
    inside.result(90)
    assert at.ssh.tip("refs/heads/work") == scanned, inside("cat ~/first ~/second").out
    assert not at.ssh.holds(other.secret.encode())
    proposal, _ = _waiting(at, inside, asked, line + "more\n", "moved")
    moved = at.ssh.commit({"z": "of somebody else"}, ref="refs/heads/moved")
    asked.claim(proposal.id)
    asked.answer(proposal.id, Status.APPROVED, "a test's")
    done = inside.result(60)
    assert "over 0" not in done.out and at.ssh.tip("refs/heads/moved") == moved, done.said


@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_pushes_that_race(at: Gate) -> None:
    """H7: ten at once to one ref, each with a commit of its own: upstream has one of them, and all others are told."""
    inside = at.start()
    script = (
        f"set -e; for n in $(seq 10); do git clone -q {at.ssh.ssh} ~/r$n; cd ~/r$n;"
        " git commit -q --allow-empty -m race$n; done"
    )
    inside.ok(script, timeout_s=120)
    done = inside(
        "for n in $(seq 10); do (cd ~/r$n; git push origin main >out 2>&1 && echo won $n) & done; wait",
        timeout_s=180,
    )
    winners = done.out.split()[1::2]
    assert len(winners) == 1, done.said
    assert at.ssh.git("log", "-1", "--format=%s", "main") == f"race{winners[0]}"
