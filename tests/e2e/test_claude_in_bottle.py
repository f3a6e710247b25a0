"""The real Claude Code, headless, in a real bottle, against a fake model API that plays api.anthropic.com.

Asserted on what the fake received: the real key and no other, the tool's result out of the bottle.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents_support import client_of, installed

from bot_bottle.providers.contract import PLACEHOLDER
from bot_bottle.testing.anthropic_fake import AnthropicFake
from bot_bottle.testing.model_api import Refuse, Say, Text, ToolUse, Turn

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install the pinned client"),
]

KEYS = {
    "ANTHROPIC_API_KEY": "sk-ant-api" + "03-of-the-operator-made-for-this-test",
    "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat" + "01-of-the-operator-made-for-this-test",
}
THEIRS = "key-of-an-attacker"
DONE = Say((Text(("All done", ", as asked.")),))


@pytest.fixture(scope="session")
def tree() -> Path:
    return installed("claude")


@pytest.fixture
def client(person, tree: Path) -> Iterator[None]:
    with client_of(person, tree):
        yield


def run_claude(person, api: AnthropicFake, variable: str, *args: str):
    ca = person.write("api.pem", api.ca_pem)
    return person.run(
        "run", "--provider", "claude", "--connect-to", f"api.anthropic.com:443:127.0.0.1:{api.port}",
        "--extra-ca", str(ca), *args, env={variable: KEYS[variable]},
    )  # fmt: skip


def bash(command: str) -> Say:
    return Say((Text(("I run it.",)), ToolUse("Bash", {"command": command, "description": "as asked"})))


def tool_result(api: AnthropicFake) -> str:
    """What the client told the model about its last tool call."""
    return json.dumps(api.model_requests[-1].json()["messages"][-1])


@pytest.mark.parametrize(
    ("variable", "header", "other", "written"),
    [
        ("ANTHROPIC_API_KEY", "x-api-key", "authorization", "{}"),
        ("CLAUDE_CODE_OAUTH_TOKEN", "authorization", "x-api-key", "Bearer {}"),
    ],
)
def test_a_turn_with_a_tool_call(
    person, client, variable: str, header: str, other: str, written: str
) -> None:
    """It completes the turn, knows nothing but a placeholder, and the API sees the operator's own key; what
    the tool saw of environment, processes and files holds no credential."""
    command = (
        "id -u; env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'; "
        "grep -rsha -e '-of-the-operator-' /home /etc /tmp /run; "
        "echo marker-$((40 + 2)) | tee made.txt"
    )
    with AnthropicFake([bash(command), DONE]) as api:
        done = run_claude(person, api, variable, "-p", "do it")
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    assert len(api.model_requests) == 2
    assert "marker-42" in tool_result(api)
    assert PLACEHOLDER in tool_result(api)
    key = KEYS[variable]
    for request in api.requests:
        assert request.header(header) == written.format(key)
        assert request.header(other) is None
        assert key not in request.body.decode()
    assert key not in done.stderr
    assert f"signs in with the value of {variable}" in done.stderr


def test_it_streams(person, client) -> None:
    """Out of the bottle comes each delta before the API sends the next one."""
    with AnthropicFake([Say((Text(("one ", "two ", "three")),), paced=True)]) as api:
        ca = person.write("api.pem", api.ca_pem)
        process = person.popen(
            "run", "--provider", "claude", "--connect-to", f"api.anthropic.com:443:127.0.0.1:{api.port}",
            "--extra-ca", str(ca), "-p", "count", "--",
            "--output-format", "stream-json", "--verbose", "--include-partial-messages",
            env={"ANTHROPIC_API_KEY": KEYS["ANTHROPIC_API_KEY"]},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout is not None
        api.permit()
        shown = []
        for line in process.stdout:
            if b'"content_block_delta"' in line:
                shown.append((json.loads(line)["event"]["delta"]["text"], len(api.sent_deltas)))
                api.permit()
        assert process.wait() == 0
    assert shown == [("one ", 1), ("two ", 2), ("three", 3)]


def test_an_attackers_key_is_not_seen(person, client) -> None:
    """Whatever the agent sends along, the API sees the operator's key, and nothing where the attacker's stands
    in the URL or the path is closed."""
    curl = f"curl -sS -H 'x-api-key: {THEIRS}' -H 'authorization: Bearer {THEIRS}' -d '{{}}'"
    targets = ("/v1/messages", f"/v1/messages?api_key={THEIRS}", "/v1/files")
    command = "; ".join(f"{curl} 'https://api.anthropic.com{target}'" for target in targets)
    answer = Say((Text(("answered with our key",)),))
    with AnthropicFake([bash(command), answer, DONE]) as api:
        done = run_claude(person, api, "ANTHROPIC_API_KEY", "-p", "do it")
    assert done.stdout == "All done, as asked.\n", done.stderr
    assert "answered with our key" in tool_result(api)
    assert {request.path for request in api.requests} <= {
        "/v1/messages", "/api/claude_code/settings", "/api/claude_code/policy_limits",
    }  # fmt: skip
    assert len(api.model_requests) == 3
    for request in api.requests:
        assert request.header("x-api-key") == KEYS["ANTHROPIC_API_KEY"]
        assert request.header("authorization") is None
        assert THEIRS not in request.target


def test_a_refusal_ends_it(person, client) -> None:
    """One try, the message shown, the client's own status returned."""
    turns: list[Turn] = [Refuse(400, "invalid_request_error", "egress: no route for that")] * 9
    with AnthropicFake(turns) as api:
        done = run_claude(person, api, "ANTHROPIC_API_KEY", "-p", "do it")
    assert (done.returncode, done.stdout) == (1, "API Error: 400 egress: no route for that\n")
    assert len(api.model_requests) == 1


def test_the_client_alone_is_no_work(person, client) -> None:
    """A session that only talked leaves nothing behind: the client's own files are no work."""
    with AnthropicFake([DONE]) as api:
        done = run_claude(person, api, "ANTHROPIC_API_KEY", "-p", "say it")
    assert done.returncode == 0, done.stderr
    assert person.states() == []
