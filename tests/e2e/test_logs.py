"""``logs`` as a person uses it: on a running bottle, at level 2, until the bottle's end."""

from __future__ import annotations

import json
import subprocess

BOTTLE = """---
agent_provider: {template: command, settings: {argv: [sh, -c, 'SCRIPT']}}
egress: {log: 2, routes: [{host: api.example.com, auth: {scheme: Bearer, token_ref: API_KEY},
  matches: [{paths: [{value: /v1}]}]}]}
---
"""
AGENT = "---\nbottle: dev\n---\nBe brief.\n"


def bottle(person, script: str) -> None:
    person.write(".bot-bottle/bottles/dev.md", BOTTLE.replace("SCRIPT", script))
    person.write(".bot-bottle/agents/worker.md", AGENT)


def test_follow_shows_what_comes_and_ends_with_the_bottle(person, world) -> None:
    """Started before anything was logged; the last lines included; each request with its answer."""
    curl = "curl -s -o /dev/null https://api.example.com"
    script = f"echo started; read go; {curl}/v1/one; {curl}/closed; {curl}/v1/two?q=1"
    bottle(person, script)
    process = person.popen(
        "run",
        *world.flags(auth=False)[2:],
        "--bottle",
        "dev",
        env=world.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"started\n"
    (identity,) = person.states()
    follower = person.popen("logs", "-f", "--kind", "egress", identity, stdout=subprocess.PIPE)
    process.stdin.write(b"go\n")
    process.stdin.close()
    shown = follower.stdout.read().decode()
    assert follower.wait(20) == 0
    assert process.wait(20) == 0
    lines = [line.split(" ", 1)[1] for line in shown.splitlines()]
    traffic = [line for line in lines if "/v1/" in line or "/closed" in line]
    assert [line.split(" ")[0] for line in traffic] == ["egress_request", "egress_block", "egress_request"]
    assert traffic[0].startswith("egress_request GET api.example.com/v1/one 0 bytes")
    assert traffic[1].startswith("egress_block GET api.example.com/closed 403 egress: match: ")
    assert sum(line.startswith("egress_response api.example.com 200") for line in lines) == 2
    assert "\x1b" not in shown


def test_filters(person, world) -> None:
    """By level, event and time, readable and as JSON; headers and bodies are in the JSON."""
    script = (
        "curl -s -o /dev/null -d hello https://api.example.com/v1/x; curl -s -o /dev/null https://x.example/y"
    )
    bottle(person, script)
    done = person.run("run", *world.flags(auth=False)[2:], "--json", "--bottle", "dev", env=world.env)
    assert done.returncode == 0, done.stderr
    identity = json.loads(done.stdout)["identity"]

    def shown(*args: str) -> list[str]:
        told = person.run("logs", identity, *args)
        assert told.returncode == 0, told.stderr
        return told.stdout.splitlines()

    requests = [json.loads(line) for line in shown("--json", "--event", "egress_request")]
    assert [(record["method"], record["path"], record["body"]) for record in requests] == [
        ("POST", "/v1/x", "hello")
    ]
    assert not any(name.lower() == "authorization" for name, _ in requests[0]["headers"])
    blocks = shown("--level", "1", "--event", "egress_block")
    assert any("x.example/y 403 egress: route: no route for this host" in line for line in blocks)
    assert not any("egress_request" in line for line in shown("--level", "1"))
    assert shown("--since", "2100-01-01") == []
    assert len(shown("--since", "1h", "--event", "egress_block")) == len(blocks)
    assert person.run("logs", identity, "--since", "soon").returncode == 2
    assert person.run("logs", identity, "--level", "3").returncode == 2
