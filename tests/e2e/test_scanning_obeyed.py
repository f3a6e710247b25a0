"""What a bottle's files say about scanning is obeyed in a real bottle, and its canary lies there as bait."""

from __future__ import annotations

import random

import pytest

from bot_bottle.dlp.sample import make
from bot_bottle.testing.upstream import FakeUpstream

GIVEN = "".join(random.Random(5).choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJK23456789", k=40))
TOKEN = make("ghp_{b62:30}{crc62}", random.Random(6)).text.decode()

BOTTLE = """---
agent_provider: {template: command}
env:
  GIVEN: {value: "${GIVEN}", allow_to: [a.example.com]}
egress:
  extra_ca: ca.pem
  on_taint: note
  routes:
    - {host: a.example.com, dlp: {outbound_on_match: block}}
    - {host: b.example.com, dlp: {outbound_on_match: redact}}
    - {host: c.example.com, dlp: {outbound_detectors: false, inbound_detectors: false, inbound_on_match: warn}}
---
"""

SEND = """send() { curl -sS -o /dev/null -w '%{http_code} ' --data "$2" "https://$1.example.com/"; }
"""


@pytest.fixture
def api(person):
    with FakeUpstream() as upstream:
        person.write(".bot-bottle/bottles/ca.pem", upstream.ca_pem)
        person.write(".bot-bottle/bottles/b.md", BOTTLE)
        yield upstream


def run(person, api, script: str) -> list[str]:
    """The statuses that *script* prints."""
    ways = [f"--connect-to={name}.example.com:443:127.0.0.1:{api.port}" for name in "abc"]
    environ = {"GIVEN": GIVEN, "TOKEN": TOKEN}
    done = person.run("run", "--bottle", "b", *ways, "--", "sh", "-c", SEND + script, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_given_secret_goes_where_it_may(person, api) -> None:
    """``allow_to``; elsewhere what its route says: refused, redacted, or not looked for."""
    assert run(person, api, 'send a "$GIVEN"; send b "$GIVEN"; send c "$GIVEN"') == ["200", "200", "200"]
    assert [request.body for request in api.requests] == [GIVEN.encode(), b"********", GIVEN.encode()]


def test_a_token_goes_nowhere_but_where_nobody_looks(person, api) -> None:
    script = f"send a {TOKEN}; send b {TOKEN}; send c {TOKEN}; send a hello"
    assert run(person, api, script) == ["403", "200", "200", "200"]
    assert [request.body for request in api.requests] == [b"********", TOKEN.encode(), b"hello"]


def test_the_canary_is_there_and_leaves_by_no_route(person, api) -> None:
    """Whatever the route says; each launch has another one."""
    find = "env | grep -E '^[A-Z]+_[A-Z]+_SECRET=' | cut -d= -f2"
    script = (
        f'c=$({find}); test "${{#c}}" = 43 || exit 9; for r in a b c; do send $r "x $c"; done; send c hello'
    )
    assert run(person, api, script) == ["403", "403", "403", "200"]
    assert [request.body for request in api.requests] == [b"hello"]
