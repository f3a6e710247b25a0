"""``try``: everything held, as root and as a user; and a hole, wherever it is opened, is in the table."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

FEWEST_ROWS = 25

SPOILED = """
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from msgspec import structs

from bot_bottle.cli.commands.try_ import carry_out
from bot_bottle.egress.config import Match, Route
from bot_bottle.sandbox.contract import Mount, Resources
from bot_bottle.testing.trial.trial import Spoil

def routes(plan, *more, **changes):
    kept = tuple(structs.replace(route, **changes) if route.auth else route for route in plan.policy.routes)
    return replace(plan, policy=structs.replace(plan.policy, routes=(*kept, *more)))

def key(plan):
    return next(iter(plan.tokens.values())).reveal()

SPOILS = {
    "forbidden host": Spoil(lambda plan: routes(plan, Route("attacker.example.net"))),
    "no rules": Spoil(lambda plan: routes(plan, matches=())),
    "no credential": Spoil(lambda plan: routes(plan, auth=(), matches=())),
    "key in environment": Spoil(lambda plan: replace(plan, env={**plan.env, "HELD": key(plan)})),
    "key in a file": Spoil(
        lambda plan: replace(plan, files=(*plan.files, replace(plan.files[0], path=PurePosixPath("/srv/k"),
                                                             content=key(plan).encode())))
    ),
    "file of the host": Spoil(
        lambda plan: replace(plan, mounts=(Mount(Path("/etc/passwd"), PurePosixPath("/etc/passwd")),))
    ),
    "no limit": Spoil(lambda plan: replace(plan, resources=Resources(pids=1000))),
    "no agent": Spoil(lambda plan: replace(plan, files=())),
    "no attacker": Spoil(before_control=lambda world: world.upstreams["tls"].stop()),
    "no listeners": Spoil(before_control=lambda world: world.listeners.stop()),
}
sys.exit(carry_out(as_json=True, spoil=SPOILS[sys.argv[1]]))
"""


def spoiled(person, kind: str) -> tuple[int, dict, dict[str, str]]:
    """Exit status, the whole object, and name to verdict of a trial that was spoiled."""
    argv = [*person.prefix, person.program[0], "-P", "-c", SPOILED, kind]
    done = subprocess.run(argv, env=person.environ(), cwd=person.home, capture_output=True, timeout=120)
    assert done.stdout, done.stderr.decode()
    result = json.loads(done.stdout)
    return done.returncode, result, {row["name"]: row["verdict"] for row in result["escapes"]}


def trials(person) -> set[str]:
    """The keys of the trials that there are: a home of each lies in the person's."""
    names = [name for name in os.listdir(person.home) if name.startswith(".bot-bottle-try-")]
    return {name.rpartition("-")[2] for name in names}


def left_behind(person, keys: set[str]) -> list[str]:
    """Directories and processes of the trials *keys* of this person's, and of any other in the home."""
    keys = keys | trials(person)
    homes = [person.home / f".bot-bottle-try-{key}" for key in keys]
    others = [path.parent / key for path in (person.layout.shared, person.layout.run) for key in keys]
    found = [str(path) for path in (*homes, *others) if path.exists()]
    needles = [f"bot-bottle-try-{key}".encode() for key in keys]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            argv = Path(f"/proc/{pid}/cmdline").read_bytes()
            found += [f"process {pid}" for needle in needles if needle in argv]
    return found


@pytest.mark.new_user
def test_everything_holds(person, installation) -> None:
    """The work is done, every escape is held, and each is proven by a control that arrived."""
    done = person.run("try", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    rows = result["escapes"]
    assert [row for row in rows if row["verdict"] != "held"] == []
    assert len(rows) >= FEWEST_ROWS
    assert all(
        row["received"] == "nothing" and row["control"] != "nothing" and row["stopped_by"] for row in rows
    )
    scanner = (installation[1].parent / "tools/gitleaks").exists() or shutil.which("gitleaks")
    assert len(result["work"]) == (6 if scanner else 5)
    assert all(step["done"] for step in result["work"])
    assert result["passed"] is True
    assert result["trouble"] == ""
    assert left_behind(person, set()) == []
    assert os.listdir(person.home) == []


@pytest.mark.slow
def test_the_table_fits(person) -> None:
    """No line is wider than it may be, nothing is coloured where nobody looks, and it says what is next."""
    done = person.run("try", env={"COLUMNS": "80"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.count("\n held ") + done.stdout.count("\nheld ") >= FEWEST_ROWS
    assert "bot-bottle run" in done.stdout.splitlines()[-1] + done.stdout.splitlines()[-2]
    assert [line for line in done.stderr.splitlines() if not line.startswith("try: ")] == []


@pytest.mark.parametrize(
    ("kind", "escaped"),
    [
        ("forbidden host", {"forbidden-host", "forbidden-http", "no-proxy-settings", "redirect"}),
        pytest.param("no rules", {"path", "path-tricks", "method", "pipelining"}, marks=pytest.mark.slow),
        pytest.param("key in environment", {"credential"}, marks=pytest.mark.slow),
        pytest.param("key in a file", {"credential"}, marks=pytest.mark.slow),
        pytest.param("file of the host", {"host-files"}, marks=pytest.mark.slow),
        pytest.param("no limit", {"processes-limit"}, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_a_hole_is_seen(person, kind: str, escaped: set[str]) -> None:
    """With a hole opened on purpose the rows that it concerns say so, no other does, and the status is 1."""
    status, result, verdicts = spoiled(person, kind)
    assert status == 1
    assert result["passed"] is False
    assert {name for name, verdict in verdicts.items() if verdict == "ESCAPED"} == escaped
    assert all(row["received"] != "nothing" for row in result["escapes"] if row["verdict"] == "ESCAPED")


@pytest.mark.parametrize(
    ("kind", "unproven"),
    [
        pytest.param(
            "no attacker", {"forbidden-host", "redirect", "name-to-loopback"}, marks=pytest.mark.slow
        ),
        pytest.param(
            "no listeners",
            {"tcp", "udp", "ipv6", "dns", "abstract-socket", "path-socket", "other-protocol"},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_without_a_control_nothing_is_proven(person, kind: str, unproven: set[str]) -> None:
    """An attacker who could not have been reached proves nothing; the row says so and the status is 1."""
    status, result, verdicts = spoiled(person, kind)
    assert status == 1
    assert {name for name, verdict in verdicts.items() if verdict == "not proven"} == unproven
    assert "ESCAPED" not in verdicts.values()
    reasons = [row["reason"] for row in result["escapes"] if row["verdict"] == "not proven"]
    assert all(reason.startswith("the control did not arrive") for reason in reasons)


@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_an_agent_that_does_nothing_proves_nothing(person) -> None:
    """No report, no row that holds, no work that is done."""
    status, result, verdicts = spoiled(person, "no agent")
    assert status == 1
    assert set(verdicts.values()) == {"not proven"}
    assert not any(step["done"] for step in result["work"])
    assert result["trouble"]


@pytest.mark.slow
def test_work_without_the_key_is_not_done(person) -> None:
    """That the API was called is no work done: it must have got the operator's key."""
    status, result, _ = spoiled(person, "no credential")
    assert status == 1
    assert [step["done"] for step in result["work"]] == [True, True, False, False, True, True]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("at", [b"a bottle starts", b"called an API", b"the same attempts"])
def test_a_signal_leaves_nothing(person, number: signal.Signals, at: bytes) -> None:
    """Whenever it is stopped: the status says so, and no process and no directory is left."""
    process = person.popen("try", stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    while at not in (line := process.stderr.readline()):
        assert line
    keys = trials(person)
    assert len(keys) == 1
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert left_behind(person, keys) == []


@pytest.mark.slow
def test_what_a_killed_trial_leaves_the_next_one_removes(person) -> None:
    """Directories and the daemon: nothing cleans up after SIGKILL but the next run."""
    process = person.popen("try", stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    while b"called an API" not in (line := process.stderr.readline()):
        assert line
    keys = trials(person)
    process.kill()
    process.wait()
    assert trials(person) == keys
    assert person.run("try", "--json").returncode == 0
    assert left_behind(person, keys) == []


def test_a_host_that_can_not_is_told_what_to_mend(person, tmp_path: Path) -> None:
    """Without a backend: what doctor finds, and status 1."""
    tools = person.home / "bin"
    tools.mkdir()
    for name in ("setpriv", "git"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    tools.chmod(0o755)
    os.chown(tools, person.uid, person.uid)
    done = person.run("try", env={"PATH": str(tools)})
    assert done.returncode == 1
    assert "bubblewrap is not installed" in done.stderr
    assert "apt install bubblewrap" in done.stderr
