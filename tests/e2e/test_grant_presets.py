"""A preset in a bottle: what it opens, what it leaves closed, what ``explain`` says, what the live file holds."""

from __future__ import annotations

import json

import pytest

from bot_bottle.egress.codec import load_policy
from bot_bottle.egress.presets.registries import REGISTRIES
from bot_bottle.testing.upstream import FakeUpstream

REGISTRY, YARNS = [host.host for host in REGISTRIES["npm"].access["read"]]
BOTTLE = """\
---
agent_provider: {template: command}
egress:
  extra_ca: ca.pem
  routes:
    - {preset: npm}
    - {preset: gitea, host: git.example.com, repos: [o/r], access: [read, issues],
       auth: {scheme: token, token_ref: FORGE_TOKEN}}
---
"""
SCRIPT = """\
ask() { curl -sS -o /dev/null -w '%{http_code} ' -H 'Cookie: a=attackers' -H 'X-Npm-Session: attackers' "$@"; }
ask https://REGISTRY/lodash
ask https://REGISTRY/@types%2fnode
ask https://REGISTRY/lodash?token=attackers
ask -X PUT -d attackers https://REGISTRY/lodash
ask -d attackers https://REGISTRY/-/npm/v1/security/advisories/bulk
ask https://git.example.com/api/v1/repos/o/r/issues
ask -H 'Authorization: token attackers' -d '{}' https://git.example.com/api/v1/repos/o/r/issues
ask -d attackers https://git.example.com/api/v1/repos/attackers/r/issues
ask -d attackers https://git.example.com/api/v1/user/tokens
curl -sS http://_egress.local/allowlist
"""


@pytest.fixture
def upstream(person):
    with FakeUpstream() as fake:
        person.write(".bot-bottle/bottles/ca.pem", fake.ca_pem)
        person.write(".bot-bottle/bottles/b.md", BOTTLE)
        yield fake


def test_a_preset_in_a_bottle(person, upstream):
    """Judged by what the upstream received; the agent is shown plain routes, and so is the proxy."""
    ways = [f"{host}:443:127.0.0.1:{upstream.port}" for host in (REGISTRY, "git.example.com")]
    flags = [word for way in ways for word in ("--connect-to", way)]
    script = SCRIPT.replace("REGISTRY", REGISTRY)
    done = person.run(
        "run", "--bottle", "b", *flags, "--", "sh", "-c", script, env={"FORGE_TOKEN": "forge-t0ken"}
    )
    assert done.returncode == 0, done.stderr
    statuses, _, live = done.stdout.partition("{")
    assert statuses.split() == ["200", "200", "403", "403", "403", "200", "200", "403", "403"]
    assert [f"{request.method} {request.target}" for request in upstream.requests] == [
        "GET /lodash",
        "GET /@types/node",
        "GET /api/v1/repos/o/r/issues",
        "POST /api/v1/repos/o/r/issues",
    ]
    assert b"attackers" not in upstream.raw
    assert [request.all("authorization") for request in upstream.requests] == [
        [], [], ["token forge-t0ken"], ["token forge-t0ken"],
    ]  # fmt: skip
    shown = json.loads("{" + live)["routes"]
    assert [route["host"] for route in shown] == [REGISTRY, YARNS, "git.example.com"]
    assert all("preset" not in route for route in shown)
    assert load_policy(json.dumps({"routes": shown})).routes


@pytest.mark.parametrize(
    ("method", "url", "status", "words"),
    [
        ("GET", f"https://{REGISTRY}/lodash", 0, "matches[0] (GET HEAD;"),
        ("PUT", f"https://{REGISTRY}/lodash", 1, "the route does not open this method and path"),
        ("GET", f"https://{REGISTRY}/lodash?api_key=x", 1, "credential or identity (api_key)"),
        ("POST", "https://git.example.com/api/v1/repos/o/r/issues", 0, "FORGE_TOKEN"),
        ("POST", "https://git.example.com/api/v1/repos/o/r/forks", 1, "does not open"),
    ],
)
def test_explain(person, upstream, method, url, status, words):
    """By the code that enforces, with the presets written out."""
    done = person.run("explain", "--bottle", "b", "--method", method, url)
    assert done.returncode == status, done.stderr
    assert words in done.stdout.replace("EGRESS_TOKEN_0", "FORGE_TOKEN")


def test_an_unknown_preset_has_its_line(person, upstream):
    """The names that there are."""
    file = person.write(".bot-bottle/bottles/b.md", BOTTLE.replace("preset: npm", "preset: nmp"))
    done = person.run("run", "--bottle", "b", "--", "true")
    assert done.returncode != 0
    assert f"{file}:6" in done.stderr
    assert "preset must be one of anthropic, crates, debian" in done.stderr
