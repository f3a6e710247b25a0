"""The real Codex, headless and on a terminal, in a real bottle, against a fake API that plays OpenAI's hosts.

Asserted on what the fake received: the operator's own credential and no other, the tool's result out of the
bottle.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from agents_support import LOOK, client_of, installed

from bot_bottle.providers.contract import PLACEHOLDER
from bot_bottle.testing.model_api import Say, Text, ToolUse
from bot_bottle.testing.openai_fake import OpenAIFake
from bot_bottle.testing.scripted_api import Recorded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install the pinned client"),
]

KEY = "key-made-for-this-test-of-the-operator-0001"
THEIRS = "key-of-an-attacker"
DONE = Say((Text(("All done", ", as asked.")),))


@pytest.fixture(scope="session")
def tree() -> Path:
    return installed("codex")


@pytest.fixture
def client(person, tree: Path) -> Iterator[None]:
    with client_of(person, tree):
        yield


def shell(command: str) -> Say:
    """The model reaches the shell through a tool that runs JavaScript."""
    script = f"text(JSON.stringify(await tools.exec_command({{cmd: {json.dumps(command)}}})))"
    return Say((Text(("I run it.",)), ToolUse("exec", {}, raw=script)))


def ways(person, api: OpenAIFake) -> list[str]:
    ca = person.write("api.pem", api.ca_pem)
    hosts = ("api.openai.com", "chatgpt.com")
    return [
        *(word for host in hosts for word in ("--connect-to", f"{host}:443:127.0.0.1:{api.port}")),
        *("--extra-ca", str(ca)),
    ]


def run_codex(person, api: OpenAIFake, *args: str, env: Mapping[str, str] | None = None):
    env = {"CODEX_API_KEY": KEY} if env is None else env
    return person.run("run", "--provider", "codex", *ways(person, api), *args, env=env)


def body(request: Recorded) -> str:
    """What was asked, unpacked where the client has packed it."""
    if request.header("content-encoding") == "zstd":
        return subprocess.run(
            ["zstd", "-dc"], input=request.body, capture_output=True, check=True
        ).stdout.decode()
    return request.body.decode()


@pytest.mark.parametrize("variable", ["CODEX_API_KEY", "OPENAI_API_KEY"])
def test_a_turn_with_a_tool_call(person, client, variable: str) -> None:
    """It completes the turn, knows nothing but a placeholder, and the API sees the operator's own key; what
    the tool saw of environment, processes and files holds no credential."""
    with OpenAIFake([shell(LOOK + "; cat ~/.codex/auth.json"), DONE]) as api:
        done = run_codex(person, api, "-p", "do it", env={variable: KEY})
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    assert len(api.model_requests) == 2
    result = body(api.model_requests[-1])
    assert "marker-42" in result and PLACEHOLDER in result
    for request in api.requests:
        assert (request.method, request.path) == ("POST", "/v1/responses")
        assert request.header("authorization") == f"Bearer {KEY}"
        assert KEY not in body(request)
    assert KEY not in done.stderr
    assert f"signs in with the value of {variable}" in done.stderr
