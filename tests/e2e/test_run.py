"""``run``: a program in a bottle, its status, its output, what reaches upstreams, what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from bot_bottle.store.layout import Layout


@pytest.mark.parametrize(
    ("argv", "status", "out"),
    [
        (["true"], 0, ""),
        (["sh", "-c", "echo out; echo err >&2; exit 7"], 7, "out\n"),
        (["sh", "-c", "kill -9 $$"], 137, ""),
        (["no-such-program"], 127, ""),
        (["id", "-u"], 0, "1000\n"),
        (["pwd"], 0, "/home/node\n"),
        (["cat"], 0, "given"),
    ],
)
def test_the_program_is_run_and_its_status_returned(person, argv: list[str], status: int, out: str) -> None:
    """Input, output and status are the program's."""
    done = person.run("run", "--", *argv, given=b"given")
    assert (done.returncode, done.stdout) == (status, out), done.stderr


def test_nothing_is_left_of_a_bottle_without_work(person) -> None:
    """State, guest directories and sockets go; the log stays."""
    assert person.run("run", "--", "true").returncode == 0
    layout: Layout = person.layout
    assert person.states() == []
    for directory in (layout.guests, layout.run / "b", layout.run / "x"):
        assert not directory.exists() or os.listdir(directory) == []
    assert len(os.listdir(layout.home / "logs")) >= 1


@pytest.mark.parametrize(
    "where", ["/home/node/work.txt", "/home/node/.hidden", "/opt/work.txt", "/srv/deep/er/x"]
)
def test_work_is_not_lost_by_success(person, where: str) -> None:
    """A file that the agent wrote keeps the bottle, names itself, and is there after resume (ruling 51)."""
    done = person.run("run", "--", "sh", "-c", f"mkdir -p $(dirname {where}); echo precious > {where}")
    assert done.returncode == 0, done.stderr
    (identity,) = person.states()
    assert f"bot-bottle resume {identity}" in done.stderr
    assert where in done.stderr
    again = person.run("resume", "--yes", identity, "--", "cat", where)
    assert (again.returncode, again.stdout) == (0, "precious\n"), again.stderr


def test_the_credential_goes_to_its_host_alone(person, world) -> None:
    """The upstream sees the real key, whatever the client sent; the bottle sees it nowhere."""
    script = (
        "curl -sS https://api.example.com/plain; "
        "curl -sS -H 'Authorization: Bearer of-an-attacker' https://api.example.com/own-key; "
        "curl -sS --noproxy '*' https://api.example.com/without-proxy-settings; "
        "curl -sS https://evil.example.com/; curl -sS http://evil.example.com/; "
        "curl -sS https://api.example.com/ -H 'Host: evil.example.com'; "
        "env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'"
    )
    done = person.run("run", *world.flags(), "--", "sh", "-c", script, env=world.env)
    assert done.returncode == 0, done.stderr
    key = world.env["API_KEY"]
    assert [(r.target, r.all("authorization")) for r in world.api.requests] == [
        ("/plain", [f"Bearer {key}"]),
        ("/own-key", [f"Bearer {key}"]),
        ("/without-proxy-settings", [f"Bearer {key}"]),
    ]
    assert world.evil.raw == b""
    assert "egress_blocked" in done.stdout
    assert key not in done.stdout
    assert key not in done.stderr
    for path in Path(person.home / ".bot-bottle").rglob("*"):
        if path.is_file():
            assert key.encode() not in path.read_bytes(), path


def test_json_has_one_object(person) -> None:
    """For scripts: the outcome alone on standard output."""
    done = person.run("run", "--json", "--", "sh", "-c", "echo shown; echo x > f; exit 3")
    record = json.loads(done.stdout)
    assert done.returncode == record["status"] == 3
    assert record["preserved"] is True
    assert record["leftovers"] == 1
    assert (Path(record["directory"]) / "home" / "upper" / "f").read_text() == "x\n"
    assert "shown" in done.stderr


@pytest.mark.new_user
@pytest.mark.parametrize(
    ("args", "status", "named"),
    [
        (["run"], 2, "nothing to run"),
        (["run", "--", ""], 125, "program's name is empty"),
        (["run", "--auth", "a.example=Bearer:UNSET", "--", "true"], 125, "no value for UNSET"),
        (["run", "--backend", "docker", "--", "true"], 125, "not in this version"),
        (["run", "--env", "HTTPS_PROXY=x", "--", "true"], 125, "HTTPS_PROXY can't be set"),
        (["run", "--extra-ca", "/dev/null", "--", "true"], 125, "has no certificate in it"),
        (["run", "--routes", "/nowhere.yaml", "--", "true"], 125, "name a routes file"),
        (["run", "--provider", "nobody", "--", "true"], 125, "no provider is called 'nobody'"),
        (["run", "--provider", "claude", "-p", "x"], 125, "CLAUDE_CODE_OAUTH_TOKEN, ANTHROPIC_API_KEY"),
        (["run", "--agent", "nobody", "--", "true"], 125, "missing"),
        (["nonsense"], 2, "nonsense"),
        ([], 2, "Commands"),
        (["stop", "nobody"], 1, "no bottle 'nobody' is running"),
        (["resume", "--yes", "nobody"], 1, "no bottle 'nobody' is recorded"),
        (["stop", "../../etc"], 1, "not a bottle's identity"),
        (["start"], 2, "--agent"),
    ],
)
def test_errors_have_their_status_and_name_the_fix(person, args: list[str], status: int, named: str) -> None:
    """125: no bottle; 2: usage; 1: the person can mend it."""
    done = person.run(*args)
    assert done.returncode == status, done.stderr
    assert named in done.stderr
    assert person.states() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_bottle_and_keeps_its_work(person, number: signal.Signals) -> None:
    """SIGTERM and SIGHUP end it; SIGINT is the program's, which takes it as programs do."""
    process = person.popen(
        "run", "--", "sh", "-c", "echo started; echo precious > work; exec sleep 60", stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"started\n"
    time.sleep(0.3)
    process.send_signal(number)
    assert process.wait(20) == 128 + number
    (identity,) = person.states()
    assert person.run("resume", "--yes", identity, "--", "cat", "work").stdout == "precious\n"
