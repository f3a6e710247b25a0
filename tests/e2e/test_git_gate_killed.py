"""SIGKILL of the gate at each step of a push: upstream has the old ref or the new one, and the bottle goes on later."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest
from e2e_support import eventually
from git_kinds import kinds
from git_support import Gate, Inside, gate, gate_processes, questions
from git_watch import below, named

STEPS = ("idle", "fetching", "scanning", "asking", "pushing", "judged upstream", "taken upstream")
QUICK = ("taken upstream",)
_HOOK = "touch {place}/at-hook; while [ -e {place}/hold ]; do sleep 0.05; done; exit 0"
_MANY = "for i in $(seq 30); do head -c 300000 /dev/urandom | base64 -w 76 > f$i; done; "


@pytest.fixture
def at(person):
    with gate(person) as made:
        yield made


def _hold_in_hook(at: Gate, name: str) -> None:
    at.ssh.hook(name, _HOOK.format(place="/srv/git"))
    (at.ground.repositories / "hold").touch()


def _until(at: Gate, inside: Inside, step: str, gate_pid: int) -> None:
    """Begin a push (or a fetch) and come back when it is at *step*."""
    push = "cd ~/a && git push -q origin work"
    if step in ("judged upstream", "taken upstream"):
        _hold_in_hook(at, "pre-receive" if step == "judged upstream" else "post-receive")
        inside.send(push)
        eventually((at.ground.repositories / "at-hook").exists, "upstream's hook runs", 60)
    elif step == "scanning":
        inside.ok(f"cd ~/a && {_MANY} git add . && git commit -qm many", timeout_s=120)
        inside.send(push)
        eventually(lambda: named("gitleaks", below(gate_pid)), "gitleaks runs", 120)
    elif step == "asking":
        asked = questions(at, inside)
        inside.ok(
            "cat > ~/a/x && cd ~/a && git add . && git commit -qm x",
            f'k = "{kinds()[0].secret}" # gitleaks:allow\n',
        )
        asked.renew_lease()
        inside.send(push)
        eventually(lambda: (asked.renew_lease(), asked.pending())[1], "the push asks", 60)
    elif step in ("fetching", "pushing"):
        at.ground.ssh.hold()
        before = at.ground.ssh.accepted
        inside.send(push if step == "pushing" else "cd ~/a && git fetch -q")
        eventually(lambda: at.ground.ssh.accepted > before, "upstream is asked", 60)
        time.sleep(0.3)


@pytest.mark.parametrize(
    ("person", "step"),
    [pytest.param("self", step, marks=[] if step in QUICK else [pytest.mark.slow]) for step in STEPS]
    + [pytest.param("user", step, marks=pytest.mark.slow) for step in ("idle", "taken upstream")],
    indirect=["person"],
)
def test_the_gate_is_killed(at: Gate, step: str) -> None:
    """The bottle ends with it, and so does every process of its; a resumed one clones, and pushes the rest."""
    inside = at.start(env={"SUPERVISE_GITLEAKS_ALLOW_TIMEOUT_SECONDS": "60"})
    inside.ok(
        f"git clone -q {at.ssh.ssh} ~/a && cd ~/a && git checkout -q -b work && git commit -q --allow-empty -m one"
    )
    (pid,) = gate_processes(at.person)
    _until(at, inside, step, pid)
    started = below(pid)
    os.kill(pid, signal.SIGKILL)
    assert inside.process.wait(30) == 125
    eventually(lambda: not [one for one in started if _lives(one)], "all processes of the gate end", 20)
    at.ground.ssh.go()
    (at.ground.repositories / "hold").unlink(missing_ok=True)
    new = at.ssh.tip("refs/heads/work")
    assert set(at.ssh.refs()) <= {"refs/heads/main", "refs/heads/work"}
    assert (new is not None) or step != "taken upstream"
    at.ssh.git("fsck", "--full", "--strict")
    for name in ("pre-receive", "post-receive"):
        with contextlib.suppress(FileNotFoundError):
            (at.ssh.path / "hooks" / name).unlink()
    again = at.resume(inside.identity)
    again.ok(f"git clone -q {at.ssh.ssh} ~/b && cd ~/b && git fsck --strict")
    if step == "asking":
        again.ok("cd ~/a && git reset -q --hard HEAD~")
    again.ok("cd ~/a && git fetch -q && git push -q origin work", timeout_s=240)
    assert at.ssh.tip("refs/heads/work") == again.ok("git -C ~/a rev-parse work").strip()
    assert again.end() == 0


def _lives(pid: int) -> bool:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] not in "ZX"
    return False
