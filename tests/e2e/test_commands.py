"""The other verbs, as a person uses them on running and kept bottles."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

BOTTLE = """---
agent_provider: {template: command, settings: {argv: [sh, -c, 'echo "$GREETING"; pwd; git config user.name']}}
env: {GREETING: hello from the manifest}
git-gate: {user: {name: of the bottle, email: bottle@example.com}}
egress: {log: 1, routes: [{host: api.example.com, matches: [{paths: [{value: /v1}], methods: [GET]}]}]}
---
"""
AGENT = "---\nbottle: dev\ngit-gate: {user: {name: of the agent}}\n---\nBe brief.\n"


@pytest.fixture
def manifest(person):
    person.write(".bot-bottle/bottles/dev.md", BOTTLE)
    person.write(".bot-bottle/agents/worker.md", AGENT)


@pytest.fixture
def running(person, world):
    """The identity of a bottle at work."""
    script = (
        "curl -s https://evil.example.com/secret-plan >/dev/null; echo here > f; echo started; exec sleep 300"
    )
    process = person.popen(
        "run", *world.flags(), "--", "sh", "-c", script, env=world.env, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"started\n"
    (identity,) = person.states()
    return identity


def test_start_shows_what_it_grants_and_runs_the_agent(person, manifest) -> None:
    """Preflight on standard error, the agent's output on standard output, its status with --exit-status."""
    done = person.run("start", "worker", "--yes")
    assert (done.returncode, done.stdout) == (0, "hello from the manifest\n/home/node\nof the agent\n"), (
        done.stderr
    )
    for text in (
        "bottles:\n- dev",
        "api.example.com",
        "GREETING",
        "not in this version",
        "ended with status 0",
    ):
        assert text in done.stderr
    assert person.states() == []


def test_start_asks_and_a_dry_run_starts_nothing(person, manifest) -> None:
    """Without a terminal a missing answer is usage, and names the flag."""
    done = person.run("start", "worker")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    done = person.run("start", "worker", "--dry-run")
    assert done.returncode == 0
    assert "api.example.com" in done.stderr
    assert person.states() == []


def test_nothing_is_installed_before_it_is_agreed_to(person) -> None:
    """A dry run, and a launch that nobody confirms, say what would be fetched; the same launch with --yes asks npm."""
    person.write(".bot-bottle/bottles/b.md", "---\nagent_provider: {template: pi}\n---\n")
    person.write(".bot-bottle/agents/a.md", "---\nbottle: b\n---\n")
    asked = person.home / "asked"
    person.write("bin/npm", f'#!/bin/sh\necho "$@" >> {asked}\nexit 1\n').chmod(0o755)
    env = {"PATH": f"{person.home}/bin:{os.environ['PATH']}"}
    for args, status in ((["--dry-run"], 0), ([], 2)):
        done = person.run("start", "a", *args, env=env)
        assert done.returncode == status, done.stderr
        assert (
            "to be installed first, once: @earendil-works/pi-coding-agent 0.87.1 (350 MB) in " in done.stderr
        )
        assert not asked.exists()
    done = person.run("start", "a", "--yes", env=env)
    assert done.returncode == 1
    assert "npm could not fetch" in done.stderr
    assert "@earendil-works/pi-coding-agent@0.87.1" in asked.read_text()
    assert person.states() == []


def test_a_label_is_an_identity_and_is_taken_once(person, manifest) -> None:
    """Two starts with one label: one wins; a kept bottle is offered for resume."""
    argv = ["start", "worker", "--yes", "--label", "My Feature Run", "--", "; echo left > work"]
    assert person.run(*argv).returncode == 0
    assert person.states() in ([], ["my-feature-run"])
    first = person.popen("run", "--json", "--", "true", stdout=subprocess.DEVNULL)
    first.wait()
    person.write(".bot-bottle/bottles/dev.md", BOTTLE.replace("pwd", "echo x > work"))
    assert person.run(*argv[:5]).returncode == 0
    assert person.states() == ["my-feature-run"]
    again = person.run(*argv[:5])
    assert again.returncode == 1
    assert "resume my-feature-run" in again.stderr


def test_resume_obeys_the_manifest_of_now(person, manifest) -> None:
    """What was taken away since the start is taken away (threat J7)."""
    person.write(".bot-bottle/bottles/dev.md", BOTTLE.replace("pwd", "echo x > work"))
    assert person.run("start", "worker", "--yes", "--label", "one").returncode == 0
    person.write(".bot-bottle/bottles/dev.md", BOTTLE.replace("api.example.com", "other.example.com"))
    done = person.run("resume", "--dry-run", "one")
    assert "other.example.com" in done.stderr
    assert "api.example.com" not in done.stderr
    person.write(".bot-bottle/bottles/dev.md", BOTTLE.replace("log: 1", "log: 1, provider_schema: log"))
    done = person.run("resume", "--yes", "one")
    assert done.returncode == 1
    assert "dev.md:5: egress.provider_schema: is not enforced by this version" in done.stderr.replace("'", "")


def test_a_running_bottle_is_listed_entered_read_and_stopped(person, running) -> None:
    """list, exec, logs, explain, stop, list kept, cleanup: in the order of a working day."""
    (record,) = json.loads(person.run("list", "active", "--json").stdout)
    assert record["identity"] == running
    assert record["backend"] == "bubblewrap"
    assert person.run("list", "active").stdout.split("\t")[1] == running
    assert person.run("exec", running, "--", "cat", "f").stdout == "here\n"
    assert person.run("exec", running, "--", "sh", "-c", "exit 5").returncode == 5
    assert person.run("resume", "--yes", running).returncode == 1
    passes = person.run("explain", "https://api.example.com/x", running, "--json")
    assert (passes.returncode, json.loads(passes.stdout)["passes"]) == (0, True)
    refused = person.run("explain", "https://evil.example.com/", running)
    assert refused.returncode == 1
    assert "no route" in refused.stdout
    assert person.run("cleanup", "--yes").returncode == 0
    assert person.run("exec", running, "--", "true").returncode == 0
    assert person.run("stop", running).returncode == 0
    assert person.run("list", "active").stdout == ""
    assert person.run("list", "kept").stdout.startswith(running)
    done = person.run("cleanup", "--yes")
    assert f"kept, since it holds work: {running}" in done.stderr
    assert person.states() == [running]
    assert person.run("cleanup", "--yes", "no-such-bottle").returncode == 1
    assert person.run("cleanup", "--yes", running).returncode == 0
    assert person.states() == []
    assert person.run("run", "--", "sh", "-c", "echo work > w").returncode == 0
    assert person.run("cleanup", "--yes", "--kept").returncode == 0
    assert person.states() == []
    assert person.run("logs", running).returncode == 0


def test_blocks_are_in_the_log_of_a_bottle_that_logs(person, manifest, world) -> None:
    """Level 1 names host, method, path and reason; the log outlives the bottle."""
    person.write(
        ".bot-bottle/bottles/dev.md", BOTTLE.replace("[sh, -c,", "[sh, -c, 'curl -s https://x.example/y',")
    )
    done = person.run("run", "--json", "--bottle", "dev")
    assert done.returncode == 0, done.stderr
    identity = json.loads(done.stdout)["identity"]
    shown = person.run("logs", identity, "--kind", "egress").stdout
    assert "egress_block" in shown
    assert "x.example" in shown
    for line in person.run("logs", identity, "--json").stdout.splitlines():
        assert json.loads(line)["event"]


def test_available_agents_are_listed(person, manifest) -> None:
    """Names alone, sorted, broken files included."""
    person.write(".bot-bottle/agents/broken.md", "---\n: : :\n---\n")
    assert person.run("list", "available").stdout == "broken\nworker\n"


def test_doctor_finds_this_host_fit(person) -> None:
    """Exit 0 where a backend works; every finding that is not ok says what mends it."""
    done = person.run("doctor", "--json")
    findings = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert any("bubblewrap works" in finding["what"] for finding in findings)
    assert all(finding["fix"] for finding in findings if finding["level"] != "ok")


def test_doctor_says_how_to_get_bubblewrap(person) -> None:
    """Exit 1 where none works."""
    done = person.run("doctor", env={"PATH": str(person.home)})
    if "bubblewrap works" in done.stdout:
        pytest.fail("PATH was emptied, so bwrap can't have been found")
    assert done.returncode == 1
    assert "apt install bubblewrap" in done.stdout or "install" in done.stdout


def test_help_and_version(person) -> None:
    """Help on standard output, every verb in it."""
    done = person.run("--help")
    assert done.returncode == 0
    for verb in (
        "run",
        "start",
        "resume",
        "list",
        "stop",
        "exec",
        "logs",
        "cleanup",
        "doctor",
        "try",
        "explain",
    ):
        assert f"  {verb} " in done.stdout
        assert person.run(verb, "--help").returncode == 0
    assert person.run("--version").stdout.startswith("bot-bottle ")
